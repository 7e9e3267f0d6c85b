//! Apache Kafka: whether an error is retriable is a column of its protocol's own table.
//!
//! Source: "Kafka protocol guide", error codes; `org.apache.kafka.common.errors` (subclasses of
//! RetriableException).

use super::Entry;
use crate::detect::evidence::Rank::{Code, Vague};
use crate::provider::Provider::Kafka;
use crate::verdict::Kind::{
    Auth, Conflict, Invalid, Network, NotFound, Permission, Precondition, Server, Throttle,
    Timeout, Unsupported,
};

#[rustfmt::skip]
pub(super) const CODES: &[Entry] = &[
    Entry::retry(Code, Server, "kafka.retriable",
        &["leader not available", "not leader for partition", "not leader or follower", "coordinator load in progress", "coordinator not available",
          "group load in progress", "not coordinator", "not enough replicas", "not controller", "kafka storage error", "fetch session id not found",
          "invalid fetch session epoch", "listener not found", "fenced leader epoch", "unknown leader epoch", "offset not available",
          "eligible leaders not available", "unstable offset commit", "replica not available", "unknown topic id", "inconsistent topic id",
          "rebalance in progress", "retriable exception", "retriable commit failed", "broker not available", "concurrent transactions",
          "stale metadata", "coordinator loading"]).of(Kafka).answered().named(),
    Entry::retry(Code, NotFound, "kafka.unknown_topic",
        &["unknown topic or partition"]).of(Kafka).answered().named(),
    Entry::retry(Code, Timeout, "kafka.timed_out",
        &["kafkatimeouterror", "failed to update metadata", "expiring 1 record", "REQUEST_TIMED_OUT"]).of(Kafka).named(),
    Entry::retry(Code, Network, "kafka.network",
        &["network exception", "nobrokersavailable", "all broker connections are down", "_transport", "_all_brokers_down",
          "broker transport failure"]).of(Kafka).named(),
    Entry::retry(Code, Throttle, "kafka.throttling",
        &["throttling quota exceeded"]).of(Kafka).answered().named(),
    Entry::stop(Code, Permission, "kafka.authorization",
        &["topic authorization failed", "group authorization failed", "cluster authorization failed", "transactional id authorization failed",
          "delegation token authorization failed", "topic authorization exception", "group authorization exception"]).of(Kafka).named(),
    Entry::stop(Code, Auth, "kafka.authentication",
        &["sasl authentication failed", "sasl authentication exception", "unsupported sasl mechanism", "illegal sasl state",
          "delegation token expired", "delegation token not found", "delegation token auth disabled", "ssl authentication exception"]).of(Kafka).named(),
    Entry::stop(Code, Conflict, "kafka.exists",
        &["topic already exists", "duplicate sequence number", "duplicate resource", "group id not found", "non empty group"]).of(Kafka).named(),
    Entry::stop(Vague, Conflict, "kafka.exists",
        &["topic exists"]).of(Kafka).named(),
    Entry::stop(Code, Precondition, "kafka.fenced",
        &["illegal generation", "unknown member id", "invalid producer epoch", "producer fenced", "out of order sequence number",
          "invalid txn state", "invalid transaction state", "fenced instance id", "stale controller epoch", "stale broker epoch",
          "fenced member epoch", "commit failed exception"]).of(Kafka).named(),
    Entry::stop(Code, Invalid, "kafka.invalid",
        &["message size too large", "record list too large", "offset out of range", "offset metadata too large", "invalid fetch size",
          "invalid required acks", "inconsistent group protocol", "invalid group id", "invalid session timeout", "invalid commit offset size",
          "invalid replication factor", "invalid replica assignment", "invalid update version", "unacceptable credential", "feature update failed",
          "inconsistent voter set"]).of(Kafka).named(),
    Entry::stop(Vague, Invalid, "kafka.invalid",
        &["policy violation"]).of(Kafka).named(),
    Entry::stop(Code, Unsupported, "kafka.unsupported",
        &["security disabled"]).of(Kafka).named(),
];
