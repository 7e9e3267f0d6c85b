//! The clock: variants in turn, medians.
//!
//! This runs on shared machines, where other programs come and go, and a variant that is measured a
//! second after another is measured on a different machine. Harnesses that measure one benchmark
//! after the other (criterion, divan) cannot see that. So each round here measures all variants,
//! for a few milliseconds each, one right after the other and beginning with another one each time.
//! What is compared is compared within a round, and the figure is the median over the rounds.

use std::time::{Duration, Instant};

/// How often each variant is measured.
pub const ROUNDS: usize = 60;
/// How long each time.
pub const SLICE: Duration = Duration::from_millis(5);

/// Something to measure.
pub struct Candidate<'a> {
    name: &'a str,
    repeat: Box<dyn FnMut(u64) + 'a>,
}

impl<'a> Candidate<'a> {
    /// `repeat` does it as often as it is told.
    pub fn new(name: &'a str, repeat: impl FnMut(u64) + 'a) -> Self {
        Self { name, repeat: Box::new(repeat) }
    }

    /// Does `once` over and over.
    pub fn once<R>(name: &'a str, mut once: impl FnMut() -> R + 'a) -> Self {
        Self::new(name, move |times| {
            for _ in 0..times {
                drop(std::hint::black_box(once()));
            }
        })
    }

    fn time(&mut self, times: u64) -> Duration {
        let start = Instant::now();
        (self.repeat)(times);
        start.elapsed()
    }

    /// How many repetitions take about one slice.
    fn calibrate(&mut self) -> u64 {
        // What is set up by the first call is not what a call takes.
        self.time(1);
        let mut times = 16;
        loop {
            let taken = self.time(times);
            if taken * 4 >= SLICE {
                let fit = SLICE.as_secs_f64() / taken.as_secs_f64();
                return (times as f64 * fit).max(1.0) as u64;
            }
            times *= 2;
        }
    }
}

/// What came out.
pub struct Samples {
    names: Vec<String>,
    /// Nanoseconds for one repetition: of each candidate, in each round.
    nanos: Vec<Vec<f64>>,
}

/// Measures them all.
pub fn measure(mut candidates: Vec<Candidate<'_>>) -> Samples {
    let times: Vec<u64> = candidates.iter_mut().map(Candidate::calibrate).collect();
    let mut nanos = vec![Vec::with_capacity(ROUNDS); candidates.len()];
    for round in 0..ROUNDS {
        for turn in 0..candidates.len() {
            let which = (round + turn) % candidates.len();
            let taken = candidates[which].time(times[which]);
            nanos[which].push(taken.as_nanos() as f64 / times[which] as f64);
        }
    }
    let names = candidates.iter().map(|candidate| candidate.name.to_owned()).collect();
    Samples { names, nanos }
}

impl Samples {
    /// The names, in their order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// One candidate's time, in nanoseconds.
    pub fn of(&self, name: &str) -> Spread {
        self.over_rounds([name], |[nanos]| nanos)
    }

    /// A figure that depends on several candidates, worked out within each round.
    ///
    /// # Panics
    ///
    /// If there is no candidate of that name.
    pub fn over_rounds<const N: usize>(
        &self,
        names: [&str; N],
        figure: impl Fn([f64; N]) -> f64,
    ) -> Spread {
        let index = |name: &str| self.names.iter().position(|known| known == name);
        let chosen = names.map(|name| &self.nanos[index(name).expect("a known candidate")]);
        Spread::of((0..ROUNDS).map(|round| figure(chosen.map(|nanos| nanos[round]))).collect())
    }
}

/// The middle of some figures, and the half of them that is nearest to it.
#[derive(Debug, Clone, Copy)]
pub struct Spread {
    /// A quarter is below.
    pub low: f64,
    /// Half is below.
    pub median: f64,
    /// Three quarters are below.
    pub high: f64,
}

impl Spread {
    fn of(mut figures: Vec<f64>) -> Self {
        figures.sort_by(f64::total_cmp);
        let at = |share: usize| figures.get(figures.len() * share / 4).copied().unwrap_or(f64::NAN);
        Self { low: at(1), median: at(2), high: at(3) }
    }
}
