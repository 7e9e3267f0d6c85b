//! One target that is watched: what is known of it, and those who wait for it to change.

#[cfg(test)]
#[cfg(persevere_loom)]
mod interleavings;
#[cfg(test)]
#[cfg(not(persevere_loom))]
mod virtual_time;

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use persevere::{NetworkGate, NetworkState};

use crate::evaluator::{Evaluator, Input, ProbeId, Route};
use crate::last_ways::LastWays;
use crate::status::{Reason, Status};
use crate::sync::{AtomicBool, Condvar, Mutex, MutexGuard, Ordering};
use crate::target::Target;

/// One target, with its gate.
#[derive(Debug)]
pub(crate) struct Watched {
    target: Target,
    gate: NetworkGate,
    /// Whether a success would change nothing: asked after every one, so without a lock.
    content: AtomicBool,
    /// The last look at the route: when it began, and what was found. Held while somebody looks.
    looking: Mutex<Option<(Duration, Route)>>,
    judged: Mutex<Judged>,
    changed: Condvar,
}

/// What was set by hand, and in which turn: two who do so at once may come here in any order.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ByHand {
    pub(crate) turn: u64,
    pub(crate) state: Option<NetworkState>,
}

#[derive(Debug)]
struct Judged {
    evaluator: Evaluator,
    by_hand: ByHand,
    stopped: bool,
    /// When the look began that the evaluator has last heard of.
    looked: Duration,
    status: Status,
}

impl Watched {
    pub(crate) fn new(target: Target, probes: bool, seed: u64) -> Self {
        let probes = probes && target.probed().is_some();
        let state = if target.is_local() { NetworkState::Up } else { NetworkState::Unknown };
        let reason = if target.is_local() { Reason::Local } else { Reason::NoEvidence };
        Self {
            gate: NetworkGate::new(state),
            content: AtomicBool::new(target.is_local()),
            looking: Mutex::default(),
            judged: Mutex::new(Judged {
                evaluator: Evaluator::new(probes, seed),
                by_hand: ByHand::default(),
                stopped: false,
                looked: Duration::ZERO,
                status: Status { state, reason, since: Instant::now() },
            }),
            changed: Condvar::new(),
            target,
        }
    }

    pub(crate) fn target(&self) -> &Target {
        &self.target
    }

    pub(crate) fn gate(&self) -> &NetworkGate {
        &self.gate
    }

    pub(crate) fn status(&self) -> Status {
        self.lock().status
    }

    pub(crate) fn is_content(&self) -> bool {
        self.content.load(Ordering::Relaxed)
    }

    /// Looks at the route, and takes in what is found. A look that somebody else began after this call
    /// serves as well, so that of a crowd that fails in one moment two look.
    pub(crate) fn look(&self, clock: impl Fn() -> Duration, ways: &LastWays) {
        let asked = clock();
        let mut last = self.looking.lock().unwrap_or_else(PoisonError::into_inner);
        let (began, route) = match *last {
            Some((began, route)) if began > asked => (began, route),
            _ => {
                let began = clock();
                (began, ways.look().route(&self.target))
            }
        };
        *last = Some((began, route));
        // Not under the lock: what is woken by it may look too.
        drop(last);
        self.take_route(clock(), began, route);
    }

    /// Takes in what a look found that began then. One that began earlier than another that has been
    /// taken in is old news.
    pub(crate) fn take_route(&self, now: Duration, began: Duration, route: Route) {
        self.change(|judged| {
            if began >= judged.looked {
                judged.looked = began;
                judged.evaluator.take(now, Input::Route(route));
            }
            false
        });
    }

    /// Takes a piece of evidence in. Returns whether it wants to be looked after.
    pub(crate) fn take(&self, now: Duration, input: Input) -> bool {
        self.change(|judged| {
            judged.evaluator.take(now, input);
            judged.evaluator.wakes_at(false).is_some()
        })
    }

