//! The monitor, and a single target of it.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use persevere::{NetworkGate, NetworkMonitor, NetworkReport, NetworkState};

use crate::evaluator::{Input, Strength};
use crate::options::{MonitorBuilder, Options};
use crate::shared::Shared;
use crate::status::Status;
use crate::target::Target;
use crate::watched::Watched;
use crate::worker;

/// Watches the network of this machine. It is itself a [`NetworkMonitor`], for the way out to nobody
/// in particular; [`target`](Self::target) gives one for a server.
///
/// Its one thread begins when somebody first needs it, which is after a failure, and ends when the
/// monitor and all its targets are dropped, or with [`stop`](Self::stop).
///
/// ```
/// use std::net::SocketAddr;
/// use persevere::{RetryPolicy, Retryer};
/// use persevere_network::Monitor;
///
/// let monitor = Monitor::new();
/// let server = SocketAddr::from(([192, 0, 2, 7], 443));
/// let policy = RetryPolicy::builder().wait_for_network(true).build()?;
/// let retryer = Retryer::new(policy).network_monitor(monitor.target(server));
/// # drop(retryer);
/// # Ok::<(), persevere::PolicyError>(())
/// ```
#[derive(Debug)]
pub struct Monitor {
    anywhere: TargetMonitor,
}

/// The end of the last one of those who have it is the end of the thread.
struct Life {
    shared: Arc<Shared>,
}

impl Drop for Life {
    fn drop(&mut self) {
        self.shared.end();
    }
}

impl Monitor {
    /// A monitor that does all it can.
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// A monitor of which parts are switched off.
    pub fn builder() -> MonitorBuilder {
        MonitorBuilder::default()
    }

    pub(crate) fn with(options: Options) -> Self {
        let shared = Arc::new(Shared::new(options));
        let watched = shared.anywhere.clone();
        Self { anywhere: TargetMonitor { life: Arc::new(Life { shared }), watched } }
    }

    /// A monitor for what an operation talks to. It works for as long as it is there, also after
    /// this one was dropped. Asked twice for one target, it is the same state.
    pub fn target(&self, target: impl Into<Target>) -> Arc<TargetMonitor> {
        let life = self.anywhere.life.clone();
        let watched = life.shared.watch(target.into());
        Arc::new(TargetMonitor { life, watched })
    }

    /// What was last found out, without looking.
    pub fn status(&self) -> Status {
        self.anywhere.status()
    }

    /// Looks now, and says what is known then.
    pub fn look(&self) -> Status {
        self.anywhere.look()
    }

    /// See [`TargetMonitor::wait_for_change`].
    pub fn wait_for_change(&self, seen: &Status, limit: Option<Duration>) -> Status {
        self.anywhere.wait_for_change(seen, limit)
    }

    /// Sets the state of all targets by hand: for tests, and for those who know better. `None` gives
    /// it back to the evidence.
    pub fn set_by_hand(&self, state: Option<NetworkState>) {
        self.anywhere.life.shared.set_by_hand(state);
    }

    /// How often the thread has gone round, for tests of how little it does.
    #[doc(hidden)]
    pub fn turns(&self) -> u64 {
        self.anywhere.life.shared.turns.load(Ordering::Relaxed)
    }

    /// Ends the thread for good. All targets are `Unknown` from now on, and whoever waits goes on as
    /// if there were no monitor.
    pub fn stop(&self) {
        self.anywhere.life.shared.end();
    }
}

impl Default for Monitor {
    fn default() -> Self {
        Self::new()
    }
}

impl NetworkMonitor for Monitor {
    fn gate(&self) -> &NetworkGate {
        self.anywhere.gate()
    }

    fn recheck(&self) -> NetworkState {
        self.anywhere.recheck()
    }

    fn reason(&self) -> Option<Cow<'static, str>> {
        self.anywhere.reason()
    }

    fn report(&self, report: NetworkReport) {
        self.anywhere.report(report);
    }
}

