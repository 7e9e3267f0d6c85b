//! 4. Is an error worth another try?

use std::error::Error;
use std::fmt;
use std::hint::black_box;
use std::io;

use benchmarks::allocations;
use benchmarks::report::Report;
use benchmarks::rounds::{Candidate, Samples, measure};
use persevere::{Verdict, detect};

use super::delay::{nanos, quartiles};

const TYPED: &str = "detect::error, io::Error";
const DEEP: &str = "detect::error, io::Error three causes deep";
const TEXT: &str = "detect::text, 200 bytes, a pattern at the end";
const NOTHING: &str = "detect::text, 200 bytes, no pattern";
const JSON: &str = "detect::text, JSON document of 211 bytes";
const HOSTILE: &str = "detect::text, 1 MiB of \"error 503 \"";
const WORDS: &str = "detect::text, 1 MiB of beginnings of phrases";
const CONTAINS_HOSTILE: &str = "lower case and contains, 1 MiB without one";
const CONTAINS: &str = "lower case and contains, at the end";
const CONTAINS_NOTHING: &str = "lower case and contains, no pattern";

/// 200 bytes each.
const REFUSED: &str = "failed to export virtual machine web-frontend-07 to s3://backups/exports/nightly/\
    web-frontend-07.ova: while uploading part 17 of 243 with 8 MiB each: dial tcp 10.20.30.40:443: \
    Connection reset by peer";
const UNKNOWN: &str = "failed to export virtual machine web-frontend-07 to s3://backups/exports/nightly/\
    web-frontend-07.ova: while uploading part 17 of 243 with 8 MiB each: dial tcp 10.20.30.40:443: \
    the cat sat on the mat..";

const DOCUMENT: &str = r#"{"error":{"code":403,"message":"The request was refused, as too many of them came from here in the last minute.","errors":[{"domain":"usageLimits","reason":"rateLimitExceeded","message":"Rate Limit Exceeded"}]}}"#;

/// What the requirement lists, the way it looks for it.
const PATTERNS: [&str; 25] = [
    "connection refused",
    "timeout",
    "timed out",
    "unreachable",
    "no such host",
    "temporary failure",
    "broken pipe",
    "unexpected eof",
    "500",
    "502",
    "503",
    "504",
    "internal server error",
    "bad gateway",
    "service unavailable",
    "gateway timeout",
    "429",
    "too many requests",
    "throttlingexception",
    "requesttimeout",
    "rate exceeded",
    "slow down",
    "resource temporarily unavailable",
    "try again",
    "connection reset",
];

fn lower_case_and_contains(message: &str) -> bool {
    let message = message.to_lowercase();
    PATTERNS.iter().any(|pattern| message.contains(pattern))
}

pub(super) fn run(report: &mut Report) {
    assert_eq!((REFUSED.len(), UNKNOWN.len()), (200, 200), "the table says 200 bytes");
    let typed = io::Error::from(io::ErrorKind::ConnectionReset);
    let deep = three_causes_deep();
    assert_eq!(DOCUMENT.len(), 211, "the table says 211 bytes");
    let mebibyte = |words: &str| words.repeat((1 << 20) / words.len());
    let hostile = mebibyte("error 503 ");
    let words = mebibyte("no such connection was unable to the operation is not ");
    let nothing = mebibyte("the cat sat on the mat ");
    let samples = measure(vec![
        Candidate::once(TYPED, || detect::error(black_box(&typed))),
        Candidate::once(DEEP, || detect::error(black_box(&deep))),
        Candidate::once(TEXT, || detect::text(black_box(REFUSED))),
        Candidate::once(NOTHING, || detect::text(black_box(UNKNOWN))),
        Candidate::once(JSON, || detect::text(black_box(DOCUMENT))),
        Candidate::once(HOSTILE, || detect::text(black_box(&hostile))),
        Candidate::once(WORDS, || detect::text(black_box(&words))),
        Candidate::once(CONTAINS_HOSTILE, || lower_case_and_contains(black_box(&nothing))),
        Candidate::once(CONTAINS, || lower_case_and_contains(black_box(REFUSED))),
        Candidate::once(CONTAINS_NOTHING, || lower_case_and_contains(black_box(UNKNOWN))),
    ]);
    report.section("4. The decision: is it worth trying again?", ["time", "quartiles", ""]);
    for name in samples.names() {
        let spread = samples.of(name);
        report.row(name, [&nanos(spread.median), &quartiles(spread), ""]);
    }
    println!("  (detect::text says: {}; {})", detect::text(REFUSED), detect::text(UNKNOWN));
    let verdict = || ignore(detect::error(&typed));
    target(report, &samples, TYPED, 50.0, allocations::count(verdict));
    let verdict = || ignore(detect::error(&deep));
    target(report, &samples, DEEP, 50.0, allocations::count(verdict));
    let texts = [
        (TEXT, REFUSED, 500.0),
        (NOTHING, UNKNOWN, 500.0),
        (JSON, DOCUMENT, 1_000.0),
        (HOSTILE, &hostile, 5e6),
        (WORDS, &words, 5e6),
    ];
    for (name, message, limit) in texts {
        let verdict = || ignore(detect::text(message));
        target(report, &samples, name, limit, allocations::count(verdict));
    }
}

fn ignore(verdict: Verdict) {
    let _ = black_box(verdict);
}

fn target(report: &mut Report, samples: &Samples, name: &str, limit: f64, allocations: u64) {
    let median = samples.of(name).median;
    report.target(&format!("{name}: less than {limit} ns"), nanos(median), median < limit);
    report.target(&format!("{name}: no allocation"), allocations, allocations == 0);
}

/// An error as an application has it.
#[derive(Debug)]
struct Layer {
    what: &'static str,
    cause: Box<dyn Error + Send + Sync>,
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what)
    }
}

impl Error for Layer {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.cause)
    }
}

fn three_causes_deep() -> Layer {
    let root = Box::new(io::Error::from(io::ErrorKind::ConnectionReset));
    let part = Layer { what: "part 17 failed", cause: root };
    let upload = Layer { what: "upload failed", cause: Box::new(part) };
    Layer { what: "export failed", cause: Box::new(upload) }
}
