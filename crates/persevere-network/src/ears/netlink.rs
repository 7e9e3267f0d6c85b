//! The kernel's messages on links, addresses and routes. That there was one is all that counts: what
//! it says is never read, so that none can be misread, and none that is lost is missed.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::{self, Errno};
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, RecvFlags, SocketFlags, SocketType};

/// The groups, from `linux/rtnetlink.h`: links; addresses, routes and rules of both kinds.
const GROUPS: u32 = 0x1 | 0x10 | 0x40 | 0x80 | 0x100 | 0x400 | 0x4_0000;
/// So many messages are heard out at once. In a storm the rest waits for the next look.
const AT_ONCE: usize = 10_000;

#[derive(Debug)]
pub(super) struct Netlink {
    socket: OwnedFd,
}

/// It can no longer be heard.
#[derive(Debug)]
pub(super) struct Broken;

impl Netlink {
    pub(super) fn open(receive_buffer: Option<usize>) -> io::Result<Self> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        // `None` is the protocol 0, which for this family is NETLINK_ROUTE.
        let socket =
            rustix::net::socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, None)?;
        if let Some(size) = receive_buffer {
            rustix::net::sockopt::set_socket_recv_buffer_size(&socket, size)?;
        }
        rustix::net::bind(&socket, &SocketAddrNetlink::new(0, GROUPS))?;
        Ok(Self { socket })
    }

    /// Whether it is still there: another socket may have its number after somebody has closed it.
    /// Where the question itself is denied, as by a sandbox, it is: or it would never be closed.
    pub(super) fn is_ours(&self) -> bool {
        match rustix::net::getsockname(&self.socket) {
            Ok(address) => address.address_family() == AddressFamily::NETLINK,
            Err(error) => !matches!(error, Errno::BADF | Errno::NOTSOCK),
        }
    }

    /// Takes all messages out. Returns whether there were any.
    pub(super) fn drain(&self) -> Result<bool, Broken> {
        // What comes at another one's socket is not ours to take.
        if !self.is_ours() {
            return Err(Broken);
        }
        let mut any = false;
        for _ in 0..AT_ONCE {
            // One byte: the rest of a message is thrown away with it.
            match rustix::net::recv(&self.socket, &mut [0; 1], RecvFlags::DONTWAIT) {
                // Some were lost, which is as good as having read them.
                Ok(_) | Err(Errno::NOBUFS | Errno::NOMEM) => any = true,
                Err(Errno::AGAIN) => return Ok(any),
                Err(Errno::INTR) => {}
                Err(_) => return Err(Broken),
            }
        }
        Ok(any)
    }

    #[cfg(test)]
    pub(super) fn replace_by_dev_zero(&mut self) {
        let zero = std::fs::File::open("/dev/zero").unwrap();
        io::dup2(zero, &mut self.socket).unwrap();
    }
}

impl AsFd for Netlink {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
