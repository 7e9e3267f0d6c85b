//! Everything that two or three threads can do to each other at a target, in every order; see the tests
//! of the same name in the engine.

use loom::sync::Arc;
use loom::thread;

use super::*;
use crate::evaluator::Strength;

fn watched() -> Arc<Watched> {
    let watched = Watched::new(Target::anywhere(), false, 0);
    watched.take(Duration::ZERO, Input::Route(Route::Open));
    Arc::new(watched)
}

fn take(watched: &Arc<Watched>, input: Input) -> thread::JoinHandle<()> {
    let watched = watched.clone();
    thread::spawn(move || _ = watched.take(Duration::ZERO, input))
}

/// As in the engine: threads take each other's turn at most so often in a run.
fn try_all(model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(model);
}

#[test]
fn those_who_change_it_at_once_leave_the_gate_as_the_last_one_wants_it() {
    let (missing, strong) = (Input::Route(Route::Missing), Input::Failure(Strength::Strong));
    for [first, second] in [[missing, Input::Success], [missing, Input::Lost], [strong, missing]] {
        try_all(move || {
            let watched = watched();
            let other = take(&watched, first);
            watched.take(Duration::ZERO, second);
            other.join().unwrap();
            assert_eq!(watched.gate().state(), watched.status().state);
        });
    }
}

#[test]
fn a_change_wakes_whoever_waits_for_one_or_is_about_to() {
    try_all(|| {
        let watched = watched();
        let seen = watched.status();
        let other = take(&watched, Input::Route(Route::Missing));
        let status = watched.wait_for_change(&seen, None);
        assert_eq!(status.reason, Reason::NoRoute);
        // Whoever knows it finds the gate closed.
        assert_eq!(watched.gate().state(), NetworkState::Down);
        other.join().unwrap();
    });
}

#[test]
fn the_end_wakes_whoever_waits_and_nothing_is_said_after_it() {
    try_all(|| {
        let watched = watched();
        let seen = watched.status();
        let ends = watched.clone();
        let ends = thread::spawn(move || ends.stop());
        let other = take(&watched, Input::Route(Route::Missing));
        let mut status = seen;
        while status.reason != Reason::Stopped {
            status = watched.wait_for_change(&status, None);
        }
        ends.join().unwrap();
        other.join().unwrap();
        assert_eq!(watched.gate().state(), NetworkState::Unknown);
    });
}
