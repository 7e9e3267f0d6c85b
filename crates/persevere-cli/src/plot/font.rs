//! The font that is built in: how wide its letters are and what they look like.
//!
//! This reads what the one file in `assets` has, which is little: no hints, no variations, and parts
//! of letters that are moved but never scaled. Whatever is not as expected makes a letter blank
//! instead of stopping the program.

use std::sync::LazyLock;

/// See `assets/README.md` for where it is from.
static FILE: &[u8] = include_bytes!("../../assets/DejaVuSans-subset.ttf");

static FONT: LazyLock<Font> = LazyLock::new(|| Font::read(FILE).unwrap_or_default());

/// Letters consist of parts that consist of parts: no deeper than this.
const DEPTH: u32 = 4;

/// Takes the outline of a letter, measured in letter sizes from the start of its foot line upwards.
pub(super) trait Outline {
    fn start(&mut self, at: (f32, f32));
    fn line(&mut self, to: (f32, f32));
    fn curve(&mut self, control: (f32, f32), to: (f32, f32));
    fn close(&mut self);
}

/// How wide the text is at this letter size.
pub(super) fn width(text: &str, size: f64) -> f64 {
    text.chars().map(advance).sum::<f64>() * size
}

/// The distance from this letter to the next one, in letter sizes.
pub(super) fn advance(char: char) -> f64 {
    match FONT.glyph(char) {
        Some(glyph) => FONT.advance(glyph).unwrap_or(0.0),
        // Whoever shows the SVG takes another font, and most of those letters are this wide.
        None => 1.0,
    }
}

/// Draws the letter, or an empty box if the font does not have it.
pub(super) fn outline(char: char, to: &mut impl Outline) {
    let glyph = FONT.glyph(char).unwrap_or(0);
    // A letter that cannot be read stays blank.
    let _ = FONT.outline(glyph, (0, 0), DEPTH, to);
}

/// The tables of the font file that matter here.
#[derive(Default)]
struct Font {
    units: f32,
    characters: Reader,
    advances: Reader,
    advance_count: usize,
    offsets: Reader,
    glyphs: Reader,
}

impl Font {
    fn read(file: &'static [u8]) -> Option<Self> {
        let file = Reader(file);
        let table = |name: &[u8; 4]| {
            let entries = (0..file.u16(4)?).map(|index| 12 + 16 * usize::from(index));
            let mut named = entries.filter(|at| file.0.get(*at..*at + 4) == Some(name));
            let at = named.next()?;
            file.part(file.u32(at + 8)?, file.u32(at + 12)?)
        };
        let characters = table(b"cmap")?;
        Some(Self {
            units: f32::from(table(b"head")?.u16(18)?),
            // All subtables of the file hold the same, in format 4.
            characters: characters.from(characters.u32(8)?)?,
            advances: table(b"hmtx")?,
            advance_count: usize::from(table(b"hhea")?.u16(34)?),
            offsets: table(b"loca")?,
            glyphs: table(b"glyf")?,
        })
    }

    /// The number of the glyph, if the font has one for this character.
    fn glyph(&self, char: char) -> Option<usize> {
        let code = u16::try_from(u32::from(char)).ok()?;
        let map = self.characters;
        // Segments of characters in four lists: their ends, (two bytes,) starts, shifts, and where
        // the glyphs of a segment are listed one by one.
        let bytes = usize::from(map.u16(6)?);
        let mut ends = (14..14 + bytes).step_by(2);
        let end = ends.find(|at| map.u16(*at).is_some_and(|end| end >= code))?;
        let start = end + bytes + 2;
        let (shift, list) = (start + bytes, start + 2 * bytes);
        let first = map.u16(start)?;
        let index = usize::from(code.checked_sub(first)?);
        let glyph = match map.u16(list)? {
            0 => code,
            offset => match map.u16(list + usize::from(offset) + 2 * index)? {
                0 => return None,
                listed => listed,
            },
        };
        let glyph = glyph.wrapping_add(map.u16(shift)?);
        (glyph != 0).then_some(usize::from(glyph))
    }

    fn advance(&self, glyph: usize) -> Option<f64> {
        // The last width holds for all further glyphs.
        let index = glyph.min(self.advance_count.checked_sub(1)?);
        let units = self.advances.u16(4 * index)?;
        Some(f64::from(units) / f64::from(self.units))
    }

    fn outline(
        &self,
        glyph: usize,
        shift: (i16, i16),
        depth: u32,
        to: &mut impl Outline,
    ) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        let offset = |index: usize| self.offsets.u16(2 * index).map(|half| 2 * usize::from(half));
        let (from, end) = (offset(glyph)?, offset(glyph + 1)?);
        let data = self.glyphs.part(from, end.checked_sub(from)?)?;
        if data.0.is_empty() {
            return Some(());
        }
        match usize::try_from(data.i16(0)?) {
            Ok(contours) => self.simple(data, contours, shift, to),
            Err(_) => self.composite(data, shift, depth, to),
        }
    }

    /// A glyph of other glyphs, each moved to its place.
    fn composite(
        &self,
        data: Reader,
        shift: (i16, i16),
        depth: u32,
        to: &mut impl Outline,
    ) -> Option<()> {
        const WORDS: u16 = 1;
        const MORE: u16 = 1 << 5;
        let mut at = 10;
        loop {
            let (flags, part) = (data.u16(at)?, data.u16(at + 2)?);
            let (x, y, next) = if flags & WORDS != 0 {
                (data.i16(at + 4)?, data.i16(at + 6)?, at + 8)
            } else {
                (data.i8(at + 4)?, data.i8(at + 5)?, at + 6)
            };
            let place = (shift.0.checked_add(x)?, shift.1.checked_add(y)?);
            self.outline(usize::from(part), place, depth, to)?;
            if flags & MORE == 0 {
                return Some(());
            }
            at = next;
        }
    }

    /// A glyph with an outline of its own.
    fn simple(
        &self,
        data: Reader,
        contours: usize,
        shift: (i16, i16),
        to: &mut impl Outline,
    ) -> Option<()> {
        let ends = (0..contours).map(|index| data.u16(10 + 2 * index).map(usize::from));
        let ends: Vec<usize> = ends.collect::<Option<_>>()?;
        let points = data.points(&ends, shift)?;
        let mut first = 0;
        for end in ends {
            let contour = points.get(first..=end)?;
            let place = |(x, y)| (x / self.units, y / self.units);
            draw(contour, place, to);
            first = end + 1;
        }
        Some(())
    }
}

