//! The events as `tracing` logs, with the requirement's messages, levels and field names.

use std::time::Duration;

use tracing::field::{DisplayValue, display};
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
            network_wait = network_wait($event),
            error = $event.error.map(|error| display(Chain(error))),
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
            network_wait = network_wait(event),
            "operation succeeded after retry"
        ),
        EventKind::Retrying => warn!(
            operation,
            attempt,
            max_attempts = max_attempts(event),
            delay = delay(event),
            error = event.error.map(|error| display(Chain(error))),
            "operation failed, retrying"
        ),
        EventKind::NetworkDown => {
            let (reason, longest_wait) = (event.network_reason, delay(event));
            warn!(
                operation,
                attempt, reason, longest_wait, "network is down, waiting for network to recover"
            );
        }
        EventKind::NetworkRecovered => {
            let waited = delay(event);
            info!(operation, attempt, waited, "network recovered, retrying operation");
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

fn delay(event: &Event<'_>) -> Option<DisplayValue<HumanDuration>> {
    event.delay.map(HumanDuration).map(display)
}

/// Less than a millisecond says nothing.
fn network_wait(event: &Event<'_>) -> Option<DisplayValue<HumanDuration>> {
    let wait = Some(event.network_wait).filter(|wait| *wait >= Duration::from_millis(1));
    wait.map(HumanDuration).map(display)
}
