//! Everything that two or three threads can do to each other at a gate, in every order: by loom, which
//! runs a model again and again. A wake-up that is lost is a deadlock, which loom reports.
//!
//! `RUSTFLAGS="--cfg persevere_loom" cargo test -p persevere --no-default-features --lib interleavings`

use std::future::poll_fn;

use loom::future::block_on;
use loom::sync::Arc;
use loom::thread;

use super::*;
use crate::cancel::CancellationToken;

/// Waits in a thread of its own, until it is let through.
fn wait(gate: &Arc<NetworkGate>) -> thread::JoinHandle<Release> {
    let gate = gate.clone();
    thread::spawn(move || wait_here(&gate))
}

fn wait_here(gate: &NetworkGate) -> Release {
    let mut recovery = gate.recovered();
    block_on(poll_fn(|context| recovery.poll(context, None)))
}

fn closed() -> Arc<NetworkGate> {
    Arc::new(NetworkGate::new(NetworkState::Down))
}

/// Threads take each other's turn at most three times in a run: with no bound at all the longest of
/// these models takes minutes.
fn try_all(model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(4);
    builder.check(model);
}

#[test]
fn a_recovery_wakes_whoever_waits_or_is_about_to() {
    try_all(|| {
        let gate = closed();
        let waiters = [wait(&gate), wait(&gate)];
        gate.set(NetworkState::Up);
        for waiter in waiters {
            let release = waiter.join().unwrap();
            // Who has waited is one of at most two, and has a ticket that was given for them.
            assert!(release.ticket < release.waiting && release.waiting <= 2, "{release:?}");
        }
        assert_eq!(gate.waiters.places(), 0);
    });
}

#[test]
fn a_blip_loses_nobody() {
    try_all(|| {
        let gate = closed();
        let waiter = wait(&gate);
        let flapping = gate.clone();
        let flaps = thread::spawn(move || {
            flapping.set(NetworkState::Up);
            flapping.set(NetworkState::Down);
            flapping.set(NetworkState::Unknown);
        });
        waiter.join().unwrap();
        flaps.join().unwrap();
        assert_eq!(gate.waiters.places(), 0);
    });
}

#[test]
fn a_ticket_is_never_one_of_an_earlier_recovery() {
    try_all(|| {
        let gate = closed();
        // A crowd has been let go before.
        *gate.lock_release() = (500, 500);
        let waiter = wait(&gate);
        gate.set(NetworkState::Up);
        let release = waiter.join().unwrap();
        assert_eq!((release.ticket, release.waiting), (0, 1));
    });
}

#[test]
fn two_who_say_that_it_is_back_lose_nobody() {
    try_all(|| {
        let gate = closed();
        let waiter = wait(&gate);
        let other = gate.clone();
        let says = thread::spawn(move || other.set(NetworkState::Degraded));
        gate.set(NetworkState::Up);
        let release = waiter.join().unwrap();
        assert!(release.ticket < release.waiting, "{release:?}");
        says.join().unwrap();
    });
}

#[test]
fn one_who_is_let_through_and_leaves_passes_it_on() {
    try_all(|| {
        let gate = closed();
        let (mut leaves, mut stays) = (gate.recovered(), gate.recovered());
        let mut asleep = Context::from_waker(std::task::Waker::noop());
        assert!(leaves.poll(&mut asleep, None).is_pending());
        assert!(stays.poll(&mut asleep, None).is_pending());
        let admitting = gate.clone();
        let admits = thread::spawn(move || admitting.admit_one());
        drop(leaves);
        let release = block_on(poll_fn(|context| stays.poll(context, None)));
        assert!(release.canary);
        drop(stays);
        assert!(admits.join().unwrap());
        assert_eq!(gate.waiters.places(), 0);
    });
}

#[test]
fn an_admission_that_meets_a_recovery_loses_nobody() {
    try_all(|| {
        let gate = closed();
        let waiter = wait(&gate);
        let admitting = gate.clone();
        let admits = thread::spawn(move || admitting.admit_one());
        gate.set(NetworkState::Up);
        waiter.join().unwrap();
        admits.join().unwrap();
        assert_eq!(gate.waiters.places(), 0);
    });
}

#[test]
fn cancelling_wakes_whoever_waits_or_is_about_to() {
    try_all(|| {
        let token = Arc::new(CancellationToken::new());
        let waiting = token.clone();
        let waiter = thread::spawn(move || block_on(waiting.cancelled()));
        token.cancel();
        waiter.join().unwrap();
        assert_eq!(token.waiting(), 0);
    });
}
