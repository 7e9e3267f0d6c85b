//! Section 2 of the design, rule 7: a server's hint is a floor.
#![allow(clippy::unwrap_used)]
#![cfg(feature = "http")]

mod common;

use std::time::{Duration, SystemTime};

use common::{BoxError, SECOND, blocking_retryer, plain_policy};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use persevere::http::{check, parse_retry_after, retry_after as hint};
use persevere::{End, RetryPolicy, Retryer, retry_after};
use proptest::prelude::*;

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let pair = |(name, value): &(&'static str, &str)| {
        (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
    };
    pairs.iter().map(pair).collect()
}

#[test]
fn rule_7_nobody_comes_early_and_not_all_at_once() {
    let clock = std::sync::Arc::new(persevere::clock::VirtualClock::new());
    for seed in 0..200 {
        let retryer = Retryer::new(RetryPolicy::conservative()).clock(clock.clone()).seed(seed);
        let wait = 40 * SECOND;
        drop(retryer.run_blocking("call", |_| Err::<(), _>(retry_after("busy", wait))));
    }
    let sleeps = clock.sleeps();
    assert_eq!(sleeps.len(), 200);
    assert!(sleeps.iter().all(|sleep| (40 * SECOND..=50 * SECOND).contains(sleep)));
    let late = sleeps.iter().filter(|sleep| **sleep > 45 * SECOND).count();
    assert!((60..140).contains(&late), "{late} of 200 in the later half");
}

#[test]
fn rule_7_the_backoff_counts_where_it_is_longer() {
    let (retryer, clock) = blocking_retryer();
    let error = retry_after;
    drop(retryer.run_blocking("call", |_| Err::<(), _>(error("busy", SECOND / 10))));
    assert_eq!(clock.sleeps(), [SECOND, SECOND * 2]);
}

#[test]
fn rule_7_a_hint_may_exceed_max_delay_but_not_max_retry_after() {
    let (retryer, clock) = blocking_retryer();
    let five_minutes = 300 * SECOND;
    drop(retryer.run_blocking("call", |_| Err::<(), _>(retry_after("busy", five_minutes))));
    assert_eq!(clock.sleeps(), [five_minutes; 2]);

    let result =
        retryer.run_blocking("call", |_| Err::<(), _>(retry_after("busy", five_minutes + SECOND)));
    let error = result.unwrap_err();
    assert_eq!((error.end(), error.attempts()), (End::HintTooLong, 1));
    assert_eq!(error.retry_after(), Some(five_minutes + SECOND));
    assert_eq!(
        error.to_string(),
        "call: operation failed, server asked for too long a wait (1 attempt, try again in 5m1s): \
         busy"
    );
}

#[test]
fn rule_7_a_hint_past_the_deadline_ends_the_call_now() {
    let (retryer, clock) = blocking_retryer();
    let call = retryer.call("call").deadline(10 * SECOND);
    let error = call.run_blocking(|_| Err::<(), _>(retry_after("busy", 11 * SECOND))).unwrap_err();
    assert_eq!(error.end(), End::HintTooLong);
    assert_eq!(error.retry_after(), Some(11 * SECOND));
    assert!(clock.sleeps().is_empty());
}

#[test]
fn rule_7_an_answers_header_reaches_the_loop() {
    let (retryer, clock) = blocking_retryer();
    let throttled = headers(&[("retry-after", "7")]);
    let result = retryer.run_blocking("call", |attempt| {
        if attempt.is_retry() {
            return Ok(());
        }
        check(StatusCode::TOO_MANY_REQUESTS, &throttled).map_err(BoxError::from)
    });
    assert!(result.is_ok());
    assert_eq!(clock.sleeps(), [7 * SECOND]);
}

#[test]
fn rule_7_retry_if_leaves_the_hint_alone() {
    let (retryer, clock) = blocking_retryer();
    let busy = headers(&[("retry-after", "20")]);
    let call = retryer.call("call").retry_if(|_: &persevere::http::HttpStatusError| true);
    let error = call.run_blocking(|_| check(StatusCode::SERVICE_UNAVAILABLE, &busy)).unwrap_err();
    assert_eq!(clock.sleeps(), [20 * SECOND; 2]);
    let verdict = error.verdict().unwrap();
    assert_eq!(verdict.rule(), "caller.retry_if");
    assert!(verdict.has_answer() && verdict.is_unprocessed());
}

