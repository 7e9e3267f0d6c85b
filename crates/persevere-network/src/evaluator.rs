//! From evidence to a verdict on the network: states and transitions, a pure function of inputs and time.
//!
//! Time is what has passed since the monitor began, so that nothing in here looks at a clock.

#[cfg(test)]
mod tests;

use std::time::Duration;

use persevere::NetworkState;

use crate::status::Reason;

/// How long a route must be back before it counts, at first.
const SETTLE: Duration = Duration::from_millis(300);
/// The same at the most, for one that flaps.
const LONGEST_SETTLE: Duration = Duration::from_secs(10);
/// Losing the route so often within [`FLAP_WINDOW`] is flapping.
const FLAPS: usize = 3;
const FLAP_WINDOW: Duration = Duration::from_secs(60);
/// So many failures within [`FAILURE_WINDOW`], without a success, make the network doubtful.
const FAILURES: usize = 3;
const FAILURE_WINDOW: Duration = Duration::from_secs(10);
/// So many failed probes, and so long without a success, are an outage.
const FAILED_PROBES: u8 = 3;
const SILENCE: Duration = Duration::from_secs(10);
/// So many good probes end it.
const GOOD_PROBES: u8 = 2;
/// Between probes, at first and at the longest, give or take a fifth; each failed one doubles it.
const FIRST_PROBE: Duration = Duration::from_secs(1);
const LAST_PROBE: Duration = Duration::from_secs(30);
/// So often one operation may try although it is down: kernel and probes may look in the wrong place.
const CANARY: Duration = Duration::from_secs(30);
/// A verdict that rests on the kernel's word is forgotten when it has said nothing for so long.
const STALE: Duration = Duration::from_secs(10);

/// What the kernel says of the way to a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route {
    Open,
    /// No route, or no address to send from.
    Missing,
    /// A route over an interface whose cable is out.
    NoCarrier,
    /// The kernel would not say.
    Unknown,
}

/// How much a failed operation says of the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strength {
    /// Unreachable, down: the kernel or a router said so.
    Strong,
    /// A timeout, a name that did not resolve: it may be the other side.
    Weak,
}

/// Which probe it is, so that an answer that comes late is not taken for that of a later one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ProbeId(u64);

/// What came of a probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Probed {
    Answered,
    Silent,
    /// It could not be made, which says nothing of the network.
    NotMade,
}

/// A piece of evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Input {
    Route(Route),
    /// An operation got an answer, if an unfriendly one.
    Success,
    /// One that talks to another target got one, by whatever way leads there.
    SuccessElsewhere,
    Failure(Strength),
    Probe(ProbeId, Probed),
    /// The machine slept, or the monitor has lost its footing: whatever was known is old.
    Lost,
    /// Time has passed.
    Tick,
}

/// Where a target stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Unknown,
    Up,
    Degraded,
    /// On the kernel's word.
    DownHard(Reason),
    /// Because probes fail.
    DownSoft,
}

/// The evidence on one target.
#[derive(Debug, Clone)]
pub(crate) struct Evaluator {
    state: State,
    route: Word,
    /// When the route was lost, the latest last.
    losses: Recent<FLAPS>,
    settle: Duration,
    /// When operations failed, since the last success, and when the first of them did.
    failures: Recent<FAILURES>,
    failing_since: Option<Duration>,
    probes: Probes,
    next_canary: Duration,
}

/// The kernel's last word on the route.
#[derive(Debug, Clone, Copy, Default)]
struct Word {
    /// When it was last heard.
    heard: Duration,
    /// While it keeps the target down: since when the route is back.
    back_since: Option<Duration>,
    /// It said that there is no way, and then an operation succeeded all the same: the program may
    /// use a way that we do not see. It counts for nothing until it changes or an operation fails.
    refuted: bool,
    /// Whether it has ever said that there is a way.
    opened: bool,
    /// Operations have succeeded without its ever having said so. That there is no route is not
    /// believed then for a single failure: it takes as many as make the network doubtful.
    vouched: bool,
    /// Whether it said last that there is no route.
    missing: bool,
}

#[derive(Debug, Clone)]
struct Probes {
    /// Whether there are any.
    enabled: bool,
    /// The last one that was begun.
    last: u64,
    in_flight: bool,
    failed: u8,
    good: u8,
    next: Duration,
    interval: Duration,
}

impl Evaluator {
    /// `probes`: whether somebody makes them. `seed` makes their times differ between programs.
    pub(crate) fn new(probes: bool, seed: u64) -> Self {
        Self {
            state: State::Unknown,
            route: Word::default(),
            losses: Recent::default(),
            settle: SETTLE,
            failures: Recent::default(),
            failing_since: None,
            probes: Probes {
                enabled: probes,
                last: seed,
                in_flight: false,
                failed: 0,
                good: 0,
                next: Duration::ZERO,
                interval: FIRST_PROBE,
            },
            next_canary: Duration::ZERO,
        }
    }

