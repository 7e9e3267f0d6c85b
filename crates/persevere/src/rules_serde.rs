//! [`CustomRule`] in configuration files.

use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::detect::{CustomRule, RuleSet};
use crate::policy_serde::WrittenDuration;

/// The rule as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    retry: bool,
    text: Option<String>,
    http_status: Option<u16>,
    kind: Option<String>,
    retry_after: Option<WrittenDuration>,
}

impl<'de> Deserialize<'de> for CustomRule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = Written::deserialize(deserializer)?;
        let mut rule = match written.retry {
            true => Self::retry(written.name),
            false => Self::stop(written.name),
        };
        if let Some(text) = written.text {
            rule = rule.text(text);
        }
        if let Some(status) = written.http_status {
            rule = rule.http_status(status);
        }
        if let Some(kind) = written.kind {
            rule = rule.kind(kind.parse().map_err(D::Error::custom)?);
        }
        if let Some(wait) = written.retry_after.map(Duration::from) {
            rule = rule.retry_after(wait);
        }
        Ok(rule)
    }
}

/// A list of rules, checked.
impl<'de> Deserialize<'de> for RuleSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(Vec::<CustomRule>::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}