#[test]
fn rule_7_the_order_of_the_headers() {
    let now = SystemTime::now();
    let all = [("retry-after", "3"), ("retry-after-ms", "2000"), ("x-ms-retry-after-ms", "1000")];
    assert_eq!(hint(&headers(&all), now), Some(SECOND));
    assert_eq!(hint(&headers(&all[..2]), now), Some(2 * SECOND));
    assert_eq!(hint(&headers(&all[..1]), now), Some(3 * SECOND));
    let garbage_first = [("x-ms-retry-after-ms", "soon"), ("retry-after", "3")];
    assert_eq!(hint(&headers(&garbage_first), now), Some(3 * SECOND));
    assert_eq!(hint(&HeaderMap::new(), now), None);
}

#[test]
fn rule_7_dates_in_all_three_forms() {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_770);
    for date in [
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
    ] {
        assert_eq!(parse_retry_after(date, now), Some(7 * SECOND), "{date}");
    }
}

#[test]
fn bad_hints_fall_back_to_the_backoff() {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
    for bad in [
        "",
        " ",
        "soon",
        "-5",
        "+5",
        "1e3",
        "0x10",
        "NaN",
        "5 minutes",
        "1.2.3",
        ".5",
        "٣",
        "1000000000000000000000000000000",
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:36 GMT",
        "Sun, 99 Nov 1994 08:49:37 GMT",
    ] {
        assert_eq!(parse_retry_after(bad, now), None, "{bad:?}");
    }
    assert_eq!(parse_retry_after(" 5 ", now), Some(5 * SECOND));
    assert_eq!(parse_retry_after("1.5", now), Some(SECOND * 3 / 2));
    assert_eq!(parse_retry_after("18446744073709551615", now), Some(Duration::from_secs(u64::MAX)));

    let (retryer, clock) = blocking_retryer();
    let headers = headers(&[("retry-after", "-5")]);
    let answer = || check(StatusCode::SERVICE_UNAVAILABLE, &headers);
    drop(retryer.run_blocking("call", |_| answer()));
    assert_eq!(clock.sleeps(), [SECOND, SECOND * 2]);
}

#[test]
fn a_hint_of_ages_ends_the_call_without_overflow() {
    for jitter in persevere::Jitter::ALL {
        let policy = plain_policy().to_builder().jitter(jitter).build().unwrap();
        let retryer = Retryer::new(policy);
        let result =
            retryer.run_blocking("call", |_| Err::<(), _>(retry_after("busy", Duration::MAX)));
        assert_eq!(result.unwrap_err().end(), End::HintTooLong);
    }
}

#[test]
fn a_header_of_ages_ends_the_call_and_one_beyond_numbers_says_nothing() {
    let (retryer, clock) = blocking_retryer();
    let run = |name: &'static str, value: &str| {
        let headers = headers(&[(name, value)]);
        let call =
            retryer.run_blocking("call", |_| check(StatusCode::SERVICE_UNAVAILABLE, &headers));
        call.unwrap_err().end()
    };
    let most = u64::MAX.to_string();
    for (name, value) in [
        ("retry-after", most.as_str()),
        ("retry-after", &format!("{most}.9999999999")),
        ("retry-after", "99999999999"),
        ("retry-after-ms", &most),
        ("x-ms-retry-after-ms", &format!("{most}.9")),
    ] {
        assert_eq!(run(name, value), End::HintTooLong, "{name}: {value}");
    }
    assert!(clock.sleeps().is_empty());
    for (name, value) in [
        ("retry-after", "18446744073709551616"),
        ("retry-after-ms", "1000000000000000000000000000000"),
    ] {
        assert_eq!(run(name, value), End::AttemptsExhausted, "{name}: {value}");
    }
}

#[test]
fn http_503_with_a_hint_proves_that_the_server_did_not_act() {
    let (retryer, _clock) = blocking_retryer();
    let run = |headers: &HeaderMap| {
        let call = retryer.call("pay").idempotent(false);
        call.run_blocking(|_| check(StatusCode::SERVICE_UNAVAILABLE, headers)).unwrap_err()
    };
    assert_eq!(run(&headers(&[("retry-after", "1")])).end(), End::AttemptsExhausted);
    assert_eq!(run(&HeaderMap::new()).end(), End::NotIdempotent);
}

proptest! {
    #[test]
    fn rule_7_no_header_makes_it_panic(value in "\\PC*", seconds in any::<u32>()) {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.into());
        parse_retry_after(&value, now);
    }
}
