//! Where calls wait for the network, and how they come back when it has recovered.

#[cfg(test)]
#[cfg(persevere_loom)]
mod interleavings;
#[cfg(test)]
#[cfg(not(persevere_loom))]
mod tests;

use std::num::NonZeroU64;
use std::sync::PoisonError;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use crate::duration::nanos;
use crate::network::NetworkState;
use crate::random::Random;
use crate::sync::{AtomicU8, Mutex, MutexGuard, Ordering};
use crate::waiters::{Awaited, Go, Place, Waiters};

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
    /// Where it stood while it waited, in case that it has to wait again before it had its turn.
    pub(crate) place: Option<NonZeroU64>,
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
    const ALONE: Self = Self { ticket: 0, waiting: 1, canary: false, place: None };
    /// Of one who goes although the network is down.
    const CANARY: Self = Self { canary: true, ..Self::ALONE };

    /// How long to wait after the recovery, from this place.
    ///
    /// Up to 16: at random within 250 ms. More: two canaries within 250 ms; the rest follow after
    /// one second in the order of their tickets, 100 a second, or all within 30 s if that is more,
    /// each at random within its slot of ± half. Whoever has less than twice as much time left comes at
    /// random within the first half of it: the network works, and its turn would come too late.
    pub(crate) fn stagger(self, time_left: Option<Duration>, random: &mut Random) -> Duration {
        let turn = self.turn(random);
        match time_left.map(|left| left / 2) {
            Some(half) if turn > half => Duration::from_nanos(random.between(0, nanos(half))),
            _ => turn,
        }
    }

    fn turn(self, random: &mut Random) -> Duration {
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

    pub(crate) fn is_closed(&self) -> bool {
        self.state() == NetworkState::Down
    }

    /// Sets the state. Anything but `Down` lets all calls through that wait, spread over time. A
    /// monitor that ends, or knows nothing any more, sets `Unknown`.
    pub fn set(&self, state: NetworkState) {
        if state == NetworkState::Down {
            return self.state.store(state as u8, Ordering::SeqCst);
        }
        self.waiters.wake_all(|waiting| {
            let before = self.state.swap(state as u8, Ordering::SeqCst);
            // The queue of a recovery that is under way goes on under another name for it.
            if before == NetworkState::Down as u8 && waiting > 0 {
                *self.lock_release() = (0, u32::try_from(waiting).unwrap_or(u32::MAX));
            }
        });
    }

    /// Lets one call through, the one that has waited longest, although the state is `Down`: a
    /// monitor that is not sure finds out by it whether it errs. Returns whether one waited.
    pub fn admit_one(&self) -> bool {
        self.waiters.admit_one()
    }

    /// One who was let through does not go: another one does. Never panics, since whoever is dropped
    /// by a panic does this.
    pub(crate) fn pass_on(&self) {
        self.waiters.pass_on();
    }

    /// How many calls wait.
    pub fn waiting(&self) -> usize {
        self.waiters.len()
    }

    /// Ends when the state is no longer `Down`, or one is [let through](Self::admit_one). Dropping it
    /// leaves nothing behind.
    pub(crate) fn recovered(&self) -> Recovery<'_> {
        Recovery { place: Place::new(self) }
    }

    /// A place among those who waited. Only for one who did: the queue of an earlier recovery says
    /// nothing about anybody else.
    fn take_ticket(&self, place: NonZeroU64) -> Release {
        let mut release = self.lock_release();
        let ticket = release.0;
        release.0 = ticket.saturating_add(1);
        Release { ticket, waiting: release.1, canary: false, place: Some(place) }
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
        !self.is_closed()
    }
}

/// See [`NetworkGate::recovered`].
#[derive(Debug)]
pub(crate) struct Recovery<'a> {
    place: Place<&'a NetworkGate>,
}

impl Recovery<'_> {
    /// `kept` is the [`place`](Release::place) of an earlier wait that did not lead to an attempt.
    pub(crate) fn poll(
        &mut self,
        context: &mut Context<'_>,
        kept: Option<NonZeroU64>,
    ) -> Poll<Release> {
        let go = ready!(self.place.go_or_wait(context.waker(), kept));
        Poll::Ready(match (go, self.place.stands()) {
            (Go::LetThrough, _) => Release::CANARY,
            (Go::Happened, Some(place)) => self.place.awaited().take_ticket(place),
            (Go::Happened, None) => Release::ALONE,
        })
    }
}
