//! The network pause: waiting for the network in place of the backoff.

use std::num::NonZeroU64;
use std::time::{Duration, Instant};

use crate::decision::Step;
use crate::duration::nanos;
use crate::error::End;
use crate::event::{Event, EventKind};
use crate::gate::{NetworkGate, Recovery, Release};
use crate::network::NetworkState;
use crate::options::Options;
use crate::retryer::Parts;
use crate::run::{Failures, Next, Run};
use crate::sleep::Time;

/// A pause under way: what to wait for, and how long at the most.
pub(crate) struct Pause<'a> {
    pub(crate) recovery: Recovery<'a>,
    pub(crate) limit: Duration,
}

impl<'a, E, O: Options<E>, T: Time> Run<'a, E, O, T> {
    /// A pause begins, or goes on because the network went down again.
    pub(crate) fn pause(&mut self) -> Option<Pause<'a>> {
        let gate = self.retryer.parts()?.gate()?;
        let now = self.now();
        let failures = self.failures.as_mut()?;
        let begins = failures.paused_at.is_none();
        let after = nanos(now.saturating_duration_since(failures.since));
        failures.paused_at.get_or_insert(NonZeroU64::MIN.saturating_add(after));
        let paused = now.saturating_duration_since(failures.paused_since()?);
        let left = self.retryer.policy().max_network_wait().saturating_sub(paused);
        let limit = self.time_left().map_or(left, |time| time.min(left));
        if begins {
            self.tell_outage(limit);
        }
        Some(Pause { recovery: gate.recovered(), limit })
    }

    /// Where it stood when it waited before in this pause.
    pub(crate) fn kept_place(&self) -> Option<NonZeroU64> {
        self.failures.as_ref()?.place
    }

    fn tell_outage(&self, limit: Duration) {
        let monitor = self.retryer.parts().and_then(|parts| parts.monitor.as_ref());
        let reason = monitor.and_then(|monitor| monitor.reason());
        self.send(&Event {
            delay: Some(limit),
            network_reason: reason.as_deref(),
            ..self.event(EventKind::NetworkDown)
        });
    }

    /// The network is back: wait for our turn. Attempts stay at least the first delay apart, so
    /// that a network that comes and goes does not make a hot loop, and a server's hint counts as
    /// it does without an outage. Turns begin only after that, or all whose turn would have come
    /// before would come in one instant.
    ///
    /// One who goes to see has no turn to wait for. If it does not get there, another one goes: see
    /// [`Run::pass_on`].
    pub(crate) fn released(&mut self, release: Release) -> Step {
        let now = self.now();
        let time_left = self.time_left();
        let spacing = self.retryer.policy().initial_delay();
        let Some(failures) = &mut self.failures else {
            return Step::Wait(spacing);
        };
        failures.next = if release.canary { Next::Canary } else { Next::Charged };
        failures.place = release.place.or(failures.place);
        let paused = failures.paused_since().map(|at| now.saturating_duration_since(at));
        let apart = spacing.max(failures.backoff.held_hint());
        let apart = apart.saturating_sub(paused.unwrap_or_default());
        let time_left = time_left.map(|left| left.saturating_sub(apart));
        if time_left == Some(Duration::ZERO) {
            return Step::End(End::Deadline.into());
        }
        let turn = match release.canary {
            true => Duration::ZERO,
            false => release.stagger(time_left, failures.backoff.random()),
        };
        Step::Wait(turn.saturating_add(apart))
    }

    /// The network did not come back in time.
    pub(crate) fn not_recovered(&self) -> Step {
        match self.time_left() {
            Some(Duration::ZERO) => Step::End(End::Deadline.into()),
            _ => Step::End(End::NetworkDown.into()),
        }
    }

    /// A wait has ended. After a pause the attempt is made again under its number, unless the
    /// network went down once more while others were let go.
    pub(crate) fn waited(&mut self) -> Step {
        let now = self.now();
        let Some(failures) = &mut self.failures else {
            return Step::Attempt;
        };
        let Some(paused_since) = failures.paused_since() else {
            return Step::Attempt;
        };
        let gate = self.retryer.parts().and_then(Parts::gate);
        if gate.is_some_and(NetworkGate::is_closed) {
            // One who only goes to see is still in the outage, which goes on if it was right.
            if failures.next == Next::Canary {
                failures.backoff.restart();
                return Step::Attempt;
            }
            // The monitor, which saw nobody wait meanwhile, hears that somebody does.
            if self.retryer.is_found_down() {
                return Step::WaitForNetwork;
            }
        }
        failures.next = Next::Repeated;
        let paused = failures.end_pause(now, paused_since);
        failures.uncharged += 1;
        failures.backoff.restart();
        let kind = match gate.map(NetworkGate::state) {
            Some(NetworkState::Up) => EventKind::NetworkRecovered,
            _ => EventKind::NetworkUncertain,
        };
        self.send(&Event { delay: Some(paused), ..self.event(kind) });
        Step::Attempt
    }

    /// An attempt that went to see has failed, and this comes next: the pause goes on, or it is over.
    pub(crate) fn saw(&mut self, next: Step) {
        let paused_since = self.failures.as_ref().and_then(Failures::paused_since);
        let Some(paused_since) = paused_since else { return };
        let now = self.now();
        let spacing = self.retryer.policy().initial_delay();
        let Some(failures) = &mut self.failures else { return };
        match next {
            Step::WaitForNetwork => {
                let paused = now.saturating_duration_since(paused_since);
                failures.backoff.hold_from(paused, spacing);
            }
            // It says itself how long it was paused.
            Step::End(_) => {}
            Step::Attempt | Step::Wait(_) => _ = failures.end_pause(now, paused_since),
        }
    }
}

impl<E> Failures<E> {
    /// Returns how long it was.
    fn end_pause(&mut self, now: Instant, paused_since: Instant) -> Duration {
        self.paused_at = None;
        self.place = None;
        let paused = now.saturating_duration_since(paused_since);
        let milliseconds = u32::try_from(paused.as_millis()).unwrap_or(u32::MAX);
        self.network_wait = self.network_wait.saturating_add(milliseconds);
        paused
    }
}

impl<E, O, T> Run<'_, E, O, T> {
    /// It was let through although the network is down, and has not found out anything: it was
    /// cancelled, dropped, out of time, or its operation panicked. Somebody else goes.
    pub(crate) fn pass_on(&mut self) {
        let went = self.failures.as_mut().is_some_and(|failures| {
            let next = &mut failures.next;
            *next == Next::Canary && {
                *next = Next::Charged;
                true
            }
        });
        if went && let Some(gate) = self.retryer.parts().and_then(Parts::gate) {
            gate.pass_on();
        }
    }
}
