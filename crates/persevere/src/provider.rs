//! Whose service it is, where that makes a difference to what its errors mean.

use std::fmt;
use std::str::FromStr;

/// A service or protocol whose own errors detection knows.
///
/// Detection finds their codes without being told. Where the same status means different things to
/// different services, it helps to say which one it is:
///
/// ```
/// use persevere::Provider;
/// use persevere::detect::Detector;
///
/// assert!(!Detector::new().http_status(408).is_retryable());
/// assert!(Detector::new().provider(Provider::Azure).http_status(408).is_retryable());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Provider {
    /// Amazon Web Services, but for S3.
    Aws,
    /// Amazon S3 and services that speak its protocol.
    S3,
    /// Microsoft Azure.
    Azure,
    /// Google Cloud Storage and other Google APIs.
    Gcs,
    /// gRPC, whoever speaks it.
    Grpc,
    /// SSH and SFTP.
    Ssh,
    /// VMware vSphere.
    Vsphere,
    /// PostgreSQL, and whoever else uses SQLSTATE.
    Postgres,
    /// MySQL and MariaDB.
    Mysql,
    /// Redis and Valkey.
    Redis,
    /// Apache Kafka.
    Kafka,
    /// Kubernetes.
    Kubernetes,
    /// OpenStack.
    Openstack,
}

impl Provider {
    /// Every one, for menus and help texts.
    pub const ALL: [Self; 13] = [
        Self::Aws,
        Self::S3,
        Self::Azure,
        Self::Gcs,
        Self::Grpc,
        Self::Ssh,
        Self::Vsphere,
        Self::Postgres,
        Self::Mysql,
        Self::Redis,
        Self::Kafka,
        Self::Kubernetes,
        Self::Openstack,
    ];

    /// The name in configuration files and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::S3 => "s3",
            Self::Azure => "azure",
            Self::Gcs => "gcs",
            Self::Grpc => "grpc",
            Self::Ssh => "ssh",
            Self::Vsphere => "vsphere",
            Self::Postgres => "postgres",
            Self::Mysql => "mysql",
            Self::Redis => "redis",
            Self::Kafka => "kafka",
            Self::Kubernetes => "kubernetes",
            Self::Openstack => "openstack",
        }
    }

    /// Whether it documents that 408 is to be retried.
    ///
    /// Azure: "Transient fault handling", <https://learn.microsoft.com/azure/architecture/best-practices/transient-faults>.
    /// Google: "Retry strategy", <https://cloud.google.com/storage/docs/retry-strategy>.
    pub(crate) const fn retries_408(self) -> bool {
        matches!(self, Self::Azure | Self::Gcs)
    }
}

/// Its name as people write it.
impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Aws => "AWS",
            Self::S3 => "S3",
            Self::Azure => "Azure",
            Self::Gcs => "Google Cloud",
            Self::Grpc => "gRPC",
            Self::Ssh => "SSH",
            Self::Vsphere => "vSphere",
            Self::Postgres => "PostgreSQL",
            Self::Mysql => "MySQL",
            Self::Redis => "Redis",
            Self::Kafka => "Kafka",
            Self::Kubernetes => "Kubernetes",
            Self::Openstack => "OpenStack",
        })
    }
}

impl FromStr for Provider {
    type Err = UnknownProvider;

    fn from_str(name: &str) -> Result<Self, UnknownProvider> {
        let known = Self::ALL.into_iter().find(|provider| provider.name() == name);
        known.ok_or_else(|| UnknownProvider { name: name.to_owned() })
    }
}

/// A name that no [`Provider`] has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownProvider {
    name: String,
}

impl fmt::Display for UnknownProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "provider is `{}`, but must be one of", self.name)?;
        for (index, provider) in Provider::ALL.iter().enumerate() {
            write!(f, "{}{}", if index == 0 { " " } else { ", " }, provider.name())?;
        }
        Ok(())
    }
}

impl std::error::Error for UnknownProvider {}
