//! The interfaces of this machine, as far as the system tells.

#[cfg(unix)]
use std::collections::HashMap;
use std::io;
use std::net::IpAddr;

/// A network interface.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Interface {
    /// Its name, such as `eth0`.
    pub name: String,
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
    /// Whether it is switched on.
    pub up: bool,
    /// Whether it can carry anything: the cable is in, the radio is joined.
    pub running: bool,
    /// Whether it is this machine itself.
    pub loopback: bool,
}

/// What an interface has carried since it was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Bytes that came in.
    pub received_bytes: u64,
    /// Packets that came in.
    pub received_packets: u64,
    /// Packets that came in broken.
    pub received_errors: u64,
    /// Packets that came in, and for which there was no room.
    pub received_dropped: u64,
    /// Bytes that went out.
    pub sent_bytes: u64,
    /// Packets that went out.
    pub sent_packets: u64,
    /// Packets that could not go out.
    pub sent_errors: u64,
    /// Packets that were to go out, and for which there was no room.
    pub sent_dropped: u64,
}

impl Interface {
    /// All interfaces.
    ///
    /// # Errors
    ///
    /// The system's, if it does not tell, as in some sandboxes; on Windows always.
    #[cfg(unix)]
    pub fn all() -> io::Result<Vec<Self>> {
        use nix::net::if_::InterfaceFlags;
        let mut all: Vec<Self> = Vec::new();
        // Thousands are not unheard of, on a host of containers.
        let mut by_name = HashMap::new();
        for entry in nix::ifaddrs::getifaddrs()? {
            let flags = entry.flags;
            let index = *by_name.entry(entry.interface_name).or_insert_with_key(|name| {
                all.push(Self {
                    name: name.clone(),
                    addresses: Vec::new(),
                    up: flags.contains(InterfaceFlags::IFF_UP),
                    running: flags.contains(InterfaceFlags::IFF_RUNNING),
                    loopback: flags.contains(InterfaceFlags::IFF_LOOPBACK),
                });
                all.len() - 1
            });
            let interface = &mut all[index];
            let Some(address) = entry.address else { continue };
            let v4 = address.as_sockaddr_in().map(|address| IpAddr::V4(address.ip()));
            let v6 = address.as_sockaddr_in6().map(|address| IpAddr::V6(address.ip()));
            interface.addresses.extend(v4.or(v6));
        }
        Ok(all)
    }

    /// All interfaces.
    ///
    /// # Errors
    ///
    /// Always: nobody has written this for Windows yet.
    #[cfg(not(unix))]
    pub fn all() -> io::Result<Vec<Self>> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// What it has carried. `None` where the system does not say, which is everywhere but on Linux.
    /// For several interfaces ask [`Counters::all`] once.
    pub fn counters(&self) -> Option<Counters> {
        Counters::all().remove(&self.name)
    }
}

impl Counters {
    /// What each interface has carried, by its name: in one look at the system's table, which grows
    /// with the number of interfaces. Empty where the system does not say.
    pub fn all() -> HashMap<String, Self> {
        // Not from /sys, which may be that of another network namespace.
        let table = std::fs::read_to_string("/proc/self/net/dev").unwrap_or_default();
        Self::read_all(&table)
    }

    /// From `/proc/net/dev`.
    fn read_all(table: &str) -> HashMap<String, Self> {
        let lines = table.lines().filter_map(|line| line.rsplit_once(':'));
        lines.filter_map(|(name, line)| Some((name.trim().to_owned(), Self::read(line)?))).collect()
    }

    /// From the numbers of an interface there.
    fn read(line: &str) -> Option<Self> {
        let numbers: Result<Vec<u64>, _> = line.split_whitespace().map(str::parse).collect();
        let numbers = numbers.ok()?;
        let at = |index: usize| numbers.get(index).copied();
        Some(Self {
            received_bytes: at(0)?,
            received_packets: at(1)?,
            received_errors: at(2)?,
            received_dropped: at(3)?,
            sent_bytes: at(8)?,
            sent_packets: at(9)?,
            sent_errors: at(10)?,
            sent_dropped: at(11)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_stand_in_the_line_of_their_interface() {
        let table = "\
Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo
    lo:     100       2    0    0    0     0          0         0      100       2    0    0    0
  eth0:    1234      11    1    3    0     0          0         0     5678      22    2    4    0
";
        let all = Counters::read_all(table);
        let counters = all["eth0"];
        assert_eq!((counters.received_bytes, counters.received_dropped), (1234, 3));
        assert_eq!((counters.sent_bytes, counters.sent_dropped), (5678, 4));
        assert_eq!(all.len(), 2);
    }
}