    /// Sets the state by hand, until it is set to `None`. One that comes after a later one is old.
    pub(crate) fn set_by_hand(&self, by_hand: ByHand) {
        self.change(|judged| {
            if by_hand.turn >= judged.by_hand.turn {
                judged.by_hand = by_hand;
            }
            false
        });
    }

    /// The end: whoever waits goes on as if there were no monitor.
    pub(crate) fn stop(&self) {
        self.change(|judged| {
            judged.stopped = true;
            false
        });
    }

    /// When it wants to be looked after.
    pub(crate) fn wakes_at(&self) -> Option<Duration> {
        let waits = self.gate.waiting() > 0;
        let judged = self.lock();
        judged.evaluator.wakes_at(waits && judged.by_hand.state.is_none())
    }

    /// A probe, if one is due and there is a way for it: in an outage the first failure of every
    /// target comes before anybody has looked, and a thousand probes would go nowhere.
    pub(crate) fn takes_probe(
        &self,
        clock: impl Fn() -> Duration,
        look: impl FnOnce(),
    ) -> Option<ProbeId> {
        if !self.lock().evaluator.wants_probe(clock()) {
            return None;
        }
        look();
        self.lock().evaluator.takes_probe(clock())
    }

    /// Lets one of those who wait through, if it is time for that and there is one. A hand that says
    /// `Down` is not tested.
    pub(crate) fn let_canary(&self, now: Duration) {
        let judged = self.lock();
        let due = judged.by_hand.state.is_none() && judged.evaluator.wants_canary(now);
        drop(judged);
        if due && self.gate.admit_one() {
            self.lock().evaluator.note_canary(now);
        }
    }

    /// Whether operations get through here although the kernel says that there is no route.
    pub(crate) fn knows_better_than_the_kernel(&self) -> bool {
        self.lock().evaluator.knows_better_than_the_kernel()
    }

