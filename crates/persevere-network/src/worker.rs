//! The monitor's thread: it hears that something has changed, and looks.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crate::ears::Ears;
use crate::evaluator::Input;
use crate::probe;
use crate::route::Ways;
use crate::shared::Shared;
use crate::watched::Watched;

/// The kernel's messages make us look at once, and then at most so often.
const PACE: Duration = Duration::from_millis(50);
/// How often we look without any message: while somebody waits, and while nobody does.
const BACKSTOP_ATTENDED: Duration = Duration::from_secs(1);
const BACKSTOP_IDLE: Duration = Duration::from_secs(60);
/// The same where there are no messages.
const POLL: Duration = Duration::from_secs(2);
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
    /// When the routes were looked at last, and when because of a message.
    looked: Option<Duration>,
    heard: Option<Duration>,
    /// Whether to look once more, [`PACE`] after the last message: the first look may have been too
    /// early, for some messages come before what they tell of.
    again: bool,
}

impl<'a> Worker<'a> {
    fn new(shared: &'a Arc<Shared>) -> Self {
        let ears = Ears::new(shared.options);
        Self { shared, ears, looked: None, heard: None, again: false }
    }

    fn run(mut self) {
        while !self.shared.has_ended() {
            self.turn();
        }
    }

    fn turn(&mut self) {
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
        let again_at = self.heard.map(|heard| heard + PACE);
        let quiet = again_at.is_none_or(|at| now >= at);
        if self.again && quiet {
            // Whoever has said something meanwhile is heard out first, so that nothing that comes
            // after the look is lost.
            self.again = self.ears.drain();
            if self.again {
                self.heard = Some(now);
            }
            self.look(&all);
        } else if now >= look_at {
            self.look(&all);
        }
        for watched in &all {
            self.tend(watched);
        }
        #[cfg(test)]
        if self.shared.panics.swap(false, std::sync::atomic::Ordering::SeqCst) {
            panic!("as a test wants it");
        }

        let now = self.shared.now();
        let look_at = self.looked.map_or(now, |looked| looked + backstop);
        // While we keep to the pace, messages wait.
        let again_at = self.heard.map(|heard| heard + PACE).filter(|at| now < *at);
        let wakes = all.iter().filter_map(|watched| watched.wakes_at());
        let wakes = wakes.chain(again_at).chain([look_at]).min().unwrap_or(now);
        drop(all);
        let limit = wakes.saturating_sub(now);
        if self.ears.wait(&self.shared.bell, limit, again_at.is_none()) && self.ears.drain() {
            self.heard = Some(self.shared.now());
            self.again = true;
            self.look(&self.shared.all());
        }
    }

    /// Looks at all routes, with one list of interfaces.
    fn look(&mut self, all: &[Arc<Watched>]) {
        let began = self.shared.now();
        let ways = Ways::look();
        for watched in all.iter().filter(|watched| !watched.target().is_local()) {
            let route = ways.route(watched.target());
            watched.take_route(self.shared.now(), began, route);
        }
        self.looked = Some(self.shared.now());
    }

    /// Does what one target wants by this time.
    fn tend(&self, watched: &Arc<Watched>) {
        let now = self.shared.now();
        watched.take(now, Input::Tick);
        watched.let_canary(now);
        let Some(addresses) = watched.target().probed() else { return };
        let Some(probe) = watched.takes_probe(now) else { return };
        let (shared, probed_one) = (self.shared.clone(), watched.clone());
        probe::begin(addresses.clone(), move |probed| {
            probed_one.take(shared.now(), Input::Probe(probe, probed));
            shared.bell.ring();
        });
    }
}
