//! Rules of the caller in configuration files.
#![cfg(all(feature = "serde", feature = "text"))]
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use persevere::Kind;
use persevere::detect::{CustomRule, Detector, RuleSet};

#[test]
fn a_rule_is_read_whole() {
    let written = r#"{"name": "license", "retry": true, "text": "no free license",
        "http_status": 423, "kind": "throttle", "retry_after": "30s"}"#;
    let built = CustomRule::retry("license")
        .text("no free license")
        .http_status(423)
        .kind(Kind::Throttle)
        .retry_after(Duration::from_secs(30));
    assert_eq!(serde_json::from_str::<CustomRule>(written).unwrap(), built);
}

#[test]
fn a_list_of_rules_is_checked() {
    let read = |written: &str| serde_json::from_str::<RuleSet>(written);
    let rules = read(r#"[{"name": "gone", "retry": false, "text": "decommissioned"}]"#).unwrap();
    let detector = Detector::new().rules(rules);
    assert_eq!(detector.text("connection refused: decommissioned").rule(), "gone");
    let refused = |written: &str| read(written).unwrap_err().to_string();
    assert!(refused(r#"[{"name": "x", "retry": true}]"#).contains("looks for nothing"));
    assert!(refused(r#"[{"name": "x", "retry": true, "texts": "y"}]"#).contains("texts"));
    let kind = r#"[{"name": "x", "retry": true, "text": "y", "kind": "bad"}]"#;
    assert!(refused(kind).contains("kind is `bad`, but must be one of"));
}
