//! The upper panel: every wait by itself.

use super::legend::{self, Mark};
use super::picture::{Anchor, Paint, Picture, Point, Rect};
use super::scale::{Label, Scale, label, nanos, spaced, stride, ticks};
use super::{HEADING_SIZE, LABEL_SIZE, LEFT, MARGIN, RIGHT, Schedule, Wait, colour, heading};

/// Where the panel's heading stands, and the top and the bottom of its axis.
const HEADING: f64 = 96.0;
const TOP: f64 = 112.0;
const BOTTOM: f64 = 326.0;

/// More columns than this lie closer than two pixels: neighbours then share one.
const MOST_COLUMNS: usize = 426;

/// Room above the longest delay, in hundredths of it.
const HEADROOM: u128 = 4;

/// One column of the panel: a wait, or several neighbours.
struct Column {
    x: f64,
    base: u128,
    low: u128,
    high: u128,
    sample: Option<u128>,
}

/// Draws the panel.
pub(super) fn draw(picture: &mut Picture, schedule: &Schedule) {
    let chunk = schedule.waits.len().div_ceil(MOST_COLUMNS).max(1);
    let columns = columns(schedule, chunk);
    let slot = (RIGHT - LEFT) / columns.len().max(1) as f64;
    let max = columns.iter().map(highest).max().unwrap_or(0);
    let scale = Scale::new(max + max * HEADROOM / 100, (BOTTOM, TOP));

    heading(picture, HEADING, "Delay after each failed attempt");
    legend::draw(picture, HEADING, &entries(&columns, chunk));
    grid(picture, &scale, max);
    rows(picture, schedule);
    range(picture, &scale, &columns, slot);
    base(picture, &scale, &columns, slot);
    sample(picture, &scale, &columns, slot);
    note(picture, schedule, max);
}

/// The columns from left to right, `chunk` waits in each.
fn columns(schedule: &Schedule, chunk: usize) -> Vec<Column> {
    let width = (RIGHT - LEFT) / schedule.waits.len().max(1) as f64;
    // Where nothing is left to chance, a random example would only hide the base delays.
    let drawn: &[_] = if schedule.is_fixed() { &[] } else { &schedule.sample };
    let column = |(index, waits): (usize, &[Wait])| {
        let first = index * chunk;
        let middle = waits.len() / 2;
        let low = waits.iter().map(|wait| nanos(wait.at_least)).min()?;
        let high = waits.iter().map(|wait| nanos(wait.at_most)).max()?;
        Some(Column {
            x: LEFT + width * (first as f64 + waits.len() as f64 / 2.0),
            base: nanos(waits.get(middle)?.base),
            low,
            high,
            sample: drawn.get(first + middle).copied().map(nanos),
        })
    };
    let chunks = schedule.waits.chunks(chunk).enumerate();
    chunks.filter_map(column).collect()
}

fn highest(column: &Column) -> u128 {
    column.high.max(column.base).max(column.sample.unwrap_or(0))
}

/// The legend names only what the panel shows.
fn entries(columns: &[Column], chunk: usize) -> Vec<(Mark, String)> {
    let mut entries = Vec::new();
    if columns.iter().any(|column| column.low < column.high) {
        entries.push((Mark::Range, "possible delay (jitter)".to_owned()));
    }
    if !columns.is_empty() {
        entries.push((Mark::Base, "base delay".to_owned()));
    }
    if columns.iter().any(|column| column.sample.is_some()) {
        let text = match chunk {
            1 => "one random example".to_owned(),
            _ => format!("one random example (1 delay in {chunk})"),
        };
        entries.push((Mark::Sample, text));
    }
    entries
}

fn grid(picture: &mut Picture, scale: &Scale, max: u128) {
    let mut lines = Vec::new();
    for value in ticks(max, 5) {
        let y = scale.at(value);
        lines.push([(LEFT, y), (RIGHT, y)]);
        let place = (LEFT - 8.0, y + 4.0);
        let text = label(value);
        picture.text(place, Anchor::End, LABEL_SIZE, colour::SOFT_INK, &text);
    }
    picture.lines(lines, Paint::Stroke(colour::GRID, 1.0));
    let axis = [(LEFT, BOTTOM), (RIGHT, BOTTOM)];
    picture.lines([axis], Paint::Stroke(colour::AXIS, 1.0));
}

