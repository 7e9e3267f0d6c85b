//! Section 2 of the design, rule 13: the requirement's log lines, through `tracing`.
#![allow(clippy::unwrap_used)]
#![cfg(feature = "tracing")]

mod common;

use std::borrow::Cow;
use std::fmt::{Debug, Write};
use std::io;
use std::sync::{Arc, Mutex};

use common::{SECOND, blocking_retryer};
use persevere::{NetworkGate, NetworkMonitor, NetworkState, RetryPolicy, Retryer, retry_after};
use tracing::field::{Field, Visit};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

/// Writes each event as the requirement prints it.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

#[derive(Default)]
struct Line {
    message: String,
    fields: String,
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let comma = if self.fields.is_empty() { "" } else { ", " };
        match field.name() {
            "message" => write!(self.message, "{value:?}").unwrap(),
            name => write!(self.fields, "{comma}{name}={value:?}").unwrap(),
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }
}

impl<S: tracing::Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let mut line = Line::default();
        event.record(&mut line);
        let level = event.metadata().level();
        let text = format!("[{level}] {} | {}", line.message, line.fields);
        self.0.lock().unwrap().push(text);
    }
}

fn logged(run: impl FnOnce()) -> Vec<String> {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::registry().with(lines.clone());
    tracing::subscriber::with_default(subscriber, run);
    let lines = lines.0.lock().unwrap();
    lines.clone()
}

fn refused() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionRefused, "connection refused")
}

#[test]
fn rule_13_a_success_after_retries() {
    let (retryer, _clock) = blocking_retryer();
    let lines = logged(|| {
        let result = retryer.run_blocking("S3 upload", |attempt| match attempt.number() {
            3 => Ok(()),
            _ => Err(refused()),
        });
        assert!(result.is_ok());
    });
    assert_eq!(
        lines,
        [
            "[WARN] operation failed, retrying | operation=S3 upload, attempt=1, max_attempts=3, \
             delay=1s, error=connection refused",
            "[WARN] operation failed, retrying | operation=S3 upload, attempt=2, max_attempts=3, \
             delay=2s, error=connection refused",
            "[INFO] operation succeeded after retry | operation=S3 upload, attempt=3, \
             total_attempts=3",
        ]
    );
}

#[test]
fn rule_13_each_failure_is_logged_once() {
    let (retryer, _clock) = blocking_retryer();
    let not_found = || io::Error::new(io::ErrorKind::NotFound, "file not found");
    let lines = logged(|| {
        drop(retryer.run_blocking("download", |_| Err::<(), _>(not_found())));
    });
    let line = "[WARN] operation failed with non-retryable error | operation=download, attempt=1, \
                error=file not found";
    assert_eq!(lines, [line]);

    let lines = logged(|| drop(retryer.run_blocking("upload", |_| Err::<(), _>(refused()))));
    assert_eq!(lines.len(), 3);
    assert_eq!(
        lines[2],
        "[ERROR] operation failed after max attempts | operation=upload, attempts=3, \
         error=connection refused"
    );
}

#[test]
fn rule_13_the_other_ends() {
    let (retryer, _clock) = blocking_retryer();
    let wait = SECOND * 3600;
    let lines = logged(|| {
        drop(retryer.run_blocking("upload", |_| Err::<(), _>(retry_after("busy", wait))));
        let call = retryer.call("upload").deadline(SECOND / 2);
        drop(call.run_blocking(|_| Err::<(), _>(refused())));
    });
    assert_eq!(
        lines,
        [
            "[ERROR] operation failed, server asked for too long a wait | operation=upload, \
             attempts=1, error=busy",
            "[ERROR] operation failed, deadline reached | operation=upload, attempts=1, \
             error=connection refused",
        ]
    );
}

#[test]
fn rule_13_no_limit_is_no_number() {
    let (_, clock) = blocking_retryer();
    let unlimited = RetryPolicy::UNLIMITED_ATTEMPTS;
    let policy = RetryPolicy::builder().max_attempts(unlimited).build().unwrap();
    let retryer = Retryer::new(policy).clock(clock);
    let lines = logged(|| {
        let result = retryer.run_blocking("poll", |attempt| match attempt.number() {
            2 => Ok(()),
            _ => Err(refused()),
        });
        assert!(result.is_ok());
    });
    assert_eq!(lines[1], "[INFO] operation succeeded after retry | operation=poll, attempt=2");
    assert!(!lines[0].contains("max_attempts"), "{}", lines[0]);
}

/// A monitor that says why.
#[derive(Debug)]
struct Cable(NetworkGate);

impl NetworkMonitor for Cable {
    fn gate(&self) -> &NetworkGate {
        &self.0
    }

    fn reason(&self) -> Option<Cow<'static, str>> {
        Some("no carrier".into())
    }
}

#[test]
fn rule_13_the_network_wait() {
    let monitor = Arc::new(Cable(NetworkGate::new(NetworkState::Down)));
    let policy = RetryPolicy::builder().max_attempts(2).wait_for_network(true).build().unwrap();
    let retryer = Retryer::new(policy).network_monitor(monitor.clone());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let lines = logged(|| {
        let running = retryer.run("upload", |_| async { Err::<(), _>(common::reset()) });
        let recovery = async {
            tokio::time::sleep(SECOND * 60).await;
            monitor.0.set(NetworkState::Up);
        };
        let (result, ()) = runtime.block_on(async { tokio::join!(running, recovery) });
        assert!(result.is_err());
    });
    assert_eq!(
        lines[..2],
        [
            "[WARN] network is down, waiting for network to recover | operation=upload, attempt=1, \
             reason=no carrier, longest_wait=10m",
            "[INFO] network recovered, retrying operation | operation=upload, attempt=1, waited=1m",
        ]
    );
    let last = "[ERROR] operation failed after max attempts | operation=upload, attempts=2, \
                network_wait=1m, error=connection reset";
    assert_eq!(lines[3..], [last]);
}
