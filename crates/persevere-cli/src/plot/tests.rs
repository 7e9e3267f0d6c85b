use std::time::Duration;

use super::font::{self, Outline};
use super::picture::{Shape, Text};
use super::scale::{label, nanos, shortened, ticks};
use super::{
    Curve, HEIGHT, Lanes, Outcome, Request, Run, Schedule, Span, WIDTH, Wait, picture, png,
    run_svg, svg,
};

const MILLISECOND: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3_600);

/// Doubles from `first` to `max`; jitter spreads each delay to these hundredths of it.
fn schedule(count: u32, first: Duration, max: Duration, jitter: (u32, u32)) -> Schedule {
    let part = |delay: Duration, hundredths: u32| delay / 100 * hundredths;
    let mut base = first;
    let wait = |attempt| {
        let wait =
            Wait { attempt, base, at_least: part(base, jitter.0), at_most: part(base, jitter.1) };
        base = base.saturating_mul(2).min(max);
        wait
    };
    let waits: Vec<Wait> = (1..=count).map(wait).collect();
    // Some delay inside of each range, another one from wait to wait.
    let inside = |wait: &Wait| {
        let share = wait.attempt.wrapping_mul(37) % 100;
        wait.at_least + part(wait.at_most.saturating_sub(wait.at_least), share)
    };
    Schedule {
        title: "Policy default".to_owned(),
        subtitle: format!("{} attempts", count + 1),
        sample: waits.iter().map(inside).collect(),
        waits,
    }
}

/// Schedules of all kinds, small and large.
fn all_kinds() -> Vec<Schedule> {
    let half = 500 * MILLISECOND;
    let mut kinds = Vec::new();
    for count in [0, 1, 2, 3, 9, 14, 15, 20, 40, 60, 144, 1_234] {
        kinds.push(schedule(count, half, 30 * SECOND, (0, 100)));
    }
    kinds.push(schedule(9, half, 30 * SECOND, (80, 120)));
    kinds.push(schedule(9, SECOND, SECOND, (100, 100)));
    kinds.push(schedule(9, Duration::ZERO, SECOND, (0, 100)));
    kinds.push(schedule(12, 7 * HOUR, 1_000 * HOUR, (50, 100)));
    kinds.push(schedule(6, Duration::from_nanos(100), SECOND, (50, 100)));
    kinds.push(schedule(12_345, SECOND, 300 * SECOND, (90, 110)));
    kinds.push(schedule(5, Duration::MAX / 4, Duration::MAX / 4, (0, 100)));
    kinds.push(Schedule {
        title: "W".repeat(500),
        subtitle: "жü漢".repeat(500),
        ..schedule(3, SECOND, SECOND, (0, 100))
    });
    kinds.push(Schedule { sample: Vec::new(), ..schedule(3, SECOND, SECOND, (0, 100)) });
    kinds
}

/// Left, top, right and bottom of a text; letters reach this far above and below the foot line.
fn place(text: &Text) -> [f64; 4] {
    let (left, foot) = (text.left(), text.at.1);
    let right = left + font::width(&text.text, text.size);
    [left, foot - 0.77 * text.size, right, foot + 0.24 * text.size]
}

fn touch([left, top, right, bottom]: [f64; 4], other: [f64; 4]) -> bool {
    left < other[2] && other[0] < right && top < other[3] && other[1] < bottom
}

/// What all text elements of the picture say, and its title and description.
fn words(svg: &str) -> Vec<String> {
    let document = roxmltree::Document::parse(svg).unwrap();
    let texts = document.descendants().filter(roxmltree::Node::is_text);
    let texts = texts.map(|node| node.text().unwrap().trim().to_owned());
    texts.filter(|text| !text.is_empty()).collect()
}

#[test]
fn texts_neither_touch_nor_leave_the_picture() {
    for schedule in all_kinds() {
        let shapes = picture(&schedule).shapes;
        let texts = shapes.iter().filter_map(|shape| match shape {
            Shape::Text(text) => Some((&text.text, place(text))),
            _ => None,
        });
        let texts: Vec<_> = texts.collect();
        for (index, (text, area)) in texts.iter().enumerate() {
            let [left, top, right, bottom] = *area;
            let inside = left >= 0.0 && right <= WIDTH && top >= 0.0 && bottom <= HEIGHT;
            assert!(inside, "{text} of {} is cut", schedule.subtitle);
            for (other, beside) in &texts[index + 1..] {
                let apart = !touch(*area, *beside);
                assert!(apart, "{text} and {other} of {}", schedule.subtitle);
            }
        }
    }
}

#[test]
fn every_number_is_finite_and_short() {
    for schedule in all_kinds() {
        let svg = svg(&schedule);
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        let number = |part: &str| part.contains('.') && part.parse::<f64>().is_ok();
        let mut numbers = svg.split(['"', ' ', 'M', 'L', 'Z']).filter(|p| number(p));
        let long = numbers.find(|number| number.rsplit('.').next().unwrap().len() > 2);
        assert_eq!(long, None);
    }
}

