//! What the loop asks of a network monitor, and a monitor that is told by hand.

use std::borrow::Cow;
use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use crate::network_report::NetworkReport;
use crate::random::Random;
use crate::waiters::{Awaited, Place, Waiters};

/// What is known about the network. Only `Down` pauses a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NetworkState {
    /// No evidence.
    Unknown,
    /// It works.
    Up,
    /// There is a route, but operations fail.
    Degraded,
    /// Nothing gets through.
    Down,
}

/// Tells the retry loop about the network. It advises and never vetoes: every call makes its first
/// attempt, and asks only when an attempt has failed.
///
/// Attach one with [`Retryer::network_monitor`](crate::Retryer::network_monitor), and switch the
/// pause on with
/// [`RetryPolicyBuilder::wait_for_network`](crate::RetryPolicyBuilder::wait_for_network).
///
/// A monitor keeps a [`NetworkGate`] up to date, and calls wait there:
///
/// ```
/// use persevere::{NetworkGate, NetworkMonitor, NetworkState};
///
/// #[derive(Debug)]
/// struct Cable {
///     gate: NetworkGate,
/// }
///
/// impl Cable {
///     fn plugged(&self, plugged: bool) {
///         self.gate.set(if plugged { NetworkState::Up } else { NetworkState::Down });
///     }
/// }
///
/// impl NetworkMonitor for Cable {
///     fn gate(&self) -> &NetworkGate {
///         &self.gate
///     }
/// }
/// # Cable { gate: NetworkGate::new(NetworkState::Unknown) }.plugged(true);
/// ```
pub trait NetworkMonitor: Debug + Send + Sync {
    /// Where the state is read, after failures, and where calls wait. Always the same gate.
    fn gate(&self) -> &NetworkGate;

    /// The state, looked at afresh. Asked after an error that smells of the network, since the
    /// monitor may not have heard yet; microseconds are fine.
    ///
    /// What it finds it must also [set](NetworkGate::set) on its gate, before it returns: calls wait
    /// there, and an answer of `Down` with a gate that is open pauses nothing.
    fn recheck(&self) -> NetworkState {
        self.gate().state()
    }

    /// Why the state is what it is, in a few words for logs, such as `the interface has no carrier`.
    /// Asked when a call begins to wait.
    fn reason(&self) -> Option<Cow<'static, str>> {
        None
    }

    /// What an attempt has found out. Told after every failure that says something of the network,
    /// before [`recheck`](Self::recheck), and after every success, so it must be quick: an atomic
    /// read, where nothing speaks against a network that works.
    fn report(&self, report: NetworkReport) {
        let _nothing_learns_from_it = report;
    }
}

/// A place in the queue of those who waited for the network, so that they do not all come back in
/// the same instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Release {
    /// The place, from 0.
    ticket: u32,
    /// How many waited.
    waiting: u32,
    /// Whether the network is still down, and this one goes to see.
    pub(crate) canary: bool,
}

/// Up to this many come back without a queue.
const SMALL_CROWD: u32 = 16;
/// The span over which a small crowd, and the first of a large one, come back.
const FIRST_SPREAD: Duration = Duration::from_millis(250);
/// How many of a large crowd go first, and how long the others give them.
const CANARIES: u32 = 2;
const CANARY_LEAD: Duration = Duration::from_secs(1);
/// The others follow at this many a second, or over this long if that is quicker.
const MIN_RATE: u64 = 100;
const LONGEST_QUEUE: Duration = Duration::from_secs(30);

impl Release {
    /// Of one who found the network back before it had to wait.
    const ALONE: Self = Self { ticket: 0, waiting: 1, canary: false };
    /// Of one who goes although the network is down.
    const CANARY: Self = Self { canary: true, ..Self::ALONE };

    /// How long to wait after the recovery, from this place.
    ///
    /// Up to 16: at random within 250 ms. More: two canaries within 250 ms; the rest follow after
    /// one second in the order of their tickets, 100 a second, or all within 30 s if that is more,
    /// each at random within its slot of ± half.
    pub(crate) fn stagger(self, random: &mut Random) -> Duration {
        let first = |random: &mut Random| {
            Duration::from_nanos(random.between(0, FIRST_SPREAD.as_nanos() as u64))
        };
        if self.waiting <= SMALL_CROWD || self.ticket < CANARIES {
            return first(random);
        }
        let followers = u64::from(self.waiting - CANARIES);
        let by_rate = Duration::from_secs(1).as_nanos() as u64 / MIN_RATE;
        let slot = by_rate.min(LONGEST_QUEUE.as_nanos() as u64 / followers);
        let place = u64::from(self.ticket - CANARIES).min(followers);
        CANARY_LEAD + Duration::from_nanos(place * slot + random.between(0, slot))
    }
}

