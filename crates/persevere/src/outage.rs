//! The network pause: waiting for the network in place of the backoff.

use std::num::NonZeroU64;
use std::time::Duration;

use crate::decision::Step;
use crate::duration::nanos;
use crate::error::End;
use crate::event::{Event, EventKind};
use crate::network::{NetworkState, Recovery, Release};
use crate::options::Options;
use crate::retryer::Parts;
use crate::run::Run;
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
    /// it does without an outage.
    pub(crate) fn released(&mut self, release: Release) -> Step {
        let now = self.now();
        let spacing = self.retryer.policy().initial_delay();
        let stagger = self.failures.as_mut().map_or(spacing, |failures| {
            let paused = failures.paused_since().map(|at| now.saturating_duration_since(at));
            let apart = spacing.max(failures.backoff.held_hint());
            let left = apart.saturating_sub(paused.unwrap_or_default());
            failures.canary = release.canary;
            release.stagger(failures.backoff.random()).max(left)
        });
        match self.time_left() {
            Some(left) if stagger >= left => Step::End(End::Deadline.into()),
            _ => Step::Wait(stagger),
        }
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
        let down = gate.is_some_and(|gate| gate.state() == NetworkState::Down);
        let canary = std::mem::take(&mut failures.canary);
        if down && !canary {
            return Step::WaitForNetwork;
        }
        let paused = now.saturating_duration_since(paused_since);
        failures.paused_at = None;
        failures.network_wait += nanos(paused);
        failures.uncharged += 1;
        failures.repeat = true;
        failures.backoff.restart();
        // One who only goes to see does not know that yet.
        if !down {
            self.send(&Event { delay: Some(paused), ..self.event(EventKind::NetworkRecovered) });
        }
        Step::Attempt
    }
}
