//! `HOST:PORT`, as it stands in `--target` and `--network-target`.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use persevere_network::Target;

use crate::error::reason;

/// What somebody talks to, not resolved yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NetworkTarget {
    /// A name, or an address without its brackets.
    host: String,
    port: u16,
}

/// As it was written.
impl fmt::Display for NetworkTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

const ALLOWED: &str = "a host and a port, such as example.org:443 or [2001:db8::1]:443";

impl NetworkTarget {
    /// The error is what is allowed, to be read after "must be".
    pub(crate) fn parse(written: &str) -> Result<Self, String> {
        let written = written.trim();
        if let Some((scheme, _)) = written.split_once("://") {
            return Err(format!("{ALLOWED}: leave out {scheme}:// and what follows the port"));
        }
        if written.contains('@') {
            return Err(format!("{ALLOWED}: leave out what stands before the @"));
        }
        let (host, port) = written.rsplit_once(':').ok_or(ALLOWED)?;
        let host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            Some(address) => check_address(address)?,
            None => check_name(host)?,
        };
        let digits = port.bytes().all(|byte| byte.is_ascii_digit());
        let port = port.parse().ok().filter(|port| digits && *port > 0);
        let port = port.ok_or_else(|| format!("{ALLOWED}, the port from 1 to 65535"))?;
        Ok(Self { host: host.to_owned(), port })
    }

    /// Its addresses. An address that is written as one needs nobody's answer.
    pub(crate) fn resolve(&self) -> Result<Target, String> {
        let addresses = (self.host.as_str(), self.port).to_socket_addrs();
        let addresses: io::Result<Vec<SocketAddr>> = addresses.map(Iterator::collect);
        match addresses {
            Ok(addresses) if addresses.is_empty() => Err("it has no address".to_owned()),
            Ok(addresses) => Ok(addresses.into_iter().collect()),
            Err(error) => Err(reason(&error)),
        }
    }

    /// The same, but whoever answers has this long: the system itself may wait for many seconds. The
    /// thread that waits for it is left behind.
    pub(crate) fn resolve_within(&self, limit: Duration) -> Result<Target, String> {
        let (done, resolved) = sync_channel(1);
        let this = self.clone();
        thread::Builder::new()
            .name("resolve".to_owned())
            .spawn(move || done.send(this.resolve()))
            .map_err(|error| reason(&error))?;
        resolved.recv_timeout(limit).unwrap_or_else(|error| match error {
            RecvTimeoutError::Timeout => Err("there was no answer in time".to_owned()),
            RecvTimeoutError::Disconnected => Err(reason(&ErrorKind::Other.into())),
        })
    }
}

/// What stands in brackets.
fn check_address(written: &str) -> Result<&str, String> {
    let (address, zone) = match written.split_once('%') {
        Some((address, zone)) => (address, Some(zone)),
        None => (written, None),
    };
    let address: Ipv6Addr = address
        .parse()
        .map_err(|_| format!("{ALLOWED}, with nothing but an IPv6 address in the brackets"))?;
    match zone {
        Some("") => Err(with_zone(address)),
        None if address.is_unicast_link_local() => Err(with_zone(address)),
        _ => Ok(written),
    }
}

/// Every interface has such addresses of its own, so that the address alone is nowhere.
fn with_zone(address: Ipv6Addr) -> String {
    format!("an address with its interface, such as [{address}%eth0]:443")
}

/// What stands without brackets.
fn check_name(written: &str) -> Result<&str, String> {
    if written.contains(':') || written.contains('[') {
        return Err(ALLOWED.to_owned());
    }
    if !written.is_ascii() {
        return Err(format!("{ALLOWED}, the host in its ASCII form, which begins with xn--"));
    }
    let ordinary = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    let is_name = !written.is_empty() && written.bytes().all(ordinary);
    is_name.then_some(written).ok_or_else(|| ALLOWED.to_owned())
}

/// A value as it can be repeated in a message: people paste URLs, with a password in them.
pub(crate) fn shown(written: &str) -> Cow<'_, str> {
    if let Some((scheme, _)) = written.split_once("://") {
        return format!("{scheme}://…").into();
    }
    match written.rsplit_once('@') {
        Some((before, host)) if before.contains(':') => format!("…@{host}").into(),
        _ => written.into(),
    }
}

/// Whether this host is the machine itself, by what it is called.
pub(crate) fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse().is_ok_and(|address: IpAddr| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(written: &str) -> Result<String, String> {
        NetworkTarget::parse(written).map(|target| target.to_string())
    }

    #[test]
    fn a_target_has_a_host_and_a_port() {
        for (written, target) in [
            ("example.org:443", "example.org:443"),
            ("192.0.2.7:1", "192.0.2.7:1"),
            ("[2001:db8::1]:443", "[2001:db8::1]:443"),
            ("[fe80::1%lo]:80", "[fe80::1%lo]:80"),
            (" 127.0.0.1:80\n", "127.0.0.1:80"),
            ("my_db-1.internal.:65535", "my_db-1.internal.:65535"),
        ] {
            assert_eq!(parsed(written).as_deref(), Ok(target));
        }
    }

    #[test]
    fn what_can_never_be_resolved_is_refused_with_what_would_be_right() {
        for (written, part) in [
            ("2001:db8::1:443", "[2001:db8::1]:443"),
            ("example.org", "example.org:443"),
            (":443", "a host"),
            ("", "a host"),
            ("example.org:https", "from 1 to 65535"),
            ("example.org:70000", "from 1 to 65535"),
            ("example.org:0", "from 1 to 65535"),
            ("example.org:+80", "from 1 to 65535"),
            ("two words:80", "a host"),
            ("[::g]:80", "an IPv6 address in the brackets"),
            ("[127.0.0.1]:80", "an IPv6 address in the brackets"),
            ("[example.org]:80", "an IPv6 address in the brackets"),
            ("[fe80::1]:80", "such as [fe80::1%eth0]:443"),
            ("[fe80::1%]:80", "such as [fe80::1%eth0]:443"),
            ("bücher.example:443", "xn--"),
            ("https://example.org:443/a", "leave out https://"),
            ("user@example.org:22", "before the @"),
        ] {
            let refused = parsed(written).unwrap_err();
            assert!(refused.contains(part), "{written}: {refused}");
        }
    }

    #[test]
    fn an_address_without_a_name_is_resolved_by_itself() {
        for written in ["127.0.0.1:80", "[::1]:80"] {
            let target = NetworkTarget::parse(written).unwrap();
            let second = Duration::from_secs(60);
            let addresses = target.resolve_within(second).unwrap().addresses().to_vec();
            assert_eq!(addresses, [written.parse::<SocketAddr>().unwrap()]);
        }
    }

    #[test]
    fn no_message_repeats_a_password() {
        for written in [
            "https://user:s3cret@proxy:3128",
            "https://proxy/?at=a@b&token=s3cret",
            "user:s3cret@proxy:3128",
            "user:a@s3cret@proxy",
        ] {
            assert!(!shown(written).contains("s3cret"), "{}", shown(written));
            assert!(!parsed(written).unwrap_err().contains("s3cret"));
        }
        assert_eq!(shown("user@host:22"), "user@host:22");
    }

    #[test]
    fn this_machine_is_known_by_its_names() {
        for (host, is_it) in [
            ("localhost", true),
            ("127.0.0.9", true),
            ("::1", true),
            ("::ffff:127.0.0.1", true),
            ("localhost.example.org", false),
            ("10.9.0.1", false),
        ] {
            assert_eq!(is_loopback(host), is_it, "{host}");
        }
    }
}
