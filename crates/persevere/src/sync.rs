//! What threads share, in the parts where their interleavings matter: the standard library's, or in
//! the tests of `gate/interleavings.rs` loom's, which tries all of them.

#[cfg(not(persevere_loom))]
pub(crate) use std::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicU8, Ordering},
};

#[cfg(persevere_loom)]
pub(crate) use loom::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicU8, Ordering},
};
