//! A transfer that has taken place: its requests in lanes, and below them the bytes over time.

mod bytes;
mod lanes;

use std::time::Duration;

use super::legend::{self, Mark};
use super::picture::{Anchor, Paint, Picture, Rect};
use super::scale::{Label, Scale, label, nanos, spaced, ticks};
use super::{LABEL_SIZE, LEFT, RIGHT, WIDTH, colour};

/// Everything that the picture shows. Times are since the start of the run.
#[derive(Debug, Clone, Default)]
pub(crate) struct Run {
    /// The headline; cut where it is too long for the picture.
    pub title: String,
    /// The line below it in smaller letters; cut as well.
    pub subtitle: String,
    /// When it ended.
    pub end: Duration,
    /// What was done one after the other: named above the lanes.
    pub acts: Vec<Span>,
    /// When there was no network.
    pub outages: Vec<Span>,
    /// What was requested, in groups from top to bottom.
    pub groups: Vec<Lanes>,
    /// Bytes over time.
    pub curves: Vec<Curve>,
}

/// A time with a name.
#[derive(Debug, Clone)]
pub(crate) struct Span {
    /// From when.
    pub from: Duration,
    /// Until when.
    pub to: Duration,
    /// What it is called in the picture.
    pub name: String,
}

/// Lanes that belong together.
#[derive(Debug, Clone)]
pub(crate) struct Lanes {
    /// What they are called at the left; short.
    pub name: String,
    /// Whether each lane has its number.
    pub numbered: bool,
    /// The requests of each lane, in order of time.
    pub lanes: Vec<Vec<Request>>,
}

/// One attempt at a request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request {
    /// When it began.
    pub from: Duration,
    /// When it was over.
    pub to: Duration,
    /// How it ended.
    pub outcome: Outcome,
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    /// With its answer.
    Answered,
    /// The connection was reset.
    Reset,
    /// The server was busy: 503, with the time after which to come back.
    Busy,
    /// Nothing moved any more, and it was given up.
    Stalled,
    /// The network was gone.
    Cut,
    /// The process that made it was killed.
    Killed,
}

/// Bytes over time.
#[derive(Debug, Clone)]
pub(crate) struct Curve {
    /// What the legend calls it.
    pub name: String,
    /// Times and sums of bytes, both rising.
    pub points: Vec<(Duration, u64)>,
}

