//! Paints a picture as PNG, with the font that is built in.

use tiny_skia::{
    FillRule, LineJoin, Path, PathBuilder, Pixmap, PixmapMut, Rect, Stroke, Transform,
};

use super::PngError;
use super::font::{self, Outline};
use super::picture::{Colour, Paint, Picture, Shape, Text};

/// Pixels for each unit of the picture: text stays sharp on screens of high resolution.
const SCALE: f32 = 2.0;

/// The picture as a PNG file.
pub(super) fn write(picture: &Picture) -> Result<Vec<u8>, PngError> {
    let [width, height] = [picture.width, picture.height].map(|side| (single(side) * SCALE) as u32);
    let mut pixmap = Pixmap::new(width, height).ok_or(PngError::Size { width, height })?;
    for shape in &picture.shapes {
        draw(&mut pixmap.as_mut(), shape);
    }
    pixmap.encode_png().map_err(|error| PngError::Encode(Box::new(error)))
}

fn draw(pixmap: &mut PixmapMut<'_>, shape: &Shape) {
    match shape {
        Shape::Rects(rects, paint) => rects.iter().for_each(|rect| {
            let [x, y] = [rect.x, rect.y].map(single);
            let [width, height] = [rect.width, rect.height].map(single);
            let rect = Rect::from_xywh(x, y, width, height);
            put(pixmap, rect.map(PathBuilder::from_rect), *paint);
        }),
        // Each by itself: where two of them cross, both cover the ground.
        Shape::Circles(middles, radius, paint) => middles.iter().for_each(|(x, y)| {
            let circle = PathBuilder::from_circle(single(*x), single(*y), single(*radius));
            put(pixmap, circle, *paint);
        }),
        Shape::Lines(lines, paint) => {
            let mut path = PathBuilder::new();
            for line in lines {
                let mut points = line.points.iter().map(|(x, y)| (single(*x), single(*y)));
                if let Some((x, y)) = points.next() {
                    path.move_to(x, y);
                }
                points.for_each(|(x, y)| path.line_to(x, y));
                if line.closed {
                    path.close();
                }
            }
            put(pixmap, path.finish(), *paint);
        }
        Shape::Text(text) => write_text(pixmap, text),
    }
}

fn put(pixmap: &mut PixmapMut<'_>, path: Option<Path>, paint: Paint) {
    let Some(path) = path else {
        return;
    };
    let transform = Transform::from_scale(SCALE, SCALE);
    match paint {
        Paint::Fill(colour, opacity) => {
            let ink = ink(colour, opacity);
            pixmap.fill_path(&path, &ink, FillRule::Winding, transform, None);
        }
        Paint::Stroke(colour, width) => {
            let stroke =
                Stroke { width: single(width), line_join: LineJoin::Round, ..Stroke::default() };
            pixmap.stroke_path(&path, &ink(colour, 1.0), &stroke, transform, None);
        }
    }
}

fn write_text(pixmap: &mut PixmapMut<'_>, text: &Text) {
    let mut letters = Letters {
        path: PathBuilder::new(),
        x: single(text.left()),
        y: single(text.at.1),
        scale: single(text.size),
    };
    for char in text.text.chars() {
        font::outline(char, &mut letters);
        letters.x += single(font::advance(char) * text.size);
    }
    put(pixmap, letters.path.finish(), Paint::Fill(text.fill, 1.0));
}

/// The letters of a text so far, and where the next one stands.
struct Letters {
    path: PathBuilder,
    x: f32,
    y: f32,
    scale: f32,
}

impl Letters {
    /// From a letter, which has its foot at zero and grows upwards, to the picture.
    fn place(&self, (x, y): (f32, f32)) -> (f32, f32) {
        (self.x + x * self.scale, self.y - y * self.scale)
    }
}

impl Outline for Letters {
    fn start(&mut self, at: (f32, f32)) {
        let (x, y) = self.place(at);
        self.path.move_to(x, y);
    }

    fn line(&mut self, to: (f32, f32)) {
        let (x, y) = self.place(to);
        self.path.line_to(x, y);
    }

    fn curve(&mut self, control: (f32, f32), to: (f32, f32)) {
        let (control, to) = (self.place(control), self.place(to));
        self.path.quad_to(control.0, control.1, to.0, to.1);
    }

    fn close(&mut self) {
        self.path.close();
    }
}

fn ink(Colour(red, green, blue): Colour, opacity: f64) -> tiny_skia::Paint<'static> {
    let mut paint = tiny_skia::Paint::default();
    paint.set_color_rgba8(red, green, blue, (opacity * 255.0).round() as u8);
    paint.anti_alias = true;
    paint
}

/// No number of a picture is large enough to lose anything that can be seen.
fn single(number: f64) -> f32 {
    number as f32
}
