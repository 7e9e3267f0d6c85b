//! Section 2 of the design, rules 5 and 6: what is retried, and who has the last word.
#![allow(clippy::unwrap_used)]

mod common;

use std::error::Error;
use std::io::{self, ErrorKind};

use common::{BoxError, blocking_retryer, plain_policy};
use persevere::{
    End, Kind, RetryPolicy, Retryer, Verdict, detect, permanent, retry_after, transient,
};

fn attempts<E, Via>(retryer: &Retryer, make: impl Fn() -> E) -> u32
where
    E: persevere::AsError<Via> + std::fmt::Debug,
{
    retryer.run_blocking("call", |_| Err::<(), _>(make())).unwrap_err().attempts()
}

#[test]
fn rule_5_retryable_errors_use_up_the_attempts_and_others_return_at_once() {
    let (retryer, _clock) = blocking_retryer();
    for kind in [
        ErrorKind::ConnectionRefused,
        ErrorKind::ConnectionReset,
        ErrorKind::ConnectionAborted,
        ErrorKind::NotConnected,
        ErrorKind::BrokenPipe,
        ErrorKind::TimedOut,
        ErrorKind::UnexpectedEof,
        ErrorKind::Interrupted,
        ErrorKind::WouldBlock,
        ErrorKind::HostUnreachable,
        ErrorKind::NetworkUnreachable,
        ErrorKind::NetworkDown,
        ErrorKind::ResourceBusy,
    ] {
        assert_eq!(attempts(&retryer, || io::Error::from(kind)), 3, "{kind:?}");
    }
    for kind in [
        ErrorKind::NotFound,
        ErrorKind::PermissionDenied,
        ErrorKind::AlreadyExists,
        ErrorKind::InvalidInput,
        ErrorKind::InvalidData,
        ErrorKind::StorageFull,
        ErrorKind::QuotaExceeded,
        ErrorKind::ReadOnlyFilesystem,
        ErrorKind::NotADirectory,
        ErrorKind::IsADirectory,
        ErrorKind::Unsupported,
        ErrorKind::OutOfMemory,
        ErrorKind::FileTooLarge,
    ] {
        assert_eq!(attempts(&retryer, || io::Error::from(kind)), 1, "{kind:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn rule_5_numbers_of_the_operating_system_count_where_it_has_no_kind() {
    const EHOSTDOWN: i32 = 112;
    const EMFILE: i32 = 24;
    const ENOSPC: i32 = 28;
    let judge = |number| detect::error(&io::Error::from_raw_os_error(number));
    assert_eq!(judge(EHOSTDOWN).kind(), Kind::Network);
    assert_eq!(judge(EMFILE).kind(), Kind::TransientIo);
    assert!(judge(EMFILE).is_retryable());
    assert_eq!(judge(ENOSPC).kind(), Kind::ExhaustedResource);
    assert!(!judge(ENOSPC).is_retryable());
}

#[test]
fn rule_5_the_unknown_is_retried_unless_the_policy_says_otherwise() {
    #[derive(Debug)]
    struct Strange;
    impl std::fmt::Display for Strange {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("the gears are grinding")
        }
    }
    impl Error for Strange {}

    let (retryer, clock) = blocking_retryer();
    assert_eq!(detect::error(&Strange), Verdict::unknown());
    assert_eq!(attempts(&retryer, || Strange), 3);

    let policy = plain_policy().to_builder().retry_unknown(false).build().unwrap();
    let strict = Retryer::new(policy).clock(clock);
    let error = strict.run_blocking("call", |_| Err::<(), _>(Strange)).unwrap_err();
    assert_eq!((error.attempts(), error.end()), (1, End::NonRetryable));
    assert_eq!(attempts(&strict, common::reset), 3);
}

#[test]
fn rule_5_boxes_and_anyhow_are_looked_into() {
    let (retryer, _clock) = blocking_retryer();
    let not_found = || io::Error::from(ErrorKind::NotFound);
    assert_eq!(attempts(&retryer, || BoxError::from(not_found())), 1);
    assert_eq!(attempts(&retryer, || -> Box<dyn Error> { Box::new(not_found()) }), 1);
    assert_eq!(attempts(&retryer, || -> Box<dyn Error + Send> { Box::new(not_found()) }), 1);
    #[cfg(feature = "anyhow")]
    {
        let with_context = || anyhow::Error::from(not_found()).context("reading the manifest");
        assert_eq!(attempts(&retryer, with_context), 1);
    }
}

#[test]
fn rule_5_the_cause_inside_an_io_error_counts() {
    let inside = io::Error::other(io::Error::from(ErrorKind::PermissionDenied));
    assert_eq!(detect::error(&inside).rule(), "io.permission_denied");
}

#[test]
fn rule_6_a_mark_beats_everything() {
    let (retryer, _clock) = blocking_retryer();
    let retryer =
        retryer.rule(|_: &(dyn Error + 'static)| Some(Verdict::retry(Kind::Other, "always")));
    assert_eq!(attempts(&retryer, || permanent(common::reset())), 1);

    let never = retryer.rule(|_: &(dyn Error + 'static)| Some(Verdict::stop(Kind::Other, "never")));
    assert_eq!(attempts(&never, || transient(io::Error::from(ErrorKind::NotFound))), 3);
    assert_eq!(attempts(&never, || retry_after("busy", common::SECOND)), 3);
}

#[test]
fn rule_6_the_outermost_mark_wins() {
    let (retryer, _clock) = blocking_retryer();
    assert_eq!(attempts(&retryer, || permanent(transient("inside"))), 1);
    assert_eq!(attempts(&retryer, || transient(permanent("inside"))), 3);
    let deep = || io::Error::other(permanent(transient(common::reset())));
    assert_eq!(attempts(&retryer, deep), 1);
}

#[test]
fn rule_6_then_the_calls_rule_then_the_retryers_then_detection() {
    let (retryer, _clock) = blocking_retryer();
    let retryer = retryer.rule(|error: &(dyn Error + 'static)| {
        let error = error.downcast_ref::<io::Error>()?;
        (error.kind() == ErrorKind::NotFound).then_some(Verdict::retry(Kind::Other, "shared"))
    });
    let call = |kind: ErrorKind| {
        let call = retryer.call("call").rule(|error: &io::Error| match error.kind() {
            ErrorKind::NotFound => Some(Verdict::stop(Kind::Other, "own")),
            _ => None,
        });
        call.run_blocking(|_| Err::<(), _>(io::Error::from(kind))).unwrap_err()
    };
    assert_eq!(call(ErrorKind::NotFound).verdict().map(|it| it.rule()), Some("own"));
    assert_eq!(call(ErrorKind::PermissionDenied).attempts(), 1);
    assert_eq!(attempts(&retryer, || io::Error::from(ErrorKind::NotFound)), 3);
}

#[test]
fn rule_11_the_error_carries_the_verdict_that_decided_and_no_rule_is_asked_twice() {
    use std::cell::Cell;

    let (retryer, _clock) = blocking_retryer();
    let asked = Cell::new(0);
    // Whoever asks for the third time gets another answer.
    let call = retryer.call("call").rule(|_: &io::Error| {
        asked.set(asked.get() + 1);
        match asked.get() {
            1 => Some(Verdict::retry(Kind::Server, "first")),
            2 => Some(Verdict::stop(Kind::Conflict, "second")),
            _ => Some(Verdict::retry(Kind::Other, "one too many")),
        }
    });
    let error = call.run_blocking(|_| Err::<(), _>(common::reset())).unwrap_err();
    assert_eq!((error.end(), error.attempts()), (End::NonRetryable, 2));
    assert_eq!(error.verdict(), Some(Verdict::stop(Kind::Conflict, "second")));
    assert_eq!(asked.get(), 2);
}

#[test]
fn rule_6_retry_if_only_says_that_it_is_retried() {
    let (retryer, _clock) = blocking_retryer();
    let run = |kind: ErrorKind| {
        let call = retryer.call("pay").idempotent(false).retry_if(|_: &io::Error| true);
        call.run_blocking(|_| Err::<(), _>(io::Error::from(kind))).unwrap_err()
    };
    // That the server did not act is known, and still counts.
    let refused = run(ErrorKind::ConnectionRefused);
    assert_eq!((refused.end(), refused.attempts()), (End::AttemptsExhausted, 3));
    assert_eq!(refused.verdict().map(|it| it.kind()), Some(Kind::Network));
    assert_eq!(run(ErrorKind::ConnectionReset).end(), End::NotIdempotent);

    let call = retryer.call("call").retry_if(|error: &io::Error| error.raw_os_error().is_none());
    let denied = || Err::<(), _>(io::Error::from(ErrorKind::PermissionDenied));
    let error = call.run_blocking(|_| denied()).unwrap_err();
    assert_eq!(
        (error.attempts(), error.verdict().map(|it| it.kind())),
        (3, Some(Kind::Permission))
    );
    let call = retryer.call("call").retry_if(|_: &io::Error| false);
    assert_eq!(call.run_blocking(|_| denied()).unwrap_err().attempts(), 1);
}

#[test]
fn nested_loops_do_not_multiply() {
    let (retryer, clock) = blocking_retryer();
    let mut calls = 0;
    let outer = retryer.run_blocking("outer", |_| {
        retryer.run_blocking("inner", |_| {
            calls += 1;
            Err::<(), _>(common::reset())
        })
    });
    assert_eq!(calls, 3);
    let outer = outer.unwrap_err();
    assert_eq!(outer.attempts(), 1);
    assert_eq!(outer.verdict().map(|it| it.kind()), Some(Kind::AlreadyRetried));
    assert_eq!(
        outer.to_string(),
        "outer: operation failed with non-retryable error (1 attempt): inner: operation failed \
         after max attempts (3 attempts in 3s): connection reset"
    );

    let mut calls = 0;
    let nesting = Retryer::new(RetryPolicy::balanced()).clock(clock).retry_nested(true);
    let result = nesting.run_blocking("outer", |_| {
        let inner = nesting.run_blocking("inner", |_| {
            calls += 1;
            Err::<(), _>(common::reset())
        });
        inner.map_err(BoxError::from)
    });
    assert!(result.is_err());
    assert_eq!(calls, 9);
}

#[test]
fn calls_that_are_not_idempotent_are_repeated_only_if_the_server_did_not_act() {
    let (retryer, _clock) = blocking_retryer();
    let run = |kind: ErrorKind| {
        let call = retryer.call("pay").idempotent(false);
        call.run_blocking(|_| Err::<(), _>(io::Error::from(kind))).unwrap_err()
    };
    assert_eq!(run(ErrorKind::ConnectionRefused).end(), End::AttemptsExhausted);
    let reset = run(ErrorKind::ConnectionReset);
    assert_eq!((reset.end(), reset.attempts()), (End::NotIdempotent, 1));
    let marked = retryer.call("pay").idempotent(false);
    let marked = marked.run_blocking(|_| Err::<(), _>(transient("not yet open"))).unwrap_err();
    assert_eq!(marked.end(), End::AttemptsExhausted);
}
