//! Progress on a terminal: a bar for each file in flight, and one for all.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use persevere_storage::Progress;

use crate::output;
use crate::storage::format;
use crate::text;

/// Between two pictures.
const PERIOD: Duration = Duration::from_millis(125);
/// The speed is an average over about so long.
const AVERAGED: Duration = Duration::from_secs(5);
/// Characters of a name, and of a bar.
const NAME: usize = 22;
const BAR: u64 = 16;

/// What is known of one file in flight.
#[derive(Debug, Default)]
pub(super) struct Flight {
    name: String,
    /// `u64::MAX` while nobody knows.
    total: AtomicU64,
    confirmed: AtomicU64,
    resumed: AtomicU64,
    moved: AtomicU64,
    retries: AtomicU64,
}

impl Flight {
    /// Tells how far it is.
    pub(super) fn note(&self, progress: &Progress) {
        self.total.store(progress.total().unwrap_or(u64::MAX), Ordering::Relaxed);
        self.confirmed.store(progress.confirmed(), Ordering::Relaxed);
        self.resumed.store(progress.resumed(), Ordering::Relaxed);
        self.moved.store(progress.moved(), Ordering::Relaxed);
        self.retries.store(progress.retries(), Ordering::Relaxed);
    }

    fn figures(&self) -> Figures {
        let read = |it: &AtomicU64| it.load(Ordering::Relaxed);
        let total = Some(read(&self.total)).filter(|total| *total != u64::MAX);
        let confirmed = read(&self.confirmed);
        // What was sent twice is in here twice, so it can only be too much.
        let sent = read(&self.resumed).saturating_add(read(&self.moved));
        let sent = sent.min(total.unwrap_or(u64::MAX)).max(confirmed);
        Figures { total, confirmed, sent, retries: read(&self.retries) }
    }
}

/// How far something is.
#[derive(Debug, Clone, Copy, Default)]
struct Figures {
    total: Option<u64>,
    confirmed: u64,
    sent: u64,
    retries: u64,
}

/// All files: what has ended, and what is known of the rest.
#[derive(Debug, Default)]
struct Totals {
    files: AtomicU64,
    bytes: AtomicU64,
    /// Whether the lists have come to their end.
    all_known: AtomicBool,
    files_done: AtomicU64,
    bytes_done: AtomicU64,
    moved_done: AtomicU64,
    retries_done: AtomicU64,
}

/// The bars. Cheap to clone; without a terminal they only count.
#[derive(Debug, Clone, Default)]
pub(super) struct Bars {
    totals: Arc<Totals>,
    flights: Arc<Mutex<Vec<Arc<Flight>>>>,
}

