//! A picture as a list of shapes: what SVG and PNG have in common.
//!
//! Both are made from this one list, so that they cannot come apart.

use super::font;

/// Red, green and blue.
#[derive(Clone, Copy)]
pub(super) struct Colour(pub(super) u8, pub(super) u8, pub(super) u8);

/// How a shape is drawn.
#[derive(Clone, Copy)]
pub(super) enum Paint {
    /// Filled, this much of it covering what is below.
    Fill(Colour, f64),
    /// Drawn as a line this wide, with round corners.
    Stroke(Colour, f64),
}

/// Which part of a text stands at its place.
#[derive(Clone, Copy)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// From left to right and from top to bottom.
pub(super) type Point = (f64, f64);

/// An upright rectangle.
#[derive(Clone, Copy)]
pub(super) struct Rect {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// One or more shapes with the same paint.
pub(super) enum Shape {
    Rects(Vec<Rect>, Paint),
    Circles(Vec<Point>, f64, Paint),
    Lines(Vec<Line>, Paint),
    Text(Text),
}

/// Straight from point to point; a closed one goes back to its start.
pub(super) struct Line {
    pub(super) points: Vec<Point>,
    pub(super) closed: bool,
}

/// One line of text.
pub(super) struct Text {
    pub(super) at: Point,
    pub(super) anchor: Anchor,
    pub(super) size: f64,
    pub(super) fill: Colour,
    pub(super) text: String,
}

impl Text {
    /// Where the text starts.
    pub(super) fn left(&self) -> f64 {
        let width = font::width(&self.text, self.size);
        match self.anchor {
            Anchor::Start => self.at.0,
            Anchor::Middle => self.at.0 - width / 2.0,
            Anchor::End => self.at.0 - width,
        }
    }
}

/// Shapes from the lowest to the uppermost, and the picture in words.
///
/// All numbers are rounded to two digits behind the point, and all texts to what XML can hold.
pub(super) struct Picture {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) title: String,
    pub(super) description: String,
    pub(super) shapes: Vec<Shape>,
}

impl Picture {
    /// An empty picture. The title and the sentences are for those who hear it instead of seeing it.
    pub(super) fn new((width, height): Point, title: &str, sentences: &[&str]) -> Self {
        let sentences = sentences.iter().map(|sentence| tidy(sentence));
        let sentences: Vec<_> = sentences.filter(|sentence| !sentence.is_empty()).collect();
        Self {
            width,
            height,
            title: tidy(title),
            description: sentences.join(". "),
            shapes: Vec::new(),
        }
    }

    /// Rectangles; those without any area are left out.
    pub(super) fn rects(&mut self, rects: impl IntoIterator<Item = Rect>, paint: Paint) {
        let rects = rects.into_iter().map(|rect| Rect {
            x: round(rect.x),
            y: round(rect.y),
            width: round(rect.width),
            height: round(rect.height),
        });
        let rects: Vec<_> = rects.filter(|r| r.width > 0.0 && r.height > 0.0).collect();
        if !rects.is_empty() {
            self.shapes.push(Shape::Rects(rects, paint.rounded()));
        }
    }

    pub(super) fn circles(
        &mut self,
        middles: impl IntoIterator<Item = Point>,
        radius: f64,
        paint: Paint,
    ) {
        let middles: Vec<_> = middles.into_iter().map(rounded).collect();
        if !middles.is_empty() {
            let shape = Shape::Circles(middles, round(radius), paint.rounded());
            self.shapes.push(shape);
        }
    }

    /// Lines by themselves, each from one point to another.
    pub(super) fn lines(&mut self, lines: impl IntoIterator<Item = [Point; 2]>, paint: Paint) {
        let lines = lines.into_iter().map(|ends| Line::through(ends, false));
        self.push_lines(lines.collect(), paint);
    }

    /// One line through all points.
    pub(super) fn curve(&mut self, points: impl IntoIterator<Item = Point>, paint: Paint) {
        self.push_lines(vec![Line::through(points, false)], paint);
    }

    /// The area inside all points.
    pub(super) fn area(&mut self, points: impl IntoIterator<Item = Point>, paint: Paint) {
        self.push_lines(vec![Line::through(points, true)], paint);
    }

    fn push_lines(&mut self, mut lines: Vec<Line>, paint: Paint) {
        lines.retain(|line| line.points.len() > 1);
        if !lines.is_empty() {
            self.shapes.push(Shape::Lines(lines, paint.rounded()));
        }
    }

    pub(super) fn text(&mut self, at: Point, anchor: Anchor, size: f64, fill: Colour, text: &str) {
        let (at, text) = (rounded(at), tidy(text));
        if !text.is_empty() {
            self.shapes.push(Shape::Text(Text { at, anchor, size, fill, text }));
        }
    }
}

impl Line {
    fn through(points: impl IntoIterator<Item = Point>, closed: bool) -> Self {
        let points = points.into_iter().map(rounded).collect();
        Self { points, closed }
    }
}

impl Paint {
    fn rounded(self) -> Self {
        match self {
            Self::Fill(colour, opacity) => Self::Fill(colour, round(opacity)),
            Self::Stroke(colour, width) => Self::Stroke(colour, round(width)),
        }
    }
}

fn rounded((x, y): Point) -> Point {
    (round(x), round(y))
}

/// Finer than anyone can see, and short to write.
fn round(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}

/// What XML cannot hold in any form becomes a space or U+FFFD. Spaces in a row become one: SVG
/// shows them like that, and PNG shall too.
pub(super) fn tidy(text: &str) -> String {
    let allowed = |char: char| match char {
        '\u{fffe}' | '\u{ffff}' => char::REPLACEMENT_CHARACTER,
        _ if char.is_control() => ' ',
        _ => char,
    };
    let text: String = text.chars().map(allowed).collect();
    let words: Vec<_> = text.split(' ').filter(|word| !word.is_empty()).collect();
    words.join(" ")
}