#[test]
fn the_same_schedule_gives_the_same_picture() {
    let schedule = schedule(9, SECOND, 30 * SECOND, (0, 100));
    assert_eq!(svg(&schedule), svg(&schedule.clone()));
    assert_eq!(png(&schedule).unwrap(), png(&schedule).unwrap());
}

#[test]
fn titles_are_escaped() {
    let schedule = Schedule {
        title: "a < b & \"c\" > 'd'".to_owned(),
        subtitle: "</text><script> \u{0}\u{1b}\nend\u{ffff}".to_owned(),
        ..schedule(2, SECOND, SECOND, (100, 100))
    };
    let svg = svg(&schedule);
    assert!(!svg.contains("<script"));
    let words = words(&svg);
    let count = |text: &str| words.iter().filter(|word| *word == text).count();
    assert_eq!(count("a < b & \"c\" > 'd'"), 2, "{words:?}");
    assert_eq!(count("</text><script> end\u{fffd}"), 1, "{words:?}");
}

#[test]
fn one_wait_shows_its_delay_and_its_total() {
    let svg = svg(&schedule(1, 500 * MILLISECOND, SECOND, (20, 100)));
    let words = words(&svg);
    let total = "Total wait: at least 100ms / at most 500ms (example: 248ms)";
    for text in ["500ms", total, "possible delay (jitter)"] {
        assert!(words.iter().any(|word| word == text), "{text}: {words:?}");
    }
}

#[test]
fn without_jitter_there_is_one_total_and_no_range() {
    let svg = svg(&schedule(3, SECOND, SECOND, (100, 100)));
    let words = words(&svg);
    assert!(words.iter().any(|word| word == "Total wait: 3s"));
    assert!(!svg.contains("jitter") && !svg.contains("example"));
}

#[test]
fn zero_delays_and_no_retries_are_said_in_words() {
    let zero = svg(&schedule(9, Duration::ZERO, SECOND, (0, 100)));
    assert!(zero.contains("No delays: "));
    assert!(zero.contains(">1–10<"));
    let none = svg(&schedule(0, SECOND, SECOND, (0, 100)));
    assert!(none.contains("No retries: "));
}

#[test]
fn a_thousand_waits_make_a_small_picture() {
    let small = svg(&schedule(1_000, SECOND, 30 * SECOND, (0, 100)));
    let large = svg(&schedule(20_000, SECOND, 30 * SECOND, (0, 100)));
    assert!(small.len() < 80_000, "{}", small.len());
    assert!(large.len() < 80_000, "{}", large.len());
}

#[test]
fn png_has_two_pixels_for_each_unit() {
    let png = png(&schedule(9, SECOND, 30 * SECOND, (0, 100))).unwrap();
    assert_eq!(png[..8], *b"\x89PNG\r\n\x1a\n");
    let number = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
    let size = (number(16), number(20));
    assert_eq!(size, (2 * WIDTH as u32, 2 * HEIGHT as u32));
}

#[test]
fn the_largest_numbers_become_a_png() {
    let longest = Duration::MAX / 4;
    assert!(png(&schedule(300, longest, longest, (0, 100))).is_ok());
}

/// Counts the parts of an outline and keeps its bounds.
#[derive(Default)]
struct Bounds {
    contours: usize,
    right: f32,
    top: f32,
}

impl Outline for Bounds {
    fn start(&mut self, at: (f32, f32)) {
        self.contours += 1;
        self.line(at);
    }

    fn line(&mut self, (x, y): (f32, f32)) {
        self.right = self.right.max(x);
        self.top = self.top.max(y);
    }

    fn curve(&mut self, _: (f32, f32), to: (f32, f32)) {
        self.line(to);
    }

    fn close(&mut self) {}
}

fn bounds(char: char) -> Bounds {
    let mut bounds = Bounds::default();
    font::outline(char, &mut bounds);
    bounds
}

#[test]
fn the_font_has_all_letters() {
    let ranges = ['!'..='~', '¡'..='ſ', 'Α'..='Ρ', 'Σ'..='ω', 'А'..='я'];
    for char in ranges.into_iter().flatten().chain("–—‘’“”•…←→−∞≈≠≤≥".chars())
    {
        let bounds = bounds(char);
        assert!(bounds.contours > 0, "{char} is blank");
        assert!(bounds.right > 0.05 && bounds.right < 1.5, "{char}");
        assert!(bounds.top < 1.3, "{char}");
        assert!(font::advance(char) > 0.2, "{char}");
    }
}

#[test]
fn letters_are_those_of_the_font() {
    // Outer and inner line, and the dots of composite letters.
    for (char, contours) in [('l', 1), ('o', 2), ('i', 2), ('ö', 4), ('B', 3), (' ', 0)] {
        assert_eq!(bounds(char).contours, contours, "{char}");
    }
    // In units of the font, which has 2048 of them for each letter size.
    for (char, units) in [(' ', 651.0), ('i', 569.0), ('0', 1303.0), ('W', 2025.0)] {
        assert_eq!((font::advance(char) * 2048.0).round(), units, "{char}");
    }
    // Missing ones: the empty box.
    assert_eq!(bounds('漢').contours, 2);
    assert_eq!(bounds('\u{1f980}').contours, 2);
}

