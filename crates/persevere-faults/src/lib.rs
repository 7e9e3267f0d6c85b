//! Network faults on demand, on loopback: a proxy in front of any server that resets connections at a given byte,
//! stalls, truncates or loses answers, throttles, drips, and goes down for a time; for tests of retries, of timeouts
//! and of resumed transfers.
//!
//! A [`FaultProxy`] carries out a [`Plan`]: [`Rule`]s in order, each with a [`Fault`] and the requests that it hits. It
//! counts, and keeps a log of [`Exchange`]s, so that a test can say what was sent twice and what was not:
//!
//! ```
//! use persevere_faults::{At, Fault, FaultProxy, Outage, Plan, Rule};
//! use std::time::Duration;
//!
//! # let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
//! # let server = listener.local_addr()?;
//! let plan = Plan::new()
//!     .rule(Rule::new(Fault::ResetRequest(At::Byte(1_000_000))).path_contains("partNumber=3").nth(1));
//! let proxy = FaultProxy::http(server, plan)?;
//!
//! // ... an upload to proxy.url() ...
//! proxy.outage(Outage::Refuse, Duration::from_millis(10));
//! assert!(std::net::TcpStream::connect(proxy.address()).is_err());
//!
//! let third: Vec<_> =
//!     proxy.exchanges().into_iter().filter(|e| e.target.contains("partNumber=3")).collect();
//! # assert!(third.is_empty());
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! The same plan, seed and order of requests make the same faults, in every version of this crate.
//!
//! With the feature `s3-server`, `S3Server` is an S3 server in this process to put it in front of.
#![deny(missing_docs)]

mod answer;
mod body;
mod connection;
mod exchange;
mod fault;
mod gate;
mod head;
mod http;
mod log;
mod plan;
mod proxy;
mod pump;
mod random;
#[cfg(feature = "s3-server")]
mod s3_server;
mod socket;
mod tcp;
mod thread;

pub use answer::Answer;
pub use fault::{At, Fault, Outage};
pub use log::{Counters, Exchange};
pub use plan::{Plan, Request, Rule};
pub use proxy::FaultProxy;
#[cfg(feature = "s3-server")]
pub use s3_server::S3Server;