impl Outcome {
    /// All, in the order of the legend.
    const ALL: [(Self, &'static str); 6] = [
        (Self::Answered, "answered"),
        (Self::Reset, "connection reset"),
        (Self::Busy, "503 SlowDown"),
        (Self::Stalled, "stalled"),
        (Self::Cut, "cut by the outage"),
        (Self::Killed, "killed"),
    ];
}

/// Between an attempt that failed and the next one.
pub(super) const PAUSE: Paint = Paint::Stroke(colour::AXIS, 1.0);
/// A time without a network.
pub(super) const OUTAGE: Paint = Paint::Fill(colour::SAMPLE, 0.14);

/// Where the legend stands, the names of the acts, and the first lane begins.
const LEGEND: f64 = 88.0;
const ACTS: f64 = 118.0;
const TOP: f64 = 128.0;

/// Room below the panel of bytes for the numbers of the axis, and their unit.
const FOOT: f64 = 44.0;

/// The picture of a run.
pub(super) fn picture(run: &Run) -> Picture {
    let lanes = lanes::Layout::of(run, TOP);
    let bytes_top = lanes.bottom + bytes::HEADING;
    let bottom = bytes_top + bytes::HEIGHT;
    let height = bottom + FOOT;
    let mut picture = Picture::new((WIDTH, height), &run.title, &[&run.subtitle]);
    let paper = Rect { x: 0.0, y: 0.0, width: WIDTH, height };
    picture.rects([paper], Paint::Fill(colour::PAPER, 1.0));
    super::header(&mut picture, &run.title, &run.subtitle);
    legend::draw(&mut picture, LEGEND, &entries(run));
    let scale = Scale::new(nanos(run.end), (LEFT, RIGHT));
    outages(&mut picture, &scale, run, &[(TOP, lanes.bottom), (bytes_top, bottom)]);
    grid(&mut picture, &scale, run, &[(TOP, lanes.bottom), (bytes_top, bottom)]);
    acts(&mut picture, &scale, run, &[(ACTS - 10.0, lanes.bottom), (bytes_top, bottom)]);
    lanes.draw(&mut picture, &scale, run);
    bytes::draw(&mut picture, &scale, run, bytes_top);
    picture
}

/// The legend names only what the picture shows.
fn entries(run: &Run) -> Vec<(Mark, String)> {
    let all: Vec<_> = run.groups.iter().flat_map(|group| group.lanes.iter().flatten()).collect();
    let mut entries: Vec<_> = Outcome::ALL
        .iter()
        .filter(|(outcome, _)| all.iter().any(|request| request.outcome == *outcome))
        .map(|(outcome, name)| (Mark::Request(*outcome), (*name).to_owned()))
        .collect();
    if all.iter().any(|request| request.outcome != Outcome::Answered) {
        entries.push((Mark::Pause, "wait".to_owned()));
    }
    if !run.outages.is_empty() {
        entries.push((Mark::Outage, "no network".to_owned()));
    }
    entries
}

fn outages(picture: &mut Picture, scale: &Scale, run: &Run, panels: &[(f64, f64)]) {
    for outage in &run.outages {
        let (x, end) = (scale.at(nanos(outage.from)), scale.at(nanos(outage.to)));
        let rects = panels.iter();
        let rects =
            rects.map(|(top, bottom)| Rect { x, y: *top, width: end - x, height: bottom - top });
        picture.rects(rects, OUTAGE);
    }
}

/// The lines of the seconds, through both panels, and the axis below.
fn grid(picture: &mut Picture, scale: &Scale, run: &Run, panels: &[(f64, f64)]) {
    let bottom = panels.iter().map(|panel| panel.1).fold(0.0, f64::max);
    let (mut lines, mut labels) = (Vec::new(), Vec::new());
    for value in ticks(nanos(run.end), 12) {
        let x = scale.at(value);
        lines.extend(panels.iter().map(|(top, bottom)| [(x, *top), (x, *bottom)]));
        labels.push(Label::new(x, label(value)));
    }
    picture.lines(lines, Paint::Stroke(colour::GRID, 1.0));
    for Label { x, lines } in spaced(labels) {
        for text in lines {
            let place = (x, bottom + 17.0);
            picture.text(place, Anchor::Middle, LABEL_SIZE, colour::SOFT_INK, &text);
        }
    }
    let place = (f64::midpoint(LEFT, RIGHT), bottom + 34.0);
    let text = "time since the start";
    picture.text(place, Anchor::Middle, LABEL_SIZE, colour::SOFT_INK, text);
}

/// A line where each act begins, and its name as far as there is room.
fn acts(picture: &mut Picture, scale: &Scale, run: &Run, panels: &[(f64, f64)]) {
    for act in &run.acts {
        let (x, end) = (scale.at(nanos(act.from)), scale.at(nanos(act.to)));
        if end - x < LABEL_SIZE {
            continue;
        }
        let lines = panels.iter().map(|(top, bottom)| [(x, *top), (x, *bottom)]);
        picture.lines(lines, Paint::Stroke(colour::SOFT_INK, 1.0));
        let name = super::scale::shortened(&act.name, LABEL_SIZE, end - x - 8.0);
        if name.chars().count() > 1 {
            let place = (x + 5.0, ACTS);
            picture.text(place, Anchor::Start, LABEL_SIZE, colour::INK, &name);
        }
    }
}

/// A request as it is drawn in its lane and in the legend. Outcomes differ in shape too.
pub(super) fn request(picture: &mut Picture, rect: Rect, outcome: Outcome) {
    let rect = Rect { width: rect.width.max(1.5), ..rect };
    let (end, top, bottom) = (rect.x + rect.width, rect.y, rect.y + rect.height);
    let middle = f64::midpoint(top, bottom);
    let half = (rect.height / 2.0).min(4.0);
    let bar = [(end, top - 1.0), (end, bottom + 1.0)];
    match outcome {
        Outcome::Answered => picture.rects([rect], Paint::Fill(colour::ARRIVED, 1.0)),
        Outcome::Reset => {
            picture.rects([rect], Paint::Fill(colour::SAMPLE, 0.55));
            let cross = [
                [(end - half, middle - half), (end + half, middle + half)],
                [(end - half, middle + half), (end + half, middle - half)],
            ];
            picture.lines(cross, Paint::Stroke(colour::SAMPLE, 2.0));
        }
        Outcome::Busy => {
            picture.rects([rect], Paint::Fill(colour::BUSY, 0.55));
            picture.circles([(end, middle)], half, Paint::Fill(colour::BUSY, 1.0));
        }
        Outcome::Stalled => {
            picture.rects([rect], Paint::Fill(colour::STALLED, 0.25));
            picture.rects([rect], Paint::Stroke(colour::STALLED, 1.5));
        }
        Outcome::Cut => {
            picture.rects([rect], Paint::Fill(colour::BASE, 0.45));
            picture.lines([bar], Paint::Stroke(colour::BASE, 2.5));
        }
        Outcome::Killed => {
            picture.rects([rect], Paint::Fill(colour::AXIS, 0.6));
            picture.lines([bar], Paint::Stroke(colour::INK, 2.5));
        }
    }
}