/// The state of the network, which is one atomic read, and the calls that wait for it to recover.
#[derive(Debug)]
pub struct NetworkGate {
    state: AtomicU8,
    waiters: Waiters,
    /// The next ticket, and how many waited at the last recovery.
    release: Mutex<(u32, u32)>,
}

impl NetworkGate {
    /// A gate with this state.
    pub fn new(state: NetworkState) -> Self {
        Self {
            state: AtomicU8::new(state as u8),
            waiters: Waiters::default(),
            release: Mutex::new((0, 0)),
        }
    }

    /// The state as last set.
    #[inline]
    pub fn state(&self) -> NetworkState {
        match self.state.load(Ordering::SeqCst) {
            state if state == NetworkState::Up as u8 => NetworkState::Up,
            state if state == NetworkState::Degraded as u8 => NetworkState::Degraded,
            state if state == NetworkState::Down as u8 => NetworkState::Down,
            _ => NetworkState::Unknown,
        }
    }

    /// Sets the state. Anything but `Down` lets all calls through that wait, spread over time. A
    /// monitor that ends, or knows nothing any more, sets `Unknown`.
    pub fn set(&self, state: NetworkState) {
        let opens = state != NetworkState::Down;
        let waiting = self.waiters.len();
        if opens && waiting > 0 {
            *self.lock_release() = (0, u32::try_from(waiting).unwrap_or(u32::MAX));
        }
        self.state.store(state as u8, Ordering::SeqCst);
        if opens {
            self.waiters.wake_all();
        }
    }

    /// Lets one call through, the one that has waited longest, although the state is `Down`: a
    /// monitor that is not sure finds out by it whether it errs. Returns whether one waited.
    pub fn admit_one(&self) -> bool {
        self.waiters.admit_one()
    }

    /// How many calls wait.
    pub fn waiting(&self) -> usize {
        self.waiters.len()
    }

    /// Ends when the state is no longer `Down`, or one is [let through](Self::admit_one). Dropping it leaves nothing behind.
    pub(crate) fn recovered(&self) -> Recovery<'_> {
        Recovery { place: Place::new(self) }
    }

    /// A place among those who waited. Only for one who did: the queue of an earlier recovery says
    /// nothing about anybody else.
    fn take_ticket(&self) -> Release {
        let mut release = self.lock_release();
        let ticket = release.0;
        release.0 = ticket.saturating_add(1);
        Release { ticket, waiting: release.1, canary: false }
    }

    fn lock_release(&self) -> MutexGuard<'_, (u32, u32)> {
        self.release.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Awaited for &NetworkGate {
    fn waiters(&self) -> &Waiters {
        &self.waiters
    }

    fn happened(&self) -> bool {
        self.state() != NetworkState::Down
    }
}

/// See [`NetworkGate::recovered`].
#[derive(Debug)]
pub(crate) struct Recovery<'a> {
    place: Place<&'a NetworkGate>,
}

impl Future for Recovery<'_> {
    type Output = Release;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Release> {
        if self.place.takes_admission() && !self.place.awaited().happened() {
            return Poll::Ready(Release::CANARY);
        }
        match self.place.happened_or_wait(context.waker()) {
            true if self.place.has_waited() => Poll::Ready(self.place.awaited().take_ticket()),
            true => Poll::Ready(Release::ALONE),
            false => Poll::Pending,
        }
    }
}

/// A monitor that is told by hand: for tests, and for callers who know better.
///
/// ```
/// use std::sync::Arc;
/// use persevere::{ManualMonitor, NetworkState, RetryPolicy, Retryer};
///
/// let monitor = Arc::new(ManualMonitor::new(NetworkState::Up));
/// let policy = RetryPolicy::builder().wait_for_network(true).build()?;
/// let retryer = Retryer::new(policy).network_monitor(monitor.clone());
/// monitor.set(NetworkState::Down); // failing calls pause from now on
/// monitor.set(NetworkState::Up); // and go on
/// # drop(retryer);
/// # Ok::<(), persevere::PolicyError>(())
/// ```
#[derive(Debug)]
pub struct ManualMonitor {
    gate: NetworkGate,
}

impl ManualMonitor {
    /// A monitor that says `state` until it is told otherwise.
    pub fn new(state: NetworkState) -> Self {
        Self { gate: NetworkGate::new(state) }
    }

