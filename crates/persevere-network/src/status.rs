//! What is said of the network, and why.

use std::fmt;
use std::time::{Duration, Instant};

use persevere::NetworkState;

/// Where the network stands, why, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// What the retry loop acts on: only `Down` pauses it.
    pub state: NetworkState,
    /// What the state rests on.
    pub reason: Reason,
    /// When this state began, or its reason became another.
    pub since: Instant,
}

impl Status {
    /// How long it has been so.
    pub fn lasted(&self) -> Duration {
        self.since.elapsed()
    }
}

/// `down: the interface has no carrier`.
impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", state_name(self.state), self.reason)
    }
}

/// The state in logs and JSON: `unknown`, `up`, `degraded` or `down`.
pub fn state_name(state: NetworkState) -> &'static str {
    match state {
        NetworkState::Up => "up",
        NetworkState::Degraded => "degraded",
        NetworkState::Down => "down",
        _ => "unknown",
    }
}

/// What a state rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// Unknown: nobody has looked yet, or what was known is too old.
    NoEvidence,
    /// Up: there is a route, and nothing speaks against it.
    RouteOpen,
    /// Up: it is a socket of this machine, which needs no network.
    Local,
    /// Degraded: there is a route, but operations fail.
    OperationsFail,
    /// Down: the kernel knows no way there, or has no address to send from.
    NoRoute,
    /// Down: there is a route, but over an interface that carries nothing: a cable that is out.
    NoCarrier,
    /// Down: there is a route, but operations and probes have failed for a while.
    ProbesFail,
    /// Somebody has set the state by hand.
    ByHand,
    /// Unknown: the monitor was stopped.
    Stopped,
}

impl Reason {
    /// The name in JSON, such as `no_carrier`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoEvidence => "no_evidence",
            Self::RouteOpen => "route_open",
            Self::Local => "local",
            Self::OperationsFail => "operations_fail",
            Self::NoRoute => "no_route",
            Self::NoCarrier => "no_carrier",
            Self::ProbesFail => "probes_fail",
            Self::ByHand => "by_hand",
            Self::Stopped => "stopped",
        }
    }

    /// The same in words, such as `the interface has no carrier`.
    pub const fn words(self) -> &'static str {
        match self {
            Self::NoEvidence => "nothing is known yet",
            Self::RouteOpen => "there is a route",
            Self::Local => "it needs no network",
            Self::OperationsFail => "there is a route, but operations fail",
            Self::NoRoute => "there is no route, or no address to send from",
            Self::NoCarrier => "the interface has no carrier",
            Self::ProbesFail => "there is a route, but nothing answers",
            Self::ByHand => "set by hand",
            Self::Stopped => "the monitor was stopped",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.words())
    }
}
