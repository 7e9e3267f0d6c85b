//! Places by URL, opened.

use std::sync::Arc;
use std::time::Duration;

use persevere::Retryer;
use persevere_network::{Monitor, Target};
use tokio::net::lookup_host;
use tokio::time::timeout;

#[cfg(feature = "http-stores")]
use crate::HttpOptions;
#[cfg(feature = "azure")]
use crate::azure::{AzureOptions, AzureStore};
use crate::error::StorageError;
#[cfg(feature = "gcs")]
use crate::gcs::{Gcs, GcsOptions};
use crate::local::LocalStore;
use crate::location::Location;
#[cfg(feature = "s3")]
use crate::s3::{S3, S3Options};
#[cfg(feature = "sftp")]
use crate::sftp::{SftpOptions, SftpStore};
use crate::storage::Storage;
use crate::store::Store;

/// How long a name is looked up for the network monitor, which can do without.
const LOOKING_UP: Duration = Duration::from_secs(2);

/// Opens places by URL. Whatever is not said here comes from the environment, as each provider's own
/// tools read it.
///
/// ```
/// use persevere::{RetryPolicy, Retryer};
/// use persevere_storage::{Location, StorageBuilder, TransferOptions};
///
/// # async fn example() -> Result<(), persevere_storage::StorageError> {
/// let builder = StorageBuilder::new().retryer(Retryer::new(RetryPolicy::aggressive()));
/// let location: Location = "s3://images/disk.img".parse()?;
/// let (storage, key) = builder.open(&location).await?;
/// let summary = storage.upload("disk.img", &key, &TransferOptions::new()).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
pub struct StorageBuilder {
    retryer: Retryer,
    monitor: Option<Arc<Monitor>>,
    #[cfg(feature = "http-stores")]
    http: HttpOptions,
    #[cfg(feature = "s3")]
    s3: Option<S3Options>,
    #[cfg(feature = "azure")]
    azure: Option<AzureOptions>,
    #[cfg(feature = "gcs")]
    gcs: Option<GcsOptions>,
    #[cfg(feature = "sftp")]
    sftp: Option<SftpOptions>,
}

impl StorageBuilder {
    /// With the balanced policy and no network monitor.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What runs the operations.
    #[must_use]
    pub fn retryer(mut self, retryer: Retryer) -> Self {
        self.retryer = retryer;
        self
    }

    /// Operations pause while the way to their host is down, if the retryer's policy says
    /// [`wait_for_network`](persevere::RetryPolicyBuilder::wait_for_network).
    #[must_use]
    pub fn network_monitor(mut self, monitor: Arc<Monitor>) -> Self {
        self.monitor = Some(monitor);
        self
    }

    /// How HTTP connections are made.
    #[cfg(feature = "http-stores")]
    #[must_use]
    pub fn http(mut self, options: HttpOptions) -> Self {
        self.http = options;
        self
    }

    /// Which endpoint and region of S3, and on whose behalf. Default: what the environment says.
    #[cfg(feature = "s3")]
    #[must_use]
    pub fn s3(mut self, options: S3Options) -> Self {
        self.s3 = Some(options);
        self
    }

    /// On whose behalf Google Cloud Storage is asked. Default: what the environment says.
    #[cfg(feature = "gcs")]
    #[must_use]
    pub fn gcs(mut self, options: GcsOptions) -> Self {
        self.gcs = Some(options);
        self
    }

    /// How hosts are logged in to. Default: as `ssh` does it.
    #[cfg(feature = "sftp")]
    #[must_use]
    pub fn sftp(mut self, options: SftpOptions) -> Self {
        self.sftp = Some(options);
        self
    }

    /// Which account of Azure, and on whose behalf. Default: what the environment says.
    #[cfg(feature = "azure")]
    #[must_use]
    pub fn azure(mut self, options: AzureOptions) -> Self {
        self.azure = Some(options);
        self
    }

    /// The storage that a place is in, and the key of the place there. No request is made yet.
    ///
    /// # Errors
    ///
    /// [`StorageError::Setup`] if settings are missing or do not go together.
    pub async fn open(&self, location: &Location) -> Result<(Storage, String), StorageError> {
        let (store, key) = self.store(location)?;
        let retryer = match (&self.monitor, store.peer()) {
            (Some(monitor), Some(peer)) => {
                self.retryer.clone().network_monitor(monitor.target(target(peer).await))
            }
            _ => self.retryer.clone(),
        };
        Ok((Storage::new(store, retryer), key))
    }

    fn store(&self, location: &Location) -> Result<(Arc<dyn Store>, String), StorageError> {
        match location {
            Location::Local(path) => Ok((Arc::new(LocalStore::new()), LocalStore::key(path)?)),
            #[cfg(feature = "s3")]
            Location::S3 { bucket, key } => {
                let options = self.s3.clone().unwrap_or_else(S3Options::from_environment);
                Ok((Arc::new(S3::new(bucket, &options, &self.http)?), key.clone()))
            }
            #[cfg(feature = "gcs")]
            Location::Gcs { bucket, key } => {
                let options = self.gcs.clone().unwrap_or_else(GcsOptions::from_environment);
                Ok((Arc::new(Gcs::new(bucket, &options, &self.http)?), key.clone()))
            }
            #[cfg(feature = "azure")]
            Location::Azure { container, key } => {
                let options = self.azure.clone().map_or_else(AzureOptions::from_environment, Ok)?;
                let store = AzureStore::new(container, &options, &self.http)?;
                Ok((Arc::new(store), key.clone()))
            }
            #[cfg(feature = "sftp")]
            Location::Sftp { user, host, port, path } => {
                let options = self.sftp.clone().unwrap_or_else(SftpOptions::from_environment);
                let store = SftpStore::new(user.as_deref(), host, *port, options)?;
                Ok((Arc::new(store), path.clone()))
            }
            #[allow(unreachable_patterns, reason = "with all features there is none")]
            other => Err(StorageError::Unsupported {
                what: format!("{other}: this program was built without this provider"),
            }),
        }
    }
}

/// A name that cannot be looked up now, may be later: any way out is watched then.
async fn target((host, port): (String, u16)) -> Target {
    match timeout(LOOKING_UP, lookup_host((host, port))).await {
        Ok(Ok(addresses)) => {
            let addresses: Vec<_> = addresses.collect();
            if addresses.is_empty() { Target::anywhere() } else { addresses.into_iter().collect() }
        }
        _ => Target::anywhere(),
    }
}
