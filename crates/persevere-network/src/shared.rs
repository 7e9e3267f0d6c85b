//! What a monitor, its targets and its thread share.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use persevere::NetworkState;

use crate::bell::Bell;
use crate::evaluator::Input;
use crate::last_ways::LastWays;
use crate::options::Options;
use crate::probe::Probes;
use crate::suspend::Sleeps;
use crate::target::Target;
use crate::watched::{ByHand, Watched};
use crate::worker;

/// How long the thread looks more often, after somebody has found the network down: until those who
/// are about to wait stand in the queue, and are seen there.
const ATTENTION: Duration = Duration::from_secs(3);

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) options: Options,
    pub(crate) bell: Bell,
    pub(crate) probes: Arc<Probes>,
    pub(crate) ways: LastWays,
    began: Instant,
    /// The sum: the way out, to nobody in particular.
    pub(crate) anywhere: Arc<Watched>,
    targets: Mutex<HashMap<Target, Weak<Watched>>>,
    by_hand: Mutex<ByHand>,
    pub(crate) sleeps: Sleeps,
    /// The process that the thread is in. A child process has none of its parent's threads.
    pub(crate) started: Mutex<Option<u32>>,
    ended: AtomicBool,
    /// Until when the thread looks more often, in nanoseconds since the beginning.
    attention: AtomicU64,
    /// How many block until a status changes.
    pub(crate) watchers: AtomicUsize,
    /// How often the thread has gone round, for tests of how little it does.
    pub(crate) turns: AtomicU64,
    #[cfg(test)]
    pub(crate) panics: AtomicBool,
    #[cfg(test)]
    pub(crate) threads_are_denied: AtomicBool,
}

impl Shared {
    pub(crate) fn new(options: Options) -> Self {
        Self {
            options,
            bell: Bell::default(),
            probes: Arc::default(),
            ways: LastWays::default(),
            began: Instant::now(),
            anywhere: Arc::new(Watched::new(Target::anywhere(), options.probes, 0)),
            targets: Mutex::default(),
            by_hand: Mutex::default(),
            sleeps: Sleeps::new(),
            started: Mutex::new(None),
            ended: AtomicBool::new(false),
            attention: AtomicU64::new(0),
            watchers: AtomicUsize::new(0),
            turns: AtomicU64::new(0),
            #[cfg(test)]
            panics: AtomicBool::new(false),
            #[cfg(test)]
            threads_are_denied: AtomicBool::new(false),
        }
    }

    /// The time of the evaluators.
    pub(crate) fn now(&self) -> Duration {
        self.began.elapsed() * self.options.speed
    }

    /// Watches a target; one that is watched already is the same.
    pub(crate) fn watch(&self, target: Target) -> Arc<Watched> {
        if target == Target::anywhere() {
            return self.anywhere.clone();
        }
        let mut targets = lock(&self.targets);
        if let Some(watched) = targets.get(&target).and_then(Weak::upgrade) {
            return watched;
        }
        let watched = Watched::new(target.clone(), self.options.probes, self.seed());
        watched.set_by_hand(*lock(&self.by_hand));
        if self.has_ended() {
            watched.stop();
        }
        let watched = Arc::new(watched);
        targets.insert(target, Arc::downgrade(&watched));
        watched
    }

    /// Probes of different programs, and of one program's targets, must not fall into step.
    fn seed(&self) -> u64 {
        use std::hash::{BuildHasher, RandomState};
        RandomState::new().hash_one(std::process::id())
    }

    /// One fewer has it. The last one forgets it.
    pub(crate) fn unwatch(&self, watched: &Arc<Watched>) {
        let mut targets = lock(&self.targets);
        if Arc::strong_count(watched) <= 1 {
            targets.remove(watched.target());
        }
    }

    /// All that is watched. Forgets what nobody has any more.
    pub(crate) fn all(&self) -> Vec<Arc<Watched>> {
        let mut all = vec![self.anywhere.clone()];
        lock(&self.targets).retain(|_, watched| match watched.upgrade() {
            Some(watched) => {
                all.push(watched);
                true
            }
            None => false,
        });
        all
    }

