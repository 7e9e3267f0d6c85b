//! What a call may have beside its retryer and its name.

use std::future::Future;
use std::pin::Pin;
use std::task::Context;
use std::time::{Duration, Instant};

use crate::cancel::Cancelled;
use crate::limit::{Limit, Never, Within};
use crate::verdict::Verdict;

/// The loop's view of a call's options. By default there are none, and the compiler leaves out
/// whatever they would need.
pub(crate) trait Options<E> {
    /// How long an async attempt may take; nothing where that cannot be limited.
    type Limit: Limit;

    /// The call begins. Looks at the clock only if it has to.
    fn start(&mut self, _now: impl FnOnce() -> Instant) {}

    /// When the call began, if anybody looked.
    fn started(&self) -> Option<Instant> {
        None
    }

    fn deadline(&self) -> Option<Instant> {
        None
    }

    fn attempt_timeout(&self) -> Option<Duration> {
        None
    }

    fn is_idempotent(&self) -> bool {
        true
    }

    fn is_cancelled(&self) -> bool {
        false
    }

    /// The same, and wakes the task when it changes.
    fn poll_cancelled(&mut self, _context: &mut Context<'_>) -> bool {
        false
    }

    /// What the call's own rule says, which may build on what would be said without it.
    fn judge(&self, _error: &E, _otherwise: impl FnOnce() -> Verdict) -> Option<Verdict> {
        None
    }
}

/// A call without options.
pub(crate) struct Plain;

impl<E> Options<E> for Plain {
    type Limit = Never;
}

/// A call with options, and perhaps a rule `R`.
#[derive(Debug)]
pub(crate) struct Chosen<R> {
    pub(crate) deadline_after: Option<Duration>,
    pub(crate) deadline: Option<Instant>,
    pub(crate) attempt_timeout: Option<Duration>,
    pub(crate) idempotent: bool,
    pub(crate) cancelled: Option<Cancelled>,
    pub(crate) rule: R,
    started: Option<Instant>,
}

impl<R> Chosen<R> {
    pub(crate) fn with_rule<R2>(self, rule: R2) -> Chosen<R2> {
        let Self { deadline_after, deadline, attempt_timeout, idempotent, cancelled, .. } = self;
        let started = self.started;
        Chosen { deadline_after, deadline, attempt_timeout, idempotent, cancelled, rule, started }
    }
}

impl Chosen<NoRule> {
    pub(crate) fn nothing() -> Self {
        Self {
            deadline_after: None,
            deadline: None,
            attempt_timeout: None,
            idempotent: true,
            cancelled: None,
            rule: NoRule,
            started: None,
        }
    }
}

impl<E, R: Rule<E>> Options<E> for Chosen<R> {
    type Limit = Within;

    fn start(&mut self, now: impl FnOnce() -> Instant) {
        if self.deadline_after.is_some() || self.deadline.is_some() {
            let started = now();
            // One that is too far away for the clock to express is none.
            let after = self.deadline_after.and_then(|after| started.checked_add(after));
            self.deadline = self.deadline.into_iter().chain(after).min();
            self.started = Some(started);
        }
    }

    fn started(&self) -> Option<Instant> {
        self.started
    }

    fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    fn attempt_timeout(&self) -> Option<Duration> {
        self.attempt_timeout
    }

    fn is_idempotent(&self) -> bool {
        self.idempotent
    }

    fn is_cancelled(&self) -> bool {
        self.cancelled.as_ref().is_some_and(Cancelled::is_cancelled)
    }

    fn poll_cancelled(&mut self, context: &mut Context<'_>) -> bool {
        let poll = |cancelled: &mut Cancelled| Pin::new(cancelled).poll(context).is_ready();
        self.cancelled.as_mut().is_some_and(poll)
    }

    fn judge(&self, error: &E, otherwise: impl FnOnce() -> Verdict) -> Option<Verdict> {
        self.rule.judge(error, otherwise)
    }
}

/// The rule of a call: none, or the caller's. Nothing else implements it.
pub trait Rule<E>: sealed::Sealed {
    /// What the rule says of an error, if it says anything. `otherwise` is what would be said
    /// without it.
    fn judge(&self, error: &E, otherwise: impl FnOnce() -> Verdict) -> Option<Verdict>;
}

mod sealed {
    pub trait Sealed {}
}

/// A call without a rule of its own.
#[derive(Debug)]
pub struct NoRule;

/// A call with a rule of its own; made by [`Call::rule`](crate::Call::rule).
#[derive(Debug)]
pub struct CallerRule<F>(pub(crate) F);

/// A call that knows what to retry; made by [`Call::retry_if`](crate::Call::retry_if).
#[derive(Debug)]
pub struct RetryIf<F>(pub(crate) F);

impl sealed::Sealed for NoRule {}
impl<F> sealed::Sealed for CallerRule<F> {}
impl<F> sealed::Sealed for RetryIf<F> {}

impl<E> Rule<E> for NoRule {
    fn judge(&self, _: &E, _: impl FnOnce() -> Verdict) -> Option<Verdict> {
        None
    }
}

impl<E, F: Fn(&E) -> Option<Verdict>> Rule<E> for CallerRule<F> {
    fn judge(&self, error: &E, _: impl FnOnce() -> Verdict) -> Option<Verdict> {
        (self.0)(error)
    }
}

impl<E, F: Fn(&E) -> bool> Rule<E> for RetryIf<F> {
    fn judge(&self, error: &E, otherwise: impl FnOnce() -> Verdict) -> Option<Verdict> {
        let retry = |verdict: Verdict| verdict.with_retryable(true, "caller.retry_if");
        (self.0)(error).then(|| retry(otherwise()).with_known_kind())
    }
}
