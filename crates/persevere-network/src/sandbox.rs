//! The carrier where interfaces cannot be listed, because a sandbox denies netlink: by the files of
//! Linux, as far as they say. Elsewhere there are none, and nothing is known.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether the interface on the way has a carrier, if that can be found out.
pub(crate) fn carrier(to: IpAddr, from: IpAddr) -> Option<bool> {
    let interface = match (to, from) {
        _ if to == from => "lo".to_owned(),
        (IpAddr::V4(to), _) => by_route(&fs::read_to_string("/proc/net/route").ok()?, to)?,
        (_, IpAddr::V6(from)) => by_address(&fs::read_to_string("/proc/net/if_inet6").ok()?, from)?,
        _ => return None,
    };
    // A name comes from the kernel, but it goes into a path.
    let folder = (!interface.contains('/')).then(|| format!("/sys/class/net/{interface}"))?;
    let read = |file: &str| fs::read_to_string(format!("{folder}/{file}")).ok();
    let there = read("ifindex")?.trim().parse::<u32>().ok()?;
    if number(&interface).is_some_and(|here| here != there) {
        return None;
    }
    // As the kernel makes IFF_RUNNING of it.
    let state = read("operstate")?;
    Some(matches!(state.trim(), "up" | "unknown"))
}

/// The number of an interface in our network namespace: /sys may be that of another one.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn number(interface: &str) -> Option<u32> {
    let socket = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).ok()?;
    rustix::net::netdevice::name_to_index(socket, interface).ok()
}

/// There is no /sys.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn number(_interface: &str) -> Option<u32> {
    None
}

/// The interface of the most special route in `/proc/net/route`: the mask with the most bits, then
/// the lowest metric.
fn by_route(table: &str, to: Ipv4Addr) -> Option<String> {
    const UP: u32 = 1;
    const REJECT: u32 = 0x200;
    let mut best: Option<(u32, u32, &str)> = None;
    for line in table.lines().skip(1) {
        let mut fields = line.split_whitespace();
        let interface = fields.next()?;
        let hex = |field: Option<&str>| u32::from_str_radix(field?, 16).ok();
        // In the order of the machine's bytes, as they lie in memory.
        let address = |field| hex(field).map(|number| u32::from_be_bytes(number.to_ne_bytes()));
        let (Some(destination), _gateway) = (address(fields.next()), fields.next()) else {
            continue;
        };
        let Some(flags) = hex(fields.next()) else { continue };
        let metric = fields.nth(2).and_then(|metric| metric.parse::<u32>().ok());
        let (Some(metric), Some(mask)) = (metric, address(fields.next())) else { continue };
        if flags & UP == 0 || flags & REJECT != 0 || to.to_bits() & mask != destination {
            continue;
        }
        let rank = (mask.count_ones(), u32::MAX - metric, interface);
        if best.is_none_or(|best| (best.0, best.1) < (rank.0, rank.1)) {
            best = Some(rank);
        }
    }
    best.map(|(_, _, interface)| interface.to_owned())
}

/// The interface that has this address in `/proc/net/if_inet6`.
fn by_address(table: &str, address: Ipv6Addr) -> Option<String> {
    let written = format!("{:032x}", address.to_bits());
    let line = table.lines().find(|line| line.starts_with(&written))?;
    line.split_whitespace().last().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_endian = "little")]
    fn the_most_special_route_wins_then_the_lowest_metric() {
        let table = "\
Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT
wlan0 00000000 0101A8C0 0003 0 0 600 00000000 0 0 0
eth0 00000000 0102A8C0 0003 0 0 100 00000000 0 0 0
tun0 0000000A 00000000 0001 0 0 0 000000FF 0 0 0
eth9 0000010A 00000000 0201 0 0 0 0000FFFF 0 0 0
nonsense";
        for (to, interface) in [([203, 0, 113, 1], "eth0"), ([10, 1, 2, 3], "tun0")] {
            assert_eq!(by_route(table, to.into()).as_deref(), Some(interface));
        }
        assert_eq!(by_route("", [10, 1, 2, 3].into()), None);
    }

    #[test]
    fn an_address_names_its_interface() {
        let table = "\
00000000000000000000000000000001 01 80 10 80       lo
20010db8000000000000000000000007 02 40 00 00     eth0
";
        let address = "2001:db8::7".parse().unwrap();
        assert_eq!(by_address(table, address).as_deref(), Some("eth0"));
        assert_eq!(by_address(table, Ipv6Addr::UNSPECIFIED), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn loopback_has_a_carrier() {
        let loopback = IpAddr::from([127, 0, 0, 1]);
        assert_ne!(carrier(loopback, loopback), Some(false));
    }
}