impl Bars {
    /// A file that will be copied.
    pub(super) fn expect(&self, bytes: u64) {
        self.totals.files.fetch_add(1, Ordering::Relaxed);
        self.totals.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// There are no more than were expected.
    pub(super) fn all_known(&self) {
        self.totals.all_known.store(true, Ordering::Relaxed);
    }

    pub(super) fn begin(&self, name: &str, size: Option<u64>) -> Arc<Flight> {
        let flight = Flight {
            name: text::one_line(name),
            total: AtomicU64::new(size.unwrap_or(u64::MAX)),
            ..Flight::default()
        };
        let flight = Arc::new(flight);
        self.flights().push(flight.clone());
        flight
    }

    /// It has ended, one way or the other.
    pub(super) fn end(&self, flight: &Arc<Flight>, expected: u64) {
        self.flights().retain(|it| !Arc::ptr_eq(it, flight));
        let totals = &self.totals;
        totals.files_done.fetch_add(1, Ordering::Relaxed);
        totals.bytes_done.fetch_add(expected, Ordering::Relaxed);
        totals.moved_done.fetch_add(flight.moved.load(Ordering::Relaxed), Ordering::Relaxed);
        totals.retries_done.fetch_add(flight.retries.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    fn flights(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Flight>>> {
        self.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn moved(&self) -> u64 {
        let done = self.totals.moved_done.load(Ordering::Relaxed);
        self.flights().iter().fold(done, |sum, it| sum + it.moved.load(Ordering::Relaxed))
    }

    fn figures(&self) -> Figures {
        let totals = &self.totals;
        let done = totals.bytes_done.load(Ordering::Relaxed);
        let mut all = Figures {
            total: Some(totals.bytes.load(Ordering::Relaxed)),
            confirmed: done,
            sent: done,
            retries: totals.retries_done.load(Ordering::Relaxed),
        };
        for flight in self.flights().iter() {
            let one = flight.figures();
            all.confirmed += one.confirmed;
            all.sent += one.sent;
            all.retries += one.retries;
        }
        all
    }

    /// Draws until it is dropped, and leaves nothing behind then.
    pub(super) fn draw(&self, waits_for_network: Arc<AtomicBool>) -> Drawing {
        let multi = MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(10));
        output::keep_above(multi.clone());
        let painter = Painter::new(self.clone(), multi.clone(), waits_for_network);
        Drawing { task: tokio::spawn(painter.paint()), multi }
    }
}

/// Bars that are being drawn.
pub(super) struct Drawing {
    task: tokio::task::JoinHandle<()>,
    multi: MultiProgress,
}

impl Drawing {
    /// Clears them away: lines that come after stand where they were.
    pub(super) async fn end(self) {
        self.task.abort();
        let _aborted = self.task.await;
        let _gone = self.multi.clear();
        self.multi.set_draw_target(ProgressDrawTarget::hidden());
    }
}

struct Painter {
    bars: Bars,
    multi: MultiProgress,
    waits_for_network: Arc<AtomicBool>,
    shown: Vec<(Arc<Flight>, ProgressBar, Speed)>,
    all: Option<ProgressBar>,
    speed: Speed,
}

impl Painter {
    fn new(bars: Bars, multi: MultiProgress, waits_for_network: Arc<AtomicBool>) -> Self {
        let speed = Speed::new(0);
        Self { bars, multi, waits_for_network, shown: Vec::new(), all: None, speed }
    }

    async fn paint(mut self) {
        let mut ticks = tokio::time::interval(PERIOD);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.follow();
            self.paint_once();
        }
    }

    /// As many bars as there are files in flight.
    fn follow(&mut self) {
        let flights = self.bars.flights().clone();
        let multi = &self.multi;
        self.shown.retain(|(flight, bar, _)| {
            let stays = flights.iter().any(|it| Arc::ptr_eq(it, flight));
            if !stays {
                bar.finish_and_clear();
                multi.remove(bar);
            }
            stays
        });
        if self.all.is_none() && self.bars.totals.files.load(Ordering::Relaxed) > 1 {
            self.all = Some(self.multi.add(line()));
        }
        for flight in flights {
            if !self.shown.iter().any(|(it, ..)| Arc::ptr_eq(it, &flight)) {
                let bar = match &self.all {
                    Some(all) => self.multi.insert_before(all, line()),
                    None => self.multi.add(line()),
                };
                let speed = Speed::new(flight.moved.load(Ordering::Relaxed));
                self.shown.push((flight, bar, speed));
            }
        }
    }

    fn paint_once(&mut self) {
        let moved = self.bars.moved();
        let is_moving = moved > self.speed.moved;
        let waits = !is_moving && self.waits_for_network.load(Ordering::Relaxed);
        let rate = self.speed.of(moved);
        for (flight, bar, speed) in &mut self.shown {
            let rate = speed.of(flight.moved.load(Ordering::Relaxed));
            bar.set_message(render(&flight.name, flight.figures(), rate, waits));
        }
        if let Some(bar) = &self.all {
            let totals = &self.bars.totals;
            let read = |it: &AtomicU64| it.load(Ordering::Relaxed);
            let more = if totals.all_known.load(Ordering::Relaxed) { "" } else { "+" };
            let files =
                format!("{} of {}{more} files", read(&totals.files_done), read(&totals.files));
            bar.set_message(render(&files, self.bars.figures(), rate, waits));
        }
    }
}

fn line() -> ProgressBar {
    let style = ProgressStyle::with_template("{wide_msg}");
    ProgressBar::new_spinner()
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()))
}

/// Bytes a second, lately.
struct Speed {
    moved: u64,
    at: Instant,
    rate: Option<f64>,
}

impl Speed {
    fn new(moved: u64) -> Self {
        Self { moved, at: Instant::now(), rate: None }
    }

