//! Probes: a TCP connection to the target itself, closed at once. Any answer is a good one.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::evaluator::Probed;

/// How long an answer may take.
pub(crate) const LIMIT: Duration = Duration::from_secs(3);
/// A host with more addresses is judged by the first of them.
const MOST: usize = 8;

/// Probes all addresses at once, and tells the result: from another thread, or at once if there is
/// none to be had.
pub(crate) fn begin(
    addresses: Arc<[SocketAddr]>,
    limit: Duration,
    tell: impl Fn(Probed) + Send + Sync + 'static,
) {
    let tell = Arc::new(tell);
    let told = tell.clone();
    let race = move || told(race(&addresses, limit));
    if spawn(race).is_err() {
        tell(Probed::NotMade);
    }
}

/// They are small, and may all be there for 3 s.
fn spawn(run: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let builder = thread::Builder::new().name("network-probe".to_owned()).stack_size(128 * 1024);
    builder.spawn(run).map(drop)
}

fn race(addresses: &[SocketAddr], limit: Duration) -> Probed {
    if let [one] = addresses {
        return connect(*one, limit);
    }
    let (sender, results) = mpsc::channel();
    for address in addresses.iter().copied().take(MOST) {
        let sender = sender.clone();
        let connecting = move || _ = sender.send(connect(address, limit));
        // One that cannot be made is one answer less.
        let _not_made = spawn(connecting);
    }
    drop(sender);
    let mut result = Probed::NotMade;
    for probed in results {
        match probed {
            Probed::Answered => return probed,
            Probed::Silent => result = probed,
            Probed::NotMade => {}
        }
    }
    result
}

fn connect(address: SocketAddr, limit: Duration) -> Probed {
    match TcpStream::connect_timeout(&address, limit) {
        Ok(_closed_at_once) => Probed::Answered,
        Err(error) => judge(&error),
    }
}

fn judge(error: &io::Error) -> Probed {
    match error.kind() {
        // Somebody is there, and says that nobody listens.
        io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset => Probed::Answered,
        io::ErrorKind::TimedOut
        | io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkUnreachable
        | io::ErrorKind::NetworkDown
        | io::ErrorKind::ConnectionAborted => Probed::Silent,
        // No file descriptor, no port, not allowed: it says nothing of the network.
        _ => Probed::NotMade,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_listens_and_who_refuses_are_both_there() {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        assert_eq!(race(&[address], LIMIT), Probed::Answered);
        drop(listener);
        assert_eq!(race(&[address], LIMIT), Probed::Answered);
        assert_eq!(race(&[address, address], LIMIT), Probed::Answered);
    }

    #[test]
    fn what_is_no_answer() {
        for (kind, probed) in [
            (io::ErrorKind::TimedOut, Probed::Silent),
            (io::ErrorKind::NetworkUnreachable, Probed::Silent),
            (io::ErrorKind::PermissionDenied, Probed::NotMade),
            (io::ErrorKind::AddrInUse, Probed::NotMade),
        ] {
            assert_eq!(judge(&kind.into()), probed, "{kind}");
        }
    }

    #[test]
    fn the_result_comes_from_another_thread() {
        let (sender, results) = mpsc::channel();
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        begin([address].into(), LIMIT, move |probed| _ = sender.send(probed));
        assert_eq!(results.recv(), Ok(Probed::Answered));
    }
}
