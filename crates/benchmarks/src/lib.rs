//! The benchmarks of `persevere`, beside its peers: what `cargo bench` and the tests of allocations,
//! memory and instructions have in common.
//!
//! | module | what it has |
//! |---|---|
//! | [`operation`] | the operation that is retried, and the loop that one would write by hand |
//! | [`first_success`] | a call that succeeds at once: ours, by hand, and the peers' |
//! | [`rounds`] | the clock: variants in turn, medians |
//! | [`instructions`] | instructions per call, by callgrind |
//! | [`allocations`] | allocations of a piece of code |
//! | [`waiting`] | a crowd of operations that wait in backoff at once |
//! | [`outage`] | a crowd of operations that wait for the network at once |
//! | [`report`] | the table, and which targets are met |

pub mod allocations;
pub mod first_success;
pub mod instructions;
pub mod operation;
pub mod outage;
pub mod report;
pub mod rounds;
pub mod waiting;