    /// What is known, for the retry loop.
    pub(crate) fn state(&self) -> NetworkState {
        match self.state {
            State::Unknown => NetworkState::Unknown,
            State::Up => NetworkState::Up,
            State::Degraded => NetworkState::Degraded,
            State::DownHard(_) | State::DownSoft => NetworkState::Down,
        }
    }

    /// Why.
    pub(crate) fn reason(&self) -> Reason {
        match self.state {
            State::Unknown => Reason::NoEvidence,
            State::Up => Reason::RouteOpen,
            State::Degraded => Reason::OperationsFail,
            State::DownHard(reason) => reason,
            State::DownSoft => Reason::ProbesFail,
        }
    }

    /// Whether a success would change nothing at all.
    pub(crate) fn is_content(&self) -> bool {
        self.state == State::Up && self.failing_since.is_none()
    }

    /// Takes a piece of evidence in. Returns whether the state or its reason changed.
    pub(crate) fn take(&mut self, now: Duration, input: Input) -> bool {
        let before = self.state;
        match input {
            Input::Route(route) => self.take_route(now, route),
            Input::Success => self.take_success(),
            Input::SuccessElsewhere => self.take_success_elsewhere(),
            Input::Failure(strength) => self.take_failure(now, strength),
            Input::Probe(id, probed) => self.take_probe(now, id, probed),
            Input::Lost => self.forget(),
            Input::Tick => {}
        }
        self.pass(now);
        self.state != before
    }

    /// When it will change by itself, or wants to be asked for a probe, or, if somebody waits, for a
    /// canary.
    pub(crate) fn wakes_at(&self, somebody_waits: bool) -> Option<Duration> {
        let probe = (self.probes.enabled && !self.probes.in_flight).then_some(self.probes.next);
        let canary = somebody_waits.then_some(self.next_canary);
        match self.state {
            State::DownHard(_) => {
                let back = self.route.back_since.map(|since| since + self.settle);
                back.into_iter().chain(canary).min()
            }
            State::Degraded => probe.into_iter().chain(self.silent_at()).min(),
            State::DownSoft => probe.into_iter().chain(canary).min(),
            State::Unknown | State::Up => None,
        }
    }

    /// Whether operations get through although the kernel says that there is no route.
    pub(crate) fn knows_better_than_the_kernel(&self) -> bool {
        self.route.missing && self.state == State::Up
    }

    /// Whether [`takes_probe`](Self::takes_probe) gives one.
    pub(crate) fn wants_probe(&self, now: Duration) -> bool {
        let doubtful = matches!(self.state, State::Degraded | State::DownSoft);
        let Probes { enabled, in_flight, next, .. } = self.probes;
        doubtful && enabled && !in_flight && now >= next
    }

    /// A probe, if one is due; the next one is not before its answer has come.
    pub(crate) fn takes_probe(&mut self, now: Duration) -> Option<ProbeId> {
        if !self.wants_probe(now) {
            return None;
        }
        self.probes.in_flight = true;
        self.probes.last = self.probes.last.wrapping_add(1);
        Some(ProbeId(self.probes.last))
    }

    /// Whether one operation may try although the network is down.
    pub(crate) fn wants_canary(&self, now: Duration) -> bool {
        self.is_down() && now >= self.next_canary
    }

    /// One does. Until then it stays due, for there may be nobody who waits.
    pub(crate) fn note_canary(&mut self, now: Duration) {
        self.next_canary = now + CANARY;
    }

    fn is_down(&self) -> bool {
        matches!(self.state, State::DownHard(_) | State::DownSoft)
    }

    fn take_route(&mut self, now: Duration, route: Route) {
        let reason = match route {
            Route::Unknown => return self.take_silence(now),
            Route::Missing => Reason::NoRoute,
            Route::NoCarrier => Reason::NoCarrier,
            Route::Open => {
                let back_since = self.route.back_since;
                self.route = Word { heard: now, opened: true, back_since, ..Word::default() };
                match self.state {
                    State::DownHard(_) => _ = self.route.back_since.get_or_insert(now),
                    State::Unknown => self.state = State::Up,
                    State::Up | State::Degraded | State::DownSoft => {}
                }
                return;
            }
        };
        self.route.heard = now;
        self.route.missing = route == Route::Missing;
        if self.route.refuted || self.route.vouched && self.route.missing {
            return;
        }
        let was_open = !matches!(self.state, State::DownHard(_)) || self.route.back_since.is_some();
        if was_open {
            self.losses.push(now);
            let flaps = self.losses.full_within(now, FLAP_WINDOW);
            self.settle = if flaps { (self.settle * 2).min(LONGEST_SETTLE) } else { SETTLE };
        }
        self.route.back_since = None;
        if !self.is_down() {
            self.next_canary = now + CANARY;
        }
        self.state = State::DownHard(reason);
    }

