//! The plan as JSON.

use std::time::Duration;

use persevere::RetryPolicy;
use serde::Serialize;

use super::{Plan, Row};
use crate::error::CliError;
use crate::output;
use crate::policy::Limits;

impl Plan {
    pub(super) fn json(&self, with_sample: bool) -> Result<String, CliError> {
        let total = self.rows.last();
        output::json(&PlanJson {
            policy: PolicyJson::new(&self.limits),
            delays: self.rows.iter().map(DelayJson::new).collect(),
            total_at_least_ms: Milliseconds(total.map_or(Duration::ZERO, |row| row.total_at_least)),
            total_at_most_ms: Milliseconds(total.map_or(Duration::ZERO, |row| row.total_at_most)),
            complete: !self.cut,
            sample: with_sample.then(|| SampleJson {
                seed: self.seed,
                delays_ms: self.sample.iter().copied().map(Milliseconds).collect(),
            }),
        })
    }
}

/// Whole milliseconds where they are whole, else a fraction.
struct Milliseconds(Duration);

impl Serialize for Milliseconds {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match u64::try_from(self.0.as_millis()) {
            Ok(whole) if self.0.subsec_nanos().is_multiple_of(1_000_000) => {
                serializer.serialize_u64(whole)
            }
            _ => serializer.serialize_f64(self.0.as_secs_f64() * 1_000.0),
        }
    }
}

#[derive(Serialize)]
struct PlanJson {
    policy: PolicyJson,
    delays: Vec<DelayJson>,
    total_at_least_ms: Milliseconds,
    total_at_most_ms: Milliseconds,
    /// Whether `delays` are all there can be.
    complete: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    sample: Option<SampleJson>,
}

#[derive(Serialize)]
struct PolicyJson {
    preset: &'static str,
    /// `null` for no limit.
    max_attempts: Option<u32>,
    initial_delay_ms: Milliseconds,
    max_delay_ms: Milliseconds,
    multiplier: f64,
    jitter: &'static str,
    retry_unknown: bool,
    max_retry_after_ms: Milliseconds,
    wait_for_network: bool,
    max_network_wait_ms: Milliseconds,
    deadline_ms: Option<Milliseconds>,
    attempt_timeout_ms: Option<Milliseconds>,
}

impl PolicyJson {
    fn new(limits: &Limits) -> Self {
        let policy = &limits.policy;
        let max_attempts = policy.max_attempts();
        Self {
            preset: limits.preset,
            max_attempts: Some(max_attempts).filter(|it| *it != RetryPolicy::UNLIMITED_ATTEMPTS),
            initial_delay_ms: Milliseconds(policy.initial_delay()),
            max_delay_ms: Milliseconds(policy.max_delay()),
            multiplier: policy.multiplier(),
            jitter: policy.jitter().name(),
            retry_unknown: policy.retry_unknown(),
            max_retry_after_ms: Milliseconds(policy.max_retry_after()),
            wait_for_network: policy.wait_for_network(),
            max_network_wait_ms: Milliseconds(policy.max_network_wait()),
            deadline_ms: limits.deadline.map(Milliseconds),
            attempt_timeout_ms: limits.attempt_timeout.map(Milliseconds),
        }
    }
}

#[derive(Serialize)]
struct DelayJson {
    after_attempt: u32,
    base_ms: Milliseconds,
    at_least_ms: Milliseconds,
    at_most_ms: Milliseconds,
    total_at_least_ms: Milliseconds,
    total_at_most_ms: Milliseconds,
}

impl DelayJson {
    fn new(row: &Row) -> Self {
        Self {
            after_attempt: row.attempt,
            base_ms: Milliseconds(row.base),
            at_least_ms: Milliseconds(row.at_least),
            at_most_ms: Milliseconds(row.at_most),
            total_at_least_ms: Milliseconds(row.total_at_least),
            total_at_most_ms: Milliseconds(row.total_at_most),
        }
    }
}

#[derive(Serialize)]
struct SampleJson {
    seed: u64,
    delays_ms: Vec<Milliseconds>,
}
