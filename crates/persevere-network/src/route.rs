//! The way to a target: asked of the kernel by connecting a UDP socket, for which no packet is sent.

use std::io::{self, ErrorKind};
use std::iter;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use crate::evaluator::Route;
use crate::interfaces::Interface;
use crate::sandbox;
use crate::target::{Target, canonical};

/// The way to an address, as the kernel would choose it now.
///
/// ```
/// use persevere_network::Way;
///
/// let way = Way::to(([127, 0, 0, 1], 80).into());
/// println!("{way}");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    to: SocketAddr,
    from: Option<IpAddr>,
    interface: Option<String>,
    route: Route,
}

/// So often a way is looked for that seems to have no carrier: where one of two is out, another one is
/// overlooked once in 4,000 looks.
const TRIES: usize = 12;

impl Way {
    /// Asks the kernel. No packet is sent.
    pub fn to(address: SocketAddr) -> Self {
        Ways::look().to(address)
    }

    /// The ways out by IPv4 and by IPv6, to nobody in particular.
    pub fn out() -> Vec<Self> {
        let ways = Ways::look();
        let anywhere = Target::anywhere();
        let families = [SocketAddr::is_ipv4, SocketAddr::is_ipv6];
        let best =
            families.map(|family| ways.best(anywhere.routed().iter().copied().filter(family)));
        best.into_iter().flatten().collect()
    }

    fn unknown(to: SocketAddr) -> Self {
        Self { to, from: None, interface: None, route: Route::Unknown }
    }

    /// Whether it leads there, as far as can be seen from here: there is a route, and its interface
    /// carries something.
    pub fn is_open(&self) -> bool {
        self.route == Route::Open
    }

    /// Where it leads.
    pub fn destination(&self) -> SocketAddr {
        self.to
    }

    /// The address that packets would be sent from.
    pub fn source(&self) -> Option<IpAddr> {
        self.from
    }

    /// The interface that this address belongs to.
    pub fn interface(&self) -> Option<&str> {
        self.interface.as_deref()
    }

    /// What there is in words: `open`, `no route`, `no carrier` or `unknown`.
    pub fn words(&self) -> &'static str {
        match self.route {
            Route::Open => "open",
            Route::Missing => "no route",
            Route::NoCarrier => "no carrier",
            Route::Unknown => "unknown",
        }
    }
}

/// `192.0.2.7:443: open, from 192.0.2.1 by eth0`.
impl std::fmt::Display for Way {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.to, self.words())?;
        if let Some(from) = self.from {
            write!(f, ", from {from}")?;
        }
        match &self.interface {
            Some(interface) => write!(f, " by {interface}"),
            None => Ok(()),
        }
    }
}

/// Looks for ways, with the interfaces as they were when it was made.
#[derive(Debug)]
pub(crate) struct Ways {
    /// `None` where the system does not tell.
    interfaces: Option<Vec<Interface>>,
}

impl Ways {
    /// The interfaces come first: to list them takes the lock that a change of them holds, so that
    /// a change which the kernel is still busy with is over when it is asked for routes.
    pub(crate) fn look() -> Self {
        Self { interfaces: Interface::all().ok() }
    }

    /// A way to one of the addresses is enough.
    pub(crate) fn route(&self, target: &Target) -> Route {
        let best = self.best(target.routed().iter().copied());
        best.map_or(Route::Open, |way| way.route)
    }

    /// The best way to one of the addresses.
    fn best(&self, addresses: impl Iterator<Item = SocketAddr>) -> Option<Way> {
        best(addresses.map(|address| self.to(address)))
    }

    /// The way to an address. Of several that a router shares its packets out to, the kernel takes
    /// one by the port that we send from, which is another one every time.
    fn to(&self, to: SocketAddr) -> Way {
        let to = canonical(to);
        let ways = iter::repeat_with(|| self.to_once(to));
        let mut tries = ways.take(TRIES).peekable();
        match tries.peek() {
            Some(way) if way.route != Route::NoCarrier => way.clone(),
            _ => best(tries).unwrap_or_else(|| Way::unknown(to)),
        }
    }

