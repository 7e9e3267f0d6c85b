//! Retry any operation: exponential backoff with jitter, error detection, network-aware pausing,
//! deadlines and cancellation.
//!
//! ```
//! use persevere::{RetryPolicy, Retryer};
//! use std::time::Duration;
//!
//! # async fn upload(disk: &str) -> std::io::Result<u64> { Ok(disk.len() as u64) }
//! # async fn example() -> Result<(), persevere::RetryError<std::io::Error>> {
//! let retryer = Retryer::new(RetryPolicy::aggressive());
//!
//! // As simple as can be: three words of name, one closure.
//! let sent = retryer.run("upload disk", |_| upload("disk-0.vmdk")).await?;
//!
//! // With options for this call.
//! let sent = retryer
//!     .call("upload disk")
//!     .deadline(Duration::from_secs(600))
//!     .attempt_timeout(Duration::from_secs(60))
//!     .run(|attempt| {
//!         println!("attempt {}", attempt.number());
//!         upload("disk-0.vmdk")
//!     })
//!     .await?;
//! # Ok(())
//! # }
//! ```
//!
//! # What is where
//!
//! - [`RetryPolicy`]: how often, how long, how random. Three presets, a checked builder.
//! - [`Retryer`]: a policy, and what you attach to it. [`Retryer::run`] and
//!   [`Retryer::run_blocking`] follow the same rules.
//! - [`Call`]: deadline, attempt timeout, cancellation, idempotency and a rule for one call.
//! - [`permanent`], [`transient`] and [`retry_after()`]: the operation says it itself.
//! - [`detect`] and [`Verdict`]: what else decides whether an error is retried, and why it did.
//! - [`http`]: answers and their Retry-After headers.
//! - [`RetryError`]: how a call ended, with the operation's own last error.
//! - [`NetworkMonitor`]: calls pause in an outage in place of using up their attempts.
//! - [`RetryBudget`]: a bound on retries over many calls.
//! - [`Observer`] and [`Event`]: what happened, for metrics; logs go through `tracing`.
//! - [`RetryExt`]: `operation.retry(policy)`, where all of this is too much.
//!
//! # Features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `tokio` | yes | tokio's time in async calls, its paused clock included; `Elapsed` and `JoinError` |
//! | `tracing` | yes | logs |
//! | `http` | yes | the module [`http`] |
//! | `text` | yes | detection by message |
//! | `serde` | no | [`RetryPolicy`] in configuration files |
//! | `anyhow` | no | operations that fail with `anyhow::Error` |
//! | `reqwest` | no | detection by `reqwest::Error` (0.13), with `hyper`, whose errors are in it |
//! | `hyper` | no | detection by `hyper::Error` (1) and that of hyper-util's client (0.1) |
//! | `h2` | no | detection by `h2::Error` (0.4): the reasons of HTTP/2, under hyper and tonic |
//! | `rustls` | no | detection by `rustls::Error` (0.23): certificates, under all of these |
//! | `tonic` | no | detection by `tonic::Status` (0.14): gRPC's codes, RetryInfo and pushback |
//! | `object_store` | no | detection by `object_store::Error` (0.14); with `reqwest` for its causes |
//! | `russh` | no | detection by `russh::Error` (0.65) and russh-sftp's (3) |
//!
//! Detection by type is a feature for each library, because naming its errors takes building it: switch
//! on those that your program has anyway. Without them the text still says much, if not as surely.

mod as_error;
mod attempt;
mod backoff;
mod budget;
mod call;
mod cancel;
mod chain;
pub mod clock;
mod decision;
pub mod detect;
mod duration;
mod error;
mod event;
mod gate;
#[cfg(feature = "http")]
pub mod http;
mod jitter;
mod limit;
#[cfg(feature = "tracing")]
mod log;
mod mark;
mod network;
mod network_report;
mod options;
mod outage;
mod policy;
#[cfg(feature = "serde")]
mod policy_serde;
mod provider;
mod random;
mod retry_ext;
mod retryer;
#[cfg(all(feature = "serde", feature = "text"))]
mod rules_serde;
mod run;
mod run_async;
mod run_blocking;
mod sleep;
mod sync;
mod timer_thread;
mod verdict;
mod waiters;

#[cfg(feature = "anyhow")]
pub use as_error::ViaAnyhow;
pub use as_error::{AsError, ViaBox, ViaError};
pub use attempt::Attempt;
pub use backoff::Delays;
pub use budget::RetryBudget;
pub use call::Call;
pub use cancel::{CancellationToken, Cancelled};
pub use duration::HumanDuration;
pub use error::{End, Retried, RetryError};
pub use event::{Event, EventKind, Level, Observer};
pub use gate::NetworkGate;
pub use jitter::{Jitter, UnknownJitter};
pub use mark::{Mark, Marked, permanent, retry_after, transient};
pub use network::{ManualMonitor, NetworkMonitor, NetworkState};
pub use network_report::NetworkReport;
pub use options::{CallerRule, NoRule, RetryIf, Rule};
pub use policy::{PolicyError, RetryPolicy, RetryPolicyBuilder};
pub use provider::{Provider, UnknownProvider};
pub use retry_ext::{RetryBlockingExt, RetryExt};
pub use retryer::Retryer;
pub use verdict::{Kind, UnknownKind, Verdict};
