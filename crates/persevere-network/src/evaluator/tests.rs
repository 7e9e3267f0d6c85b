//! The whole table of transitions, in virtual time.

mod histories;

use super::*;

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

/// An evaluator and its time.
struct Scene {
    now: Duration,
    evaluator: Evaluator,
}

impl Scene {
    fn new() -> Self {
        Self { now: SECOND * 100, evaluator: Evaluator::new(true, 7) }
    }

    fn up() -> Self {
        let mut scene = Self::new();
        scene.take(Input::Route(Route::Open));
        scene
    }

    fn down_hard() -> Self {
        let mut scene = Self::up();
        scene.take(Input::Route(Route::Missing));
        scene
    }

    fn without_carrier() -> Self {
        let mut scene = Self::up();
        scene.take(Input::Route(Route::NoCarrier));
        scene
    }

    fn degraded() -> Self {
        let mut scene = Self::up();
        scene.take(Input::Failure(Strength::Strong));
        scene
    }

    fn down_soft() -> Self {
        let mut scene = Self::degraded();
        for _ in 0..10 {
            scene.probe(Probed::Silent);
        }
        scene
    }

    fn take(&mut self, input: Input) -> bool {
        self.evaluator.take(self.now, input)
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        self.take(Input::Tick);
    }

    /// Waits until a probe is due, and answers it.
    fn probe(&mut self, probed: Probed) {
        for _ in 0..100_000 {
            if let Some(id) = self.evaluator.takes_probe(self.now) {
                self.take(Input::Probe(id, probed));
                return;
            }
            self.pass(MS);
        }
        panic!("no probe is ever due");
    }

    /// Somebody waits, and goes if one may.
    fn lets_canary(&mut self) -> bool {
        let due = self.evaluator.wants_canary(self.now);
        if due {
            self.evaluator.note_canary(self.now);
        }
        due
    }

    fn expect(&self, state: NetworkState, reason: Reason) {
        assert_eq!((self.evaluator.state(), self.evaluator.reason()), (state, reason));
    }
}

#[test]
fn a_new_one_knows_nothing() {
    Scene::new().expect(NetworkState::Unknown, Reason::NoEvidence);
    assert_eq!(Scene::new().evaluator.wakes_at(false), None);
}

/// Every state meets every input: what follows at once.
#[test]
fn the_table_of_transitions() {
    use NetworkState::{Degraded, Down, Unknown, Up};
    use Reason::{NoCarrier, NoEvidence, NoRoute, OperationsFail, ProbesFail, RouteOpen};
    let inputs = [
        Input::Route(Route::Open),
        Input::Route(Route::Missing),
        Input::Route(Route::NoCarrier),
        Input::Route(Route::Unknown),
        Input::Success,
        Input::SuccessElsewhere,
        Input::Failure(Strength::Strong),
        Input::Failure(Strength::Weak),
        Input::Lost,
        Input::Tick,
    ];
    let (unknown, up) = ((Unknown, NoEvidence), (Up, RouteOpen));
    let (no_route, no_carrier) = ((Down, NoRoute), (Down, NoCarrier));
    let (degraded, soft) = ((Degraded, OperationsFail), (Down, ProbesFail));
    // One column for each of the inputs, in their order.
    type Row = (fn() -> Scene, [(NetworkState, Reason); 10]);
    #[rustfmt::skip]
    let table: [Row; 6] = [
        (Scene::new, [up, no_route, no_carrier, unknown, up, up, degraded, unknown, unknown, unknown]),
        (Scene::up, [up, no_route, no_carrier, up, up, up, degraded, up, unknown, up]),
        (
            Scene::degraded,
            [degraded, no_route, no_carrier, degraded, up, up, degraded, degraded, unknown, degraded],
        ),
        (
            Scene::down_hard,
            [no_route, no_route, no_carrier, no_route, up, no_route, no_route, no_route, unknown, no_route],
        ),
        (
            Scene::without_carrier,
            [
                no_carrier, no_route, no_carrier, no_carrier, up, no_carrier, no_carrier, no_carrier, unknown,
                no_carrier,
            ],
        ),
        (Scene::down_soft, [soft, no_route, no_carrier, soft, up, up, soft, soft, unknown, soft]),
    ];
    for (from, row) in table {
        for (input, expected) in inputs.into_iter().zip(row) {
            let mut scene = from();
            let before = (scene.evaluator.state(), scene.evaluator.reason());
            let changed = scene.take(input);
            let after = (scene.evaluator.state(), scene.evaluator.reason());
            assert_eq!(after, expected, "{before:?} and {input:?}");
            assert_eq!(changed, before != after, "{before:?} and {input:?}");
        }
    }
}

