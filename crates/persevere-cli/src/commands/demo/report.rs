//! What it all came to.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use persevere_faults::Exchange;
use serde::Serialize;

use super::record::{Record, Subject, subject};
use super::stage::Stage;
use crate::error::CliError;
use crate::output;
use crate::plot::Span;
use crate::storage::format;

/// The summary; as JSON, as it stands.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    #[serde(rename = "type")]
    kind: &'static str,
    seed: u64,
    bytes: u64,
    parts: u64,
    elapsed_ms: u64,
    pub(super) upload: Direction,
    pub(super) download: Direction,
    pub(super) faults: Faults,
    /// What was confirmed when the first process was killed; `null` if none was.
    pub(super) confirmed_before_kill_bytes: Option<u64>,
    confirmed_sent_again_bytes: u64,
    sha256: String,
    sha256_received: String,
    equal: bool,
}

/// One way.
#[derive(Debug, Serialize)]
pub(super) struct Direction {
    elapsed_ms: u64,
    pub(super) attempts: u64,
    pub(super) retries: u64,
    pub(super) sent_again_bytes: u64,
    pub(super) resumed_bytes: u64,
}

/// How often what was done to it.
#[derive(Debug, Default, Serialize)]
pub(super) struct Faults {
    connection_reset: u64,
    answer_lost: u64,
    slow_down: u64,
    stalled: u64,
    network_outage: u64,
    process_killed: u64,
}

impl Report {
    pub(super) fn of(stage: &Stage, record: &Record) -> Self {
        let is_up = |it: &&Exchange| matches!(subject(stage, it), Subject::Up(_));
        let is_down = |it: &&Exchange| {
            matches!(subject(stage, it), Subject::Down(_))
                && it.status.is_some_and(|status| (200..300).contains(&status))
        };
        let all = &record.exchanges;
        let sent: u64 = all.iter().filter(is_up).map(|it| it.request_bytes).sum();
        let fetched: u64 = all.iter().filter(is_down).map(|it| it.answer_bytes).sum();
        // The last two are the download and what comes after it.
        let up_acts = record.acts.len().saturating_sub(2);
        let requests = |acts: std::ops::Range<usize>| {
            acts.map(|act| record.of_act(act).count() as u64).sum::<u64>()
        };
        // Of the process that was killed, only the proxy can tell.
        let killed = if up_acts > 1 { record.of_act(0).collect() } else { Vec::new() };
        let span = |acts: &[Span]| acts.iter().map(|it| it.to - it.from).sum::<Duration>();
        let (uploads, others) = record.acts.split_at(up_acts);
        Self {
            kind: "demo",
            seed: stage.seed,
            bytes: stage.size,
            parts: stage.parts(),
            elapsed_ms: milliseconds(span(&record.acts)),
            upload: Direction {
                elapsed_ms: milliseconds(span(uploads)),
                attempts: requests(0..up_acts),
                retries: record.upload.retries + repeated(&killed),
                sent_again_bytes: sent.saturating_sub(stage.size),
                resumed_bytes: record.upload.resumed,
            },
            download: Direction {
                elapsed_ms: milliseconds(span(others.get(..1).unwrap_or_default())),
                attempts: requests(up_acts..up_acts + 1),
                retries: record.download.retries,
                sent_again_bytes: fetched.saturating_sub(stage.size),
                resumed_bytes: record.download.resumed,
            },
            faults: Faults::of(record),
            confirmed_before_kill_bytes: record.killed.map(|(_, bytes)| bytes),
            confirmed_sent_again_bytes: record.confirmed_sent_again,
            sha256: record.sent.clone(),
            sha256_received: record.received.clone(),
            equal: record.sent == record.received,
        }
    }

    pub(super) fn is_equal(&self) -> bool {
        self.equal
    }

    pub(super) fn retries(&self) -> u64 {
        self.upload.retries + self.download.retries
    }

    pub(super) fn attempts(&self) -> u64 {
        self.upload.attempts + self.download.attempts
    }

    pub(super) fn sent_again(&self) -> u64 {
        self.upload.sent_again_bytes + self.download.sent_again_bytes
    }

    pub(super) fn json(&self, svg: Option<&Path>) -> Result<String, CliError> {
        #[derive(Serialize)]
        struct WithPicture<'a> {
            #[serde(flatten)]
            report: &'a Report,
            svg: Option<&'a Path>,
        }
        output::json(&WithPicture { report: self, svg })
    }

    pub(super) fn text(&self, svg: Option<&Path>) -> String {
        let row = |name: &str, value: &dyn Fn(&Direction) -> String| {
            vec![name.to_owned(), value(&self.upload), value(&self.download)]
        };
        let span = |it: &Direction| format::span(Duration::from_millis(it.elapsed_ms));
        let rows = [
            vec![String::new(), "upload".to_owned(), "download".to_owned()],
            row("file", &|_| format::bytes(self.bytes)),
            row("time", &span),
            row("attempts", &|it| it.attempts.to_string()),
            row("retries", &|it| it.retries.to_string()),
            row("sent again", &|it| format::bytes(it.sent_again_bytes)),
            row("resumed", &|it| format::bytes(it.resumed_bytes)),
        ];
        let mut text = format!("\n{}", format::table(&rows, &[1, 2]));
        let equal = if self.equal { "equal" } else { "DIFFERENT" };
        // Writing to a string cannot fail.
        let _written = write!(
            text,
            "\nfaults   {}\nsent     sha256 {}\nreceived sha256 {}: {equal}\n",
            self.faults.in_words(),
            self.sha256,
            self.sha256_received,
        );
        if let Some(svg) = svg {
            let _written = writeln!(text, "picture  {}", svg.display());
        }
        text
    }
}

impl Faults {
    fn of(record: &Record) -> Self {
        let count = |name: &[&str]| {
            let is_it = |it: &&Exchange| it.fault.is_some_and(|fault| name.contains(&fault));
            record.exchanges.iter().filter(is_it).count() as u64
        };
        Self {
            connection_reset: count(&["reset request", "reset answer"]),
            answer_lost: count(&["lose answer"]),
            slow_down: count(&["answer"]),
            stalled: count(&["stall answer"]),
            network_outage: record.outages.len() as u64,
            process_killed: u64::from(record.killed.is_some()),
        }
    }

    pub(super) fn in_words(&self) -> String {
        let all = [
            (self.connection_reset, "connection reset", "connections reset"),
            (self.slow_down, "503 SlowDown with Retry-After", "503 SlowDown with Retry-After"),
            (self.stalled, "stalled answer", "stalled answers"),
            (self.answer_lost, "lost answer", "lost answers"),
            (self.network_outage, "network outage of 3s", "network outages of 3s"),
            (self.process_killed, "kill -9", "kill -9"),
        ];
        let all = all.iter().filter(|(count, ..)| *count > 0);
        let words: Vec<_> = all
            .map(|(count, one, many)| format!("{count} {}", if *count == 1 { one } else { many }))
            .collect();
        words.join(", ")
    }
}

/// Requests that were made before.
fn repeated(exchanges: &[&Exchange]) -> u64 {
    let mut seen = std::collections::HashSet::new();
    let repeated = exchanges.iter().filter(|it| !seen.insert((&it.method, &it.target)));
    repeated.count() as u64
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
