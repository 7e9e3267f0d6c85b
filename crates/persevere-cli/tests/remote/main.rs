//! The storage commands against real servers, with what goes wrong on the way to them.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;
mod copy;
mod errors;
mod place;
mod secrets;
mod stopped;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod trap;

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod kill;
#[cfg(target_os = "linux")]
mod outage;
