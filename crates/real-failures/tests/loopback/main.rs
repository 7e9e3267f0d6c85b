//! Real libraries meet real failures, and detection is asked about the errors that come out.

#![expect(clippy::unwrap_used, reason = "the functions beside the tests are tests as well")]

mod answers;
mod grpc;
mod http2;
mod hyper_client;
mod object_stores;
mod reqwest_client;
mod sftp;
mod ssh;
mod system;
mod tokio_io;

use std::time::Duration;

/// Long enough for loopback, short enough to wait for.
const SHORT: Duration = Duration::from_millis(150);

/// A name that nobody has, by RFC 6761.
const NOBODY: &str = "nobody.invalid";
