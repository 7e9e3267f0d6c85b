//! What `run --wait-for-network` takes for the network.

use std::borrow::Cow;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use persevere::{NetworkGate, NetworkMonitor, NetworkReport, NetworkState};
use persevere_network::{Monitor, Reason, Status, TargetMonitor, Way};
use tracing::{debug, info, warn};

use crate::network_target::NetworkTarget;

/// Between two attempts to resolve a name, while there is a network.
const RESOLVE_AGAIN: Duration = Duration::from_secs(2);

/// The network of a single run.
///
/// What its command talks to only --network-target tells. Without that, any way out will do; and on a
/// machine that has none to begin with, its lack says nothing: the command gets on with the local
/// network, or with this machine alone.
pub(super) struct RunNetwork {
    out: Monitor,
    /// Whether the lack of any way out says anything.
    is_trusted: AtomicBool,
    /// The way to the target, as soon as its name is resolved.
    target: OnceLock<Arc<TargetMonitor>>,
    /// Nobody waits here.
    open: NetworkGate,
    has_explained: AtomicBool,
}

impl RunNetwork {
    pub(super) fn watch(target: Option<NetworkTarget>) -> Arc<Self> {
        let network = Arc::new(Self {
            out: Monitor::new(),
            is_trusted: AtomicBool::new(target.is_some()),
            target: OnceLock::new(),
            open: NetworkGate::new(NetworkState::Unknown),
            has_explained: AtomicBool::new(false),
        });
        let watching = network.clone();
        match target {
            Some(target) => spawn("resolve", move || watching.resolve(&target)),
            None if network.look_for_way_out() => {}
            None => spawn("way out", move || watching.wait_for_way_out()),
        }
        network
    }

    /// A name may not resolve before there is a network. Until it does, any way out will do.
    fn resolve(&self, target: &NetworkTarget) {
        let mut is_told = false;
        loop {
            match target.resolve() {
                Ok(addresses) => {
                    let monitor = Monitor::new().target(addresses);
                    let _only_we_set_it = self.target.set(monitor);
                    // Whoever waits for any way out goes on, and asks the right one.
                    return self.out.stop();
                }
                Err(error) if !is_told => {
                    is_told = true;
                    let network_target = target.to_string();
                    warn!(network_target, error, "network target does not resolve, trying again");
                }
                Err(_) => {}
            }
            let status = self.out.look();
            match status.state {
                NetworkState::Down => _ = self.out.wait_for_change(&status, None),
                _ => thread::sleep(RESOLVE_AGAIN),
            }
        }
    }

    fn wait_for_way_out(&self) {
        let mut status = self.out.look();
        while !is_way_out(&status) && status.reason != Reason::Stopped {
            status = self.out.wait_for_change(&status, None);
        }
        if is_way_out(&status) {
            self.is_trusted.store(true, Ordering::Relaxed);
            debug!("there is a way out now, so that its lack counts from here on");
        }
    }

    /// Looks, and says whether the monitor can be believed from now on.
    fn look_for_way_out(&self) -> bool {
        let sees_one = is_way_out(&self.out.look());
        if sees_one {
            self.is_trusted.store(true, Ordering::Relaxed);
        }
        sees_one
    }

    /// Who can be asked, if there is somebody.
    fn monitor(&self) -> Option<&dyn NetworkMonitor> {
        match self.target.get() {
            Some(target) => Some(target.as_ref()),
            None => self.is_trusted.load(Ordering::Relaxed).then_some(&self.out),
        }
    }

    fn explain_once(&self) {
        if !self.has_explained.swap(true, Ordering::Relaxed) {
            info!(
                "not waiting for the network, since there was no way out to begin with; \
                 --network-target tells what the command needs"
            );
        }
    }
}

/// That nothing but a look at the routes can lead to, for nothing is reported before.
fn is_way_out(status: &Status) -> bool {
    matches!(status.state, NetworkState::Up | NetworkState::Degraded)
}

/// Without a thread there is nobody who would find it out, and then nothing pauses.
fn spawn(name: &str, run: impl FnOnce() + Send + 'static) {
    let _started = thread::Builder::new().name(name.to_owned()).spawn(run);
}

/// The gate changes, at most twice: this serves a single call, which asks again after each wait.
impl NetworkMonitor for RunNetwork {
    fn gate(&self) -> &NetworkGate {
        self.monitor().map_or(&self.open, NetworkMonitor::gate)
    }

    fn recheck(&self) -> NetworkState {
        if let Some(monitor) = self.monitor() {
            return monitor.recheck();
        }
        if !self.look_for_way_out() {
            self.explain_once();
        }
        NetworkState::Unknown
    }

    fn reason(&self) -> Option<Cow<'static, str>> {
        let (status, ways) = match self.target.get() {
            Some(target) => {
                let addresses = target.target().addresses().iter();
                (target.status(), addresses.map(|to| Way::to(*to)).collect())
            }
            None => (self.out.status(), Way::out()),
        };
        let dead = ways.iter().find(|way| way.words() == "no carrier");
        match (status.reason, dead.and_then(Way::interface)) {
            (Reason::NoCarrier, Some(name)) => Some(format!("{name} has no carrier").into()),
            (reason, _) => Some(reason.words().into()),
        }
    }

    fn report(&self, report: NetworkReport) {
        if let Some(monitor) = self.monitor() {
            monitor.report(report);
        }
    }
}

impl fmt::Debug for RunNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunNetwork").field("target", &self.target).finish_non_exhaustive()
    }
}
