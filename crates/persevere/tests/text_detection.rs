//! Detection by text: real messages, and the traps in them.
#![cfg(feature = "text")]
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use persevere::{Kind, detect};
use proptest::prelude::*;

/// Real messages with labels, printed by real programs or found in public issues; see the
/// project's notes on the corpus. What is ambiguous is not scored.
const CORPUS: &str = include_str!("data/errors-dev.jsonl");

/// The share that must agree.
const FLOOR: f64 = 0.97;

#[test]
fn real_messages_are_judged_as_their_labels_say() {
    let mut table = BTreeMap::<String, [u32; 2]>::new();
    for line in CORPUS.lines() {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        if row["ambiguous"].as_bool().unwrap() {
            continue;
        }
        let wanted = row["label"] == "retry";
        let agrees = detect::text(row["text"].as_str().unwrap()).is_retryable() == wanted;
        let label = row["label"].as_str().unwrap();
        let group = format!("{:<20} {label:<9}", row["kind"].as_str().unwrap());
        table.entry(group).or_default()[usize::from(!agrees)] += 1;
    }
    println!("{:<20} {:<9} agree differ", "kind", "label");
    for (group, [agree, differ]) in &table {
        println!("{group} {agree:>5} {differ:>6}");
    }
    let count = |index: usize| table.values().map(|counts| counts[index]).sum::<u32>();
    let share = f64::from(count(0)) / f64::from(count(0) + count(1));
    println!("{:.1} % of {} agree", share * 100.0, count(0) + count(1));
    assert!(share >= FLOOR, "{share}");
}

#[track_caller]
fn retries(message: &str, kind: Kind) {
    let verdict = detect::text(message);
    assert!(verdict.is_retryable(), "{message:?}: {verdict}");
    assert_eq!(verdict.kind(), kind, "{message:?}: {verdict}");
}

#[track_caller]
fn stops(message: &str, kind: Kind) {
    let verdict = detect::text(message);
    assert!(!verdict.is_retryable(), "{message:?}: {verdict}");
    assert_eq!(verdict.kind(), kind, "{message:?}: {verdict}");
}

#[track_caller]
fn says_nothing(message: &str) {
    assert_eq!(detect::text(message).kind(), Kind::Unknown, "{message:?}");
}

#[test]
fn the_requirements_lists() {
    retries("connection refused", Kind::Network);
    retries("dial tcp 10.0.0.1:443: i/o timeout", Kind::Timeout);
    retries("network is unreachable", Kind::Network);
    retries("write: broken pipe", Kind::Network);
    retries("unexpected EOF", Kind::Network);
    retries("Temporary failure in name resolution", Kind::Network);
    retries("HTTP 500", Kind::Server);
    retries("HTTP/1.1 502", Kind::Server);
    retries("status code: 503", Kind::Server);
    retries("server returned 504", Kind::Timeout);
    retries("Error (429)", Kind::Throttle);
    retries("An error occurred (ThrottlingException) when calling X", Kind::Throttle);
    retries("S3: RequestTimeout: socket not read in time", Kind::Timeout);
    retries("Resource temporarily unavailable", Kind::TransientIo);
    stops("HTTP 403", Kind::Permission);
    stops("file not found", Kind::NotFound);
    stops("Permission denied", Kind::Permission);
    stops("Invalid argument", Kind::Invalid);
    stops("No space left on device", Kind::ExhaustedResource);
    stops("certificate has expired", Kind::Tls);
    stops("Authentication failed", Kind::Auth);
}

#[test]
fn case_does_not_matter_and_names_have_humps() {
    retries("CONNECTION REFUSED", Kind::Network);
    retries("java.net.SocketTimeoutException", Kind::Timeout);
    retries("<Code>SlowDown</Code>", Kind::Throttle);
    stops("FileNotFoundError", Kind::NotFound);
}

#[test]
fn numbers_that_are_no_status_say_nothing() {
    says_nothing("wrote 503 bytes");
    says_nothing("got 503 bytes");
    says_nothing("error in line 500");
    says_nothing("disk-503.vmdk");
    says_nothing("see error 5031");
    says_nothing("code 503.5");
    says_nothing("took 429ms");
    says_nothing("response 404/7");
}

#[test]
fn words_in_names_say_nothing() {
    says_nothing("/srv/timeout/503");
    says_nothing("https://timeout.example.com/notfound?temporary=1");
    says_nothing("timeout-handler");
    says_nothing("max_timeout");
    says_nothing("--timeout");
    says_nothing("the option 'timeout'");
    says_nothing("untimeoutable");
    says_nothing("der Zeitoutüberlauf");
}

#[test]
fn what_says_more_decides() {
    // The documented order: decisive, code, phrase, status, word; then the last.
    stops("timeout must be a positive number", Kind::Invalid);
    stops("code = Unavailable desc = x509: certificate signed by unknown authority", Kind::Tls);
    retries("HTTP 400: RequestTimeout", Kind::Timeout);
    retries("GET http://h/404: connection refused", Kind::Network);
    retries("host not found: no such host", Kind::Network);
    stops("retrying after connection reset\nfatal: permission denied", Kind::Permission);
    retries("permission denied for user x, trying y\nfatal: connection reset", Kind::Network);
}

#[test]
fn what_answers_and_what_was_not_processed_is_known() {
    let refused = detect::text("connection refused");
    assert!(refused.has_answer() && refused.is_unprocessed());
    assert!(detect::text("HTTP 503").has_answer());
    assert!(!detect::text("connection reset by peer").is_unprocessed());
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC*") {
        let _verdict = detect::text(&text);
    }

    #[test]
    fn no_mixture_of_what_it_knows_makes_it_panic(
        words in prop::collection::vec(
            prop::sample::select(vec![
                "http", "503", "error", "timeout", "ü", "/", ":", " ", "\"", "connection refused", "Not", "Found", "5",
            ]),
            0..40,
        )
    ) {
        let _verdict = detect::text(&words.concat());
    }
}
