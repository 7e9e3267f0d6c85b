//! What the loop asks of a network monitor, and a monitor that is told by hand.

use std::borrow::Cow;
use std::fmt::Debug;

use crate::gate::NetworkGate;
use crate::network_report::NetworkReport;

/// What is known about the network. Only `Down` pauses a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NetworkState {
    /// No evidence.
    Unknown,
    /// It works.
    Up,
    /// There is a route, but operations fail.
    Degraded,
    /// Nothing gets through.
    Down,
}

/// Tells the retry loop about the network. It advises and never vetoes: every call makes its first
/// attempt, and asks only when an attempt has failed.
///
/// Attach one with [`Retryer::network_monitor`](crate::Retryer::network_monitor), and switch the
/// pause on with
/// [`RetryPolicyBuilder::wait_for_network`](crate::RetryPolicyBuilder::wait_for_network).
///
/// A monitor keeps a [`NetworkGate`] up to date, and calls wait there:
///
/// ```
/// use persevere::{NetworkGate, NetworkMonitor, NetworkState};
///
/// #[derive(Debug)]
/// struct Cable {
///     gate: NetworkGate,
/// }
///
/// impl Cable {
///     fn plugged(&self, plugged: bool) {
///         self.gate.set(if plugged { NetworkState::Up } else { NetworkState::Down });
///     }
/// }
///
/// impl NetworkMonitor for Cable {
///     fn gate(&self) -> &NetworkGate {
///         &self.gate
///     }
/// }
/// # Cable { gate: NetworkGate::new(NetworkState::Unknown) }.plugged(true);
/// ```
pub trait NetworkMonitor: Debug + Send + Sync {
    /// Where the state is read, after failures, and where calls wait. Always the same gate.
    fn gate(&self) -> &NetworkGate;

    /// The state, looked at afresh. Asked after an error that smells of the network, since the
    /// monitor may not have heard yet; microseconds are fine. Also asked before anybody waits at a gate
    /// that is closed, so that a monitor knows when to look more closely.
    ///
    /// What it finds it must also [set](NetworkGate::set) on its gate, before it returns: calls wait
    /// there, and an answer of `Down` with a gate that is open pauses nothing.
    fn recheck(&self) -> NetworkState {
        self.gate().state()
    }

    /// Why the state is what it is, in a few words for logs, such as `the interface has no carrier`.
    /// Asked when a call begins to wait.
    fn reason(&self) -> Option<Cow<'static, str>> {
        None
    }

    /// What an attempt has found out. Told after every failure that says something of the network,
    /// before [`recheck`](Self::recheck), and after every success, so it must be quick: an atomic
    /// read, where nothing speaks against a network that works.
    fn report(&self, report: NetworkReport) {
        let _nothing_learns_from_it = report;
    }
}

/// A monitor that is told by hand: for tests, and for callers who know better.
///
/// ```
/// use std::sync::Arc;
/// use persevere::{ManualMonitor, NetworkState, RetryPolicy, Retryer};
///
/// let monitor = Arc::new(ManualMonitor::new(NetworkState::Up));
/// let policy = RetryPolicy::builder().wait_for_network(true).build()?;
/// let retryer = Retryer::new(policy).network_monitor(monitor.clone());
/// monitor.set(NetworkState::Down); // failing calls pause from now on
/// monitor.set(NetworkState::Up); // and go on
/// # drop(retryer);
/// # Ok::<(), persevere::PolicyError>(())
/// ```
#[derive(Debug)]
pub struct ManualMonitor {
    gate: NetworkGate,
}

impl ManualMonitor {
    /// A monitor that says `state` until it is told otherwise.
    pub fn new(state: NetworkState) -> Self {
        Self { gate: NetworkGate::new(state) }
    }

    /// Says `state` from now on.
    pub fn set(&self, state: NetworkState) {
        self.gate.set(state);
    }
}

impl NetworkMonitor for ManualMonitor {
    fn gate(&self) -> &NetworkGate {
        &self.gate
    }
}
