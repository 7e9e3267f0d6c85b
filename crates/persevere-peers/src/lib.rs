//! The real servers that persevere's tests talk to, each started on a free port of loopback with folders of
//! its own, and killed when it is dropped or when the test's process ends, however it ends.
//!
//! `scripts/peers` installs them. One that is not there is [`PeerError::Missing`]; [`or_skip`] makes of that a loud
//! skip on a user's machine and a failure in CI:
//!
//! ```
//! let Some(s3) = persevere_peers::or_skip("this example", persevere_peers::s3s_fs()) else { return };
//! assert!(s3.url.starts_with("http://127.0.0.1:"));
//! assert_eq!(s3.bucket, "test");
//! ```
//!
//! A peer may be kept in a `static`, to be started once for a whole test binary: that it is never dropped does no
//! harm.
//!
//! It works where processes have groups, which is not on Windows.
#![cfg(unix)]
#![deny(missing_docs)]

mod azurite;
mod bytes;
mod error;
mod gcs;
mod http;
mod install;
mod process;
mod s3;
mod sshd;

pub use azurite::{Azurite, azurite, azurite_with_tokens};
pub use bytes::bytes;
pub use error::{PeerError, or_skip};
pub use gcs::{FakeGcs, fake_gcs};
pub use install::program;
pub use s3::{S3Peer, moto, s3s_fs, versitygw};
pub use sshd::{Sshd, sshd, sshd_with};

/// The bucket, or container, that every peer has from the start.
pub const BUCKET: &str = "test";
