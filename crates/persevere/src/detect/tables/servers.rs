//! Servers that are busy, or not well, and say so.
//!
//! Sources: RFC 6585 section 4, RFC 9110 section 15.6, GitHub's "Rate limits for the REST API",
//! Cloudflare's
//! "5xx errors", and the words that servers of all kinds use for the same.

use super::Entry;
use crate::detect::evidence::Rank::{Decisive, Phrase, Vague, Word};
use crate::verdict::Kind::{Conflict, Other, Server, Throttle};

#[rustfmt::skip]
pub(super) const PHRASES: &[Entry] = &[
    Entry::retry(Phrase, Throttle, "text.throttled",
        &["competing requests", "too many requests", "toomanyrequests", "too_many_requests", "rate limit", "ratelimit", "rate_limit", "rate-limit",
          "rate exceeded", "rate limited", "ratelimited", "rate limiter", "throttled", "reduce your request rate", "reduce request rate",
          "reduce the rate", "reduce your rate", "request limit exceeded", "slow down", "slow_down", "rpc limit exceeded", "requests per minute",
          "requests per second", "requests per hour", "request rate is large", "too frequent", "too frequently", "secondary rate", "abuse detection",
          "calls per second", "calls per minute", "quota for quota metric", "exceeded the rate", "exceeded rate", "too many connections",
          "too many clients", "too many concurrent", "max number of clients", "maximum number of clients", "connection limit exceeded",
          "too many sessions", "remaining connection slots", "queue is full", "queue full", "enhance_your_calm", "maxstartups"]).answered().unprocessed(),
    Entry::retry(Vague, Throttle, "text.throttled",
        &["throttling", "throttle", "request rate", "api rate", "no more connections", "backpressure", "over capacity",
          "at capacity", "max connections", "max_connections", "busy", "pool exhausted", "pool limit"]).answered(),
    Entry::retry(Phrase, Server, "text.server_busy",
        &["server is busy", "server busy", "service is unavailable", "service_unavailable", "server too busy", "overloaded",
          "currently unable to handle", "backend error", "internal error", "is loading", "not initialized yet", "not yet initialized",
          "is starting up", "still starting", "shutdown in progress", "is shutting", "not the leader", "leader changed", "not leader", "in recovery",
          "warming up", "currently unavailable", "not available right now", "no healthy upstream", "upstream connect error", "bad upstream",
          "no live upstreams", "no available server", "no servers available", "no server available", "unexpected error on server",
          "web server is down", "origin is unreachable", "server unavailable", "backend unavailable", "backend fetch failed",
          "application failed to respond", "backend is down", "service is down", "502 bad", "503 service", "500 internal"]).answered(),
    Entry::retry(Vague, Server, "text.server_busy",
        &["overload", "internal_error", "internal failure", "internal server", "internalserver", "starting up", "is starting", "initializing",
          "shutting down", "no leader", "leader election", "unavailable", "not available at this time", "not currently available", "maintenance",
          "not ready", "upstream request", "upstream error", "failover", "server error", "servererror", "no quorum", "lost quorum", "quorum lost",
          "replica set", "restarting", "server restart", "oops", "something went wrong", "service not available", "service temporarily"]).answered(),
    Entry::retry(Phrase, Server, "text.asks_for_a_retry",
        &["retry your request", "retry the request", "retry this upload", "retry the operation", "retry the transaction", "retry your transaction",
          "try your request again", "try the request again", "try restarting", "retryable error", "should be retried", "safe to retry",
          "may be retried", "can be retried", "retry with backoff"]).answered(),
    Entry::retry(Vague, Server, "text.asks_for_a_retry",
        &["please retry", "try again shortly", "try later", "retry later", "please try again", "retry again", "again later", "retriable",
          "retryable", "trying again may", "resubmit", "retrying may"]).answered(),
    Entry::retry(Word, Server, "text.temporary",
        &["try again", "temporary", "temporarily", "transient", "intermittent", "momentarily", "retry", "failed to respond"]),
    Entry::retry(Phrase, Conflict, "text.in_progress",
        &["operation is currently in progress", "conflicting conditional operation", "another operation is in progress", "already in progress",
          "update is in progress", "in progress by another", "being modified", "being used by another", "held by process", "held by another",
          "locked by another", "could not get lock", "lock wait", "lock request time", "waiting for lock", "lock contention", "resource is locked",
          "object has been modified", "deadlock", "could not serialize", "optimistic lock", "taskconflict"]),
    Entry::retry(Vague, Conflict, "text.in_progress",
        &["another operation", "operation in progress", "is in progress", "currently in progress", "another update", "being updated",
          "being created", "being deleted", "in use by another", "another process", "unable to acquire", "failed to acquire", "could not acquire",
          "cannot acquire", "unable to lock", "failed to lock", "could not lock", "couldn't lock", "is locked", "concurrent update",
          "concurrent modification", "concurrent access", "concurrent request", "conflicting operation", "conflict with another",
          "operation conflict", "concurrent operation", "concurrently", "currently being", "conflicting request", "stale element"]),

    // Somebody wanted it to end: whatever else is said, nobody waits for it any more.
    Entry::stop(Decisive, Other, "text.cancelled",
        &["keyboard interrupt", "context canceled", "canceled by the user", "cancelled by the user", "canceled by user", "cancelled by user",
          "aborted by user", "aborted by the user", "due to user request", "killed by user", "user aborted", "user cancelled", "user canceled",
          "interrupted by user", "interrupted by the user", "keyboardinterrupt", "aborterror", "user interrupt", "received sigint",
          "received sigterm", "err_canceled", "ctrl-c"]),
    Entry::stop(Phrase, Other, "text.cancelled",
        &["operation was aborted", "operation was canceled", "operation was cancelled", "operation canceled", "operation cancelled",
          "request was canceled by", "request was cancelled by", "cancellederror", "taskcanceled", "operationcanceled", "operation_cancelled",
          "ecanceled"]),
    Entry::stop(Vague, Other, "text.cancelled_word",
        &["canceled", "cancelled", "cancellation"]),
];
