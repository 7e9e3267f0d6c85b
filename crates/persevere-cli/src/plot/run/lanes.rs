//! The upper panel: what was requested when, and how it ended.

use super::super::picture::{Anchor, Paint, Picture, Rect};
use super::super::scale::{Scale, nanos};
use super::super::{HEADING_SIZE, LABEL_SIZE, LEFT, MARGIN, RIGHT, colour};
use super::{Lanes, Outcome, PAUSE, Request, Run};

/// All lanes together may be as high as this, and one of them as high as that.
const ALL: f64 = 380.0;
const HIGHEST: f64 = 13.0;

/// Between two groups.
const GAP: f64 = 14.0;

/// Numbers of lanes that are lower would touch one another.
const NUMBERED_FROM: f64 = 10.0;

/// Where each lane is.
pub(super) struct Layout {
    top: f64,
    height: f64,
    /// Where the last one ends.
    pub(super) bottom: f64,
}

impl Layout {
    pub(super) fn of(run: &Run, top: f64) -> Self {
        let count: usize = run.groups.iter().map(|group| group.lanes.len()).sum();
        let height = (ALL / count.max(1) as f64).min(HIGHEST);
        let gaps = GAP * (run.groups.len() + 1) as f64;
        Self { top, height, bottom: top + count as f64 * height + gaps }
    }

    pub(super) fn draw(&self, picture: &mut Picture, scale: &Scale, run: &Run) {
        let mut y = self.top + GAP;
        for group in &run.groups {
            self.names(picture, group, y);
            for lane in &group.lanes {
                self.lane(picture, scale, lane, y);
                y += self.height;
            }
            y += GAP;
        }
        let axis = [(LEFT, self.bottom), (RIGHT, self.bottom)];
        picture.lines([axis], Paint::Stroke(colour::AXIS, 1.0));
    }

    fn names(&self, picture: &mut Picture, group: &Lanes, y: f64) {
        let all = self.height * group.lanes.len() as f64;
        let foot = |y: f64, size: f64| y + size * 0.36;
        let middle = foot(y + all.min(self.height) / 2.0, HEADING_SIZE);
        picture.text((MARGIN, middle), Anchor::Start, LABEL_SIZE, colour::INK, &group.name);
        if !group.numbered || self.height < NUMBERED_FROM {
            return;
        }
        for index in 0..group.lanes.len() {
            let y = foot(y + self.height * (index as f64 + 0.5), LABEL_SIZE - 1.5);
            let number = (index + 1).to_string();
            let place = (LEFT - 6.0, y);
            picture.text(place, Anchor::End, LABEL_SIZE - 1.5, colour::SOFT_INK, &number);
        }
    }

    fn lane(&self, picture: &mut Picture, scale: &Scale, lane: &[Request], y: f64) {
        let at = |time| scale.at(nanos(time));
        let middle = y + self.height / 2.0;
        let pairs = lane.iter().zip(lane.iter().skip(1));
        let pauses = pairs
            .filter(|(failed, next)| failed.outcome != Outcome::Answered && next.from > failed.to);
        let pauses =
            pauses.map(|(failed, next)| [(at(failed.to), middle), (at(next.from), middle)]);
        picture.lines(pauses, PAUSE);
        let margin = (self.height * 0.12).min(1.5);
        for one in lane {
            let (x, end) = (at(one.from), at(one.to));
            let rect =
                Rect { x, y: y + margin, width: end - x, height: self.height - 2.0 * margin };
            super::request(picture, rect, one.outcome);
        }
    }
}
