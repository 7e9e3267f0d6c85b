//! What threads share in `watched`: the standard library's, or in the tests of `watched/interleavings.rs`
//! loom's, which tries all orders.

#[cfg(not(persevere_loom))]
pub(crate) use std::sync::{
    Condvar, Mutex, MutexGuard,
    atomic::{AtomicBool, Ordering},
};

#[cfg(persevere_loom)]
pub(crate) use loom::sync::{
    Condvar, Mutex, MutexGuard,
    atomic::{AtomicBool, Ordering},
};
