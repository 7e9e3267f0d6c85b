//! The lower panel: the whole call from its first attempt to its last.

use super::legend::{self, Mark};
use super::picture::{Anchor, Colour, Paint, Picture, Rect};
use super::scale::{Label, Scale, label, nanos, spaced, stride, ticks};
use super::{LABEL_SIZE, LEFT, RIGHT, Schedule, TEXT_SIZE, Total, colour, font, heading};

/// Where the panel's heading stands, its bar, and the range below the bar.
const HEADING: f64 = 398.0;
const TOP: f64 = 432.0;
const BOTTOM: f64 = 456.0;
const RANGE: f64 = 490.0;

/// An attempt of the random example and when it starts, in nanoseconds after the first one.
struct Attempt {
    number: u32,
    start: u128,
}

/// Draws the panel.
pub(super) fn draw(picture: &mut Picture, schedule: &Schedule, total: &Total) {
    let max = total.at_most.max(total.sample.unwrap_or(0));
    let scale = Scale::new(max, (LEFT, RIGHT));
    heading(picture, HEADING, "Whole call, without the time that attempts take");
    legend::draw(picture, HEADING, &entries(schedule, total));
    bar(picture, &scale, total);
    axis(picture, &scale, max);
    let attempts = attempts(schedule);
    marks(picture, &scale, &attempts);
    numbers(picture, &scale, &attempts);
    range(picture, &scale, total);
}

fn entries(schedule: &Schedule, total: &Total) -> Vec<(Mark, String)> {
    let mut entries = Vec::new();
    if total.at_least < total.at_most {
        entries.push((Mark::Range, "the last attempt starts in here".to_owned()));
    }
    let attempt = if schedule.is_fixed() { "attempt" } else { "attempt of the example" };
    entries.push((Mark::Attempt, attempt.to_owned()));
    entries
}

/// The attempts of the random example: one more than it has waits.
fn attempts(schedule: &Schedule) -> Vec<Attempt> {
    let first = schedule.waits.first().map_or(1, |wait| wait.attempt);
    let mut attempts = vec![Attempt { number: first, start: 0 }];
    let mut start = 0;
    for (wait, delay) in schedule.waits.iter().zip(&schedule.sample) {
        start += nanos(*delay);
        let number = wait.attempt.saturating_add(1);
        attempts.push(Attempt { number, start });
    }
    attempts
}

/// Grey up to the earliest end, and from there to the latest the colour of jitter.
fn bar(picture: &mut Picture, scale: &Scale, total: &Total) {
    let middle = scale.at(total.at_least);
    let part = |x: f64, end: f64| Rect { x, y: TOP, width: end - x, height: BOTTOM - TOP };
    let grey = Paint::Fill(colour::GRID, 1.0);
    picture.rects([part(LEFT, middle)], grey);
    let end = scale.at(total.at_most);
    picture.rects([part(middle, end)], legend::RANGE);
}

fn axis(picture: &mut Picture, scale: &Scale, max: u128) {
    let mut lines = vec![[(LEFT, BOTTOM), (RIGHT, BOTTOM)]];
    let mut labels = Vec::new();
    for value in ticks(max, 8) {
        let x = scale.at(value);
        lines.push([(x, BOTTOM), (x, BOTTOM + 4.0)]);
        labels.push(Label::new(x, label(value)));
    }
    picture.lines(lines, Paint::Stroke(colour::AXIS, 1.0));
    write(picture, spaced(labels), BOTTOM + 17.0, colour::SOFT_INK);
}

/// A stroke for each attempt that does not fall on the stroke before it; the last one stands out.
fn marks(picture: &mut Picture, scale: &Scale, attempts: &[Attempt]) {
    let thin = attempts.len() > 80;
    let (width, apart) = if thin { (1.0, 2.0) } else { (1.8, 2.8) };
    let mut drawn = f64::NEG_INFINITY;
    let mut places: Vec<_> = attempts.iter().map(|one| scale.at(one.start)).collect();
    let last = places.last().copied();
    places.retain(|x| {
        let free = x - drawn >= apart;
        if free {
            drawn = *x;
        }
        free
    });
    let lines = places.into_iter().map(|x| [(x, TOP), (x, BOTTOM)]);
    picture.lines(lines, legend::sample(width));
    let last = last.map(|x| [(x, TOP - 4.0), (x, BOTTOM)]);
    picture.lines(last, legend::sample(3.0));
}

/// The numbers of the attempts above their strokes, as many as find room.
fn numbers(picture: &mut Picture, scale: &Scale, attempts: &[Attempt]) {
    let count = attempts.len();
    let every = stride((RIGHT - LEFT) / count as f64, 50.0);
    let numbered = attempts.iter().enumerate().filter(|(index, attempt)| {
        *index == 0 || index + 1 == count || attempt.number.is_multiple_of(every)
    });
    let labels = numbered.map(|(_, attempt)| {
        let x = scale.at(attempt.start);
        Label::new(x, attempt.number.to_string())
    });
    let mut labels = spaced(labels.collect());
    // All of them in one place: the number of the last one alone would say too little.
    if let ([only], [first, .., last]) = (labels.as_mut_slice(), attempts) {
        only.lines = vec![format!("{}–{}", first.number, last.number)];
    }
    write(picture, labels, TOP - 8.0, colour::SAMPLE);
}

fn write(picture: &mut Picture, labels: Vec<Label>, y: f64, fill: Colour) {
    for Label { x, lines } in labels {
        for text in lines {
            picture.text((x, y), Anchor::Middle, LABEL_SIZE, fill, &text);
        }
    }
}

/// The span from the earliest to the latest end, and what it says in words.
fn range(picture: &mut Picture, scale: &Scale, total: &Total) {
    let (from, to) = (scale.at(total.at_least), scale.at(total.at_most));
    if total.at_least < total.at_most {
        let end = |x: f64| [(x, RANGE - 5.0), (x, RANGE + 5.0)];
        let lines = [[(from, RANGE), (to, RANGE)], end(from), end(to)];
        picture.lines(lines, Paint::Stroke(colour::INK, 1.5));
    }

    let text = total.in_words();
    let half = font::width(&text, TEXT_SIZE) / 2.0;
    let middle = f64::midpoint(from, to);
    let middle = middle.min(RIGHT - half).max(LEFT + half);
    let place = (middle, RANGE + 24.0);
    picture.text(place, Anchor::Middle, TEXT_SIZE, colour::INK, &text);
}