    /// That the kernel does not answer is no reason to forget what is known, for a while.
    fn take_silence(&mut self, now: Duration) {
        let stale = now >= self.route.heard + STALE;
        if stale && matches!(self.state, State::DownHard(_)) {
            self.forget();
        }
    }

    fn forget(&mut self) {
        self.state = State::Unknown;
        self.route = Word::default();
        self.clear_failures();
        self.probes.in_flight = false;
    }

    fn take_success(&mut self) {
        if let State::DownHard(_) = self.state {
            self.route.refuted = self.route.back_since.is_none();
        }
        self.route.vouched = !self.route.opened;
        self.rise();
    }

    /// What leads there need not lead here: it says nothing against the kernel.
    fn take_success_elsewhere(&mut self) {
        if !matches!(self.state, State::DownHard(_)) {
            self.rise();
        }
    }

    fn rise(&mut self) {
        self.route.back_since = None;
        self.clear_failures();
        self.state = State::Up;
    }

    fn clear_failures(&mut self) {
        self.failures = Recent::default();
        self.failing_since = None;
    }

    fn take_failure(&mut self, now: Duration, strength: Strength) {
        self.route.refuted = false;
        self.failing_since.get_or_insert(now);
        let counts = if strength == Strength::Strong { FAILURES } else { 1 };
        for _ in 0..counts {
            self.failures.push(now);
        }
        let doubtful = self.failures.full_within(now, FAILURE_WINDOW);
        self.route.vouched &= !doubtful;
        if doubtful && matches!(self.state, State::Up | State::Unknown) {
            self.state = State::Degraded;
            let Probes { enabled, last, .. } = self.probes;
            self.probes = Probes { next: now, ..Self::new(enabled, last).probes };
        }
    }

    fn take_probe(&mut self, now: Duration, id: ProbeId, probed: Probed) {
        if !self.probes.in_flight || id != ProbeId(self.probes.last) {
            return;
        }
        self.probes.in_flight = false;
        match probed {
            Probed::Answered => {
                self.probes.failed = 0;
                self.probes.good = self.probes.good.saturating_add(1);
                self.probes.interval = FIRST_PROBE;
            }
            Probed::Silent => {
                self.probes.good = 0;
                self.probes.failed = self.probes.failed.saturating_add(1);
            }
            Probed::NotMade => {}
        }
        let doubtful = matches!(self.state, State::Degraded | State::DownSoft);
        if doubtful && self.probes.good >= GOOD_PROBES {
            return self.rise();
        }
        self.probes.next = now + self.probes.spread(self.probes.interval);
        if probed != Probed::Answered {
            self.probes.interval = (self.probes.interval * 2).min(LAST_PROBE);
        }
    }

    /// When too many probes have failed for it to be anything but an outage.
    fn silent_at(&self) -> Option<Duration> {
        let failed = self.probes.failed >= FAILED_PROBES;
        self.failing_since.filter(|_| failed).map(|since| since + SILENCE)
    }

    /// What follows from nothing but time: a route that has been back for long enough counts, and so
    /// does a silence.
    fn pass(&mut self, now: Duration) {
        match self.state {
            State::DownHard(_) => {
                let back = self.route.back_since;
                if back.is_some_and(|since| now >= since + self.settle) {
                    self.rise();
                }
            }
            State::Degraded if self.silent_at().is_some_and(|at| now >= at) => {
                self.state = State::DownSoft;
                self.next_canary = now + CANARY;
            }
            _ => {}
        }
    }
}

impl Probes {
    /// Give or take a fifth: many programs must not ask in one instant. Any number that differs
    /// from probe to probe and from program to program will do, so the id is scrambled.
    fn spread(&self, interval: Duration) -> Duration {
        let scrambled = self.last.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        let percent = 80 + u32::try_from(scrambled % 41).unwrap_or(20);
        interval * percent / 100
    }
}

/// The last few times that something happened.
#[derive(Debug, Clone, Copy)]
struct Recent<const N: usize> {
    times: [Option<Duration>; N],
}

impl<const N: usize> Default for Recent<N> {
    fn default() -> Self {
        Self { times: [None; N] }
    }
}

impl<const N: usize> Recent<N> {
    fn push(&mut self, now: Duration) {
        self.times.rotate_left(1);
        if let Some(last) = self.times.last_mut() {
            *last = Some(now);
        }
    }

    /// Whether all of them lie within this window.
    fn full_within(&self, now: Duration, window: Duration) -> bool {
        let first = self.times.first().copied().flatten();
        first.is_some_and(|first| now <= first + window)
    }
}
