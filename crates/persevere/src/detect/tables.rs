//! What messages say and what codes mean, as data: one file per subject, with its sources.
//!
//! A new fact goes into the file of its subject. A phrase must hold for other messages than the one
//! that it was found in; nothing here may be there for a single message.

mod aws;
mod azure;
mod databases;
pub(super) mod fields;
mod formats;
mod google;
mod grpc;
pub(super) mod http;
mod kafka;
mod kubernetes;
mod languages;
mod network;
mod nothing;
mod openstack;
mod programs;
mod requests;
mod servers;
pub(super) mod sql;
mod ssh;
mod system;
mod tls;
mod vsphere;

use super::evidence::Rank;
use crate::provider::Provider;
use crate::verdict::{Kind, Verdict};

/// All of them but for the states of SQL, which are only looked for where a state stands.
pub(super) const ALL: &[&[Entry]] = &[
    nothing::PHRASES,
    network::PHRASES,
    servers::PHRASES,
    system::PHRASES,
    requests::PHRASES,
    formats::PHRASES,
    tls::PHRASES,
    languages::PHRASES,
    programs::PHRASES,
    aws::CODES,
    azure::CODES,
    google::CODES,
    grpc::CODES,
    ssh::PHRASES,
    vsphere::CODES,
    databases::PHRASES,
    sql::CODES,
    kafka::CODES,
    kubernetes::CODES,
    openstack::CODES,
];

/// Words that mean the same.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) rank: Rank,
    pub(super) verdict: Verdict,
    pub(super) words: &'static [&'static str],
    /// Whether the words are a name that is also written `in_one`, or `InOne`.
    pub(super) is_name: bool,
}

impl Entry {
    const fn new(rank: Rank, verdict: Verdict, words: &'static [&'static str]) -> Self {
        Self { rank, verdict, words, is_name: false }
    }

    const fn retry(
        rank: Rank,
        kind: Kind,
        rule: &'static str,
        words: &'static [&'static str],
    ) -> Self {
        Self::new(rank, Verdict::retry(kind, rule), words)
    }

    const fn stop(
        rank: Rank,
        kind: Kind,
        rule: &'static str,
        words: &'static [&'static str],
    ) -> Self {
        Self::new(rank, Verdict::stop(kind, rule), words)
    }

    /// An answer came back.
    const fn answered(mut self) -> Self {
        self.verdict = self.verdict.with_answer();
        self
    }

    /// The server did not act.
    const fn unprocessed(mut self) -> Self {
        self.verdict = self.verdict.with_unprocessed();
        self
    }

    const fn of(mut self, provider: Provider) -> Self {
        self.verdict = self.verdict.with_provider(provider);
        self
    }

    const fn named(mut self) -> Self {
        self.is_name = true;
        self
    }
}