#[test]
fn labels_are_short() {
    for (delay, text) in [
        (Duration::ZERO, "0s"),
        (Duration::from_nanos(1), "1ns"),
        (Duration::from_nanos(1_500), "1.5µs"),
        (500 * MILLISECOND, "500ms"),
        (Duration::from_nanos(999_999_999), "1s"),
        (1_834 * MILLISECOND, "1.83s"),
        (59_960 * MILLISECOND, "1m"),
        (90 * SECOND, "1m30s"),
        (300 * SECOND, "5m"),
        (3_599_600 * MILLISECOND, "1h"),
        (2 * HOUR, "2h"),
        (36 * HOUR, "1d12h"),
        (24 * 365 * HOUR, "365d"),
        (24 * 731 * HOUR, "2y"),
        (Duration::MAX, "5.8e11y"),
    ] {
        assert_eq!(label(nanos(delay)), text);
    }
}

#[test]
fn ticks_read_well() {
    for (max, texts) in [
        (SECOND, "0s 200ms 400ms 600ms 800ms 1s"),
        (1_200 * MILLISECOND, "0s 500ms 1s"),
        (30 * SECOND, "0s 10s 20s 30s"),
        (2 * 60 * SECOND, "0s 30s 1m 1m30s 2m"),
        (36 * HOUR, "0s 12h 1d 1d12h"),
        (Duration::ZERO, "0s"),
    ] {
        let labels: Vec<_> = ticks(nanos(max), 5).map(label).collect();
        assert_eq!(labels.join(" "), texts);
    }
    assert!(ticks(nanos(Duration::MAX) * 4_000_000_000, 5).count() <= 6);
}

#[test]
fn long_texts_are_cut() {
    assert_eq!(shortened("short", 10.0, 100.0), "short");
    assert_eq!(shortened("mmmm mmmm", 10.0, 60.0), "mmmm…");
    assert_eq!(shortened("mmmm", 10.0, 0.0), "…");
}

/// A run of so many parts, in which everything happens.
fn run(parts: usize) -> Run {
    let outcomes = [
        Outcome::Reset,
        Outcome::Busy,
        Outcome::Stalled,
        Outcome::Cut,
        Outcome::Killed,
        Outcome::Answered,
    ];
    let request = |index: usize, attempt: u32| Request {
        from: SECOND * attempt,
        to: SECOND * attempt + 700 * MILLISECOND,
        outcome: if attempt > 0 { Outcome::Answered } else { outcomes[index % outcomes.len()] },
    };
    let lane = |index| vec![request(index, 0), request(index, 1)];
    let lanes: Vec<_> = (0..parts).map(lane).collect();
    let group = |name: &str| Lanes { name: name.to_owned(), numbered: true, lanes: lanes.clone() };
    let span = |name: &str, from: u32, to: u32| Span {
        from: SECOND * from,
        to: SECOND * to,
        name: name.to_owned(),
    };
    let curve = |name: &str, bytes: u64| Curve {
        name: name.to_owned(),
        points: vec![(Duration::ZERO, 0), (SECOND, bytes), (2 * SECOND, bytes)],
    };
    Run {
        title: "W".repeat(500),
        subtitle: "up & down".to_owned(),
        end: 2 * SECOND,
        acts: vec![span("up", 0, 1), span("an act with a long name", 1, 2), span("none", 2, 2)],
        outages: vec![span("no network", 1, 2)],
        groups: vec![group("upload"), group("download")],
        curves: vec![curve("sent", u64::MAX / 2), curve("received", 0)],
    }
}

#[test]
fn a_run_says_what_it_shows_and_nothing_touches() {
    for parts in [0, 1, 6, 13, 60] {
        let run = run(parts);
        let drawn = super::run::picture(&run);
        let texts: Vec<_> = drawn.shapes.iter().filter_map(text_of).map(place).collect();
        for (index, one) in texts.iter().enumerate() {
            assert!(one[0] >= 0.0 && one[2] <= drawn.width, "{parts}: {one:?}");
            assert!(one[1] >= 0.0 && one[3] <= drawn.height, "{parts}: {one:?}");
            for other in &texts[index + 1..] {
                assert!(!touch(*one, *other), "{parts}: {one:?} {other:?}");
            }
        }
        let words = words(&run_svg(&run));
        let says = |text: &str| words.iter().any(|word| word == text);
        assert_eq!(says("stalled"), parts > 2, "{words:?}");
        assert_eq!(says("killed"), parts > 4, "{words:?}");
        for text in ["upload", "download", "up", "no network", "sent", "time since the start"] {
            assert!(says(text), "{text}: {words:?}");
        }
        assert_eq!(says("13"), parts == 13, "{words:?}");
    }
}

fn text_of(shape: &Shape) -> Option<&Text> {
    match shape {
        Shape::Text(text) => Some(text),
        _ => None,
    }
}
