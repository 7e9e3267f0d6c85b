//! Writes a picture as SVG text.

use std::borrow::Cow;

use super::picture::{Anchor, Colour, Line, Paint, Picture, Shape, Text};

/// The first one is the font that PNG pictures are drawn with.
const FONTS: &str = "DejaVu Sans, Verdana, Arial, sans-serif";

/// The picture as SVG text; the same picture always gives the same text.
pub(super) fn write(picture: &Picture) -> String {
    let Picture { width, height, .. } = picture;
    let mut lines = vec![
        format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" font-family="{FONTS}" stroke-linejoin="round" role="img">"#
        ),
        format!("<title>{}</title>", escaped(&picture.title)),
        format!("<desc>{}</desc>", escaped(&picture.description)),
    ];
    lines.extend(picture.shapes.iter().map(shape));
    lines.push("</svg>\n".to_owned());
    lines.join("\n")
}

fn shape(shape: &Shape) -> String {
    match shape {
        Shape::Rects(rects, paint) => {
            let rects = rects.iter().map(|rect| {
                let [x, y] = [rect.x, rect.y].map(number);
                let [width, height] = [rect.width, rect.height].map(number);
                format!(r#"<rect x="{x}" y="{y}" width="{width}" height="{height}"/>"#)
            });
            group(rects, *paint)
        }
        Shape::Circles(middles, radius, paint) => {
            let radius = number(*radius);
            let circles = middles.iter().map(|(x, y)| {
                let (x, y) = (number(*x), number(*y));
                format!(r#"<circle cx="{x}" cy="{y}" r="{radius}"/>"#)
            });
            group(circles, *paint)
        }
        Shape::Lines(lines, paint) => {
            let steps: String = lines.iter().map(steps).collect();
            format!(r#"<path d="{steps}" {}/>"#, attributes(*paint))
        }
        Shape::Text(one) => text(one),
    }
}

/// The paint stands once, however many shapes there are.
fn group(shapes: impl Iterator<Item = String>, paint: Paint) -> String {
    let shapes: Vec<_> = shapes.collect();
    format!("<g {}>\n{}\n</g>", attributes(paint), shapes.join("\n"))
}

fn steps(line: &Line) -> String {
    let letters = std::iter::once('M').chain(std::iter::repeat('L'));
    let steps = letters.zip(&line.points);
    let mut steps: String =
        steps.map(|(letter, (x, y))| format!("{letter}{} {}", number(*x), number(*y))).collect();
    if line.closed {
        steps.push('Z');
    }
    steps
}

fn text(text: &Text) -> String {
    let [x, y, size] = [text.at.0, text.at.1, text.size].map(number);
    let anchor = match text.anchor {
        Anchor::Start => "",
        Anchor::Middle => r#" text-anchor="middle""#,
        Anchor::End => r#" text-anchor="end""#,
    };
    let (fill, text) = (hex(text.fill), escaped(&text.text));
    format!(r#"<text x="{x}" y="{y}"{anchor} font-size="{size}" fill="{fill}">{text}</text>"#)
}

fn attributes(paint: Paint) -> String {
    match paint {
        Paint::Fill(colour, 1.0) => format!(r#"fill="{}""#, hex(colour)),
        Paint::Fill(colour, opacity) => {
            let opacity = number(opacity);
            format!(r#"fill="{}" fill-opacity="{opacity}""#, hex(colour))
        }
        Paint::Stroke(colour, width) => {
            let (colour, width) = (hex(colour), number(width));
            format!(r#"fill="none" stroke="{colour}" stroke-width="{width}""#)
        }
    }
}

fn hex(Colour(red, green, blue): Colour) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// At most two digits behind the point, and none that say nothing.
fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    match text.trim_end_matches('0').trim_end_matches('.') {
        "-0" => "0".to_owned(),
        short => short.to_owned(),
    }
}

fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>', '"', '\'']) {
        return Cow::Borrowed(text);
    }
    // The ampersand first: all others bring one along.
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    let text = text.replace('>', "&gt;").replace('"', "&quot;");
    Cow::Owned(text.replace('\'', "&apos;"))
}
