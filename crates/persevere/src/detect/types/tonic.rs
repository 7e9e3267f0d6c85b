//! tonic: gRPC's statuses, what a server adds to them, and what could not be sent.
//!
//! Sources: "Status codes and their use in gRPC"; gRFC A6 for `grpc-retry-pushback-ms`;
//! `google/rpc/error_details.proto` for RetryInfo.
//!
//! DEADLINE_EXCEEDED, INTERNAL and ABORTED are retried, but nothing says that the server did not act, so a
//! call that is not idempotent ends there. Whoever has to begin a transaction anew after ABORTED says
//! so with a rule of the call.

use std::error::Error;
use std::time::Duration;

use tonic::{Code, ConnectError, Status, TimeoutExpired};
use tonic_types::StatusExt;

use crate::detect::evidence::{Evidence, Rank};
use crate::provider::Provider;
use crate::verdict::{Kind, Verdict};

pub(super) fn judge(error: &(dyn Error + 'static)) -> Option<Evidence> {
    if let Some(status) = error.downcast_ref::<Status>() {
        return by_status(status);
    }
    if error.is::<ConnectError>() {
        let words = "connecting failed";
        let evidence = Evidence::retry(Rank::Vague, Kind::Network, "tonic.connect", words);
        return Some(evidence.unprocessed());
    }
    error.is::<TimeoutExpired>().then(|| {
        Evidence::retry(Rank::Phrase, Kind::Timeout, "tonic.timeout_expired", "timeout expired")
    })
}

fn by_status(status: &Status) -> Option<Evidence> {
    let Some(verdict) = by_code(status.code()) else { return of_unknown(status) };
    let verdict = verdict.with_provider(Provider::Grpc);
    if status.source().is_some() {
        // Not a server's word: tonic has put a failure of its own into a code, and the failure itself
        // says more. A request that could not be sent is CANCELLED to tonic.
        return Some(Evidence::new(Rank::Vague, verdict));
    }
    let verdict = verdict.with_answer();
    let verdict = if verdict.is_retryable() { with_server_wish(verdict, status) } else { verdict };
    Some(Evidence::new(Rank::Code, verdict))
}

/// UNKNOWN says nothing, and a server that said it has answered. Its text is not read for more: it
/// begins with "Unknown error", which is tonic's and no server's word.
fn of_unknown(status: &Status) -> Option<Evidence> {
    if status.code() != Code::Unknown || status.source().is_some() {
        return None;
    }
    let verdict = Verdict::unknown().with_evidence("UNKNOWN").with_provider(Provider::Grpc);
    Some(Evidence::new(Rank::Phrase, verdict.with_answer()))
}

/// What the server adds: when to come again, or not to.
fn with_server_wish(verdict: Verdict, status: &Status) -> Verdict {
    let retry_info = (!status.details().is_empty()).then(|| status.get_details_retry_info());
    let retry_info = retry_info.flatten();
    // A quota that is used up until somebody raises it looks the same, but without RetryInfo.
    let pushed_back = status.metadata().contains_key("grpc-retry-pushback-ms");
    if status.code() == Code::ResourceExhausted && retry_info.is_none() && !pushed_back {
        return verdict
            .with_retryable(false, "grpc.resource_exhausted.no_retry_info")
            .with_kind(Kind::ExhaustedResource);
    }
    let wait = match status.metadata().get("grpc-retry-pushback-ms") {
        Some(value) => match pushback(value.to_str().unwrap_or_default()) {
            Some(wait) => Some(wait),
            // "If the value for pushback is negative or unparseable, then it will be seen as the server
            // asking the client not to retry at all."
            None => return verdict.with_retryable(false, "grpc.pushback"),
        },
        None => retry_info.as_ref().and_then(|info| info.retry_delay),
    };
    // A server that knows when to come back has turned this one away; with other codes it may have acted.
    let turned_away = matches!(status.code(), Code::Unavailable | Code::ResourceExhausted);
    let verdict = match turned_away && (wait.is_some() || retry_info.is_some()) {
        true => verdict.with_unprocessed(),
        false => verdict,
    };
    match wait {
        Some(wait) => verdict.with_hint(wait),
        None => verdict,
    }
}

fn pushback(value: &str) -> Option<Duration> {
    value.parse().ok().map(Duration::from_millis)
}

/// The code alone, of those that say something.
fn by_code(code: Code) -> Option<Verdict> {
    let (retryable, kind, rule, name) = match code {
        Code::Ok | Code::Unknown => return None,
        Code::Unavailable => (true, Kind::Server, "grpc.unavailable", "UNAVAILABLE"),
        Code::ResourceExhausted => {
            (true, Kind::Throttle, "grpc.resource_exhausted", "RESOURCE_EXHAUSTED")
        }
        Code::DeadlineExceeded => {
            (true, Kind::Timeout, "grpc.deadline_exceeded", "DEADLINE_EXCEEDED")
        }
        Code::Internal => (true, Kind::Server, "grpc.internal", "INTERNAL"),
        Code::Aborted => (true, Kind::Conflict, "grpc.aborted", "ABORTED"),
        Code::Cancelled => (false, Kind::Other, "grpc.cancelled", "CANCELLED"),
        Code::InvalidArgument => {
            (false, Kind::Invalid, "grpc.invalid_argument", "INVALID_ARGUMENT")
        }
        Code::NotFound => (false, Kind::NotFound, "grpc.not_found", "NOT_FOUND"),
        Code::AlreadyExists => (false, Kind::Conflict, "grpc.already_exists", "ALREADY_EXISTS"),
        Code::PermissionDenied => {
            (false, Kind::Permission, "grpc.permission_denied", "PERMISSION_DENIED")
        }
        Code::FailedPrecondition => {
            (false, Kind::Precondition, "grpc.failed_precondition", "FAILED_PRECONDITION")
        }
        Code::OutOfRange => (false, Kind::Invalid, "grpc.out_of_range", "OUT_OF_RANGE"),
        Code::Unimplemented => (false, Kind::Unsupported, "grpc.unimplemented", "UNIMPLEMENTED"),
        Code::DataLoss => (false, Kind::Other, "grpc.data_loss", "DATA_LOSS"),
        Code::Unauthenticated => (false, Kind::Auth, "grpc.unauthenticated", "UNAUTHENTICATED"),
    };
    let verdict = if retryable { Verdict::retry(kind, rule) } else { Verdict::stop(kind, rule) };
    Some(verdict.with_evidence(name))
}
