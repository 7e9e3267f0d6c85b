//! How the monitor's thread hears that something has changed: on Linux from the kernel, elsewhere not.

use std::time::Duration;

use crate::bell::Bell;
use crate::options::Options;

#[cfg(any(target_os = "linux", target_os = "android"))]
mod netlink;

/// What the monitor's thread listens with.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[derive(Debug)]
pub(crate) struct Ears {
    options: Options,
    netlink: Option<netlink::Netlink>,
}

#[cfg(any(target_os = "linux", target_os = "android"))]
impl Ears {
    pub(crate) fn new(options: Options) -> Self {
        Self { options, netlink: None }
    }

    /// Listens to the kernel, if it lets us. Returns whether it does.
    pub(crate) fn open(&mut self) -> bool {
        self.let_go_of_others();
        if self.netlink.is_none() && self.options.kernel_events {
            self.netlink = netlink::Netlink::open(self.options.receive_buffer).ok();
        }
        self.netlink.is_some()
    }

    /// Waits for the bell or for this long, and for the kernel if it is to be `heeded`. Returns
    /// whether the kernel has something to say.
    pub(crate) fn wait(&mut self, bell: &Bell, limit: Duration, heeded: bool) -> bool {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let Some(event) = bell.event() else {
            // Then there is no socket either, or soon will be none: look again by the clock.
            bell.wait(limit);
            return false;
        };
        if bell.take() {
            return false;
        }
        let mut polled = vec![PollFd::from_borrowed_fd(event, PollFlags::IN)];
        if let Some(netlink) = self.netlink.as_ref().filter(|_| heeded) {
            polled.push(PollFd::new(netlink, PollFlags::IN));
        }
        let limit = Timespec::try_from(limit).ok();
        // An interruption is as good as a ring.
        let _ready = poll(&mut polled, limit.as_ref());
        // Of a bell that somebody has closed we only hear every now and then.
        let closed = polled[0].revents().intersects(PollFlags::NVAL | PollFlags::ERR);
        let kernel = polled.get(1).is_some_and(|netlink| !netlink.revents().is_empty());
        drop(polled);
        if closed {
            bell.wait(Duration::from_millis(200));
        } else {
            bell.take();
        }
        kernel
    }

    /// Hears the kernel out. Returns whether it said anything, or whether it can no longer be heard,
    /// so that much may have happened.
    pub(crate) fn drain(&mut self) -> bool {
        let Some(netlink) = &self.netlink else { return false };
        let drained = netlink.drain();
        drained.unwrap_or_else(|netlink::Broken| {
            self.let_go_of_others();
            self.netlink = None;
            true
        })
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