/// Who does not doubt the network makes no probes, and heeds no answers to those from before.
#[test]
fn probes_are_for_the_doubtful_only() {
    for from in [Scene::new, Scene::up, Scene::down_hard, Scene::without_carrier] {
        let mut scene = from();
        let before = (scene.evaluator.state(), scene.evaluator.reason());
        scene.pass(SECOND * 3_600);
        assert_eq!(scene.evaluator.takes_probe(scene.now), None, "{before:?}");
    }
    for ends in [Input::Success, Input::Lost, Input::Route(Route::Missing)] {
        for probed in [Probed::Answered, Probed::Silent, Probed::NotMade] {
            let mut scene = Scene::down_soft();
            let late = loop {
                if let Some(id) = scene.evaluator.takes_probe(scene.now) {
                    break id;
                }
                scene.pass(MS);
            };
            scene.take(ends);
            let before = (scene.evaluator.state(), scene.evaluator.reason());
            for _ in 0..5 {
                assert!(!scene.take(Input::Probe(late, probed)), "{before:?} and {probed:?}");
            }
        }
    }
}

#[test]
fn a_route_counts_when_it_has_been_back_for_300_ms() {
    let mut scene = Scene::down_hard();
    scene.take(Input::Route(Route::Open));
    assert_eq!(scene.evaluator.wakes_at(false), Some(scene.now + SETTLE));
    scene.pass(MS * 299);
    scene.expect(NetworkState::Down, Reason::NoRoute);
    // Seen once more, it does not begin anew.
    scene.take(Input::Route(Route::Open));
    scene.pass(MS);
    scene.expect(NetworkState::Up, Reason::RouteOpen);
}

#[test]
fn a_route_lost_again_meanwhile_begins_anew() {
    let mut scene = Scene::down_hard();
    scene.take(Input::Route(Route::Open));
    scene.pass(MS * 200);
    scene.take(Input::Route(Route::NoCarrier));
    scene.pass(MS * 200);
    scene.take(Input::Route(Route::Open));
    scene.pass(MS * 200);
    scene.expect(NetworkState::Down, Reason::NoCarrier);
    scene.pass(MS * 100);
    scene.expect(NetworkState::Up, Reason::RouteOpen);
}

#[test]
fn one_that_flaps_must_be_back_for_longer_up_to_10_s_and_is_forgiven_in_time() {
    let mut scene = Scene::up();
    let mut waits = Vec::new();
    for _ in 0..12 {
        scene.take(Input::Route(Route::Missing));
        scene.take(Input::Route(Route::Open));
        let back = scene.now;
        while scene.evaluator.state() == NetworkState::Down {
            scene.pass(MS * 50);
        }
        waits.push((scene.now - back).as_millis());
    }
    assert_eq!(waits[..8], [300, 300, 600, 1_200, 2_400, 4_800, 9_600, 10_000]);
    assert!(waits[8..].iter().all(|wait| *wait == 10_000), "{waits:?}");
    scene.pass(SECOND * 61);
    scene.take(Input::Route(Route::Missing));
    scene.take(Input::Route(Route::Open));
    scene.pass(SETTLE);
    scene.expect(NetworkState::Up, Reason::RouteOpen);
}

