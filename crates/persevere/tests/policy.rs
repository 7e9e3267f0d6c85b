//! Section 2 of the design, rules 1 to 4: the policy, backoff and jitter.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use persevere::{Jitter, RetryPolicy};
use proptest::prelude::*;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn rule_1_presets_are_the_requirements() {
    let numbers =
        |policy: RetryPolicy| (policy.max_attempts(), policy.initial_delay(), policy.max_delay());
    let half = SECOND / 2;
    assert_eq!(numbers(RetryPolicy::conservative()), (2, half, 5 * SECOND));
    assert_eq!(numbers(RetryPolicy::balanced()), (3, SECOND, 30 * SECOND));
    assert_eq!(numbers(RetryPolicy::aggressive()), (10, SECOND, 60 * SECOND));
    assert_eq!(RetryPolicy::default(), RetryPolicy::balanced());
    for policy in [RetryPolicy::conservative(), RetryPolicy::balanced(), RetryPolicy::aggressive()]
    {
        assert_eq!(policy.multiplier(), 2.0);
        assert_eq!(policy.jitter(), Jitter::Proportional);
        assert_eq!(policy.to_builder().build(), Ok(policy));
    }
}

#[test]
fn rule_2_delays_double_up_to_the_cap() {
    let policy = RetryPolicy::builder().max_attempts(8).jitter(Jitter::None).build().unwrap();
    let delays: Vec<u64> = policy.delays(0).map(|delay| delay.as_secs()).collect();
    assert_eq!(delays, [1, 2, 4, 8, 16, 30, 30]);
}

#[test]
fn rule_2_long_schedules_follow_the_formula() {
    for multiplier in [1.0, 1.01, 1.5, 2.0, 10.0] {
        let builder = RetryPolicy::builder().max_attempts(5_000).multiplier(multiplier);
        let policy = builder.jitter(Jitter::None).build().unwrap();
        for (failure, delay) in (1..).zip(policy.delays(7)) {
            assert_eq!(delay, policy.base_delay(failure), "failure {failure} × {multiplier}");
        }
    }
}

#[test]
fn a_schedule_knows_how_long_it_is() {
    let mut delays = RetryPolicy::aggressive().delays(7);
    assert_eq!(delays.size_hint(), (9, Some(9)));
    delays.next();
    assert_eq!(delays.size_hint(), (8, Some(8)));
    assert_eq!(delays.count(), 8);
}

#[test]
fn rule_2_a_zero_delay_stays_zero() {
    let policy = RetryPolicy::builder().initial_delay(Duration::ZERO).build().unwrap();
    assert_eq!(policy.base_delay(u32::MAX), Duration::ZERO);
    assert!(policy.delays(3).all(|delay| delay.is_zero()));
}

#[test]
fn rule_3_proportional_jitter_is_a_quarter_to_either_side_and_whole_at_the_cap() {
    let policy = RetryPolicy::balanced();
    assert_eq!(policy.delay_bounds(2), SECOND * 3 / 2..=SECOND * 5 / 2);
    assert_eq!(policy.delay_bounds(100), SECOND * 18..=SECOND * 30);

    // Nobody piles up at the cap: a thousand clients at their tenth failure are spread out.
    let tenth: Vec<Duration> =
        (0..1_000).filter_map(|seed| RetryPolicy::aggressive().delays(seed).last()).collect();
    let above = tenth.iter().filter(|delay| **delay > SECOND * 48).count();
    assert!((400..600).contains(&above), "{above} of 1,000 above the middle");
    assert!(tenth.iter().all(|delay| *delay <= SECOND * 60));
}

#[test]
fn rule_3_the_published_jitters() {
    let with = |jitter| RetryPolicy::builder().jitter(jitter).build().unwrap();
    assert_eq!(with(Jitter::Full).delay_bounds(3), Duration::ZERO..=SECOND * 4);
    assert_eq!(with(Jitter::Equal).delay_bounds(3), SECOND * 2..=SECOND * 4);
    assert_eq!(with(Jitter::Decorrelated).delay_bounds(1), SECOND..=SECOND * 3);
    assert_eq!(with(Jitter::Decorrelated).delay_bounds(2), SECOND..=SECOND * 9);
    assert_eq!(with(Jitter::Decorrelated).delay_bounds(9), SECOND..=SECOND * 30);
    assert_eq!(with(Jitter::None).delay_bounds(3), SECOND * 4..=SECOND * 4);
    assert_eq!(with(Jitter::Full).delay_bounds(99), Duration::ZERO..=SECOND * 30);
}

