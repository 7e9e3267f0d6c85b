//! The marks of the panels and what they mean.

use super::picture::{Anchor, Paint, Picture, Point, Rect};
use super::run::{self, Outcome};
use super::{LABEL_SIZE, RIGHT, colour, font};

/// What jitter spreads over.
pub(super) const RANGE: Paint = Paint::Fill(colour::RANGE, 0.38);
/// The line through the delays before jitter, and the points on it.
pub(super) const BASE: Paint = Paint::Stroke(colour::BASE, 2.0);
pub(super) const POINT: Paint = Paint::Fill(colour::BASE, 1.0);

/// The delays and attempts of the random example.
pub(super) fn sample(width: f64) -> Paint {
    Paint::Stroke(colour::SAMPLE, width)
}

/// A mark that a legend explains.
#[derive(Clone, Copy)]
pub(super) enum Mark {
    /// What jitter can make of a delay.
    Range,
    /// The delay before jitter.
    Base,
    /// A delay of the random example.
    Sample,
    /// An attempt of the random example.
    Attempt,
    /// A request of a run, by how it ended.
    Request(Outcome),
    /// What lies between two attempts of a run.
    Pause,
    /// A time without a network.
    Outage,
    /// Bytes over time.
    Curve(Paint),
}

/// Width of a mark, its distance to its text, and the distance to the next mark.
const MARK: f64 = 20.0;
const GAP: f64 = 6.0;
const NEXT: f64 = 18.0;

/// Writes the legend so that it ends at the right end of the panel.
pub(super) fn draw(picture: &mut Picture, y: f64, entries: &[(Mark, String)]) {
    let width = |text: &str| MARK + GAP + font::width(text, LABEL_SIZE);
    let all: f64 = entries.iter().map(|(_, text)| width(text) + NEXT).sum();
    let mut x = RIGHT - all + NEXT;
    for (mark, text) in entries {
        draw_mark(picture, *mark, (x, y - 4.0));
        let place = (x + MARK + GAP, y);
        picture.text(place, Anchor::Start, LABEL_SIZE, colour::SOFT_INK, text);
        x += width(text) + NEXT;
    }
}

/// `(x, y)` is the middle of the mark's left side.
fn draw_mark(picture: &mut Picture, mark: Mark, (x, y): Point) {
    let middle = (x + MARK / 2.0, y);
    match mark {
        Mark::Range => {
            let rect = Rect { x, y: y - 5.0, width: MARK, height: 10.0 };
            picture.rects([rect], RANGE);
        }
        Mark::Base => {
            picture.curve([(x, y), (x + MARK, y)], BASE);
            picture.circles([middle], 3.0, POINT);
        }
        Mark::Sample => picture.circles([middle], 4.5, sample(1.6)),
        Mark::Attempt => {
            let ends = [(middle.0, y - 6.0), (middle.0, y + 6.0)];
            picture.lines([ends], sample(2.0));
        }
        Mark::Request(outcome) => {
            let rect = Rect { x: x + 2.0, y: y - 5.0, width: MARK - 6.0, height: 10.0 };
            run::request(picture, rect, outcome);
        }
        Mark::Pause => picture.lines([[(x, y), (x + MARK, y)]], run::PAUSE),
        Mark::Outage => {
            let rect = Rect { x, y: y - 6.0, width: MARK, height: 12.0 };
            picture.rects([rect], run::OUTAGE);
        }
        Mark::Curve(paint) => picture.curve([(x, y), (x + MARK, y)], paint),
    }
}
