//! A network monitor for [`persevere`]: while the network is down, calls pause in place of burning
//! their attempts, and go on by themselves when it is back.

// The evaluator is used by the monitor, which comes next.
#[cfg_attr(not(test), expect(dead_code))]
mod evaluator;
mod interfaces;
#[cfg_attr(not(test), expect(dead_code))]
mod route;
mod sandbox;
mod status;
#[expect(dead_code)]
mod target;

pub use interfaces::{Counters, Interface};
pub use route::Way;
pub use status::{Reason, Status, state_name};
pub use target::Target;