#[test]
fn three_failures_in_10_s_without_a_success_make_it_doubtful() {
    let mut scene = Scene::up();
    let weak = Input::Failure(Strength::Weak);
    for gap in [0, 6, 6, 6] {
        scene.pass(SECOND * gap);
        scene.take(weak);
        scene.expect(NetworkState::Up, Reason::RouteOpen);
    }
    scene.take(Input::Success);
    scene.take(weak);
    scene.take(weak);
    scene.expect(NetworkState::Up, Reason::RouteOpen);
    scene.pass(SECOND * 9);
    scene.take(weak);
    scene.expect(NetworkState::Degraded, Reason::OperationsFail);
}

#[test]
fn they_do_so_too_where_nothing_was_known_and_one_strong_one_is_worth_three() {
    let weak = Input::Failure(Strength::Weak);
    let mut scene = Scene::new();
    for _ in 0..3 {
        scene.expect(NetworkState::Unknown, Reason::NoEvidence);
        scene.take(weak);
    }
    scene.expect(NetworkState::Degraded, Reason::OperationsFail);
    scene.take(Input::Success);
    scene.take(Input::Failure(Strength::Strong));
    scene.expect(NetworkState::Degraded, Reason::OperationsFail);
}

#[test]
fn an_outage_by_probes_becomes_one_of_the_route_and_ends_as_such() {
    let mut scene = Scene::down_soft();
    scene.take(Input::Route(Route::Missing));
    scene.take(Input::Route(Route::Open));
    scene.pass(SETTLE - MS);
    scene.expect(NetworkState::Down, Reason::NoRoute);
    scene.pass(MS);
    scene.expect(NetworkState::Up, Reason::RouteOpen);
    assert_eq!(scene.evaluator.wakes_at(false), None);
}

/// The time and the number of probes may be reached in any order.
#[test]
fn ten_seconds_of_silence_are_no_outage_before_three_probes_have_failed() {
    let mut scene = Scene::degraded();
    scene.probe(Probed::Silent);
    scene.probe(Probed::Silent);
    scene.pass(SECOND * 30);
    scene.expect(NetworkState::Degraded, Reason::OperationsFail);
    // One that could not be made says nothing.
    scene.probe(Probed::NotMade);
    scene.expect(NetworkState::Degraded, Reason::OperationsFail);
    scene.probe(Probed::Silent);
    scene.expect(NetworkState::Down, Reason::ProbesFail);
}

#[test]
fn three_failed_probes_and_10_s_of_silence_are_an_outage() {
    let mut scene = Scene::degraded();
    let began = scene.now;
    for _ in 0..3 {
        scene.expect(NetworkState::Degraded, Reason::OperationsFail);
        scene.probe(Probed::Silent);
    }
    // 1 s and 2 s in between; the rest of the 10 s passes without another probe being needed.
    scene.expect(NetworkState::Degraded, Reason::OperationsFail);
    while scene.evaluator.state() == NetworkState::Degraded {
        let wakes = scene.evaluator.wakes_at(false).expect("it waits for something");
        if scene.evaluator.takes_probe(scene.now).is_none() {
            scene.pass((wakes - scene.now).max(MS));
        }
    }
    assert_eq!(scene.now - began, SILENCE);
    scene.expect(NetworkState::Down, Reason::ProbesFail);
}

#[test]
fn two_good_probes_in_a_row_end_a_doubt_and_an_outage() {
    for from in [Scene::degraded, Scene::down_soft] {
        let mut scene = from();
        let (state, reason) = (scene.evaluator.state(), scene.evaluator.reason());
        for probed in [Probed::Answered, Probed::Silent, Probed::NotMade, Probed::Answered] {
            scene.probe(probed);
            scene.expect(state, reason);
        }
        scene.probe(Probed::Answered);
        scene.expect(NetworkState::Up, Reason::RouteOpen);
        assert_eq!(scene.evaluator.wakes_at(false), None);
    }
}

