//! Policies in configuration files.
#![allow(clippy::unwrap_used)]
#![cfg(feature = "serde")]

use std::time::Duration;

use persevere::{Jitter, RetryPolicy};

#[test]
fn what_is_left_out_is_taken_from_the_preset() {
    let policy: RetryPolicy = toml::from_str(
        r#"
        preset = "aggressive"
        initial_delay = "500ms"
        jitter = "full"
        wait_for_network = true
        "#,
    )
    .unwrap();
    assert_eq!(policy.max_attempts(), 10);
    assert_eq!(policy.initial_delay(), Duration::from_millis(500));
    assert_eq!(policy.jitter(), Jitter::Full);
    assert!(policy.wait_for_network());
    assert_eq!(toml::from_str::<RetryPolicy>("").unwrap(), RetryPolicy::balanced());
}

#[test]
fn jitter_is_a_switch_as_in_the_go_package() {
    let jitter = |text| toml::from_str::<RetryPolicy>(text).unwrap().jitter();
    assert_eq!(jitter("jitter = true"), Jitter::Proportional);
    assert_eq!(jitter("jitter = false"), Jitter::None);
}

#[test]
fn a_policy_survives_the_journey() {
    let policy = RetryPolicy::builder()
        .initial_delay(Duration::from_nanos(1_234_567_891))
        .jitter(Jitter::Decorrelated)
        .build()
        .unwrap();
    let text = toml::to_string(&policy).unwrap();
    assert_eq!(toml::from_str::<RetryPolicy>(&text).unwrap(), policy);
    let json = serde_json::to_string(&policy).unwrap();
    assert_eq!(serde_json::from_str::<RetryPolicy>(&json).unwrap(), policy);
}

#[test]
fn bad_values_are_refused_by_name() {
    let refused = |text| toml::from_str::<RetryPolicy>(text).unwrap_err().message().to_owned();
    assert_eq!(refused("max_attempts = 0"), "max_attempts is 0, but must be at least 1");
    assert!(refused("max_attemps = 3").contains("unknown field `max_attemps`"));
    assert_eq!(
        refused("max_delay = \"5\""),
        "invalid value: string \"5\", expected a duration such as \"500ms\", \"2s\" or \"1m 30s\""
    );
    assert_eq!(
        refused("jitter = \"some\""),
        "jitter is `some`, but must be one of proportional, full, equal, decorrelated, none"
    );
}
