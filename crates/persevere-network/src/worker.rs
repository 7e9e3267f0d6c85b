//! The monitor's thread: it hears that something has changed, and looks.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use crate::ears::Ears;
use crate::evaluator::Input;
use crate::probe;
use crate::shared::Shared;
use crate::watched::Watched;

/// The kernel's messages make us look at once, and at most so often on the whole.
const PACE: Duration = Duration::from_millis(50);
/// Where there are many interfaces a look is expensive: 3 ms with 200 of them in a storm, and more with
/// more. Looks take this part of a core at the most, unless they would be further apart than the second
/// line says.
const SHARE: u32 = 32;
const SLOWEST_PACE: Duration = Duration::from_secs(1);
/// So many looks may follow each other more quickly: one event has several messages, and the first
/// of them is often about another interface.
const AT_ONCE: usize = 4;
/// How often we look without any message: while somebody waits, and while nobody does.
const BACKSTOP_ATTENDED: Duration = Duration::from_secs(1);
const BACKSTOP_IDLE: Duration = Duration::from_secs(60);
/// The same where there are no messages.
pub(crate) const POLL: Duration = Duration::from_secs(2);
/// Before we begin again after a panic.
const AFTER_PANIC: Duration = Duration::from_millis(100);

pub(crate) fn spawn(shared: Arc<Shared>) -> io::Result<()> {
    let builder = thread::Builder::new().name("network-monitor".to_owned()).stack_size(256 * 1024);
    builder.spawn(move || work(&shared)).map(drop)
}

/// Works until the end, also if it panics: who waits must not be forgotten.
fn work(shared: &Arc<Shared>) {
    loop {
        let turns = AssertUnwindSafe(|| Worker::new(shared).run());
        if catch_unwind(turns).is_ok() || shared.has_ended() {
            return;
        }
        // Telling it may panic too, if that is what somebody's waker does.
        let _told = catch_unwind(AssertUnwindSafe(|| shared.forget()));
        shared.bell.wait(AFTER_PANIC);
    }
}

struct Worker<'a> {
    shared: &'a Arc<Shared>,
    ears: Ears,
    /// When the routes were looked at last.
    looked: Option<Duration>,
    /// How far apart looks are kept on the whole, by what the last one took.
    pace: Duration,
    /// When they were because of a message, the latest last.
    heard: [Option<Duration>; AT_ONCE],
    /// Whether to look once more, the pace after the last message: the first look may have been too
    /// early, for some messages come before what they tell of.
    again: bool,
}

impl<'a> Worker<'a> {
    fn new(shared: &'a Arc<Shared>) -> Self {
        let ears = Ears::new(shared.options);
        Self { shared, ears, looked: None, pace: PACE, heard: [None; AT_ONCE], again: false }
    }

    fn run(mut self) {
        while !self.shared.has_ended() {
            self.turn();
        }
    }

    fn turn(&mut self) {
        self.shared.turns.fetch_add(1, Ordering::Relaxed);
        let listening = self.ears.open();
        self.shared.forget_after_sleep();
        let all = self.shared.all();
        let now = self.shared.now();
        let backstop = match (self.shared.is_attended(&all), listening) {
            (true, _) => BACKSTOP_ATTENDED,
            (false, false) => POLL,
            (false, true) => BACKSTOP_IDLE,
        };
        let look_at = self.looked.map_or(now, |looked| looked + backstop);
        if self.again_at().is_some_and(|at| now >= at) {
            // Whoever has said something meanwhile is heard out first, so that nothing that comes
            // after the look is lost.
            self.again = self.ears.drain();
            if self.again {
                self.note_message(now);
            }
            self.look(&all);
        } else if now >= look_at {
            self.look(&all);
        }
        for watched in &all {
            self.tend(watched);
        }
        #[cfg(test)]
        if self.shared.panics.swap(false, Ordering::SeqCst) {
            panic!("as a test wants it");
        }

        let now = self.shared.now();
        let look_at = self.looked.map_or(now, |looked| looked + backstop);
        // Messages wait while we keep to the pace.
        let [first, ..] = self.heard;
        let heeds_at = first.map(|first| first + self.pace * AT_ONCE as u32).filter(|at| now < *at);
        let wakes = all.iter().filter_map(|watched| watched.wakes_at());
        let wakes = wakes.chain(heeds_at).chain(self.again_at()).chain([look_at]);
        let limit = wakes.min().unwrap_or(now).saturating_sub(now) / self.shared.options.speed;
        drop(all);
        if self.ears.wait(&self.shared.bell, limit, heeds_at.is_none()) && self.ears.drain() {
            self.note_message(self.shared.now());
            self.again = true;
            self.look(&self.shared.all());
        }
    }

    fn again_at(&self) -> Option<Duration> {
        let [.., last] = self.heard;
        last.filter(|_| self.again).map(|last| last + self.pace)
    }

    fn note_message(&mut self, now: Duration) {
        self.heard.rotate_left(1);
        let [.., last] = &mut self.heard;
        *last = Some(now);
    }

    /// Looks at all routes, with one list of interfaces.
    fn look(&mut self, all: &[Arc<Watched>]) {
        let (began, worked) = (self.shared.now(), processor_time(self.shared));
        let ways = self.shared.ways.look_now();
        for watched in all.iter().filter(|watched| !watched.target().is_local()) {
            let route = ways.route(watched.target());
            watched.take_route(self.shared.now(), began, route);
        }
        self.looked = Some(self.shared.now());
        self.pace = pace(processor_time(self.shared).saturating_sub(worked));
    }

    /// Does what one target wants by this time.
    fn tend(&self, watched: &Arc<Watched>) {
        let now = self.shared.now();
        watched.take(now, Input::Tick);
        watched.let_canary(now);
        let Some(addresses) = watched.target().probed() else { return };
        let clock = || self.shared.now();
        let Some(probe) = watched.takes_probe(clock, || watched.look(clock, &self.shared.ways))
        else {
            return;
        };
        // Probes that wait for their turn are held by what is shared, and must not hold it.
        let (shared, probed_one) = (Arc::downgrade(self.shared), watched.clone());
        let limit = probe::LIMIT / self.shared.options.speed;
        self.shared.probes.begin(addresses, limit, move |probed| {
            let Some(shared) = shared.upgrade() else { return };
            probed_one.take(shared.now(), Input::Probe(probe, probed));
            shared.bell.ring();
        });
    }
}

/// How far apart looks are kept that take so long.
fn pace(look: Duration) -> Duration {
    look.saturating_mul(SHARE).clamp(PACE, SLOWEST_PACE)
}

/// What this thread has worked so far. While the kernel is busy a look is mostly waiting, which is free.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn processor_time(_shared: &Shared) -> Duration {
    use rustix::time::{ClockId, clock_gettime};
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default()
}

/// Elsewhere waiting counts as well.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn processor_time(shared: &Shared) -> Duration {
    shared.now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_that_are_expensive_are_kept_further_apart() {
        for (look, apart) in [(0, 50_000), (60, 50_000), (3_000, 96_000), (500_000, 1_000_000)] {
            assert_eq!(pace(Duration::from_micros(look)), Duration::from_micros(apart));
        }
    }
}
