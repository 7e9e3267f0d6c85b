//! Probes: a TCP connection to the target itself, closed at once. Any answer is a good one.

use std::collections::VecDeque;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::evaluator::Probed;

/// How long an answer may take.
pub(crate) const LIMIT: Duration = Duration::from_secs(3);
/// A host with more addresses is judged by the first of them.
const MOST: usize = 8;
/// So many connections are tried at once by one monitor; the others have to wait. With hundreds of hosts
/// that are silent at once each is probed less often.
const AT_ONCE: usize = 32;

/// Where probes are made: a few threads that end when there is nothing to do.
#[derive(Debug, Default)]
pub(crate) struct Probes {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    threads: usize,
    waiting: VecDeque<Connection>,
}

/// One address of a probe.
#[derive(Debug)]
struct Connection {
    race: Arc<Race>,
    address: SocketAddr,
}

/// A probe: all addresses of a host at once, of which one has to answer.
struct Race {
    limit: Duration,
    standing: Mutex<Standing>,
}

struct Standing {
    /// How many have yet to end.
    left: usize,
    result: Probed,
    /// Until it is told.
    tell: Option<Box<dyn FnOnce(Probed) + Send>>,
}

impl Probes {
    /// Probes all addresses at once, and tells the result: from another thread, or at once if there is
    /// none to be had.
    pub(crate) fn begin(
        self: &Arc<Self>,
        addresses: &[SocketAddr],
        limit: Duration,
        tell: impl FnOnce(Probed) + Send + 'static,
    ) {
        let addresses = &addresses[..addresses.len().min(MOST)];
        let standing =
            Standing { left: addresses.len(), result: Probed::NotMade, tell: Some(Box::new(tell)) };
        let race = Arc::new(Race { limit, standing: Mutex::new(standing) });
        let mut inner = lock(&self.inner);
        for address in addresses {
            inner.waiting.push_back(Connection { race: race.clone(), address: *address });
            // All that there are have something to do.
            let probes = self.clone();
            if inner.threads < AT_ONCE && spawn(move || probes.work()).is_ok() {
                inner.threads += 1;
            }
        }
        if inner.threads == 0 {
            let not_made = std::mem::take(&mut inner.waiting);
            drop(inner);
            not_made.into_iter().for_each(|connection| connection.race.take(Probed::NotMade));
        }
    }

    /// Those that have not begun are not made any more, and nobody is told.
    pub(crate) fn clear(&self) {
        let waiting = std::mem::take(&mut lock(&self.inner).waiting);
        drop(waiting);
    }

    /// In a child process, which has none of its parent's threads.
    pub(crate) fn renew(&self) {
        *lock(&self.inner) = Inner::default();
    }

    fn work(&self) {
        while let Some(Connection { race, address }) = self.next() {
            if race.is_over() {
                continue;
            }
            let probed = connect(address, race.limit);
            // Somebody's waker may panic when it is told, and the others want to be probed too.
            let _told = catch_unwind(AssertUnwindSafe(|| race.take(probed)));
        }
    }

    /// What to do next; without it the thread ends.
    fn next(&self) -> Option<Connection> {
        let mut inner = lock(&self.inner);
        let next = inner.waiting.pop_front();
        if next.is_none() {
            inner.threads -= 1;
        }
        next
    }
}

impl Race {
    fn is_over(&self) -> bool {
        lock(&self.standing).tell.is_none()
    }

    /// One of them has ended. The first answer is the result, or the last silence.
    fn take(&self, probed: Probed) {
        let mut standing = lock(&self.standing);
        standing.left = standing.left.saturating_sub(1);
        if probed != Probed::NotMade {
            standing.result = probed;
        }
        let tell = match probed == Probed::Answered || standing.left == 0 {
            true => standing.tell.take(),
            false => None,
        };
        let result = standing.result;
        drop(standing);
        if let Some(tell) = tell {
            tell(result);
        }
    }
}

impl std::fmt::Debug for Race {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Race").field("limit", &self.limit).finish_non_exhaustive()
    }
}

fn spawn(run: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let builder = thread::Builder::new().name("network-probe".to_owned()).stack_size(128 * 1024);
    builder.spawn(run).map(drop)
}

// What these hold is never left half-changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
    use std::net::TcpListener;
    use std::sync::mpsc;

    use super::*;

    fn race(addresses: &[SocketAddr]) -> Probed {
        let (sender, results) = mpsc::channel();
        Arc::new(Probes::default()).begin(addresses, LIMIT, move |probed| {
            sender.send(probed).unwrap();
        });
        results.recv().unwrap()
    }

    #[test]
    fn who_listens_and_who_refuses_are_both_there() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        assert_eq!(race(&[address]), Probed::Answered);
        drop(listener);
        assert_eq!(race(&[address]), Probed::Answered);
        assert_eq!(race(&[address, address]), Probed::Answered);
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

    /// The first answer counts, else any silence; what could not be made only if there is nothing else.
    #[test]
    fn of_several_addresses_one_has_to_answer() {
        use Probed::{Answered, NotMade, Silent};
        for (all, result) in [
            ([NotMade, NotMade, NotMade], NotMade),
            ([NotMade, Silent, NotMade], Silent),
            ([Silent, Answered, NotMade], Answered),
            ([Answered, Silent, Silent], Answered),
        ] {
            let (sender, results) = mpsc::channel();
            let tell = Box::new(move |probed| sender.send(probed).unwrap());
            let standing = Standing { left: 3, result: NotMade, tell: Some(tell) };
            let race = Race { limit: LIMIT, standing: Mutex::new(standing) };
            all.into_iter().for_each(|probed| race.take(probed));
            assert_eq!(results.iter().collect::<Vec<_>>(), [result], "{all:?}");
        }
    }

    /// Nobody accepts, so that each of them takes as long as it may.
    #[test]
    fn there_are_never_more_than_so_many_at_once_and_all_are_told() {
        let probes = Arc::new(Probes::default());
        let (sender, results) = mpsc::channel();
        for port in 1..=500 {
            let sender = sender.clone();
            let addresses = [7, 8, 9].map(|last| SocketAddr::from(([127, 0, 0, last], port)));
            probes.begin(&addresses, LIMIT, move |probed| sender.send(probed).unwrap());
            assert!(lock(&probes.inner).threads <= AT_ONCE);
        }
        drop(sender);
        assert_eq!(results.iter().count(), 500);
    }

    #[test]
    fn what_has_not_begun_by_the_end_is_dropped() {
        let probes = Arc::new(Probes::default());
        let (sender, results) = mpsc::channel::<Probed>();
        // As if all threads were busy.
        lock(&probes.inner).threads = AT_ONCE;
        let tell = move |probed| sender.send(probed).unwrap();
        probes.begin(&[SocketAddr::from(([127, 0, 0, 1], 1))], LIMIT, tell);
        probes.clear();
        assert!(results.recv().is_err(), "nobody is there who could tell");
    }
}
