//! Blocking. Each variant is a function that is never inlined; see [`super::polled`].

use std::hint::black_box;
use std::io;
use std::time::Duration;

use backon::BlockingRetryable;
use persevere::RetryError;

use super::{BACKON, DEADLINE, LOOP, OURS, Setup, Variant};
use crate::operation::{by_hand_blocking, operation};

pub(super) const VARIANTS: [Variant; 4] = [
    Variant { name: LOOP, repeat: |_, times| call_each(times, by_loop) },
    Variant { name: OURS, repeat: |setup, times| call_each(times, || ours(setup)) },
    Variant { name: BACKON, repeat: |setup, times| call_each(times, || backon(setup)) },
    Variant { name: DEADLINE, repeat: |setup, times| call_each(times, || deadline(setup)) },
];

fn call_each<R>(times: u64, mut call: impl FnMut() -> R) {
    for _ in 0..times {
        drop(black_box(call()));
    }
}

#[inline(never)]
fn by_loop() -> io::Result<u64> {
    by_hand_blocking(|| operation(black_box(1)))
}

#[inline(never)]
fn ours(setup: &Setup) -> Result<u64, RetryError<io::Error>> {
    setup.retryer.run_blocking("operation", |_| operation(black_box(1)))
}

#[inline(never)]
fn deadline(setup: &Setup) -> Result<u64, RetryError<io::Error>> {
    let call = setup.retryer.call("operation").deadline(Duration::from_secs(60));
    call.run_blocking(|_| operation(black_box(1)))
}

#[inline(never)]
fn backon(setup: &Setup) -> io::Result<u64> {
    (|| operation(black_box(1))).retry(&setup.backon).call()
}