#[test]
fn probes_are_made_one_at_a_time_1_s_apart_doubling_to_30_s_give_or_take_a_fifth() {
    let mut scene = Scene::degraded();
    let mut last = scene.now;
    for (index, seconds) in [0, 1, 2, 4, 8, 16, 30, 30, 30].into_iter().enumerate() {
        let expected = SECOND * seconds;
        let id = loop {
            if let Some(id) = scene.evaluator.takes_probe(scene.now) {
                break id;
            }
            scene.pass(MS);
        };
        let gap = scene.now - last;
        assert!(gap >= expected * 4 / 5 && gap <= expected * 6 / 5 + MS, "{index}: {gap:?}");
        scene.pass(SECOND * 3);
        assert_eq!(scene.evaluator.takes_probe(scene.now), None, "one is in flight");
        scene.take(Input::Probe(id, Probed::Silent));
        last = scene.now;
    }
}

#[test]
fn an_answer_to_an_earlier_probe_says_nothing() {
    let mut scene = Scene::degraded();
    let late = scene.evaluator.takes_probe(scene.now).expect("it is due");
    scene.take(Input::Success);
    scene.take(Input::Failure(Strength::Strong));
    for _ in 0..2 {
        scene.take(Input::Probe(late, Probed::Answered));
    }
    let current = scene.evaluator.takes_probe(scene.now).expect("it is due");
    assert_ne!(late, current);
    scene.take(Input::Probe(late, Probed::Answered));
    scene.take(Input::Probe(current, Probed::Answered));
    scene.expect(NetworkState::Degraded, Reason::OperationsFail);
}

#[test]
fn without_probes_nothing_is_ever_an_outage_but_the_kernels_word() {
    let mut scene = Scene { evaluator: Evaluator::new(false, 0), ..Scene::new() };
    scene.take(Input::Failure(Strength::Strong));
    scene.pass(SECOND * 3_600);
    assert_eq!(scene.evaluator.takes_probe(scene.now), None);
    assert_eq!(scene.evaluator.wakes_at(false), None, "or the monitor would never sleep");
    scene.expect(NetworkState::Degraded, Reason::OperationsFail);
}

#[test]
fn one_operation_may_try_every_30_s_while_it_is_down_and_only_then() {
    for down in [Scene::down_soft, Scene::down_hard, Scene::without_carrier] {
        let mut scene = down();
        let reason = scene.evaluator.reason();
        scene.pass(CANARY);
        assert!(scene.lets_canary(), "{reason:?}");
        assert!(!scene.lets_canary(), "{reason:?}");
        assert!(scene.evaluator.wakes_at(true) <= Some(scene.now + CANARY), "{reason:?}");
        scene.pass(CANARY - MS);
        assert!(!scene.lets_canary(), "{reason:?}");
        scene.pass(MS);
        assert!(scene.lets_canary(), "{reason:?}");
    }
    for mut other in [Scene::new(), Scene::up(), Scene::degraded()] {
        other.pass(CANARY * 2);
        assert!(!other.lets_canary());
    }
}

/// A route that comes and goes does not put it off, nor does another reason for being down.
#[test]
fn the_time_of_a_canary_is_counted_from_the_beginning_of_the_outage() {
    let mut scene = Scene::down_hard();
    scene.pass(CANARY / 2);
    for route in [Route::Open, Route::NoCarrier, Route::Missing] {
        scene.take(Input::Route(route));
    }
    scene.pass(CANARY / 2);
    assert!(scene.lets_canary());
    let mut scene = Scene::down_soft();
    scene.pass(CANARY / 2);
    scene.take(Input::Route(Route::Missing));
    scene.pass(CANARY / 2);
    assert!(scene.lets_canary());
}

