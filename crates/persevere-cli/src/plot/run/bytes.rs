//! The lower panel: how many bytes had gone when.

use super::super::legend::{self, Mark};
use super::super::picture::{Anchor, Colour, Paint, Picture};
use super::super::scale::{Scale, nanos};
use super::super::{LABEL_SIZE, LEFT, RIGHT, colour};
use super::{Curve, Run};

/// Room above the panel for its heading, and how high it is.
pub(super) const HEADING: f64 = 44.0;
pub(super) const HEIGHT: f64 = 130.0;

/// Of the curves, in their order.
const PAINTS: [(Colour, f64); 2] = [(colour::BASE, 2.5), (colour::SAMPLE, 1.5)];

pub(super) fn draw(picture: &mut Picture, time: &Scale, run: &Run, top: f64) {
    let bottom = top + HEIGHT;
    super::super::heading(
        picture,
        top - 14.0,
        "Bytes through the proxy, those sent again included",
    );
    let paints = PAINTS.iter().cycle().map(|(colour, width)| Paint::Stroke(*colour, *width));
    let curves: Vec<_> = run.curves.iter().zip(paints).collect();
    let entries = curves.iter().map(|(curve, paint)| (Mark::Curve(*paint), curve.name.clone()));
    legend::draw(picture, top - 14.0, &entries.collect::<Vec<_>>());
    let last = |curve: &Curve| curve.points.last().map_or(0, |point| point.1);
    let most = run.curves.iter().map(last).max().unwrap_or(0).max(1);
    let scale = Scale::new(u128::from(most) * 105 / 100, (bottom, top));
    let mut lines = Vec::new();
    for value in ticks(most) {
        let y = scale.at(u128::from(value));
        lines.push([(LEFT, y), (RIGHT, y)]);
        let place = (LEFT - 8.0, y + 4.0);
        picture.text(place, Anchor::End, LABEL_SIZE, colour::SOFT_INK, &label(value));
    }
    picture.lines(lines, Paint::Stroke(colour::GRID, 1.0));
    let axis = [(LEFT, bottom), (RIGHT, bottom)];
    picture.lines([axis], Paint::Stroke(colour::AXIS, 1.0));
    for (curve, paint) in curves {
        let points = curve.points.iter();
        let points = points.map(|(at, bytes)| (time.at(nanos(*at)), scale.at(u128::from(*bytes))));
        picture.curve(points, paint);
    }
}

/// Powers of two at even distances: five at the most, and the 0.
fn ticks(most: u64) -> impl Iterator<Item = u64> {
    let step = (most / 5).max(1).checked_next_power_of_two().unwrap_or(most);
    (0..=most / step).map(move |index| index * step)
}

/// Multiples of powers of two are whole numbers of some unit.
fn label(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
    let fits = |power: &usize| bytes.is_multiple_of(1 << (10 * power));
    let power = (0..UNITS.len()).rev().find(fits).unwrap_or(0);
    match bytes {
        0 => "0".to_owned(),
        _ => format!("{} {}", bytes >> (10 * power), UNITS[power]),
    }
}
