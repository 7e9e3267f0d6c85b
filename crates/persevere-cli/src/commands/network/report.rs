//! What `persevere network` prints.

use std::fmt::Write;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use persevere::{HumanDuration, NetworkState};
use persevere_network::{Counters, Interface, Status, TargetMonitor, Way, state_name};
use serde::Serialize;

use super::Resolved;
use crate::network_target::NetworkTarget;
use crate::text;

/// The network as it is now.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    state: &'static str,
    reason: &'static str,
    message: &'static str,
    target: Option<String>,
    /// Why its name gives nothing to look at: then the rest is the way out to anybody.
    target_error: Option<String>,
    ways: Vec<WayJson>,
    interfaces: Vec<InterfaceJson>,
}

#[derive(Debug, Serialize)]
struct WayJson {
    to: String,
    route: &'static str,
    source: Option<IpAddr>,
    interface: Option<String>,
}

#[derive(Debug, Serialize)]
struct InterfaceJson {
    name: String,
    up: bool,
    running: bool,
    loopback: bool,
    addresses: Vec<IpAddr>,
    received: Option<Traffic>,
    sent: Option<Traffic>,
}

#[derive(Debug, Serialize)]
struct Traffic {
    bytes: u64,
    packets: u64,
    errors: u64,
    dropped: u64,
}

impl Report {
    pub(super) fn new(
        target: Option<&NetworkTarget>,
        resolved: &Resolved,
        anywhere: &TargetMonitor,
    ) -> Self {
        let there = resolved.as_deref().ok().filter(|_| target.is_some());
        let status = there.unwrap_or(anywhere).look();
        let ways = match there {
            None => Way::out(),
            Some(there) => there.target().addresses().iter().map(|to| Way::to(*to)).collect(),
        };
        let interfaces = Interface::all().unwrap_or_default();
        let mut counters = Counters::all();
        let interfaces =
            interfaces.into_iter().map(|it| InterfaceJson::new(counters.remove(&it.name), it));
        Self {
            state: state_name(status.state),
            reason: status.reason.name(),
            message: status.reason.words(),
            target: target.map(ToString::to_string),
            target_error: resolved.as_ref().err().cloned(),
            ways: ways.iter().map(|way| WayJson::new(way, there.is_none())).collect(),
            interfaces: interfaces.collect(),
        }
    }

    pub(super) fn is_down(&self) -> bool {
        self.state == state_name(NetworkState::Down)
    }

    pub(super) fn text(&self) -> String {
        let mut text = format!("{}: {}\n", self.state, self.message);
        if let Some(error) = &self.target_error {
            let _written = writeln!(text, "{error}");
        }
        let to = self.target.as_ref().filter(|_| self.target_error.is_none());
        let title = to.map_or_else(|| "Out".to_owned(), |to| format!("To {to}"));
        let _written = writeln!(text, "\n{title}:");
        let width = self.ways.iter().map(|way| way.to.len()).max().unwrap_or(0);
        for way in &self.ways {
            let _written = write!(text, "  {:width$}  {}", way.to, way.route);
            if let Some(source) = way.source {
                let _written = write!(text, ", from {source}");
            }
            if let Some(interface) = &way.interface {
                let _written = write!(text, " by {interface}");
            }
            text.push('\n');
        }
        if !self.interfaces.is_empty() {
            text.push_str("\nInterfaces:\n");
        }
        let width = self.interfaces.iter().map(|it| it.name.len()).max().unwrap_or(0);
        for interface in &self.interfaces {
            let _written = writeln!(text, "  {:width$}  {}", interface.name, interface.words());
        }
        text
    }
}

impl WayJson {
    fn new(way: &Way, out: bool) -> Self {
        let to = match (out, way.destination().is_ipv4()) {
            (false, _) => way.destination().to_string(),
            (true, true) => "IPv4".to_owned(),
            (true, false) => "IPv6".to_owned(),
        };
        Self {
            to,
            route: way.words(),
            source: way.source(),
            interface: way.interface().map(str::to_owned),
        }
    }
}

impl InterfaceJson {
    fn new(counters: Option<Counters>, interface: Interface) -> Self {
        Self {
            name: interface.name,
            up: interface.up,
            running: interface.running,
            loopback: interface.loopback,
            addresses: interface.addresses,
            received: counters.map(|it| Traffic {
                bytes: it.received_bytes,
                packets: it.received_packets,
                errors: it.received_errors,
                dropped: it.received_dropped,
            }),
            sent: counters.map(|it| Traffic {
                bytes: it.sent_bytes,
                packets: it.sent_packets,
                errors: it.sent_errors,
                dropped: it.sent_dropped,
            }),
        }
    }

    /// `running, 192.0.2.1, received 1024 bytes (2 packets), sent 0 bytes (0 packets)`.
    fn words(&self) -> String {
        let state = match (self.up, self.running) {
            (false, _) => "off",
            (true, false) => "no carrier",
            (true, true) => "running",
        };
        let mut text = state.to_owned();
        for address in &self.addresses {
            let _written = write!(text, ", {address}");
        }
        for (verb, traffic) in [("received", &self.received), ("sent", &self.sent)] {
            let Some(Traffic { bytes, packets, errors, dropped }) = traffic else { continue };
            let _written = write!(text, ", {verb} {bytes} bytes ({packets} packets");
            for (count, what) in [(errors, "errors"), (dropped, "dropped")] {
                if *count > 0 {
                    let _written = write!(text, ", {count} {what}");
                }
            }
            text.push(')');
        }
        text
    }
}

/// One change.
#[derive(Debug, Serialize)]
pub(super) struct Change {
    time: String,
    state: &'static str,
    reason: &'static str,
    message: &'static str,
    before: Option<Before>,
    /// Why the name of the target gives nothing to look at: then this is the way out to anybody.
    #[serde(skip_serializing_if = "Option::is_none")]
    target_error: Option<String>,
}

/// What was before it, and for how long.
#[derive(Debug, Serialize)]
struct Before {
    state: &'static str,
    lasted_ms: u64,
}

impl Change {
    pub(super) fn new(status: &Status, before: Option<Status>) -> Self {
        let time = SystemTime::now().checked_sub(status.lasted()).unwrap_or(SystemTime::now());
        Self {
            time: text::timestamp(time),
            state: state_name(status.state),
            reason: status.reason.name(),
            message: status.reason.words(),
            before: before.map(|before| Before {
                state: state_name(before.state),
                lasted_ms: milliseconds(status.since.saturating_duration_since(before.since)),
            }),
            target_error: None,
        }
    }

    pub(super) fn with_target_error(self, target_error: Option<String>) -> Self {
        Self { target_error, ..self }
    }

    /// `2026-01-31T12:00:00.000Z down: the interface has no carrier, after 2m up`.
    pub(super) fn text(&self) -> String {
        let mut text = format!("{} {}: {}", self.time, self.state, self.message);
        if let Some(Before { state, lasted_ms }) = &self.before {
            let lasted = HumanDuration(Duration::from_millis(*lasted_ms));
            let _written = write!(text, ", after {lasted} {state}");
        }
        if let Some(error) = &self.target_error {
            let _written = write!(text, ", but {error}");
        }
        text
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
