//! The events as `tracing` logs, with the requirement's messages, levels and field names.

use tracing::{error, info, warn};

use crate::chain::Chain;
use crate::duration::HumanDuration;
use crate::error::End;
use crate::event::{Event, EventKind};
use crate::policy::RetryPolicy;

/// A macro because `tracing` wants each message, level and set of fields to be known at compile time.
macro_rules! ended {
    ($level:ident, $event:expr, $end:path) => {
        ended!($level, $event, $end, attempts)
    };
    ($level:ident, $event:expr, $end:path, $attempt:ident) => {{
        const MESSAGE: &str = $end.message();
        $level!(
            operation = $event.operation,
            $attempt = $event.attempt,
            error = $event.error.map(|error| tracing::field::display(Chain(error))),
            "{MESSAGE}"
        )
    }};
}

pub(crate) fn log(event: &Event<'_>) {
    let Event { operation, attempt, .. } = *event;
    match event.kind {
        EventKind::Succeeded => info!(
            operation,
            attempt,
            total_attempts = max_attempts(event),
            "operation succeeded after retry"
        ),
        EventKind::Retrying => warn!(
            operation,
            attempt,
            max_attempts = max_attempts(event),
            delay = event.delay.map(|delay| tracing::field::display(HumanDuration(delay))),
            error = event.error.map(|error| tracing::field::display(Chain(error))),
            "operation failed, retrying"
        ),
        EventKind::NetworkDown => {
            warn!(operation, attempt, "network is down, waiting for network to recover");
        }
        EventKind::NetworkRecovered => {
            info!(operation, attempt, "network recovered, retrying operation");
        }
        EventKind::NetworkUncertain => {
            info!(operation, attempt, "network may be back, retrying operation");
        }
        EventKind::Ended(end) => log_end(event, end),
    }
}

fn log_end(event: &Event<'_>, end: End) {
    match end {
        End::NonRetryable => ended!(warn, event, End::NonRetryable, attempt),
        End::NotIdempotent => ended!(warn, event, End::NotIdempotent, attempt),
        End::Cancelled => ended!(warn, event, End::Cancelled),
        End::AttemptsExhausted => ended!(error, event, End::AttemptsExhausted),
        End::Deadline => ended!(error, event, End::Deadline),
        End::BudgetExhausted => ended!(error, event, End::BudgetExhausted),
        End::HintTooLong => ended!(error, event, End::HintTooLong),
        End::NetworkDown => ended!(error, event, End::NetworkDown),
    }
}

/// "No limit" is no number.
fn max_attempts(event: &Event<'_>) -> Option<u32> {
    Some(event.max_attempts).filter(|max| *max != RetryPolicy::UNLIMITED_ATTEMPTS)
}
