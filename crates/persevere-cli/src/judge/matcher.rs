//! One value of `--retry-on` and `--stop-on`: exit statuses, or a pattern.

use std::ops::RangeInclusive;

use regex_lite::Regex;

use crate::text;

/// What a failure is compared with.
#[derive(Debug, Clone)]
pub(crate) enum Matcher {
    /// `1,7,28-30`.
    Statuses(Vec<RangeInclusive<u8>>),
    /// Anything else: a regular expression.
    Pattern(Regex),
}

impl Matcher {
    pub(crate) fn matches(&self, exit_code: u8, stderr: &str) -> bool {
        match self {
            Self::Statuses(ranges) => ranges.iter().any(|range| range.contains(&exit_code)),
            Self::Pattern(pattern) => text::lines(stderr).any(|line| pattern.is_match(line)),
        }
    }
}

/// Reads one; the error is what is allowed.
pub(crate) fn parse(text: &str) -> Result<Matcher, String> {
    if text.trim().is_empty() {
        return Err("an exit status, a list such as 1,7,28-30, or a pattern".to_owned());
    }
    let like_statuses = |char: char| char.is_ascii_digit() || matches!(char, ',' | '-' | ' ');
    if text.chars().all(like_statuses) {
        return statuses(text);
    }
    Regex::new(text).map(Matcher::Pattern).map_err(|error| {
        let problem = error.to_string();
        format!(
            "an exit status from 1 to 255, a range, a list, or a regular expression ({problem})"
        )
    })
}

fn statuses(text: &str) -> Result<Matcher, String> {
    let ranges: Option<Vec<_>> = text.split(',').map(|item| range(item.trim())).collect();
    ranges.map(Matcher::Statuses).ok_or_else(|| {
        "exit statuses from 1 to 255, such as 7, 28-30 or 1,7,28-30; write a pattern of digits as [4]04"
            .to_owned()
    })
}

fn range(text: &str) -> Option<RangeInclusive<u8>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (status(first)?, status(last)?);
    // A range may begin at 0 out of habit, but 0 alone is a success and never retried.
    (first <= last && last > 0).then_some(first..=last)
}

fn status(text: &str) -> Option<u8> {
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_ranges_and_lists() {
        let matches = |text: &str, code| parse(text).unwrap().matches(code, "");
        assert!(matches("7", 7) && !matches("7", 8));
        assert!(matches("1-5", 5) && !matches("1-5", 6));
        assert!(matches("1, 7,28-30", 29) && !matches("1, 7,28-30", 2));
        assert!(matches("0-255", 255));
    }

    #[test]
    fn what_looks_like_statuses_must_be_statuses() {
        for text in ["256", "1-256", "0", "5-1", "1,", ",", "-1", "1-", "1--2", "7 8"] {
            assert!(parse(text).unwrap_err().starts_with("exit statuses"), "{text}");
        }
    }

    #[test]
    fn anything_else_is_searched_in_each_line() {
        let pattern = parse(r"^HTTP 5\d\d").unwrap();
        assert!(pattern.matches(1, "curl:\nHTTP 503 Busy"));
        assert!(pattern.matches(1, "10%\rHTTP 503"));
        assert!(!pattern.matches(1, "not HTTP 503"));
        assert!(parse("[4]04").unwrap().matches(1, "404"));
        assert!(parse("5xx").is_ok());
        assert!(parse("(").unwrap_err().contains("regular expression"));
        assert!(parse(" ").is_err());
    }
}