    #[cfg(test)]
    pub(crate) fn count(&self) -> usize {
        lock(&self.targets).len()
    }

    pub(crate) fn set_by_hand(&self, state: Option<NetworkState>) {
        let mut by_hand = lock(&self.by_hand);
        *by_hand = ByHand { turn: by_hand.turn + 1, state };
        let now = *by_hand;
        // Not under the lock, for whom it wakes may set it again.
        drop(by_hand);
        self.all().iter().for_each(|watched| watched.set_by_hand(now));
    }

    /// Looks at the route on this thread.
    pub(crate) fn look(self: &Arc<Self>, watched: &Watched) {
        self.forget_after_sleep();
        if !watched.target().is_local() {
            watched.look(|| self.now(), &self.ways);
        }
        // Somebody may come to wait at the gate, and then it must be opened again.
        if watched.gate().state() == NetworkState::Down {
            match self.start() {
                true => self.attend(),
                // And without anybody who opens it, it must not stay closed.
                false => _ = watched.take(self.now(), Input::Lost),
            }
        }
    }

    /// A look after a failure. Whoever is told that the network is down is about to wait for it, so
    /// there must be somebody who tells when it is back.
    pub(crate) fn recheck(self: &Arc<Self>, watched: &Watched) -> NetworkState {
        let gate = watched.gate();
        if self.has_ended() || watched.target().is_local() {
            return gate.state();
        }
        if !self.start() {
            watched.take(self.now(), Input::Lost);
            return gate.state();
        }
        // If it is down already, the thread finds out when it is back, and a crowd need not look.
        if gate.state() != NetworkState::Down {
            self.look(watched);
        } else {
            self.attend();
        }
        gate.state()
    }

    /// Looks more often for a while. A crowd rings once.
    fn attend(&self) {
        let now = self.now();
        let until = nanos(now + ATTENTION);
        let before = self.attention.load(Ordering::Relaxed);
        if before < nanos(now + ATTENTION / 2) {
            self.attention.store(until, Ordering::Relaxed);
            self.bell.ring();
        }
    }

    /// Whether anybody waits, or is about to.
    pub(crate) fn is_attended(&self, all: &[Arc<Watched>]) -> bool {
        self.watchers.load(Ordering::Relaxed) > 0
            || nanos(self.now()) < self.attention.load(Ordering::Relaxed)
            || all.iter().any(|watched| watched.gate().waiting() > 0)
    }

    /// What was known before the machine slept is worth nothing.
    pub(crate) fn forget_after_sleep(&self) {
        if self.sleeps.have_grown() {
            self.forget();
        }
    }

    pub(crate) fn forget(&self) {
        let now = self.now();
        self.all().iter().for_each(|watched| _ = watched.take(now, Input::Lost));
    }

    /// Begins the thread, unless it is there. Returns whether it is.
    pub(crate) fn start(self: &Arc<Self>) -> bool {
        let mut started = lock(&self.started);
        let process = std::process::id();
        if *started == Some(process) {
            return true;
        }
        if self.has_ended() {
            return false;
        }
        let forked = started.is_some();
        if forked {
            #[cfg(any(target_os = "linux", target_os = "android"))]
            self.bell.renew();
            self.probes.renew();
        }
        *started = self.spawn().is_ok().then_some(process);
        let is_there = started.is_some();
        drop(started);
        // What the parent knew is as old as the child.
        if forked {
            self.forget();
        }
        is_there
    }

    fn spawn(self: &Arc<Self>) -> std::io::Result<()> {
        #[cfg(test)]
        if self.threads_are_denied.load(Ordering::SeqCst) {
            return Err(std::io::ErrorKind::WouldBlock.into());
        }
        worker::spawn(self.clone())
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::SeqCst)
    }

    /// Ends the thread, and wakes everybody.
    pub(crate) fn end(&self) {
        self.ended.store(true, Ordering::SeqCst);
        self.probes.clear();
        self.bell.ring();
        self.all().iter().for_each(|watched| watched.stop());
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

// What these hold is never left half-changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
