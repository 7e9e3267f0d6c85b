//! Network faults on demand, on loopback.
#![deny(missing_docs)]

#[cfg(feature = "s3-server")]
mod s3_server;
#[cfg(feature = "s3-server")]
mod thread;

#[cfg(feature = "s3-server")]
pub use s3_server::S3Server;