    /// Blocks until the status is another one than this, or for this long.
    pub(crate) fn wait_for_change(&self, seen: &Status, limit: Option<Duration>) -> Status {
        let until = limit.and_then(|limit| Instant::now().checked_add(limit));
        let mut judged = self.lock();
        // Nothing will ever change any more.
        while judged.status == *seen && !judged.stopped {
            judged = match until.map(|until| until.saturating_duration_since(Instant::now())) {
                None => self.changed.wait(judged).unwrap_or_else(PoisonError::into_inner),
                Some(Duration::ZERO) => break,
                Some(left) => {
                    let waited = self.changed.wait_timeout(judged, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        let status = judged.status;
        drop(judged);
        self.set_gate();
        status
    }

    /// Changes what is known, and tells everybody. Returns what `change` does.
    fn change(&self, change: impl FnOnce(&mut Judged) -> bool) -> bool {
        let mut judged = self.lock();
        let unsettled = change(&mut judged);
        let (state, reason) = judged.verdict(&self.target);
        let before = judged.status;
        let changed = (before.state, before.reason) != (state, reason);
        if changed {
            judged.status = Status { state, reason, since: Instant::now() };
            self.changed.notify_all();
        }
        let content = self.target.is_local() || judged.evaluator.is_content();
        self.content.store(content, Ordering::Relaxed);
        drop(judged);
        self.set_gate();
        unsettled
    }

    /// Outside of the lock, for what the gate wakes may ask us anything. So that two who do this at
    /// once cannot leave it in the state of the one who came first, whoever has set it looks again.
    /// Also if it is another one's change, who has not come to it yet: whoever asks us next must find
    /// the gate as we know it.
    fn set_gate(&self) {
        loop {
            let state = self.status().state;
            if self.gate.state() == state {
                return;
            }
            self.gate.set(state);
        }
    }

    // Nothing in here can panic half-way, so a poisoned lock holds good data.
    fn lock(&self) -> MutexGuard<'_, Judged> {
        self.judged.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Judged {
    fn verdict(&self, target: &Target) -> (NetworkState, Reason) {
        match self.by_hand.state {
            _ if self.stopped => (NetworkState::Unknown, Reason::Stopped),
            Some(state) => (state, Reason::ByHand),
            None if target.is_local() => (NetworkState::Up, Reason::Local),
            None => (self.evaluator.state(), self.evaluator.reason()),
        }
    }
}

#[cfg(test)]
#[cfg(not(persevere_loom))]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn watched() -> Watched {
        Watched::new(Target::anywhere(), true, 0)
    }

    fn by_hand(turn: u64, state: Option<NetworkState>) -> ByHand {
        ByHand { turn, state }
    }

    #[test]
    fn of_two_hands_the_later_one_wins_in_whichever_order_they_come() {
        let watched = watched();
        watched.set_by_hand(by_hand(2, Some(NetworkState::Up)));
        watched.set_by_hand(by_hand(1, Some(NetworkState::Down)));
        assert_eq!(watched.gate().state(), NetworkState::Up);
    }

    #[test]
    fn a_canary_that_nobody_takes_is_kept_for_the_next_one_who_waits() {
        let (watched, minute) = (watched(), Duration::from_secs(60));
        watched.take(Duration::ZERO, Input::Route(Route::Missing));
        watched.let_canary(minute);
        assert_eq!(watched.wakes_at(), None, "nobody waits");
        let judged = watched.lock();
        assert!(judged.evaluator.wants_canary(minute));
    }

    #[test]
    fn a_hand_wins_and_what_is_known_comes_back_after_it() {
        let watched = watched();
        watched.take(Duration::ZERO, Input::Route(Route::Open));
        watched.set_by_hand(by_hand(1, Some(NetworkState::Down)));
        let status = watched.status();
        assert_eq!((status.state, status.reason), (NetworkState::Down, Reason::ByHand));
        assert_eq!(watched.gate().state(), NetworkState::Down);
        watched.take(Duration::ZERO, Input::Route(Route::Missing));
        watched.set_by_hand(by_hand(2, None));
        let status = watched.status();
        assert_eq!((status.state, status.reason), (NetworkState::Down, Reason::NoRoute));
    }

    #[test]
    fn the_end_opens_the_gate_whatever_was_said() {
        let watched = watched();
        watched.set_by_hand(by_hand(1, Some(NetworkState::Down)));
        watched.stop();
        assert_eq!(watched.gate().state(), NetworkState::Unknown);
        watched.take(Duration::ZERO, Input::Route(Route::Missing));
        assert_eq!(watched.gate().state(), NetworkState::Unknown);
    }

    #[test]
    fn those_who_change_it_at_once_leave_the_gate_as_the_last_one_wants_it() {
        let watched = Arc::new(watched());
        let route = |threads: u32, odd: bool| match (threads % 2 == 1) == odd {
            true => Input::Success,
            false => Input::Lost,
        };
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let watched = watched.clone();
                scope.spawn(move || {
                    for turn in 0..5_000 {
                        watched.take(Duration::ZERO, route(thread, turn % 2 == 0));
                    }
                });
            }
        });
        assert_eq!(watched.gate().state(), watched.status().state);
    }

    #[test]
    fn old_news_of_the_route_are_not_taken_in() {
        let watched = watched();
        let seconds = Duration::from_secs;
        watched.take_route(seconds(5), seconds(4), Route::Missing);
        watched.take_route(seconds(6), seconds(3), Route::Open);
        watched.take(seconds(7), Input::Tick);
        assert_eq!(watched.status().reason, Reason::NoRoute);
    }

    #[test]
    fn a_local_one_is_always_up() {
        let watched = Watched::new(Target::local(), true, 0);
        watched.take(Duration::ZERO, Input::Lost);
        assert_eq!(watched.status().reason, Reason::Local);
        assert_eq!(watched.gate().state(), NetworkState::Up);
    }
}
