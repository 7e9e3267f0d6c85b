//! Storage that retries and resumes.

#[cfg(feature = "azure")]
mod azure;
mod buffers;
mod digest;
mod error;
#[cfg(feature = "gcs")]
mod gcs;
#[cfg(feature = "http-stores")]
mod http;
mod journal;
mod local;
mod location;
mod meter;
mod open;
mod options;
mod part_size;
mod partial;
mod progress;
#[cfg(feature = "s3")]
mod s3;
#[cfg(test)]
#[cfg(feature = "http-stores")]
mod script;
#[cfg(feature = "sftp")]
mod sftp;
mod side;
mod storage;
mod store;
#[cfg(test)]
mod testing;
mod transfer;
mod unfinished;
mod walk;
#[cfg(any(feature = "s3", feature = "gcs"))]
mod xml_api;

#[cfg(feature = "azure")]
pub use azure::AzureOptions;
pub use error::{Cause, ProviderError, StorageError};
#[cfg(feature = "gcs")]
pub use gcs::{GcsAccessToken, GcsOptions};
#[cfg(feature = "http-stores")]
pub use http::HttpOptions;
pub use location::{Location, LocationError};
pub use open::StorageBuilder;
pub use options::TransferOptions;
pub use progress::Progress;
#[cfg(feature = "s3")]
pub use s3::{S3AccessKey, S3Addressing, S3Options};
#[cfg(feature = "sftp")]
pub use sftp::{Ask, SftpOptions};
pub use storage::Storage;
pub use store::{Checksums, Entry, ObjectInfo, Version};
pub use transfer::{Summary, Verified};
pub use unfinished::UnfinishedTransfer;