/// A point of an outline: on the line itself, or one that bends the line towards it.
#[derive(Clone, Copy)]
struct Point {
    on: bool,
    at: (f32, f32),
}

/// Draws one closed contour. Two bending points in a row have a point of the line half way between.
fn draw(contour: &[Point], place: impl Fn((f32, f32)) -> (f32, f32), to: &mut impl Outline) {
    let (Some(first), Some(last)) = (contour.first(), contour.last()) else {
        return;
    };
    let half = |a: (f32, f32), b: (f32, f32)| (f32::midpoint(a.0, b.0), f32::midpoint(a.1, b.1));
    let at = match (first.on, last.on) {
        (true, _) => first.at,
        (false, true) => last.at,
        (false, false) => half(last.at, first.at),
    };
    to.start(place(at));
    let mut bend = None;
    let start = Point { on: true, at };
    for point in contour.iter().chain([&start]) {
        match (bend, point.on) {
            (None, true) => to.line(place(point.at)),
            (Some(control), true) => to.curve(place(control), place(point.at)),
            (None, false) => {}
            (Some(control), false) => to.curve(place(control), place(half(control, point.at))),
        }
        bend = (!point.on).then_some(point.at);
    }
    to.close();
}

/// Reads numbers of the font file, which has the highest byte first.
#[derive(Clone, Copy, Default)]
struct Reader(&'static [u8]);

impl Reader {
    fn from(self, from: usize) -> Option<Self> {
        self.0.get(from..).map(Self)
    }

    fn part(self, from: usize, length: usize) -> Option<Self> {
        let part = self.0.get(from..from.checked_add(length)?);
        part.map(Self)
    }

    fn bytes<const COUNT: usize>(self, at: usize) -> Option<[u8; COUNT]> {
        self.0.get(at..)?.first_chunk().copied()
    }

    fn u8(self, at: usize) -> Option<u8> {
        self.0.get(at).copied()
    }

    fn i8(self, at: usize) -> Option<i16> {
        Some(i16::from(self.u8(at)?.cast_signed()))
    }

    fn u16(self, at: usize) -> Option<u16> {
        self.bytes(at).map(u16::from_be_bytes)
    }

    fn i16(self, at: usize) -> Option<i16> {
        self.bytes(at).map(i16::from_be_bytes)
    }

    fn u32(self, at: usize) -> Option<usize> {
        let number = self.bytes(at).map(u32::from_be_bytes)?;
        usize::try_from(number).ok()
    }

    /// The points of a simple glyph, whose contours have their last points at `ends`.
    fn points(self, ends: &[usize], shift: (i16, i16)) -> Option<Vec<Point>> {
        let count = ends.last().map_or(0, |end| end + 1);
        let at = 10 + 2 * ends.len();
        let mut at = at + 2 + usize::from(self.u16(at)?);
        let flags = self.flags(&mut at, count)?;
        let x = self.coordinates(&mut at, &flags, [1 << 1, 1 << 4], shift.0)?;
        let y = self.coordinates(&mut at, &flags, [1 << 2, 1 << 5], shift.1)?;
        let places = x.into_iter().zip(y);
        let points = flags.iter().zip(places).map(|(flag, at)| {
            let on = flag & 1 != 0;
            Point { on, at }
        });
        Some(points.collect())
    }

    /// One flag for each point; a flag can say how often it is repeated.
    fn flags(self, at: &mut usize, count: usize) -> Option<Vec<u8>> {
        const REPEATED: u8 = 1 << 3;
        let mut flags = Vec::with_capacity(count);
        while flags.len() < count {
            let flag = self.u8(*at)?;
            *at += 1;
            flags.push(flag);
            if flag & REPEATED != 0 {
                let times = usize::from(self.u8(*at)?);
                *at += 1;
                flags.extend(std::iter::repeat_n(flag, times));
            }
        }
        Some(flags)
    }

    /// Each coordinate is a step from the one before: a byte if `short`, whose sign is `same`, or
    /// else none at all if `same`, or else two bytes.
    fn coordinates(
        self,
        at: &mut usize,
        flags: &[u8],
        [short, same]: [u8; 2],
        start: i16,
    ) -> Option<Vec<f32>> {
        let mut place = start;
        let coordinate = |flag: &u8| {
            let (step, bytes) = match (flag & short != 0, flag & same != 0) {
                (true, true) => (i16::from(self.u8(*at)?), 1),
                (true, false) => (-i16::from(self.u8(*at)?), 1),
                (false, true) => (0, 0),
                (false, false) => (self.i16(*at)?, 2),
            };
            *at += bytes;
            place = place.checked_add(step)?;
            Some(f32::from(place))
        };
        flags.iter().map(coordinate).collect()
    }
}
