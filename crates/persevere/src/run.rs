//! A call under way: what it remembers, and what follows from what happens to it.
//!
//! The async and the blocking loop ([`crate::run_async`], [`crate::run_blocking`]) carry out what
//! this says; it never waits itself. The rules are in [`crate::decision`].

use std::error::Error;
use std::marker::PhantomData;
use std::num::NonZeroU64;
use std::time::{Duration, Instant};

use crate::as_error::AsError;
use crate::attempt::Attempt;
use crate::backoff::Backoff;
use crate::budget::{RetryBudget, Tokens};
use crate::decision::{Ending, Situation, Step, decide};
use crate::detect;
use crate::error::{AttemptTimedOut, End, Retried, RetryError};
use crate::event::{Event, EventKind};
use crate::network_report::NetworkReport;
use crate::options::Options;
use crate::random::Random;
use crate::retryer::{Parts, Retryer};
use crate::sleep::{Time, now};
use crate::verdict::{Kind, Verdict};

/// A million of these may wait at once, so they are kept small: what can be worked out again is
/// not stored.
pub(crate) struct Run<'a, E, O, T> {
    pub(crate) retryer: &'a Retryer,
    name: &'a str,
    pub(crate) options: O,
    /// The attempt under way, or the last one that was; 0 before the first.
    attempt: u32,
    /// What there is only after a failure, so that a success does not pay for it.
    pub(crate) failures: Option<Failures<E>>,
    time: PhantomData<T>,
}

/// What the next attempt is, or the one under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    Charged,
    /// The last one made again, for the network was down.
    Repeated,
    /// One that goes to see, although the network is down.
    Canary,
}

pub(crate) struct Failures<E> {
    /// When the call began, or failed first if nobody had looked at the clock before.
    pub(crate) since: Instant,
    /// The last error that the operation returned.
    last: Option<E>,
    /// Whether an attempt has timed out since.
    timed_out: bool,
    pub(crate) backoff: Backoff,
    /// How many attempts were repeated because the network was down.
    pub(crate) uncharged: u8,
    pub(crate) next: Next,
    /// Its place among those who wait for the network, until it had its turn.
    pub(crate) place: Option<NonZeroU64>,
    /// If the call waits for the network: one more than the nanoseconds after `since`.
    pub(crate) paused_at: Option<NonZeroU64>,
    /// In milliseconds, without the pause under way. Stops at 49 days, which keeps it small.
    pub(crate) network_wait: u32,
    /// What was taken out of the budget for the retry under way.
    tokens: Option<Tokens>,
}

impl<'a, E, O: Options<E>, T: Time> Run<'a, E, O, T> {
    #[inline]
    pub(crate) fn new(retryer: &'a Retryer, name: &'a str, options: O) -> Self {
        Self { retryer, name, options, attempt: 0, failures: None, time: PhantomData }
    }

    /// The next attempt begins, unless the call was cancelled or ran out of time.
    #[inline]
    pub(crate) fn begin(&mut self) -> Result<Attempt, End> {
        if self.attempt == 0 {
            let retryer = self.retryer;
            self.options.start(|| now::<T>(retryer));
        }
        if self.options.is_cancelled() {
            return Err(End::Cancelled);
        }
        let time_left = self.time_left();
        if time_left == Some(Duration::ZERO) {
            return Err(End::Deadline);
        }
        match &mut self.failures {
            Some(failures) if failures.next == Next::Repeated => failures.next = Next::Charged,
            // It stays one until it is known what it found.
            Some(failures) if failures.next == Next::Canary => {}
            _ => self.attempt = self.attempt.saturating_add(1),
        }
        let limit = self.options.attempt_timeout().into_iter().chain(time_left).min();
        Ok(Attempt {
            number: self.attempt,
            max_attempts: self.retryer.policy().max_attempts(),
            limit,
        })
    }

    /// When an attempt that begins now has taken too long. Looks at the clock only if it has to.
    #[inline]
    pub(crate) fn limit(&self) -> Option<Instant> {
        // One that is too far away for the clock to express is none.
        let timeout = self.options.attempt_timeout();
        let timeout = timeout.and_then(|timeout| self.now().checked_add(timeout));
        self.options.deadline().into_iter().chain(timeout).min()
    }

    #[inline]
    pub(crate) fn succeeded(&mut self) {
        if self.failures.is_some() || self.retryer.parts().is_some() {
            self.settle_success();
        }
    }

