//! How single values are written. An error is what is allowed, to be read after "must be".

use std::path::PathBuf;
use std::time::Duration;

use persevere::{Jitter, RetryPolicy};
use tracing::level_filters::LevelFilter;

/// The names of the presets, and what they stand for.
pub(crate) const PRESETS: [(&str, RetryPolicy); 3] = [
    ("conservative", RetryPolicy::conservative()),
    ("balanced", RetryPolicy::balanced()),
    ("aggressive", RetryPolicy::aggressive()),
];

pub(crate) const LOG_FORMATS: [&str; 2] = ["text", "json"];

pub(crate) const LOG_LEVELS: [(&str, LevelFilter); 5] = [
    ("off", LevelFilter::OFF),
    ("error", LevelFilter::ERROR),
    ("warn", LevelFilter::WARN),
    ("info", LevelFilter::INFO),
    ("debug", LevelFilter::DEBUG),
];

fn one_of<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<_> = names.into_iter().collect();
    format!("one of {}", names.join(", "))
}

/// Its place in [`PRESETS`].
pub(crate) fn preset(text: &str) -> Result<usize, String> {
    let place = PRESETS.iter().position(|(name, _)| *name == text);
    place.ok_or_else(|| one_of(PRESETS.map(|(name, _)| name)))
}

pub(crate) fn jitter(text: &str) -> Result<Jitter, String> {
    text.parse().map_err(|_| one_of(Jitter::ALL.map(Jitter::name)))
}

/// Whether logs are JSON.
pub(crate) fn log_format(text: &str) -> Result<bool, String> {
    match text {
        "text" => Ok(false),
        "json" => Ok(true),
        _ => Err(one_of(LOG_FORMATS)),
    }
}

pub(crate) fn log_level(text: &str) -> Result<LevelFilter, String> {
    let known = LOG_LEVELS.into_iter().find(|(name, _)| *name == text);
    known.map(|(_, level)| level).ok_or_else(|| one_of(LOG_LEVELS.map(|(name, _)| name)))
}

pub(crate) fn attempts(text: &str) -> Result<u32, String> {
    let allowed = "a whole number from 1 to 4294967294, or unlimited";
    match (text, text.parse()) {
        ("unlimited", _) => Ok(RetryPolicy::UNLIMITED_ATTEMPTS),
        (_, Ok(0 | RetryPolicy::UNLIMITED_ATTEMPTS) | Err(_)) => Err(allowed.to_owned()),
        (_, Ok(attempts)) => Ok(attempts),
    }
}

/// The engine says which numbers are sensible.
pub(crate) fn number(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number: &f64| !number.is_sign_negative());
    number.ok_or_else(|| "a number, at least 1, such as 1.5".to_owned())
}

pub(crate) fn flag(text: &str) -> Result<bool, String> {
    match text {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err("true or false".to_owned()),
    }
}

pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let bare_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    if bare_number {
        return Err("a duration with its unit: write 5s for five seconds".to_owned());
    }
    // They have no fixed length, and whoever writes 5M means minutes.
    let mut units = text.split(|char: char| !char.is_alphabetic());
    if units.any(|unit| {
        matches!(unit, "M" | "month" | "months" | "y" | "yr" | "yrs" | "year" | "years")
    }) {
        return Err("a duration without months or years: write 5m for five minutes".to_owned());
    }
    humantime::parse_duration(text)
        .map_err(|_| "a duration such as 500ms, 2s, 5m or 1h30m".to_owned())
}

/// A duration that leaves time for something.
pub(crate) fn time_limit(text: &str) -> Result<Duration, String> {
    let limit = duration(text)?;
    match limit.is_zero() {
        true => Err("longer than 0s; leave it out for no limit".to_owned()),
        false => Ok(limit),
    }
}

/// Any text but none.
pub(crate) fn text(text: &str) -> Result<String, String> {
    match text.is_empty() {
        true => Err("some text".to_owned()),
        false => Ok(text.to_owned()),
    }
}

pub(crate) fn path(text: &str) -> Result<PathBuf, String> {
    match text.is_empty() {
        true => Err("the name of a file".to_owned()),
        false => Ok(text.into()),
    }
}

pub(crate) fn endpoint(text: &str) -> Result<String, String> {
    let uri: Option<http::Uri> = text.parse().ok();
    let is_http = uri.is_some_and(|uri| matches!(uri.scheme_str(), Some("http" | "https")));
    match is_http && !text.contains('@') {
        true => Ok(text.to_owned()),
        false => Err("a URL without user and password, such as https://s3.example.org".to_owned()),
    }
}

/// One or more of something.
pub(crate) fn count(text: &str) -> Result<usize, String> {
    let count = text.parse().ok().filter(|count| (1..=MOST_AT_ONCE).contains(count));
    count.ok_or_else(|| format!("a whole number from 1 to {MOST_AT_ONCE}"))
}

/// More files or connections than a process can usually have open.
const MOST_AT_ONCE: usize = 1000;

/// Bytes. `K`, `M` and `G` count in 1024s, as with `ls` and `dd`.
pub(crate) fn size(text: &str) -> Result<u64, String> {
    let allowed = || "a number of bytes, such as 16MiB, 64M or 8388608".to_owned();
    let digits = text.find(|char: char| !char.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor: u64 = match unit.trim_start().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        "g" | "gib" => 1 << 30,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        _ => return Err(allowed()),
    };
    let number: Option<u64> = number.parse().ok();
    let bytes = number.and_then(|number| number.checked_mul(factor)).filter(|bytes| *bytes > 0);
    bytes.ok_or_else(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        for (text, millis) in [("500ms", 500), ("1h30m", 5_400_000), ("1.5s", 1_500), ("0s", 0)] {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for bare in ["5", "0", "1.5"] {
            assert!(duration(bare).unwrap_err().contains("write 5s for five seconds"));
        }
        for nonsense in ["", " ", "soon", "-5s", "5 parsecs", "99999999999999999999s"] {
            assert!(duration(nonsense).unwrap_err().contains("500ms"), "{nonsense}");
        }
        for too_long in ["5M", "1month", "1h 2months", "1y", "2years"] {
            assert!(duration(too_long).unwrap_err().contains("write 5m for five minutes"));
        }
        assert!(time_limit("0ms").is_err());
    }

    #[test]
    fn sizes_have_units_or_none() {
        for (text, bytes) in [("1", 1), ("16MiB", 16 << 20), ("64m", 64 << 20), ("5 MB", 5_000_000)]
        {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for refused in ["", "0", "-1", "1.5M", "many", "1T", "99999999999G"] {
            assert!(size(refused).unwrap_err().contains("16MiB"), "{refused}");
        }
    }

    #[test]
    fn an_endpoint_holds_no_secret() {
        assert!(endpoint("http://127.0.0.1:9000").is_ok());
        for refused in ["s3.example.org", "ftp://x", "https://me:secret@x", ""] {
            assert!(endpoint(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn attempts_are_counted_from_one() {
        assert_eq!(attempts("1"), Ok(1));
        assert_eq!(attempts("unlimited"), Ok(RetryPolicy::UNLIMITED_ATTEMPTS));
        for refused in ["0", "-1", "4294967295", "1.5", "many", ""] {
            assert!(attempts(refused).is_err(), "{refused}");
        }
    }
}
