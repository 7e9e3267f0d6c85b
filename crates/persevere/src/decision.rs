//! What to do after a failed attempt: the rules, without any waiting.

use std::time::Duration;

use crate::backoff::Backoff;
use crate::error::End;
use crate::policy::RetryPolicy;
use crate::verdict::Verdict;

/// How often one call may repeat an attempt because the network was down, without counting it.
pub(crate) const MAX_UNCHARGED: u8 = 10;

/// All that the decision depends on.
pub(crate) struct Situation<'a> {
    pub(crate) policy: &'a RetryPolicy,
    pub(crate) verdict: Verdict,
    /// The attempt that has failed.
    pub(crate) attempt: u32,
    pub(crate) idempotent: bool,
    /// Whether the policy waits for the network, and the monitor says that it is down.
    pub(crate) outage: bool,
    /// How many attempts were repeated without being counted.
    pub(crate) uncharged: u8,
    /// `None` without a deadline.
    pub(crate) time_left: Option<Duration>,
}

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Call the operation.
    Attempt,
    /// Wait this long first.
    Wait(Duration),
    WaitForNetwork,
    End(Ending),
}

/// How a call ends, with the verdict that decided so, where it was one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ending {
    pub(crate) end: End,
    pub(crate) verdict: Option<Verdict>,
}

impl From<End> for Ending {
    fn from(end: End) -> Self {
        Self { end, verdict: None }
    }
}

/// The order matters: what can never succeed ends first, an outage is not charged, a hint is obeyed
/// in an outage too, and a delay is drawn only when there is an attempt left to wait for.
pub(crate) fn decide(situation: &Situation<'_>, backoff: &mut Backoff) -> Step {
    let &Situation { policy, verdict, time_left, .. } = situation;
    let end = |end| Step::End(Ending { end, verdict: Some(verdict) });
    if !may_retry(policy, &verdict) {
        return end(End::NonRetryable);
    }
    if !situation.idempotent && !verdict.is_unprocessed() {
        return end(End::NotIdempotent);
    }
    if time_left == Some(Duration::ZERO) {
        return end(End::Deadline);
    }
    let pauses = situation.outage && !verdict.has_answer() && situation.uncharged < MAX_UNCHARGED;
    if !pauses && is_last(policy, situation.attempt) {
        return end(End::AttemptsExhausted);
    }
    let passes_deadline = |wait: Duration| time_left.is_some_and(|left| wait >= left);
    let too_long = |hint: Duration| hint > policy.max_retry_after() || passes_deadline(hint);
    if verdict.hint().is_some_and(too_long) {
        return end(End::HintTooLong);
    }
    if pauses {
        backoff.hold_hint(policy, verdict.hint());
        return Step::WaitForNetwork;
    }
    let delay = match verdict.hint() {
        None => backoff.next(policy),
        Some(hint) => backoff.next_with_hint(policy, hint),
    };
    match passes_deadline(delay) {
        true => end(End::Deadline),
        false => Step::Wait(delay),
    }
}

fn may_retry(policy: &RetryPolicy, verdict: &Verdict) -> bool {
    let known = verdict.kind() != crate::verdict::Kind::Unknown;
    verdict.is_retryable() && (known || policy.retry_unknown())
}

fn is_last(policy: &RetryPolicy, attempt: u32) -> bool {
    let max = policy.max_attempts();
    attempt >= max && max != RetryPolicy::UNLIMITED_ATTEMPTS
}
