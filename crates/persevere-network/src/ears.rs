//! How the monitor's thread hears that something has changed: on Linux from the kernel, elsewhere not.

use std::time::Duration;

#[cfg(any(target_os = "linux", target_os = "android"))]
use rustix::io::Errno;

use crate::bell::Bell;
use crate::options::Options;

#[cfg(any(target_os = "linux", target_os = "android"))]
mod netlink;

/// So often we look for messages where the kernel does not tell us that there are any.
#[cfg(any(target_os = "linux", target_os = "android"))]
const WITHOUT_POLL: Duration = Duration::from_secs(2);
/// A socket that was opened so often, and broke each time before it had said anything, is not opened
/// again.
#[cfg(any(target_os = "linux", target_os = "android"))]
const BROKEN: u8 = 5;

/// What the monitor's thread listens with.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[derive(Debug)]
pub(crate) struct Ears {
    options: Options,
    netlink: Option<netlink::Netlink>,
    /// How often in a row it broke.
    broke: u8,
}

#[cfg(any(target_os = "linux", target_os = "android"))]
impl Ears {
    pub(crate) fn new(options: Options) -> Self {
        Self { options, netlink: None, broke: 0 }
    }

    /// Listens to the kernel, if it lets us. Returns whether it does.
    pub(crate) fn open(&mut self) -> bool {
        self.let_go_of_others();
        if self.netlink.is_none() && self.options.kernel_events && self.broke < BROKEN {
            self.netlink = netlink::Netlink::open(self.options.receive_buffer).ok();
        }
        self.netlink.is_some()
    }

    /// Waits for the bell or for this long, and for the kernel if it is to be `heeded`. Returns
    /// whether the kernel has something to say.
    pub(crate) fn wait(&mut self, bell: &Bell, limit: Duration, heeded: bool) -> bool {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let line = bell.line();
        let Some(near) = line.as_ref().and_then(|line| line.near()) else {
            // Then there is no socket either, or soon will be none: look again by the clock.
            bell.wait(limit);
            return false;
        };
        if bell.take() {
            return false;
        }
        let mut polled = vec![PollFd::from_borrowed_fd(near, PollFlags::IN)];
        if let Some(netlink) = self.netlink.as_ref().filter(|_| heeded) {
            polled.push(PollFd::new(netlink, PollFlags::IN));
        }
        let timeout = Timespec::try_from(limit).ok();
        match poll(&mut polled, timeout.as_ref()) {
            Ok(_) => {}
            // As good as a ring.
            Err(Errno::INTR) => return false,
            // Too many descriptors for this process, or no memory: it must not become a hot loop.
            Err(_) => {
                bell.wait(limit.min(WITHOUT_POLL));
                return heeded && self.netlink.is_some();
            }
        }
        // A line that somebody has closed is made anew the next time.
        let kernel = polled.get(1).is_some_and(|netlink| !netlink.revents().is_empty());
        bell.take();
        kernel
    }

    /// Hears the kernel out. Returns whether it said anything, or whether it can no longer be heard,
    /// so that much may have happened.
    pub(crate) fn drain(&mut self) -> bool {
        let Some(netlink) = &self.netlink else { return false };
        match netlink.drain() {
            Ok(any) => {
                self.broke = 0;
                any
            }
            Err(netlink::Broken) => {
                self.let_go_of_others();
                self.netlink = None;
                self.broke = self.broke.saturating_add(1);
                true
            }
        }
    }

    /// If somebody has closed our socket, its number may be another one's by now, which must not be
    /// closed with it.
    fn let_go_of_others(&mut self) {
        if self.netlink.as_ref().is_some_and(|netlink| !netlink.is_ours()) {
            std::mem::forget(self.netlink.take());
        }
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
impl Drop for Ears {
    fn drop(&mut self) {
        self.let_go_of_others();
    }
}

/// What the monitor's thread listens with: nothing, so that it has to look by the clock.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
#[derive(Debug)]
pub(crate) struct Ears;

#[cfg(not(any(target_os = "linux", target_os = "android")))]
impl Ears {
    pub(crate) fn new(_options: Options) -> Self {
        Self
    }

    pub(crate) fn open(&mut self) -> bool {
        false
    }

    pub(crate) fn wait(&mut self, bell: &Bell, limit: Duration, _heeded: bool) -> bool {
        bell.wait(limit);
        false
    }

    pub(crate) fn drain(&mut self) -> bool {
        false
    }
}

#[cfg(all(test, any(target_os = "linux", target_os = "android")))]
mod tests {
    use super::*;

    fn ears() -> Ears {
        Ears::new(Options::default())
    }

    #[test]
    fn a_bell_that_rings_before_or_during_the_wait_ends_it() {
        let (mut ears, bell) = (ears(), std::sync::Arc::new(Bell::default()));
        bell.ring();
        assert!(!ears.wait(&bell, Duration::from_secs(3_600), true));
        let ringer = bell.clone();
        let ringing = std::thread::spawn(move || ringer.ring());
        assert!(!ears.wait(&bell, Duration::from_secs(3_600), true));
        ringing.join().unwrap();
    }

    #[test]
    fn a_socket_that_always_breaks_is_given_up() {
        let mut ears = ears();
        if !ears.open() {
            return; // A sandbox without netlink.
        }
        for _ in 0..BROKEN {
            assert!(ears.open());
            ears.netlink.as_mut().unwrap().replace_by_dev_zero();
            assert!(ears.drain());
        }
        assert!(!ears.open(), "it is looked by the clock");
    }

    #[test]
    fn a_socket_that_was_closed_is_opened_again() {
        let mut ears = ears();
        if !ears.open() {
            return; // A sandbox without netlink.
        }
        let bell = Bell::default();
        // The number is somebody else's now, and that one always has something to say.
        ears.netlink.as_mut().unwrap().replace_by_dev_zero();
        assert!(ears.wait(&bell, Duration::from_secs(3_600), true));
        assert!(ears.drain(), "much may have happened");
        assert!(ears.netlink.is_none());
        assert!(ears.open());
        assert!(!ears.drain());
    }
}
