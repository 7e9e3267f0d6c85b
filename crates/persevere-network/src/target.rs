//! What an operation talks to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

/// What an operation talks to, and the network is judged for: the server, or the proxy before it.
///
/// ```
/// use std::net::SocketAddr;
/// use persevere_network::Target;
///
/// let server = SocketAddr::from(([192, 0, 2, 7], 443));
/// let one = Target::from(server);
/// let many: Target = [server, SocketAddr::from(([192, 0, 2, 8], 443))].into_iter().collect();
/// assert_ne!(one, many);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Target(Kind);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Kind {
    Anywhere,
    Local,
    Addresses(Arc<[SocketAddr]>),
}

/// Addresses that no packet is sent to: only routes to them are looked up, and one is enough. Two of
/// each kind, for a firewall may drop what should not be there: one that is set aside for documentation
/// (RFC 5737) or not given out, and one in the middle of what is given out.
const ANYWHERE: [SocketAddr; 4] = [
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(203, 0, 113, 1)), 443),
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(64, 0, 0, 1)), 443),
    SocketAddr::new(IpAddr::V6(Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 1)), 443),
    SocketAddr::new(IpAddr::V6(Ipv6Addr::new(0x2600, 0, 0, 0, 0, 0, 0, 1)), 443),
];

impl Target {
    /// Nothing in particular: there is a way out if there is one by IPv4 or by IPv6.
    pub const fn anywhere() -> Self {
        Self(Kind::Anywhere)
    }

    /// A Unix socket, a pipe, a file: needs no network, and is always up.
    pub const fn local() -> Self {
        Self(Kind::Local)
    }

    /// The addresses that it was made of, sorted, each once.
    pub fn addresses(&self) -> &[SocketAddr] {
        self.probed().map_or(&[], |addresses| addresses)
    }

    /// Where routes are looked up. Empty for what needs none.
    pub(crate) fn routed(&self) -> &[SocketAddr] {
        match &self.0 {
            Kind::Anywhere => &ANYWHERE,
            Kind::Local => &[],
            Kind::Addresses(addresses) => addresses,
        }
    }

    /// Where probes may go: never to anybody whom the program does not talk to.
    pub(crate) fn probed(&self) -> Option<&Arc<[SocketAddr]>> {
        match &self.0 {
            Kind::Addresses(addresses) => Some(addresses),
            Kind::Anywhere | Kind::Local => None,
        }
    }

    pub(crate) fn is_local(&self) -> bool {
        self.0 == Kind::Local
    }

    /// Whether it is on this machine by its address, so that it says nothing of the network.
    pub(crate) fn is_loopback(&self) -> bool {
        self.is_local() || self.routed().iter().all(|address| address.ip().is_loopback())
    }
}

impl From<SocketAddr> for Target {
    fn from(address: SocketAddr) -> Self {
        Self::from_iter([address])
    }
}

/// All addresses of one host: a way to one of them is enough. None at all is
/// [`anywhere`](Target::anywhere). IPv4 addresses written as IPv6 (`::ffff:192.0.2.7`) are what they are.
impl FromIterator<SocketAddr> for Target {
    fn from_iter<I: IntoIterator<Item = SocketAddr>>(addresses: I) -> Self {
        let mut addresses: Vec<_> = addresses.into_iter().map(canonical).collect();
        addresses.sort_unstable();
        addresses.dedup();
        match addresses.is_empty() {
            true => Self::anywhere(),
            false => Self(Kind::Addresses(addresses.into())),
        }
    }
}

/// What is sent to an IPv4 address by a socket of IPv6 goes by IPv4.
pub(crate) fn canonical(address: SocketAddr) -> SocketAddr {
    match address.ip().to_canonical() {
        ip @ IpAddr::V4(_) => SocketAddr::new(ip, address.port()),
        IpAddr::V6(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv4_address_is_one_however_it_is_written() {
        let target = |text: &str| Target::from(text.parse::<SocketAddr>().unwrap());
        assert_eq!(target("[::ffff:192.0.2.7]:80"), target("192.0.2.7:80"));
        assert!(target("[::ffff:127.0.0.1]:80").is_loopback());
        assert_ne!(target("[::192.0.2.7]:80"), target("192.0.2.7:80"));
    }
}