#[test]
fn rule_4_bad_policies_are_refused_with_field_value_and_range() {
    let refused = |builder: persevere::RetryPolicyBuilder| builder.build().unwrap_err().to_string();
    let builder = RetryPolicy::builder;
    let year = Duration::from_secs(366 * 86_400);
    assert_eq!(refused(builder().max_attempts(0)), "max_attempts is 0, but must be at least 1");
    for (multiplier, shown) in [(0.99, "0.99"), (f64::NAN, "NaN"), (f64::INFINITY, "inf")] {
        assert_eq!(
            refused(builder().multiplier(multiplier)),
            format!("multiplier is {shown}, but must be at least 1 and finite")
        );
    }
    assert_eq!(
        refused(builder().initial_delay(SECOND * 31)),
        "initial_delay is 31s, but must be at most max_delay, which is 30s"
    );
    assert_eq!(
        refused(builder().max_delay(year)),
        "max_delay is 366d, but must be at most 365 days"
    );
    assert_eq!(
        refused(builder().max_network_wait(year)),
        "max_network_wait is 366d, but must be at most 365 days"
    );
    assert_eq!(
        refused(builder().max_retry_after(Duration::MAX)),
        "max_retry_after is 213503982334601d7h15.999999999s, but must be at most 365 days"
    );
}

#[test]
fn rule_4_a_value_just_outside_of_its_range_is_shown_exactly() {
    let refused = |builder: persevere::RetryPolicyBuilder| builder.build().unwrap_err().to_string();
    let builder = RetryPolicy::builder;
    assert_eq!(
        refused(builder().initial_delay(Duration::from_millis(30_001))),
        "initial_delay is 30.001s, but must be at most max_delay, which is 30s"
    );
    assert_eq!(
        refused(builder().max_delay(Duration::new(365 * 86_400, 1))),
        "max_delay is 365d1ns, but must be at most 365 days"
    );
    let delays = builder().initial_delay(SECOND * 90).max_delay(Duration::from_millis(89_999));
    assert_eq!(
        refused(delays),
        "initial_delay is 1m30s, but must be at most max_delay, which is 1m29.999s"
    );
}

#[test]
fn rule_16_seeds_reproduce_and_differ() {
    let delays = |seed| RetryPolicy::aggressive().delays(seed).collect::<Vec<_>>();
    assert_eq!(delays(42), delays(42));
    assert_ne!(delays(42), delays(43));
}

fn any_policy() -> impl Strategy<Value = RetryPolicy> {
    let longest = 365 * 86_400 * 1_000_000_000_u64;
    let attempts = prop_oneof![1..100_u32, Just(u32::MAX)];
    let multiplier = prop_oneof![1.0..10.0, Just(1.0), Just(f64::MAX)];
    (attempts, 0..=longest, 0..=longest, multiplier, prop::sample::select(&Jitter::ALL[..]))
        .prop_map(|(attempts, one, other, multiplier, jitter)| {
            RetryPolicy::builder()
                .max_attempts(attempts)
                .initial_delay(Duration::from_nanos(one.min(other)))
                .max_delay(Duration::from_nanos(one.max(other)))
                .multiplier(multiplier)
                .jitter(jitter)
                .build()
                .expect("within the documented ranges")
        })
}

proptest! {
    #[test]
    fn rule_2_every_bound_of_every_policy_holds(policy in any_policy(), failure in any::<u32>()) {
        let bounds = policy.delay_bounds(failure);
        prop_assert!(bounds.start() <= bounds.end());
        prop_assert!(*bounds.end() <= policy.max_delay());
        prop_assert!(policy.base_delay(failure) <= policy.max_delay());
    }

    #[test]
    fn rule_3_every_delay_lies_within_its_bounds(policy in any_policy(), seed in any::<u64>()) {
        for (failure, delay) in (1..).zip(policy.delays(seed).take(50)) {
            let bounds = policy.delay_bounds(failure);
            prop_assert!(bounds.contains(&delay), "{delay:?} after {failure}, not in {bounds:?}");
        }
    }
}
