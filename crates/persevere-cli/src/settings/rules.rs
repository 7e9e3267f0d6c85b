//! The user's own rules of error detection, `[[rules]]` in the configuration file.

use std::ops::Range;

use persevere::detect::{CustomRule, RuleSet};
use serde::Deserialize;
use toml::Spanned;

use super::value;

/// What is wrong, and where.
pub(super) type Problem = (Range<usize>, String);

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    rules: Vec<Spanned<Written>>,
}

/// A rule as it is written.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Written {
    name: String,
    retry: bool,
    text: Option<String>,
    http_status: Option<u16>,
    kind: Option<String>,
    retry_after: Option<String>,
}

/// Reads the rules of a file, which may hold anything else beside them. `None` if there are none.
pub(super) fn read(content: &str) -> Result<Option<RuleSet>, Problem> {
    let file: File = toml::from_str(content).map_err(|error| {
        let message = format!("in [[rules]]: {}", error.message());
        (error.span().unwrap_or_default(), message)
    })?;
    if file.rules.is_empty() {
        return Ok(None);
    }
    let mut rules = Vec::new();
    for written in file.rules {
        let span = written.span();
        let refuse = |message: String| (span.clone(), message);
        let rule = written.into_inner().rule().map_err(refuse)?;
        // Each by itself, so that the message names the right line.
        RuleSet::new([rule.clone()]).map_err(|error| (span.clone(), error.to_string()))?;
        rules.push(rule);
    }
    RuleSet::new(rules).map(Some).map_err(|error| (0..0, error.to_string()))
}

impl Written {
    fn rule(self) -> Result<CustomRule, String> {
        let name = self.name;
        let mut rule = match self.retry {
            true => CustomRule::retry(&name),
            false => CustomRule::stop(&name),
        };
        if let Some(text) = self.text {
            rule = rule.text(text);
        }
        if let Some(status) = self.http_status {
            rule = rule.http_status(status);
        }
        if let Some(kind) = self.kind {
            let kind = kind.parse().map_err(|error| format!("rule `{name}`: {error}"))?;
            rule = rule.kind(kind);
        }
        if let Some(wait) = self.retry_after {
            let wait = value::duration(&wait).map_err(|allowed| {
                format!("rule `{name}`: retry-after is '{wait}', but must be {allowed}")
            })?;
            rule = rule.retry_after(wait);
        }
        Ok(rule)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_stand_beside_anything_else() {
        let content = "attempts = 5\n[[rules]]\nname = \"a\"\nretry = true\ntext = \"no license\"\n\
                       kind = \"throttle\"\nretry-after = \"30s\"\n[[rules]]\nname = \"b\"\nretry = false\n\
                       http-status = 423\n";
        assert!(read(content).unwrap().is_some());
        assert!(read("attempts = 5").unwrap().is_none());
    }

    #[test]
    fn a_bad_rule_is_refused_where_it_stands() {
        let refused = |rest: &str| {
            let content = format!("attempts = 5\n[[rules]]\nname = \"a\"\nretry = true\n{rest}");
            let (span, message) = read(&content).unwrap_err();
            assert!(span.start >= 13, "{span:?}");
            message
        };
        assert_eq!(refused(""), "rule `a` looks for nothing, but needs a text or an HTTP status");
        assert!(
            refused("text = \"x\"\nkind = \"bad\"").contains("kind is `bad`, but must be one of")
        );
        assert!(refused("text = \"x\"\nretry-after = \"soon\"").contains("retry-after is 'soon'"));
        assert!(refused("text = \"x\"\nwait = 3").contains("unknown field `wait`"));
        assert!(refused("http-status = 70000").contains("70000"));
    }
}
