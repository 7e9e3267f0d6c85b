//! Storage that retries and resumes.
#![doc = ""]

mod digest;
mod error;
#[cfg(feature = "gcs")]
mod gcs;
#[cfg(feature = "http-stores")]
mod http;
mod location;
mod meter;
#[cfg(feature = "s3")]
mod s3;
mod store;
#[cfg(test)]
#[cfg(feature = "http-stores")]
mod test_peers;
#[cfg(any(feature = "s3", feature = "gcs"))]
mod xml_api;

pub use error::{Cause, ProviderError, StorageError};
#[cfg(feature = "gcs")]
pub use gcs::{GcsAccessToken, GcsOptions};
#[cfg(feature = "http-stores")]
pub use http::HttpOptions;
pub use location::{Location, LocationError};
#[cfg(feature = "s3")]
pub use s3::{S3AccessKey, S3Addressing, S3Options};
pub use store::{Checksums, Entry, ObjectInfo, Version};