    /// Says `state` from now on.
    pub fn set(&self, state: NetworkState) {
        self.gate.set(state);
    }
}

impl NetworkMonitor for ManualMonitor {
    fn gate(&self) -> &NetworkGate {
        &self.gate
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn staggers(waiting: u32) -> Vec<Duration> {
        let mut random = Random::seeded(3);
        (0..waiting)
            .map(|ticket| Release { ticket, waiting, canary: false }.stagger(&mut random))
            .collect()
    }

    #[test]
    fn a_small_crowd_comes_back_within_250_ms() {
        let staggers = staggers(16);
        assert!(staggers.iter().all(|wait| *wait <= FIRST_SPREAD));
        assert!(staggers.iter().max() > staggers.iter().min());
    }

    #[test]
    fn a_large_crowd_sends_canaries_first_and_never_comes_in_one_instant() {
        let staggers = staggers(100_000);
        assert!(staggers[..2].iter().all(|wait| *wait <= FIRST_SPREAD));
        assert!(staggers[2..].iter().all(|wait| *wait >= CANARY_LEAD));
        assert!(staggers.iter().all(|wait| *wait <= Duration::from_secs(32)));

        let mut per_10_ms = std::collections::BTreeMap::<u128, usize>::new();
        for wait in &staggers {
            *per_10_ms.entry(wait.as_millis() / 10).or_default() += 1;
        }
        let busiest = per_10_ms.values().max().copied().unwrap_or(0);
        assert!(busiest <= 2_000, "{busiest} of 100,000 within 10 ms");
    }

    #[test]
    fn one_who_never_waited_takes_no_ticket_of_an_earlier_recovery() {
        let gate = NetworkGate::new(NetworkState::Down);
        let mut context = Context::from_waker(std::task::Waker::noop());
        let mut crowd: Vec<_> = (0..500).map(|_| gate.recovered()).collect();
        for waiting in &mut crowd {
            assert!(Pin::new(waiting).poll(&mut context).is_pending());
        }
        gate.set(NetworkState::Up);
        for waiting in &mut crowd {
            assert!(Pin::new(waiting).poll(&mut context).is_ready());
        }
        let Poll::Ready(late) = Pin::new(&mut gate.recovered()).poll(&mut context) else {
            panic!("the network is up");
        };
        assert!(late.stagger(&mut Random::seeded(3)) <= FIRST_SPREAD);
    }

    #[test]
    fn a_dropped_waiter_leaves_nothing_behind() {
        let gate = NetworkGate::new(NetworkState::Down);
        let mut waiting = gate.recovered();
        let mut context = Context::from_waker(std::task::Waker::noop());
        assert!(Pin::new(&mut waiting).poll(&mut context).is_pending());
        assert_eq!(gate.waiting(), 1);
        drop(waiting);
        assert_eq!(gate.waiting(), 0);
    }

    proptest::proptest! {
        /// Whatever happens in between: nobody is forgotten, and nobody stays behind.
        #[test]
        fn no_waiter_is_lost(steps in proptest::collection::vec((0_u8..6, 0_usize..8), 0..100)) {
            let gate = NetworkGate::new(NetworkState::Down);
            let mut context = Context::from_waker(std::task::Waker::noop());
            let mut waiters: Vec<_> = (0..8).map(|_| Some(gate.recovered())).collect();
            for (step, index) in steps {
                match step {
                    0 => waiters[index] = None,
                    1 => waiters[index] = Some(gate.recovered()),
                    2 => gate.set(NetworkState::Down),
                    3 => gate.set(NetworkState::Up),
                    4 => _ = gate.admit_one(),
                    _ => {
                        let polled = waiters[index].as_mut().map(|waiter| Pin::new(waiter).poll(&mut context));
                        match polled {
                            Some(Poll::Ready(release)) => {
                                let down = gate.state() == NetworkState::Down;
                                proptest::prop_assert_eq!(release.canary, down);
                                waiters[index] = None;
                            }
                            Some(Poll::Pending) => {
                                proptest::prop_assert_eq!(gate.state(), NetworkState::Down);
                            }
                            None => {}
                        }
                    }
                }
            }
            gate.set(NetworkState::Up);
            for mut waiter in waiters.into_iter().flatten() {
                proptest::prop_assert!(Pin::new(&mut waiter).poll(&mut context).is_ready());
            }
            proptest::prop_assert_eq!(gate.waiting(), 0);
        }
    }
}