/// The network on the way to one target; made by [`Monitor::target`].
pub struct TargetMonitor {
    life: Arc<Life>,
    watched: Arc<Watched>,
}

impl TargetMonitor {
    /// What is watched.
    pub fn target(&self) -> &Target {
        self.watched.target()
    }

    /// What was last found out, without looking.
    pub fn status(&self) -> Status {
        self.watched.status()
    }

    /// Looks at the route now, and says what is known then.
    pub fn look(&self) -> Status {
        self.life.shared.look(&self.watched);
        self.status()
    }

    /// Blocks until the status is another one than `seen`, or for `limit`, and says what it is then.
    /// While somebody blocks here, the network is watched closely. Returns at once from a monitor that
    /// was stopped, where nothing changes any more.
    pub fn wait_for_change(&self, seen: &Status, limit: Option<Duration>) -> Status {
        let shared = &self.life.shared;
        shared.watchers.fetch_add(1, Ordering::Relaxed);
        let status = match shared.start() {
            true => {
                shared.bell.ring();
                self.watched.wait_for_change(seen, limit)
            }
            false => self.wait_without_thread(seen, limit),
        };
        shared.watchers.fetch_sub(1, Ordering::Relaxed);
        status
    }

    /// There are no threads to be had, or the monitor was stopped: we look ourselves.
    fn wait_without_thread(&self, seen: &Status, limit: Option<Duration>) -> Status {
        let until = limit.and_then(|limit| Instant::now().checked_add(limit));
        loop {
            let status = self.look();
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            let is_over = left == Some(Duration::ZERO) || self.life.shared.has_ended();
            if status != *seen || is_over {
                return status;
            }
            let pause = left.map_or(worker::POLL, |left| left.min(worker::POLL));
            let status = self.watched.wait_for_change(seen, Some(pause));
            if status != *seen {
                return status;
            }
        }
    }

    fn take(&self, watched: &Watched, input: Input) {
        let shared = &self.life.shared;
        if watched.take(shared.now(), input) && shared.start() {
            shared.bell.ring();
        }
    }

    fn failed(&self, strength: Strength) {
        self.take(&self.watched, Input::Failure(strength));
    }

    fn succeeded(&self) {
        let anywhere = &self.life.shared.anywhere;
        if !self.watched.is_content() {
            self.take(&self.watched, Input::Success);
        }
        if anywhere.is_content() || self.target().is_loopback() {
            return;
        }
        // What has come from there has come by the network, but perhaps by its part that is near: it
        // takes a way that the kernel does not see to say anything against the kernel. What has
        // failed there may be its own fault, so that it does not count here.
        let itself = Arc::ptr_eq(&self.watched, anywhere);
        let input = match itself || self.watched.knows_better_than_the_kernel() {
            true => Input::Success,
            false => Input::SuccessElsewhere,
        };
        self.take(anywhere, input);
    }
}

impl NetworkMonitor for TargetMonitor {
    fn gate(&self) -> &NetworkGate {
        self.watched.gate()
    }

    fn recheck(&self) -> NetworkState {
        self.life.shared.recheck(&self.watched)
    }

    fn reason(&self) -> Option<Cow<'static, str>> {
        Some(self.status().reason.words().into())
    }

    fn report(&self, report: NetworkReport) {
        match report {
            NetworkReport::Succeeded | NetworkReport::Answered => self.succeeded(),
            NetworkReport::Unreachable => self.failed(Strength::Strong),
            NetworkReport::Failed => self.failed(Strength::Weak),
            // Something newer than we are.
            _ => {}
        }
    }
}

impl Drop for TargetMonitor {
    fn drop(&mut self) {
        self.life.shared.unwatch(&self.watched);
    }
}

impl fmt::Debug for TargetMonitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TargetMonitor")
            .field("target", self.target())
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Life {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Life").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
