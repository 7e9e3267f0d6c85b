//! Rules of the caller, as data.

use std::collections::BTreeSet;
use std::error::Error;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::place::Place;
use crate::verdict::{Kind, Verdict};

/// One rule: what it looks for, and what that means.
///
/// It looks for words in the error's text, for an HTTP status, or for both. Words are found in any
/// case, and only where they stand by themselves: `busy` is not found in `busybox`.
///
/// ```
/// use persevere::detect::{CustomRule, Detector, RuleSet};
/// use persevere::Kind;
///
/// let rules = RuleSet::new([
///     CustomRule::retry("license-server.busy").text("no free license").kind(Kind::Throttle),
///     CustomRule::stop("backend.gone").http_status(503).text("decommissioned"),
/// ])?;
/// let detector = Detector::new().rules(rules);
/// let verdict = detector.text("error 7: No free license, sorry");
/// assert!(verdict.is_retryable());
/// assert_eq!(verdict.rule(), "license-server.busy");
/// # Ok::<(), persevere::detect::RuleError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[must_use = "a rule does nothing until it is part of a `RuleSet`"]
pub struct CustomRule {
    name: String,
    retry: bool,
    text: Option<String>,
    http_status: Option<u16>,
    kind: Kind,
    retry_after: Option<Duration>,
}

impl CustomRule {
    /// What it finds is retried. The name stands in verdicts and logs.
    pub fn retry(name: impl Into<String>) -> Self {
        Self::new(name.into(), true)
    }

    /// What it finds is not retried.
    pub fn stop(name: impl Into<String>) -> Self {
        Self::new(name.into(), false)
    }

    fn new(name: String, retry: bool) -> Self {
        Self { name, retry, text: None, http_status: None, kind: Kind::Other, retry_after: None }
    }

    /// Looks for these words.
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.text = Some(text.into());
        self
    }

    /// Looks for this HTTP status, from 100 to 599.
    pub fn http_status(mut self, status: u16) -> Self {
        self.http_status = Some(status);
        self
    }

    /// The kind of the failure. Default: [`Kind::Other`].
    pub fn kind(mut self, kind: Kind) -> Self {
        self.kind = kind;
        self
    }

    /// Waits at least this long, as if the server had asked for it.
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    fn check(&self) -> Result<(), RuleError> {
        let refuse = |problem| Err(RuleError { rule: self.name.clone(), problem });
        if self.name.trim().is_empty() {
            return refuse("has no name, but needs one for the logs");
        }
        if matches!(self.kind, Kind::Unknown | Kind::AlreadyRetried) {
            return refuse("has a kind that only detection gives: take `other`");
        }
        if self.retry_after.is_some() && !self.retry {
            return refuse("has a wait, but is not retried");
        }
        match (&self.text, self.http_status) {
            (None, None) => refuse("looks for nothing, but needs a text or an HTTP status"),
            (Some(text), _) if text.trim().is_empty() => {
                refuse("has an empty text, but needs words to look for")
            }
            (_, Some(status)) if !(100..600).contains(&status) => {
                refuse("has an HTTP status outside of 100 to 599")
            }
            _ => Ok(()),
        }
    }

    fn verdict(&self) -> Verdict {
        let name = intern(&self.name);
        let verdict = match self.retry {
            true => Verdict::retry(self.kind, name),
            false => Verdict::stop(self.kind, name),
        };
        match self.retry_after {
            Some(wait) => verdict.with_hint(wait),
            None => verdict,
        }
    }
}

/// Several rules. The first one that finds what it looks for decides.
#[derive(Debug, Clone)]
pub struct RuleSet {
    rules: Vec<Compiled>,
}

#[derive(Debug, Clone)]
struct Compiled {
    text: Option<String>,
    http_status: Option<u16>,
    verdict: Verdict,
}

impl RuleSet {
    /// Checks the rules.
    ///
    /// # Errors
    ///
    /// A [`RuleError`] for the first rule that has no name, looks for nothing, or for a status that
    /// is none.
    pub fn new(rules: impl IntoIterator<Item = CustomRule>) -> Result<Self, RuleError> {
        let compile = |rule: CustomRule| {
            rule.check()?;
            let verdict = rule.verdict();
            Ok(Compiled { text: rule.text, http_status: rule.http_status, verdict })
        };
        let rules: Result<_, RuleError> = rules.into_iter().map(compile).collect();
        Ok(Self { rules: rules? })
    }

    /// The verdict of the first rule that applies.
    pub(super) fn judge(&self, text: &[u8], status: Option<u16>) -> Option<Verdict> {
        let applies = |rule: &&Compiled| {
            let right_status = rule.http_status.is_none() || rule.http_status == status;
            right_status && rule.text.as_ref().is_none_or(|words| stands_in(words.as_bytes(), text))
        };
        self.rules.iter().find(applies).map(|rule| rule.verdict)
    }
}

/// Whether these words stand in a text, in any case, by themselves.
fn stands_in(words: &[u8], text: &[u8]) -> bool {
    let places = text.windows(words.len()).enumerate();
    places
        .filter(|(_, place)| place.eq_ignore_ascii_case(words))
        .any(|(start, place)| Place::new(text, start, start + place.len()).is_bounded())
}

/// A rule was refused: which one, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleError {
    rule: String,
    problem: &'static str,
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rule `{}` {}", self.rule, self.problem)
    }
}

impl Error for RuleError {}

/// Verdicts are copied everywhere, so they hold the names of rules by reference. Each different name
/// is kept for the rest of the program, once.
fn intern(name: &str) -> &'static str {
    static NAMES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = names.get(name) {
        return known;
    }
    let kept: &'static str = Box::leak(name.into());
    names.insert(kept);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_rule_that_applies_decides() {
        let rules = RuleSet::new([
            CustomRule::stop("first").text("disk is busy").http_status(503),
            CustomRule::retry("second").text("busy"),
            CustomRule::stop("third").http_status(503),
        ])
        .unwrap();
        let rule =
            |text: &str, status| rules.judge(text.as_bytes(), status).map(|verdict| verdict.rule());
        assert_eq!(rule("the Disk Is Busy", Some(503)), Some("first"));
        assert_eq!(rule("the Disk Is Busy", None), Some("second"));
        assert_eq!(rule("busybox", None), None);
        assert_eq!(rule("busybox", Some(503)), Some("third"));
    }

    #[test]
    fn a_rule_that_cannot_work_is_refused() {
        let refused = |rule| RuleSet::new([rule]).unwrap_err().to_string();
        assert_eq!(
            refused(CustomRule::retry("x")),
            "rule `x` looks for nothing, but needs a text or an HTTP status"
        );
        assert!(refused(CustomRule::retry("x").text(" ")).contains("empty text"));
        assert!(refused(CustomRule::retry("x").http_status(99)).contains("100 to 599"));
        assert!(refused(CustomRule::retry("").text("x")).contains("name"));
        assert!(refused(CustomRule::stop("x").text("x").kind(Kind::Unknown)).contains("kind"));
        let wait = Duration::from_secs(1);
        assert!(refused(CustomRule::stop("x").text("x").retry_after(wait)).contains("wait"));
    }

    #[test]
    fn names_are_kept_once() {
        assert!(std::ptr::eq(intern("a rule"), intern(&String::from("a rule"))));
    }
}
