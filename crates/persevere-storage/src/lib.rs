//! Storage that retries and resumes.

#[cfg(feature = "azure")]
mod azure;
mod digest;
mod error;
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
mod side;
mod storage;
mod store;
mod transfer;
mod unfinished;
mod walk;

#[cfg(feature = "azure")]
pub use azure::AzureOptions;
pub use error::{Cause, ProviderError, StorageError};
#[cfg(feature = "http-stores")]
pub use http::HttpOptions;
pub use location::{Location, LocationError};
pub use open::StorageBuilder;
pub use options::TransferOptions;
pub use progress::Progress;
pub use storage::Storage;
pub use store::{Checksums, Entry, ObjectInfo, Version};
pub use transfer::{Summary, Verified};
pub use unfinished::UnfinishedTransfer;
