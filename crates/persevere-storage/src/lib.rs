//! Storage that retries and resumes.
#![doc = ""]

mod digest;
mod error;
#[cfg(feature = "http-stores")]
mod http;
mod local;
mod location;
mod meter;
mod partial;
#[cfg(feature = "sftp")]
mod sftp;
mod store;
#[cfg(test)]
mod testing;
mod walk;

pub use error::{Cause, ProviderError, StorageError};
#[cfg(feature = "http-stores")]
pub use http::HttpOptions;
pub use location::{Location, LocationError};
#[cfg(feature = "sftp")]
pub use sftp::{Ask, SftpOptions};
pub use store::{Checksums, Entry, ObjectInfo, Version};
