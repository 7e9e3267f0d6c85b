use super::{Plan, Plans, Request, Rule};
use crate::{At, Fault};

fn request(method: &str, target: &str) -> Request {
    let headers = vec![("Range".to_owned(), "bytes=0-9".to_owned())];
    Request { method: method.to_owned(), target: target.to_owned(), headers }
}

/// On which of so many requests the rule fires, counted from 1.
fn fired(plan: Plan, requests: u64) -> Vec<u64> {
    let mut plans = Plans::new(plan);
    (1..=requests).filter(|_| plans.decide(&request("GET", "/")).is_some()).collect()
}

fn reset() -> Rule {
    Rule::new(Fault::ResetRequest(At::Byte(1)))
}

#[test]
fn conditions_on_the_request() {
    let fires = |rule: Rule| {
        Plans::new(Plan::new().rule(rule))
            .decide(&request("PUT", "/a%20b?partNumber=3&x"))
            .is_some()
    };
    assert!(fires(reset()));
    assert!(fires(reset().method("PUT")) && !fires(reset().method("put")));
    assert!(fires(reset().path_contains("a%20b").path_contains("partNumber=3")));
    assert!(!fires(reset().path_contains("a%20b").path_contains("partNumber=4")));
    assert!(fires(reset().when(|request| request.header("range") == Some("bytes=0-9"))));
    assert!(!fires(reset().when(|request| request.header("if-match").is_some())));
}

#[test]
fn choices_among_the_requests() {
    assert_eq!(fired(Plan::new(), 3), [0; 0]);
    assert_eq!(fired(Plan::new().rule(reset().nth(3)), 9), [3]);
    assert_eq!(fired(Plan::new().rule(reset().every(3)), 9), [3, 6, 9]);
    assert_eq!(fired(Plan::new().rule(reset().every(0)), 9), [0; 0]);
    assert_eq!(fired(Plan::new().rule(reset().every(3).times(2)), 99), [3, 6]);
    assert_eq!(fired(Plan::new().rule(reset().probability(0.0)), 99), [0; 0]);
    assert_eq!(fired(Plan::new().rule(reset().probability(1.0)), 9).len(), 9);
}

#[test]
fn a_probability_comes_from_the_seed() {
    let plan = |seed| Plan::new().seed(seed).rule(reset().probability(0.3));
    let some = fired(plan(1), 10_000);
    assert!((2_800..3_200).contains(&some.len()), "{}", some.len());
    assert_eq!(some, fired(plan(1), 10_000));
    assert_ne!(some, fired(plan(2), 10_000));
}

#[test]
fn the_first_rule_that_fires_decides_and_all_count() {
    let plan = Plan::new().rule(reset().nth(2)).rule(Rule::new(Fault::LoseAnswer).every(2));
    let mut plans = Plans::new(plan);
    let faults: Vec<_> = (0..4)
        .map(|_| plans.decide(&request("GET", "/")).map(|decision| decision.fault.name()))
        .collect();
    assert_eq!(faults, [None, Some("reset request"), None, Some("lose answer")]);
}

#[test]
fn places_are_in_their_range() {
    for n in 0..1000 {
        let number = crate::random::number(5, 0, n);
        assert_eq!(At::Byte(7).place(Some(3), number), 7);
        assert!((10..20).contains(&At::Within(10..20).place(None, number)));
        assert!((0..3).contains(&At::Anywhere.place(Some(3), number)));
        assert!((0..65_536).contains(&At::Anywhere.place(None, number)));
    }
    assert_eq!(At::Anywhere.place(Some(0), u64::MAX), 0);
    #[expect(clippy::reversed_empty_ranges, reason = "what a caller may give")]
    let nothing = At::Within(20..10);
    assert_eq!(nothing.place(None, u64::MAX), 20);
}

#[test]
fn the_sequence_never_changes() {
    let numbers: Vec<_> = (1..=3).map(|n| crate::random::number(0, 0, n)).collect();
    assert_eq!(numbers, [17925934194126948328, 7868805697131187933, 14871899889091618673]);
}
