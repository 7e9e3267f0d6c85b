//! Draws pictures: SVG text, and the same picture as PNG. [`Schedule`] is the delays of a retry policy: in the
//! upper half every wait by itself, in the lower half the whole call as a time line. [`Run`] is a transfer that
//! has taken place.

mod delays;
mod font;
mod legend;
mod picture;
mod png;
mod run;
mod scale;
mod svg;
#[cfg(test)]
mod tests;
mod timeline;

use std::error::Error;
use std::time::Duration;

use self::picture::{Anchor, Paint, Picture, Rect};
pub(crate) use self::run::{Curve, Lanes, Outcome, Request, Run, Span};
use self::scale::{label, nanos, shortened};

/// One wait of the schedule: what comes after failed attempt `attempt`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wait {
    /// The attempt that failed, counted from 1.
    pub attempt: u32,
    /// The delay before jitter.
    pub base: Duration,
    /// The shortest delay that jitter can make of it.
    pub at_least: Duration,
    /// The longest delay that jitter can make of it.
    pub at_most: Duration,
}

/// Everything that the picture shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Schedule {
    /// The headline; cut where it is too long for the picture.
    pub title: String,
    /// The line below it in smaller letters; cut as well.
    pub subtitle: String,
    /// All waits in the order of the attempts; none when the first failure is final.
    pub waits: Vec<Wait>,
    /// One concrete random example: as many delays as there are waits.
    pub sample: Vec<Duration>,
}

/// Why a picture did not become a PNG.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PngError {
    /// There is no memory for this many pixels.
    #[error("a picture of {width} by {height} pixels is too large")]
    Size {
        /// Pixels from left to right.
        width: u32,
        /// Pixels from top to bottom.
        height: u32,
    },
    /// The encoder gave up.
    #[error("cannot write the picture as PNG")]
    Encode(#[source] Box<dyn Error + Send + Sync>),
}

impl Schedule {
    /// Whether every run has the base delays, because nothing is left to chance.
    fn is_fixed(&self) -> bool {
        let fixed = |wait: &Wait| wait.at_least == wait.base && wait.at_most == wait.base;
        let bases = self.waits.iter().map(|wait| &wait.base);
        self.waits.iter().all(fixed) && self.sample.iter().eq(bases)
    }
}

/// Size of the picture in SVG units.
const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 540.0;

/// Left and right end of both panels; the numbers of the vertical axis stand left of them.
const LEFT: f64 = 96.0;
const RIGHT: f64 = 928.0;

/// Left end of the headline and of the panels' headings.
const MARGIN: f64 = 24.0;

/// Sizes of the letters, from the headline down to the numbers at the axes.
const TITLE_SIZE: f64 = 21.0;
const HEADING_SIZE: f64 = 14.0;
const TEXT_SIZE: f64 = 12.5;
const LABEL_SIZE: f64 = 11.0;

/// Three colours of the Okabe-Ito palette, which people with any kind of colour blindness can tell
/// apart, and greys. No meaning hangs on colour alone: the marks differ in shape too.
mod colour {
    use super::picture::Colour;

    pub(super) const PAPER: Colour = Colour(0xff, 0xff, 0xff);
    pub(super) const INK: Colour = Colour(0x1b, 0x27, 0x33);
    pub(super) const SOFT_INK: Colour = Colour(0x53, 0x61, 0x70);
    pub(super) const GRID: Colour = Colour(0xe4, 0xe8, 0xec);
    pub(super) const AXIS: Colour = Colour(0x87, 0x93, 0xa0);
    pub(super) const BASE: Colour = Colour(0x00, 0x72, 0xb2);
    pub(super) const RANGE: Colour = Colour(0x56, 0xb4, 0xe9);
    pub(super) const SAMPLE: Colour = Colour(0xd5, 0x5e, 0x00);
    pub(super) const ARRIVED: Colour = Colour(0x00, 0x9e, 0x73);
    pub(super) const BUSY: Colour = Colour(0xe6, 0x9f, 0x00);
    pub(super) const STALLED: Colour = Colour(0xcc, 0x79, 0xa7);
}

/// The picture as SVG text; the same schedule always gives the same text.
pub(crate) fn svg(schedule: &Schedule) -> String {
    svg::write(&picture(schedule))
}

/// A run as SVG text.
pub(crate) fn run_svg(run: &Run) -> String {
    svg::write(&run::picture(run))
}

/// The same picture as a PNG file of twice as many pixels each way as the SVG has units. It needs no
/// font of the machine.
pub(crate) fn png(schedule: &Schedule) -> Result<Vec<u8>, PngError> {
    png::write(&picture(schedule))
}

fn picture(schedule: &Schedule) -> Picture {
    let total = Total::of(schedule);
    let sentences = [schedule.subtitle.as_str(), &total.in_words()];
    let mut picture = Picture::new((WIDTH, HEIGHT), &schedule.title, &sentences);
    let paper = Rect { x: 0.0, y: 0.0, width: WIDTH, height: HEIGHT };
    picture.rects([paper], Paint::Fill(colour::PAPER, 1.0));
    header(&mut picture, &schedule.title, &schedule.subtitle);
    delays::draw(&mut picture, schedule);
    timeline::draw(&mut picture, schedule, &total);
    picture
}

fn header(picture: &mut Picture, title: &str, subtitle: &str) {
    let lines =
        [(38.0, TITLE_SIZE, colour::INK, title), (60.0, TEXT_SIZE, colour::SOFT_INK, subtitle)];
    for (y, size, fill, text) in lines {
        let text = shortened(&picture::tidy(text), size, RIGHT - MARGIN);
        picture.text((MARGIN, y), Anchor::Start, size, fill, &text);
    }
}

/// The heading of a panel, whose legend stands at the other end of the same line.
fn heading(picture: &mut Picture, y: f64, text: &str) {
    let place = (MARGIN, y);
    picture.text(place, Anchor::Start, HEADING_SIZE, colour::INK, text);
}

/// What all waits come to together, in nanoseconds.
struct Total {
    at_least: u128,
    at_most: u128,
    sample: Option<u128>,
}

impl Total {
    fn of(schedule: &Schedule) -> Self {
        let sum = |of: fn(&Wait) -> Duration| schedule.waits.iter().map(of).map(nanos).sum();
        Self {
            at_least: sum(|wait| wait.at_least),
            at_most: sum(|wait| wait.at_most),
            sample: (!schedule.sample.is_empty())
                .then(|| schedule.sample.iter().copied().map(nanos).sum()),
        }
    }

    fn in_words(&self) -> String {
        if self.at_least == self.at_most {
            return format!("Total wait: {}", label(self.at_most));
        }
        let (at_least, at_most) = (label(self.at_least), label(self.at_most));
        let range = format!("Total wait: at least {at_least} / at most {at_most}");
        match self.sample {
            Some(sample) => format!("{range} (example: {})", label(sample)),
            None => range,
        }
    }
}
