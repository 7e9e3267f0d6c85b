//! Credentials from a provider's own chain, and signatures by them.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::request::Parts;
use reqsign_command_execute_tokio::TokioCommandExecute;
use reqsign_core::{Context, OsEnv, Signer, SigningCredential};
use reqsign_file_read_tokio::TokioFileRead;
use reqsign_http_send_reqwest::ReqwestHttpSend;
use tokio::sync::RwLock;

use super::client::{HttpOptions, client};
use crate::error::StorageError;

/// How long fetching credentials may take. The metadata services answer from the next machine; where
/// there is none, as on a laptop, nobody should wait for them.
const CONNECTING: Duration = Duration::from_secs(2);
const FETCHING: Duration = Duration::from_secs(30);

/// What the chains of all providers need: files, environment, commands, HTTP.
pub(crate) fn context(options: &HttpOptions) -> Result<Context, StorageError> {
    let options = HttpOptions { connect_timeout: CONNECTING, ..options.clone() };
    let client = client(&options)?.timeout(FETCHING).build();
    let client = client.map_err(|error| StorageError::Setup {
        message: "the HTTP client for credentials could not be set up".into(),
        source: Some(error.into()),
    })?;
    Ok(Context::new()
        .with_file_read(TokioFileRead)
        .with_http_send(ReqwestHttpSend::new(client))
        .with_command_execute(TokioCommandExecute)
        .with_env(OsEnv))
}

/// Makes the signer, with no credentials loaded yet.
type Make<K> = dyn Fn() -> Signer<K> + Send + Sync;

/// Credentials, loaded when they are first needed, and again before they expire.
pub(crate) struct Credentials<K: SigningCredential> {
    make: Arc<Make<K>>,
    signer: RwLock<Signer<K>>,
}

impl<K: SigningCredential> Credentials<K> {
    pub(crate) fn new(make: impl Fn() -> Signer<K> + Send + Sync + 'static) -> Self {
        let signer = RwLock::new(make());
        Self { make: Arc::new(make), signer }
    }

    /// Signs a request. `missing` says where credentials were looked for.
    pub(crate) async fn sign(&self, parts: &mut Parts, missing: &str) -> Result<(), StorageError> {
        let signer = self.signer.read().await.clone();
        signer.sign(parts, None).await.map_err(|error| StorageError::Setup {
            message: missing.to_owned(),
            source: Some(error.into()),
        })
    }

    /// Forgets what is loaded: the provider says that it is no longer good.
    pub(crate) async fn forget(&self) {
        *self.signer.write().await = (self.make)();
    }
}

impl<K: SigningCredential> fmt::Debug for Credentials<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials")
    }
}