    fn of(&mut self, moved: u64) -> u64 {
        let elapsed = self.at.elapsed();
        let new = moved.saturating_sub(self.moved) as f64 / elapsed.as_secs_f64().max(0.001);
        let rate = self.rate.map_or(new, |rate| {
            let weight = (-elapsed.as_secs_f64() / AVERAGED.as_secs_f64()).exp();
            rate * weight + new * (1.0 - weight)
        });
        // Nothing has moved yet: the first bytes are not to be averaged with that.
        self.rate = (rate > 0.0).then_some(rate);
        (self.moved, self.at) = (moved, Instant::now());
        rate as u64
    }
}

/// `disk.img  [=======>---      ]  45%  461 MiB  85.2 MiB/s  6.5s left  3 retries`: `=` has arrived, `-` is under
/// way.
fn render(name: &str, figures: Figures, rate: u64, waits: bool) -> String {
    let Figures { total, confirmed, sent, retries } = figures;
    let name = text::cut(name, NAME);
    let mut line = format!("{name:NAME$}  ");
    if let Some(total) = total.filter(|total| *total > 0) {
        let part = |bytes: u64| (u128::from(bytes) * u128::from(BAR) / u128::from(total)) as usize;
        let (done, under_way) = (part(confirmed.min(total)), part(sent.min(total)));
        let percent = u128::from(sent.min(total)) * 100 / u128::from(total);
        let bar = format!("{}{}", "=".repeat(done), "-".repeat(under_way - done));
        let width = BAR as usize;
        line += &format!("[{bar:width$}] {percent:3}%  ");
    }
    line += &format!("{:>8}", format::bytes(sent));
    match (waits, total) {
        (true, _) => line += "  waiting for the network",
        (false, total) => {
            line += &format!("  {:>10}", format!("{}/s", format::bytes(rate)));
            let left = total.map_or(0, |total| total.saturating_sub(sent));
            if left > 0 && rate > 0 {
                let left = Duration::from_secs_f64(left as f64 / rate as f64);
                line += &format!("  {} left", format::span(left));
            }
        }
    }
    if retries > 0 {
        let words = if retries == 1 { "retry" } else { "retries" };
        line += &format!("  {retries} {words}");
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn a_line_tells_how_far_how_fast_and_how_long() {
        let figures =
            Figures { total: Some(1024 * MIB), confirmed: 512 * MIB, sent: 640 * MIB, retries: 3 };
        let line = render("disk.img", figures, 64 * MIB, false);
        for part in
            ["disk.img ", "[========--      ]", " 62%", "64.0 MiB/s", "6.0s left", "3 retries"]
        {
            assert!(line.contains(part), "{part}: {line}");
        }
    }

    #[test]
    fn an_outage_is_told_of() {
        let line = render("x", Figures { total: Some(2), sent: 1, ..Figures::default() }, 0, true);
        assert!(line.contains("waiting for the network"), "{line}");
        assert!(!line.contains("/s"), "{line}");
    }

    #[test]
    fn nothing_is_said_that_nobody_knows() {
        let line = render("-", Figures { sent: MIB, ..Figures::default() }, 0, false);
        assert!(!line.contains('%') && !line.contains("left"), "{line}");
        let _empty = render("empty", Figures { total: Some(0), ..Figures::default() }, 5, false);
    }
}