    fn to_once(&self, to: SocketAddr) -> Way {
        let none = Way::unknown(to);
        let from = match source(to) {
            Ok(from) => from,
            Err(route) => return Way { route, ..none },
        };
        let way = Way { from: Some(from), route: Route::Open, ..none };
        let Some(interfaces) = &self.interfaces else {
            let carrier = sandbox::carrier(to.ip(), from);
            let route = if carrier == Some(false) { Route::NoCarrier } else { Route::Open };
            return Way { route, ..way };
        };
        // What stays on this machine goes by its loopback, whosever address it is.
        let stays = to.ip() == from;
        let has = |interface: &&Interface| match stays {
            true => interface.loopback,
            false => interface.addresses.contains(&from),
        };
        let mut carriers = interfaces.iter().filter(has);
        // One that has come in this very moment is not in the list: it is open until we hear more.
        let Some(first) = carriers.next() else { return way };
        let running = first.running || carriers.any(|interface| interface.running);
        let route = if running { Route::Open } else { Route::NoCarrier };
        Way { route, interface: Some(first.name.clone()), ..way }
    }
}

/// The best of them: the first that is open, if there is one.
fn best(ways: impl Iterator<Item = Way>) -> Option<Way> {
    // What is not known might be open; a cable says more than no route.
    let rank = |route| match route {
        Route::Open => 3,
        Route::Unknown => 2,
        Route::NoCarrier => 1,
        Route::Missing => 0,
    };
    let mut found: Option<Way> = None;
    for way in ways {
        if way.is_open() {
            return Some(way);
        }
        if found.as_ref().is_none_or(|found| rank(way.route) > rank(found.route)) {
            found = Some(way);
        }
    }
    found
}

/// The address that the kernel would send from.
fn source(to: SocketAddr) -> Result<IpAddr, Route> {
    let any = match to {
        SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
        SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
    };
    // No socket is no evidence, unless the machine has no such addresses at all.
    let socket = UdpSocket::bind(any).map_err(|error| match error.kind() {
        ErrorKind::AddrNotAvailable => Route::Missing,
        _ if lacks_family(&error) => Route::Missing,
        _ => Route::Unknown,
    })?;
    // Or the kernel would refuse such an address as it refuses a way that is forbidden.
    let _never_mind = socket.set_broadcast(true);
    let connected = socket.connect(to).and_then(|()| socket.local_addr());
    match connected.map(|from| from.ip().to_canonical()) {
        Ok(from) if lacks_address(to.ip(), from) => Err(Route::Missing),
        Ok(from) if from.is_unspecified() => Err(Route::Unknown),
        Ok(from) => Ok(from),
        Err(error) => Err(refused(to, &error)),
    }
}

/// Whether there is no address to send from: none at all, or only one that no router lets pass. Those of
/// IPv4 (169.254.0.0/16) are not counted as such, for there are machines that have no other, behind a
/// host that translates it: AWS Lambda, Firecracker.
fn lacks_address(to: IpAddr, from: IpAddr) -> bool {
    match (to, from) {
        (IpAddr::V6(to), IpAddr::V6(from)) if from.is_unicast_link_local() => {
            !to.is_unicast_link_local() && !to.is_multicast()
        }
        // Of other systems we do not know what it means.
        _ => from.is_unspecified() && cfg!(target_os = "linux"),
    }
}

/// What it means that the kernel will not connect a UDP socket.
fn refused(to: SocketAddr, error: &io::Error) -> Route {
    match error.kind() {
        ErrorKind::NetworkUnreachable
        | ErrorKind::HostUnreachable
        | ErrorKind::NetworkDown
        | ErrorKind::AddrNotAvailable => Route::Missing,
        // A route of the kind `blackhole`, as of a VPN that must not leak; but an address without
        // its interface is as invalid.
        ErrorKind::InvalidInput if !lacks_scope(to) => Route::Missing,
        // A route of the kind `prohibit`. Sandboxes say EPERM.
        ErrorKind::PermissionDenied if is_prohibited(error) => Route::Missing,
        _ if lacks_family(error) => Route::Missing,
        _ => Route::Unknown,
    }
}

fn lacks_scope(to: SocketAddr) -> bool {
    matches!(to, SocketAddr::V6(to) if to.ip().is_unicast_link_local() && to.scope_id() == 0)
}

