//! Durations as people write them.

use std::fmt;
use std::time::Duration;

/// Shows a duration the way it is written in options and logs: `500ms`, `2s`, `1.83s`, `1m30s`, `2h`.
///
/// Three digits count; from a minute on it is rounded to whole seconds.
///
/// ```
/// use std::time::Duration;
/// use persevere::HumanDuration;
///
/// assert_eq!(HumanDuration(Duration::from_millis(1_830)).to_string(), "1.83s");
/// assert_eq!(HumanDuration(Duration::from_secs(90)).to_string(), "1m30s");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HumanDuration(pub Duration);

/// The same to the last nanosecond, where a rounded value would not tell what is wrong with it.
pub(crate) struct ExactDuration(pub(crate) Duration);

/// In nanoseconds; 584 years at the most.
pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Seconds in each unit from a minute up.
const UNITS: [(u64, &str); 4] = [(86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")];

impl fmt::Display for HumanDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = if self.0 < Duration::from_secs(60) {
            below_a_minute(self.0)
        } else {
            from_a_minute(self.0)
        };
        f.pad(&text)
    }
}

fn below_a_minute(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    let (unit, name) = match nanos {
        0 => return "0s".to_owned(),
        1..1_000 => (1, "ns"),
        1_000..1_000_000 => (1_000, "µs"),
        1_000_000..1_000_000_000 => (1_000_000, "ms"),
        _ => (1_000_000_000, "s"),
    };
    // Hundredths of the unit, with no more than three digits that count.
    let digit = match nanos / unit {
        100.. => 100,
        10.. => 10,
        _ => 1,
    };
    let hundredths = (nanos * 100 / digit + unit / 2) / unit * digit;
    // Rounded up into the next unit: 999.6 ms is a second, 59.96 s a minute.
    match (hundredths, name) {
        (100_000.., "ns" | "µs" | "ms") => {
            return below_a_minute(Duration::from_nanos((unit * 1_000) as u64));
        }
        (6_000.., "s") => return "1m".to_owned(),
        _ => {}
    }
    let digits = format!("{}.{:02}", hundredths / 100, hundredths % 100);
    format!("{}{name}", digits.trim_end_matches('0').trim_end_matches('.'))
}

fn from_a_minute(duration: Duration) -> String {
    let half = u64::from(duration.subsec_millis() >= 500);
    let mut left = duration.as_secs().saturating_add(half);
    let mut text = String::new();
    for (seconds, name) in UNITS {
        if left >= seconds {
            text.push_str(&format!("{}{name}", left / seconds));
            left %= seconds;
        }
    }
    text
}

impl fmt::Display for ExactDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut left = self.0.as_secs();
        for (seconds, name) in UNITS.into_iter().filter(|(seconds, _)| *seconds > 1) {
            if left >= seconds {
                write!(f, "{}{name}", left / seconds)?;
                left %= seconds;
            }
        }
        let below_a_minute = Duration::new(left, self.0.subsec_nanos());
        match below_a_minute.is_zero() && !self.0.is_zero() {
            true => Ok(()),
            // Unlike ours, the standard library's form leaves nothing out.
            false => write!(f, "{below_a_minute:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_as_people_write() {
        for (nanos, text) in [
            (0, "0s"),
            (999, "999ns"),
            (1_500, "1.5µs"),
            (500_000_000, "500ms"),
            (99_466_000, "99.5ms"),
            (434_400_000, "434ms"),
            (999_700_000, "1s"),
            (1_834_400_000, "1.83s"),
            (31_240_000_000, "31.2s"),
            (100_000_000, "100ms"),
            (2_000_000_000, "2s"),
            (59_970_000_000, "1m"),
            (90_000_000_000, "1m30s"),
            (300_000_000_000, "5m"),
            (3_600_000_000_000, "1h"),
            (90_061_000_000_000, "1d1h1m1s"),
        ] {
            assert_eq!(HumanDuration(Duration::from_nanos(nanos)).to_string(), text);
        }
        HumanDuration(Duration::MAX).to_string();
    }
    #[test]
    fn exact_ones_leave_nothing_out() {
        for (nanos, text) in [
            (0, "0ns"),
            (30_001_000_000, "30.001s"),
            (59_999_999_999, "59.999999999s"),
            (90_000_000_000, "1m30s"),
            (300_000_000_000, "5m"),
            (86_400_000_000_001, "1d1ns"),
            (90_061_500_000_000, "1d1h1m1.5s"),
        ] {
            assert_eq!(ExactDuration(Duration::from_nanos(nanos)).to_string(), text);
        }
        ExactDuration(Duration::MAX).to_string();
    }
}
