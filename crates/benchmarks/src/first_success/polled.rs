//! Async: each future is made, polled once, which is enough, and dropped.
//!
//! Each variant is a function that is never inlined, so that all pay for the same call, and the
//! compiler can move nothing out of the loop that measures it.

use std::future::Future;
use std::hint::black_box;
use std::io;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use backon::Retryable;
use persevere::RetryError;
use tokio_retry2::{MapErr, Retry};

use super::{BACKON, DEADLINE, LOOP, OURS, Setup, TOKIO_RETRY2, Variant};
use crate::operation::{by_hand, operation, operation_async};

pub(super) const VARIANTS: [Variant; 5] = [
    Variant { name: LOOP, repeat: |_, times| poll_each(times, by_loop) },
    Variant { name: OURS, repeat: |setup, times| poll_each(times, |cx| ours(setup, cx)) },
    Variant { name: BACKON, repeat: |setup, times| poll_each(times, |cx| backon(setup, cx)) },
    Variant {
        name: TOKIO_RETRY2,
        repeat: |setup, times| poll_each(times, |cx| tokio_retry2(setup, cx)),
    },
    Variant { name: DEADLINE, repeat: |setup, times| poll_each(times, |cx| deadline(setup, cx)) },
];

fn poll_each<R>(times: u64, mut call: impl FnMut(&mut Context<'_>) -> Poll<R>) {
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..times {
        drop(black_box(call(&mut context)));
    }
}

type Polled<E> = Poll<Result<u64, E>>;

#[inline(never)]
fn by_loop(context: &mut Context<'_>) -> Polled<io::Error> {
    pin!(by_hand(|| operation_async(black_box(1)))).poll(context)
}

#[inline(never)]
fn ours(setup: &Setup, context: &mut Context<'_>) -> Polled<RetryError<io::Error>> {
    pin!(setup.retryer.run("operation", |_| operation_async(black_box(1)))).poll(context)
}

#[inline(never)]
fn deadline(setup: &Setup, context: &mut Context<'_>) -> Polled<RetryError<io::Error>> {
    let call = setup.retryer.call("operation").deadline(Duration::from_secs(60));
    pin!(call.run(|_| operation_async(black_box(1)))).poll(context)
}

#[inline(never)]
fn backon(setup: &Setup, context: &mut Context<'_>) -> Polled<io::Error> {
    pin!((|| operation_async(black_box(1))).retry(&setup.backon)).poll(context)
}

#[inline(never)]
fn tokio_retry2(setup: &Setup, context: &mut Context<'_>) -> Polled<io::Error> {
    let operation = || async { operation(black_box(1)).map_transient_err() };
    pin!(Retry::spawn(setup.tokio_retry2_delays(), operation)).poll(context)
}
