//! Storage that retries and resumes.
#![doc = ""]

#[cfg(feature = "azure")]
mod azure;
mod digest;
mod error;
#[cfg(feature = "http-stores")]
mod http;
mod location;
mod meter;
mod store;

#[cfg(feature = "azure")]
pub use azure::AzureOptions;
pub use error::{Cause, ProviderError, StorageError};
#[cfg(feature = "http-stores")]
pub use http::HttpOptions;
pub use location::{Location, LocationError};
pub use store::{Checksums, Entry, ObjectInfo, Version};
