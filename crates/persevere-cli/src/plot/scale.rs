//! Axes: where a value stands, which values get a number, and how wide that number is.

use std::time::Duration;

use super::{LABEL_SIZE, font};

const MICRO: u128 = 1_000;
const MILLI: u128 = 1_000 * MICRO;
const SECOND: u128 = 1_000 * MILLI;
const MINUTE: u128 = 60 * SECOND;
const HOUR: u128 = 60 * MINUTE;
const DAY: u128 = 24 * HOUR;
const YEAR: u128 = 365 * DAY + 6 * HOUR;

/// In nanoseconds, wide enough for any sum of durations.
pub(super) fn nanos(duration: Duration) -> u128 {
    duration.as_nanos()
}

/// A straight axis from zero at one place of the picture to `max` at another.
pub(super) struct Scale {
    max: f64,
    zero: f64,
    end: f64,
}

impl Scale {
    /// An axis that shows nothing but zero runs to one second, so that it is an axis at all.
    pub(super) fn new(max: u128, (zero, end): (f64, f64)) -> Self {
        let max = if max == 0 { SECOND } else { max } as f64;
        Self { max, zero, end }
    }

    pub(super) fn at(&self, nanos: u128) -> f64 {
        self.zero + (self.end - self.zero) * (nanos as f64 / self.max)
    }
}

/// Values at even and readable distances from 0 to `max`: `count` of them at the most, and the 0.
pub(super) fn ticks(max: u128, count: u128) -> impl Iterator<Item = u128> {
    let step = steps().find(|step| max / step <= count);
    let step = step.unwrap_or(max).max(1);
    (0..=max / step).map(move |index| index * step)
}

/// All distances that read well, rising: 1, 2 and 5 of a decimal unit, or a part of a clock's round.
fn steps() -> impl Iterator<Item = u128> {
    let below = decades(1).take_while(|step| *step <= 5 * SECOND);
    let clock = [
        10 * SECOND,
        15 * SECOND,
        30 * SECOND,
        MINUTE,
        2 * MINUTE,
        5 * MINUTE,
        10 * MINUTE,
        15 * MINUTE,
        30 * MINUTE,
        HOUR,
        2 * HOUR,
        3 * HOUR,
        6 * HOUR,
        12 * HOUR,
    ];
    let days = decades(DAY).take_while(|step| *step < YEAR);
    below.chain(clock).chain(days).chain(decades(YEAR))
}

/// 1, 2, 5, 10, 20, 50 … of a unit; the end lies beyond any duration.
fn decades(unit: u128) -> impl Iterator<Item = u128> {
    let powers = (0..15).map(|power| 10_u128.pow(power));
    powers.flat_map(move |power| [1, 2, 5].map(|digit| digit * power * unit))
}

/// When things stand `slot` apart, how many of them share the room of one label: 1, 2, 5, 10 …
pub(super) fn stride(slot: f64, label: f64) -> u32 {
    let step = decades(1).find(|step| *step as f64 * slot >= label);
    step.and_then(|step| u32::try_from(step).ok()).unwrap_or(u32::MAX)
}

/// A duration for the picture: three digits, or two units from a minute up, as in `500ms`, `1.83s`,
/// `1m30s`, `2h`. It is rounder than what the program prints elsewhere: axes have little room.
pub(super) fn label(nanos: u128) -> String {
    match nanos {
        0 => "0s".to_owned(),
        1..MICRO => three_digits(nanos, 1, "ns", MICRO),
        MICRO..MILLI => three_digits(nanos, MICRO, "µs", MILLI),
        MILLI..SECOND => three_digits(nanos, MILLI, "ms", SECOND),
        SECOND..MINUTE => three_digits(nanos, SECOND, "s", MINUTE),
        MINUTE..HOUR => two_units(nanos, (MINUTE, "m"), (SECOND, "s"), HOUR),
        HOUR..DAY => two_units(nanos, (HOUR, "h"), (MINUTE, "m"), DAY),
        DAY..YEAR => two_units(nanos, (DAY, "d"), (HOUR, "h"), YEAR),
        _ if nanos < 1_000 * YEAR => three_digits(nanos, YEAR, "y", 1_000 * YEAR),
        _ => format!("{:.1e}y", nanos as f64 / YEAR as f64),
    }
}

/// `next` is the smallest value of the next unit: rounding up to it changes the unit.
fn three_digits(nanos: u128, unit: u128, name: &str, next: u128) -> String {
    let parts = match nanos / unit {
        0..10 => 100,
        10..100 => 10,
        _ => 1,
    };
    let count = (nanos * parts + unit / 2) / unit;
    if count * unit >= next * parts {
        return label(next);
    }
    let digits = format!("{:.2}", count as f64 / parts as f64);
    let digits = digits.trim_end_matches('0').trim_end_matches('.');
    format!("{digits}{name}")
}

fn two_units(nanos: u128, large: (u128, &str), small: (u128, &str), next: u128) -> String {
    let rounded = (nanos + small.0 / 2) / small.0 * small.0;
    if rounded >= next {
        return label(next);
    }
    let (count, rest) = (rounded / large.0, rounded % large.0 / small.0);
    match rest {
        0 => format!("{count}{}", large.1),
        _ => format!("{count}{}{rest}{}", large.1, small.1),
    }
}

/// A number at a place of a horizontal axis, centred there; it may have a second one below it.
pub(super) struct Label {
    pub(super) x: f64,
    pub(super) lines: Vec<String>,
}

impl Label {
    pub(super) fn new(x: f64, text: String) -> Self {
        let lines = vec![text];
        Self { x, lines }
    }

    pub(super) fn width(&self) -> f64 {
        let widths = self.lines.iter().map(|line| font::width(line, LABEL_SIZE));
        widths.fold(0.0, f64::max)
    }
}

/// Leaves out the labels that would touch one another. The last one always stays, and of the rest
/// (in order from left to right) the earlier one.
pub(super) fn spaced(mut labels: Vec<Label>) -> Vec<Label> {
    let Some(last) = labels.pop() else {
        return labels;
    };
    let half = |label: &Label| (label.width() + LABEL_SIZE) / 2.0;
    let end = last.x - half(&last);
    let mut edge = f64::NEG_INFINITY;
    labels.retain(|label| {
        let (from, to) = (label.x - half(label), label.x + half(label));
        let free = from >= edge && to <= end;
        if free {
            edge = to;
        }
        free
    });
    labels.push(last);
    labels
}

/// `text`, cut and ended with `…` where it is wider than `width`.
pub(super) fn shortened(text: &str, size: f64, width: f64) -> String {
    if font::width(text, size) <= width {
        return text.to_owned();
    }
    let mut used = font::advance('…') * size;
    let fits = |char: &char| {
        used += font::advance(*char) * size;
        used <= width
    };
    let cut: String = text.chars().take_while(fits).collect();
    format!("{}…", cut.trim_end())
}