#[cfg(unix)]
fn is_prohibited(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::ACCESS.raw_os_error())
}

#[cfg(not(unix))]
fn is_prohibited(_error: &io::Error) -> bool {
    false
}

#[cfg(unix)]
fn lacks_family(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::AFNOSUPPORT.raw_os_error())
}

#[cfg(not(unix))]
fn lacks_family(_error: &io::Error) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_judged_by_lo() {
        let way = Way::to(SocketAddr::from(([127, 0, 0, 1], 9)));
        assert!(way.is_open());
        assert_eq!(way.source(), Some(IpAddr::from([127, 0, 0, 1])));
        if cfg!(target_os = "linux") {
            assert_eq!(way.interface(), Some("lo"));
            assert_eq!(way.to_string(), "127.0.0.1:9: open, from 127.0.0.1 by lo");
        }
    }

    #[test]
    fn where_interfaces_are_not_told_the_route_alone_decides() {
        let ways = Ways { interfaces: None };
        assert_eq!(ways.route(&Target::from(SocketAddr::from(([127, 0, 0, 1], 9)))), Route::Open);
    }

    #[test]
    fn a_cable_that_is_out_is_seen_and_an_unrelated_one_is_not() {
        let target = SocketAddr::from(([127, 0, 0, 1], 9));
        let interface = |name: &str, address: [u8; 4], running| Interface {
            name: name.to_owned(),
            addresses: vec![IpAddr::from(address)],
            up: true,
            running,
            loopback: name == "lo",
        };
        let ways = |running: bool| Ways {
            interfaces: Some(vec![
                interface("eth7", [192, 0, 2, 1], !running),
                interface("lo", [127, 0, 0, 1], running),
            ]),
        };
        assert_eq!(ways(true).to(target).route, Route::Open);
        assert_eq!(ways(false).to(target).route, Route::NoCarrier);
    }

    #[test]
    fn errors_say_what_they_mean() {
        let global = SocketAddr::from(([203, 0, 113, 1], 1));
        let link_local: SocketAddr = "[fe80::1]:1".parse().unwrap();
        for (to, kind, route) in [
            (global, ErrorKind::NetworkUnreachable, Route::Missing),
            (global, ErrorKind::HostUnreachable, Route::Missing),
            (global, ErrorKind::InvalidInput, Route::Missing),
            (link_local, ErrorKind::InvalidInput, Route::Unknown),
            (global, ErrorKind::PermissionDenied, Route::Unknown),
            (global, ErrorKind::OutOfMemory, Route::Unknown),
        ] {
            assert_eq!(refused(to, &kind.into()), route, "{to} {kind}");
        }
        #[cfg(unix)]
        for (errno, route) in [
            (rustix::io::Errno::ACCESS, Route::Missing),
            (rustix::io::Errno::PERM, Route::Unknown),
            (rustix::io::Errno::AFNOSUPPORT, Route::Missing),
            (rustix::io::Errno::MFILE, Route::Unknown),
        ] {
            assert_eq!(refused(global, &errno.into()), route, "{errno}");
        }
    }

    #[test]
    fn no_address_to_send_from_is_no_route() {
        for (to, from, lacks) in [
            ("203.0.113.1", "192.0.2.1", false),
            ("203.0.113.1", "0.0.0.0", cfg!(target_os = "linux")),
            ("203.0.113.1", "169.254.0.21", false),
            ("2600::1", "2001:db8::1", false),
            ("2600::1", "fe80::1", true),
            ("fe80::2", "fe80::1", false),
            ("ff02::1", "fe80::1", false),
        ] {
            let [to_ip, from_ip] = [to, from].map(|text| text.parse().unwrap());
            assert_eq!(lacks_address(to_ip, from_ip), lacks, "from {from} to {to}");
        }
    }

    #[test]
    fn a_broadcast_address_is_no_way_that_is_forbidden() {
        let way = Way::to(SocketAddr::from(([127, 255, 255, 255], 9)));
        assert!(way.is_open(), "{way}");
    }

    #[test]
    fn what_needs_no_network_is_open() {
        assert_eq!(Ways { interfaces: None }.route(&Target::local()), Route::Open);
    }
}