    #[cold]
    #[inline(never)]
    fn settle_success(&mut self) {
        self.retryer.report(NetworkReport::Succeeded);
        if let Some(failures) = &mut self.failures {
            failures.next = Next::Charged;
        }
        match self.failures.as_mut().map(|failures| failures.tokens.take()) {
            None => self.with_budget(RetryBudget::first_success),
            Some(Some(tokens)) => self.with_budget(|budget| budget.refund(tokens)),
            Some(None) => {}
        }
        // An attempt that was repeated after an outage may still be the first.
        if self.attempt > 1 {
            self.tell(EventKind::Succeeded);
        }
    }

    /// The attempt returned an error.
    #[cold]
    #[inline(never)]
    pub(crate) fn failed<Via>(&mut self, error: E) -> Step
    where
        E: AsError<Via>,
    {
        let failures = self.note_failure();
        failures.last = Some(error);
        failures.timed_out = false;
        self.decide()
    }

    /// The attempt reached its limit, which is the attempt timeout or the deadline.
    #[cold]
    #[inline(never)]
    pub(crate) fn out_of_time<Via>(&mut self) -> Step
    where
        E: AsError<Via>,
    {
        let timeout = self.options.attempt_timeout();
        if timeout.is_none() || self.time_left() == Some(Duration::ZERO) {
            self.spend_tokens();
            return Step::End(End::Deadline.into());
        }
        self.note_failure().timed_out = true;
        self.decide()
    }

    fn note_failure(&mut self) -> &mut Failures<E> {
        let (started, retryer) = (self.options.started(), self.retryer);
        let failures = self.failures.get_or_insert_with(|| Failures {
            since: started.unwrap_or_else(|| now::<T>(retryer)),
            last: None,
            timed_out: false,
            backoff: Backoff::new(retryer.parts().map_or_else(Random::fresh, Parts::random)),
            uncharged: 0,
            next: Next::Charged,
            place: None,
            paused_at: None,
            network_wait: 0,
            tokens: None,
        });
        failures.next = Next::Charged;
        failures
    }

    /// What detection says of the last failure, if there was one.
    fn verdict<Via>(&self) -> Option<Verdict>
    where
        E: AsError<Via>,
    {
        let failures = self.failures.as_ref()?;
        if failures.timed_out {
            return Some(Verdict::retry(Kind::Timeout, "attempt.timeout"));
        }
        let error = failures.last.as_ref()?;
        let parts = self.retryer.parts();
        let shared = || parts?.rule.as_ref()?(error.as_error());
        let nested = parts.is_some_and(|parts| parts.retry_nested);
        let detector = parts.map_or(&detect::PLAIN, |parts| &parts.detector);
        let without_own = || detector.judge(error.as_error(), shared, nested);
        let own = || self.options.judge(error, without_own);
        Some(detector.judge(error.as_error(), || own().or_else(shared), nested))
    }

    fn decide<Via>(&mut self) -> Step
    where
        E: AsError<Via>,
    {
        let step = self.next_step();
        self.saw(step);
        step
    }

    /// Asks the rules, and then the budget, for only it has something to lose.
    fn next_step<Via>(&mut self) -> Step
    where
        E: AsError<Via>,
    {
        let verdict = self.verdict().unwrap_or(Verdict::unknown());
        if let Some(report) = NetworkReport::of(&verdict) {
            self.retryer.report(report);
        }
        let time_left = self.time_left();
        let Some(failures) = &mut self.failures else {
            return Step::End(End::NonRetryable.into());
        };
        let situation = Situation {
            policy: self.retryer.policy(),
            verdict,
            attempt: self.attempt,
            idempotent: self.options.is_idempotent(),
            outage: self.retryer.sees_outage(verdict.kind()),
            uncharged: failures.uncharged,
            time_left,
        };
        let step = decide(&situation, &mut failures.backoff);
        match failures.tokens.take() {
            // A retry that failed because the network was down is not charged.
            Some(tokens) if step == Step::WaitForNetwork => {
                self.with_budget(|budget| budget.refund(tokens));
            }
            _spent => {}
        }
        let Step::Wait(delay) = step else { return step };
        if !self.acquire_tokens(verdict.kind()) {
            return Step::End(Ending { end: End::BudgetExhausted, verdict: Some(verdict) });
        }
        self.tell_failure(EventKind::Retrying, Some(delay), Some(verdict));
        step
    }

    /// The retry was made and failed, so its tokens do not go back.
    fn spend_tokens(&mut self) {
        if let Some(failures) = &mut self.failures {
            failures.tokens = None;
        }
    }

