//! Detection by text: real messages, and the traps in them.
#![cfg(feature = "text")]
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use persevere::{Kind, detect};
use proptest::prelude::*;

/// Real messages with labels; see `data/README.md`. What is ambiguous is not scored.
const CORPORA: [(&str, &str); 2] = [
    ("errors-dev", include_str!("data/errors-dev.jsonl")),
    ("errors-run", include_str!("data/errors-run.jsonl")),
];

/// The share that must agree.
const FLOOR: f64 = 0.97;

#[test]
fn real_messages_are_judged_as_their_labels_say() {
    for (name, corpus) in CORPORA {
        let mut table = BTreeMap::<(String, String), [u32; 2]>::new();
        for line in corpus.lines() {
            let row: serde_json::Value = serde_json::from_str(line).unwrap();
            if row["ambiguous"].as_bool().unwrap() {
                continue;
            }
            let text = |field: &str| row[field].as_str().unwrap().to_owned();
            let retried = detect::text(&text("text")).is_retryable();
            table.entry((text("kind"), text("label"))).or_default()[usize::from(retried)] += 1;
        }
        let share = print_table(name, &table);
        assert!(share >= FLOOR, "{name}: {share}");
    }
}

/// Kinds by verdict, and the share that agrees.
fn print_table(name: &str, table: &BTreeMap<(String, String), [u32; 2]>) -> f64 {
    println!("{name:<20} {:<9} not retried  retried", "label");
    let (mut agree, mut all) = (0, 0);
    for ((kind, label), [not_retried, retried]) in table {
        println!("{kind:<20} {label:<9} {not_retried:>11} {retried:>8}");
        agree += if label == "retry" { retried } else { not_retried };
        all += not_retried + retried;
    }
    let share = f64::from(agree) / f64::from(all);
    println!("{:.1} % of {all} agree\n", share * 100.0);
    share
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

#[test]
fn codes_in_documents_decide() {
    retries("<Error><Code>SlowDown</Code><Message>no such thing</Message></Error>", Kind::Throttle);
    stops(
        "<Error><Code>NoSuchKey</Code><Message>SlowDown is gone</Message></Error>",
        Kind::NotFound,
    );
    retries(r#"{"error":{"code":403,"errors":[{"reason":"rateLimitExceeded"}]}}"#, Kind::Throttle);
    retries(r#"{"__type":"com.amazonaws.x#ThrottlingException","message":"bad"}"#, Kind::Throttle);
    stops(r#"{"error":{"code":"AuthorizationFailed","message":"try again"}}"#, Kind::Permission);
    retries(r#"failed: {\"code\":\"ServerBusy\",\"message\":\"invalid\"}"#, Kind::Server);
    retries("{'Error': {'Code': 'InternalError', 'Message': 'not found'}}", Kind::Server);
    retries(r#"{"status": 503, "title": "bad day"}"#, Kind::Server);
    stops(r#"{"statusCode": 404, "message": "gone"}"#, Kind::NotFound);
    says_nothing(r#"{"status": "ok", "code": 7, "timeout": 30}"#);
}

#[test]
fn states_and_numbers_of_databases_decide() {
    retries("ERROR: could not finish (SQLSTATE 40001)", Kind::Conflict);
    retries("[SQLSTATE[08006]] gone", Kind::Network);
    stops("SQLSTATE: 53100 while writing", Kind::ExhaustedResource);
    stops("SQLSTATE=42601", Kind::Invalid);
    retries("(1213, 'x')", Kind::Conflict);
    stops("ERROR 1045 (28000): x", Kind::Auth);
    says_nothing("row 1213 of 1045");
}

#[test]
fn replies_of_mail_servers_are_no_http_statuses() {
    retries("reply: 451 4.3.0 mail queue", Kind::Server);
    stops("error: 554 5.7.1 go away", Kind::Invalid);
}

#[test]
fn waits_in_messages_are_hints() {
    let hint = |text: &str| detect::text(text).hint().map(|wait| wait.as_millis());
    assert_eq!(hint("HTTP 429\nRetry-After: 7"), Some(7_000));
    assert_eq!(hint(r#"HTTP 503 {"retryDelay": "3.5s"}"#), Some(3_500));
    assert_eq!(hint("rate limited, retry after 2 minutes"), Some(120_000));
    assert_eq!(hint("rate limited, retry after 2 attempts"), None);
    assert_eq!(hint("HTTP 404\nRetry-After: 7"), None);
    assert_eq!(hint("HTTP 503\nRetry-After: soon"), None);
}

#[test]
fn traces_say_nothing() {
    let python = "Traceback (most recent call last):\n  File \"connection_refused.py\", line 1, in f\n    \
                  raise TimeoutError('connection refused')\nKeyError: 'x'";
    stops(python, Kind::Invalid);
    stops("Error: Not found\n    at Socket.timeout (net.js:1:2)", Kind::NotFound);
}

#[test]
fn names_say_nothing_whatever_they_are_made_of() {
    stops("Cannot find module 'express-rate-limit'", Kind::NotFound);
    stops("No such file or directory: '/etc/app/rate_limit.yaml'", Kind::NotFound);
    stops("No such file or directory: 'connection reset.txt'", Kind::NotFound);
    stops("unknown variant `timed_out`", Kind::Invalid);
    stops("HTTP/1.1 404 Not Found\nX-RateLimit-Remaining: 59", Kind::NotFound);
    stops("Template 'connection refused' is missing", Kind::NotFound);
    retries("Could not resolve host: unauthorized.example.com", Kind::Network);
    retries("503 Server Error for url: https://api.x/forbidden", Kind::Server);
    // Values and arguments do.
    retries("{ code: 'ECONNRESET' }", Kind::Network);
    retries("ConnectionResetError(104, 'Connection reset by peer')", Kind::Network);
}

#[test]
fn codes_are_written_in_their_case() {
    retries("MOVED 0 10.0.0.1:7000", Kind::Server);
    stops("HTTP 404: the page has been moved or deleted", Kind::NotFound);
    says_nothing("the container has stopped");
}

#[test]
fn a_remark_in_an_earlier_line_does_not_decide() {
    retries(
        "*  SSL certificate verify ok.\ncurl: The requested URL returned error: 503",
        Kind::Server,
    );
    let ssh = "Failed to add the host to the list of known hosts (/home/a/.ssh/known_hosts).\n\
               ssh: connect to host x port 22: Connection timed out";
    retries(ssh, Kind::Timeout);
    stops("attempt 1: timed out\nattempt 2: HTTP 403", Kind::Permission);
    // What cannot get better by itself does, and what goes on with a line belongs to it.
    stops(
        "write failed: No space left on device\nconnection reset by peer",
        Kind::ExhaustedResource,
    );
    let document = "{\n  \"error\": {\n    \"reason\": \"rateLimitExceeded\",\n    \"status\": \"PERMISSION_DENIED\"\n  }\n}";
    retries(document, Kind::Throttle);
}

#[test]
fn validation_that_speaks_of_timeouts_is_final() {
    for message in [
        "invalid connection timeout: must be positive",
        "read timeout must be an integer",
        "idle timeout cannot be negative",
        "request timeout is not a valid duration",
        "\"socket timeout\" is required",
        "rate limit must be greater than zero",
    ] {
        assert!(!detect::text(message).is_retryable(), "{message}");
    }
    retries("connection timeout", Kind::Timeout);
}

#[test]
fn an_answer_does_not_prove_that_nothing_was_done() {
    assert!(detect::text("connect: connection refused").is_unprocessed());
    let behind = detect::text("HTTP 500: order saved, mail failed: connection refused");
    assert!(behind.is_retryable() && !behind.is_unprocessed() && behind.has_answer());
    assert!(!detect::text("error sending request for url").is_unprocessed());
    assert!(!detect::text("the server is busy").is_unprocessed());
}

#[test]
fn settings_say_nothing() {
    says_nothing("connectTimeoutMillis");
    says_nothing("readTimeout=5");
    says_nothing(r#"{"connectionTimeout": 5}"#);
    retries("SocketTimeoutException", Kind::Timeout);
}

#[test]
fn white_space_does_not_matter() {
    retries("connection\t\n  refused", Kind::Network);
    stops("no   such\r\nfile", Kind::NotFound);
}

#[test]
fn the_last_line_decides_among_equals() {
    stops("warning: connection reset by peer\nfatal: Permission denied", Kind::Permission);
    retries("warning: Permission denied\nfatal: connection reset by peer", Kind::Network);
}

#[test]
fn much_text_is_looked_at_where_errors_stand() {
    let filler = "nothing to see here. ".repeat(40_000);
    retries(&format!("{filler} connection refused"), Kind::Network);
    stops(&format!("Permission denied {filler}"), Kind::Permission);
    let (before, behind) = filler.split_at(filler.len() / 2);
    says_nothing(&format!("{before}{behind}").replace("nothing to", "lots to"));
}

#[test]
fn everyday_words_are_but_a_guess() {
    assert!(detect::text("something is invalid").is_guess());
    assert!(!detect::text("connection refused").is_guess());
}

#[test]
fn a_verdict_is_a_sentence() {
    let sentence = |text: &str| detect::text(text).to_string();
    assert_eq!(
        sentence("HTTP 503 <Code>SlowDown</Code> Retry-After: 7"),
        "SlowDown from S3: throttled, retried; the server asked for 7s"
    );
    assert_eq!(sentence("x: Connection Refused"), "connection refused: network failure, retried");
    assert_eq!(sentence("HTTP 404"), "HTTP 404: not found, not retried");
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