/// One that nobody takes stays due, and keeps nobody awake.
#[test]
fn a_canary_waits_for_somebody_who_waits() {
    let mut scene = Scene::down_hard();
    scene.pass(CANARY * 10);
    assert_eq!(scene.evaluator.wakes_at(false), None);
    assert!(scene.evaluator.wakes_at(true).is_some_and(|at| at <= scene.now));
    assert!(scene.lets_canary());
}

/// Operations use a way that we do not see, and one of them has a hiccup.
#[test]
fn that_there_is_no_route_is_not_believed_for_one_failure_of_many_that_succeed() {
    let (missing, weak) = (Input::Route(Route::Missing), Input::Failure(Strength::Weak));
    let mut scene = Scene::new();
    scene.take(Input::Success);
    for _ in 0..3 {
        scene.take(weak);
        scene.take(missing);
        scene.expect(NetworkState::Up, Reason::RouteOpen);
        scene.take(Input::Success);
    }
    // A cable that is out is no question of the way.
    let mut other = Scene { evaluator: scene.evaluator.clone(), ..scene };
    other.take(Input::Route(Route::NoCarrier));
    other.expect(NetworkState::Down, Reason::NoCarrier);
    // And three of them, or one that says so itself, are no hiccup.
    for failures in [[weak; 3], [Input::Failure(Strength::Strong); 3]] {
        let mut other = Scene { evaluator: scene.evaluator.clone(), ..scene };
        failures.into_iter().for_each(|failure| _ = other.take(failure));
        other.take(missing);
        other.expect(NetworkState::Down, Reason::NoRoute);
    }
    // Once the kernel has known a way, its loss is worth a pause.
    scene.take(Input::Route(Route::Open));
    scene.take(Input::Success);
    scene.take(missing);
    scene.expect(NetworkState::Down, Reason::NoRoute);
}

#[test]
fn a_success_elsewhere_ends_a_doubt_and_says_nothing_against_the_kernel() {
    for from in [Scene::down_hard, Scene::without_carrier] {
        let mut scene = from();
        assert!(!scene.take(Input::SuccessElsewhere));
        scene.take(Input::Route(Route::Missing));
        scene.expect(NetworkState::Down, Reason::NoRoute);
    }
    let mut scene = Scene::new();
    scene.take(Input::SuccessElsewhere);
    scene.take(Input::Route(Route::Missing));
    scene.expect(NetworkState::Down, Reason::NoRoute);
}

#[test]
fn a_success_without_a_route_refutes_the_kernels_word_until_a_failure_or_a_change() {
    let missing = Input::Route(Route::Missing);
    let mut scene = Scene::down_hard();
    scene.take(Input::Success);
    scene.take(missing);
    scene.expect(NetworkState::Up, Reason::RouteOpen);
    // It was only an answer that came late: the next operation fails.
    scene.take(Input::Failure(Strength::Weak));
    scene.take(missing);
    scene.expect(NetworkState::Down, Reason::NoRoute);

    scene.take(Input::Success);
    scene.take(Input::Route(Route::Open));
    scene.take(missing);
    scene.expect(NetworkState::Down, Reason::NoRoute);
}

#[test]
fn a_kernel_that_says_nothing_for_10_s_keeps_nobody_waiting() {
    let silent = Input::Route(Route::Unknown);
    let mut scene = Scene::down_hard();
    scene.pass(STALE - MS);
    scene.take(silent);
    scene.expect(NetworkState::Down, Reason::NoRoute);
    scene.pass(MS);
    scene.take(silent);
    scene.expect(NetworkState::Unknown, Reason::NoEvidence);
}

#[test]
fn failures_during_an_outage_say_nothing_of_the_time_after_it() {
    let mut scene = Scene::down_hard();
    scene.take(Input::Failure(Strength::Weak));
    scene.take(Input::Failure(Strength::Weak));
    scene.take(Input::Route(Route::Open));
    scene.pass(SETTLE);
    scene.take(Input::Failure(Strength::Weak));
    scene.expect(NetworkState::Up, Reason::RouteOpen);
}