/// Two rows below the axis: the numbers of the failed attempts and their base delays, for small
/// delays beside large ones cannot be read off the axis.
fn rows(picture: &mut Picture, schedule: &Schedule) {
    let count = schedule.waits.len();
    if count == 0 {
        return;
    }
    let slot = (RIGHT - LEFT) / count as f64;
    let cells: Vec<_> = schedule.waits.iter().map(cell).collect();
    let widest = cells.iter().map(Label::width).fold(0.0, f64::max);
    let every = stride(slot, widest + LABEL_SIZE);
    // 1, 3, 5 … where every second one has room, but 1, 5, 10, 15 … beyond that.
    let shift = u32::from(every == 2);
    let chosen = schedule.waits.iter().zip(cells).enumerate();
    let chosen = chosen.filter(|(index, (wait, _))| {
        let regular = wait.attempt.saturating_add(shift).is_multiple_of(every);
        regular || *index == 0 || index + 1 == count
    });
    let labels =
        chosen.map(|(index, (_, cell))| Label { x: LEFT + slot * (index as f64 + 0.5), ..cell });

    let rows = [(BOTTOM + 17.0, colour::SOFT_INK), (BOTTOM + 33.0, colour::BASE)];
    for ((y, fill), name) in rows.into_iter().zip(["attempt", "base"]) {
        picture.text((MARGIN, y), Anchor::Start, LABEL_SIZE, fill, name);
    }
    for Label { x, lines } in spaced(labels.collect()) {
        for ((y, fill), text) in rows.iter().zip(&lines) {
            picture.text((x, *y), Anchor::Middle, LABEL_SIZE, *fill, text);
        }
    }
}

/// What the rows say of one wait.
fn cell(wait: &Wait) -> Label {
    let lines = vec![wait.attempt.to_string(), label(nanos(wait.base))];
    Label { x: 0.0, lines }
}

/// What jitter spreads over: a bar for each wait while there is room for bars, and a band behind.
fn range(picture: &mut Picture, scale: &Scale, columns: &[Column], slot: f64) {
    if columns.iter().all(|column| column.low >= column.high) {
        return;
    }
    let bars = slot >= 6.0;
    let width = if bars { (slot * 0.5).min(36.0) } else { slot };
    if columns.len() > 1 {
        let paint = if bars { Paint::Fill(colour::RANGE, 0.14) } else { legend::RANGE };
        picture.area(band(scale, columns, width / 2.0), paint);
    }
    if bars {
        let bar = |column: &Column| Rect {
            x: column.x - width / 2.0,
            y: scale.at(column.high),
            width,
            height: scale.at(column.low) - scale.at(column.high),
        };
        picture.rects(columns.iter().map(bar), legend::RANGE);
    }
}

/// Along the longest delays and back along the shortest; at both ends it reaches `beyond` the
/// middle of the column, as far as a bar does.
fn band(scale: &Scale, columns: &[Column], beyond: f64) -> impl Iterator<Item = Point> {
    let ends = |value: fn(&Column) -> u128| {
        let point = move |column: &Column, x: f64| (column.x + x, scale.at(value(column)));
        let first = columns.first().map(|column| point(column, -beyond));
        let last = columns.last().map(|column| point(column, beyond));
        let between = columns.iter().map(|column| point(column, 0.0));
        let all: Vec<_> = first.into_iter().chain(between).chain(last).collect();
        all
    };
    let there = ends(|column| column.high).into_iter();
    there.chain(ends(|column| column.low).into_iter().rev())
}

fn base(picture: &mut Picture, scale: &Scale, columns: &[Column], slot: f64) {
    let point = |column: &Column| (column.x, scale.at(column.base));
    picture.curve(columns.iter().map(point), legend::BASE);
    if slot >= 10.0 {
        let radius = (slot * 0.15).min(3.0);
        picture.circles(columns.iter().map(point), radius, legend::POINT);
    }
}

fn sample(picture: &mut Picture, scale: &Scale, columns: &[Column], slot: f64) {
    let radius = (slot * 0.32).clamp(1.3, 4.5);
    let drawn = columns.iter().filter_map(|column| {
        let delay = column.sample?;
        Some((column.x, scale.at(delay)))
    });
    let paint = legend::sample((radius * 0.4).clamp(0.8, 1.6));
    picture.circles(drawn, radius, paint);
}

/// Says in words why there is nothing to see.
fn note(picture: &mut Picture, schedule: &Schedule, max: u128) {
    let text = match (schedule.waits.len(), max) {
        (0, _) => "No retries: the first failure is final",
        (_, 0) => "No delays: every attempt follows the failed one at once",
        _ => return,
    };
    let place = ((LEFT + RIGHT) / 2.0, (TOP + BOTTOM) / 2.0);
    picture.text(place, Anchor::Middle, HEADING_SIZE, colour::SOFT_INK, text);
}
