//! A network monitor for [`persevere`]: while the network is down, calls pause in place of burning
//! their attempts, and go on by themselves when it is back.
//!
//! ```
//! use std::sync::Arc;
//! use persevere::{RetryPolicy, Retryer};
//! use persevere_network::Monitor;
//!
//! let policy = RetryPolicy::balanced().to_builder().wait_for_network(true).build()?;
//! let retryer = Retryer::new(policy).network_monitor(Arc::new(Monitor::new()));
//! # drop(retryer);
//! # Ok::<(), persevere::PolicyError>(())
//! ```
//!
//! It advises and never vetoes: every call makes its first attempt, and only `Down` pauses those that
//! fail. `Down` is said on the kernel's word alone (no route, no address, no carrier), or when
//! operations and probes have failed for a while; where nothing is known, nothing pauses.
//!
//! On Linux the kernel tells when something changes, and a call that waits knows of it within
//! milliseconds. On other systems the route is looked up every 2 s; that part is compiled for them,
//! but has never been run there.

mod bell;
mod ears;
mod evaluator;
mod interfaces;
mod last_ways;
mod monitor;
mod options;
mod probe;
mod route;
mod sandbox;
mod shared;
mod status;
mod suspend;
mod sync;
mod target;
mod watched;
mod worker;

pub use interfaces::{Counters, Interface};
pub use monitor::{Monitor, TargetMonitor};
pub use options::MonitorBuilder;
pub use route::Way;
pub use status::{Reason, Status, state_name};
pub use target::Target;