    fn acquire_tokens(&mut self, kind: Kind) -> bool {
        let Some(budget) = self.budget() else {
            return true;
        };
        let tokens = budget.acquire(kind);
        let enough = tokens.is_some();
        if let Some(failures) = &mut self.failures {
            failures.tokens = tokens;
        }
        enough
    }

    /// Ends the call with its error.
    #[cold]
    #[inline(never)]
    pub(crate) fn give_up<Via>(&mut self, Ending { end, verdict }: Ending) -> RetryError<E>
    where
        E: AsError<Via>,
    {
        self.pass_on();
        // What ends later, in a wait or in the attempt after it, asks once more: to keep a verdict
        // would make every waiting call larger by a sixth.
        let verdict = verdict.or_else(|| self.verdict());
        self.tell_failure(EventKind::Ended(end), None, verdict);
        let now = self.now();
        let since = self.failures.as_ref().map(|failures| failures.since);
        let mut retried = Retried::new(self.name, end, self.attempt, verdict);
        if let Some(since) = since.or(self.options.started()) {
            retried.set_elapsed(now.saturating_duration_since(since));
        }
        if let Some(failures) = &self.failures {
            retried.set_network_wait(failures.waited_for_network(|| now));
            retried.set_attempt_timeout(self.timed_out());
        }
        let last = self.failures.as_mut().and_then(|failures| failures.last.take());
        RetryError::new(retried, last, E::as_error)
    }

    /// The timeout, if the last attempt failed by it.
    fn timed_out(&self) -> Option<AttemptTimedOut> {
        let failures = self.failures.as_ref()?;
        self.options.attempt_timeout().filter(|_| failures.timed_out).map(AttemptTimedOut)
    }

    fn tell_failure<Via>(&self, kind: EventKind, delay: Option<Duration>, verdict: Option<Verdict>)
    where
        E: AsError<Via>,
    {
        let timed_out = self.timed_out();
        let last = || self.failures.as_ref()?.last.as_ref().map(E::as_error);
        let error = timed_out.as_ref().map(|error| error as &(dyn Error + 'static)).or_else(last);
        self.send(&Event { delay, error, verdict, ..self.event(kind) });
    }

    pub(crate) fn tell(&self, kind: EventKind) {
        self.send(&self.event(kind));
    }

    pub(crate) fn event(&self, kind: EventKind) -> Event<'_> {
        let failures = self.failures.as_ref();
        Event {
            kind,
            operation: self.name,
            attempt: self.attempt,
            max_attempts: self.retryer.policy().max_attempts(),
            delay: None,
            network_wait: failures
                .map_or(Duration::ZERO, |failures| failures.waited_for_network(|| self.now())),
            network_reason: None,
            error: None,
            verdict: None,
        }
    }

    pub(crate) fn send(&self, event: &Event<'_>) {
        #[cfg(feature = "tracing")]
        crate::log::log(event);
        if let Some(observer) = self.retryer.parts().and_then(|parts| parts.observer.as_ref()) {
            observer.observe(event);
        }
    }

    pub(crate) fn time_left(&self) -> Option<Duration> {
        Some(self.options.deadline()?.saturating_duration_since(self.now()))
    }

    pub(crate) fn now(&self) -> Instant {
        now::<T>(self.retryer)
    }
}

impl<E> Failures<E> {
    /// In all, with the pause under way.
    fn waited_for_network(&self, now: impl FnOnce() -> Instant) -> Duration {
        let pause = self.paused_since().map(|at| now().saturating_duration_since(at));
        Duration::from_millis(self.network_wait.into()) + pause.unwrap_or_default()
    }

    pub(crate) fn paused_since(&self) -> Option<Instant> {
        Some(self.since + Duration::from_nanos(self.paused_at?.get() - 1))
    }
}

impl<E, O, T> Run<'_, E, O, T> {
    fn budget(&self) -> Option<&RetryBudget> {
        self.retryer.parts()?.budget.as_ref()
    }

    #[cold]
    #[inline(never)]
    fn leave(&mut self) {
        if let Some(tokens) = self.failures.as_mut().and_then(|failures| failures.tokens.take()) {
            self.with_budget(|budget| budget.refund(tokens));
        }
        self.pass_on();
    }

    fn with_budget(&self, settle: impl FnOnce(&RetryBudget)) {
        if let Some(budget) = self.budget() {
            settle(budget);
        }
    }
}

/// A retry that never happened, or whose end nobody waited for, costs nothing: also when the call
/// is dropped, and when the operation panics.
impl<E, O, T> Drop for Run<'_, E, O, T> {
    #[inline]
    fn drop(&mut self) {
        if self.failures.is_some() {
            self.leave();
        }
    }
}
