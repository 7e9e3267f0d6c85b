//! Ends of connections: clean ones and others.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How long the peer may take to read what it was sent, before its connection is reset all the same.
const UNTIL_READ: Duration = Duration::from_secs(30);

/// How long the peer may take to stop sending, before its connection is closed all the same.
const UNTIL_STOPPED: Duration = Duration::from_secs(5);

/// Resets the connection (RST) when the peer's kernel has all that was written: what lies unsent here when a connection
/// is reset never arrives.
pub(crate) async fn reset(stream: TcpStream) {
    let start = Instant::now();
    while unsent(&stream) && start.elapsed() < UNTIL_READ {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    reset_now(stream);
}

/// Resets the connection (RST) at once.
pub(crate) fn reset_now(stream: TcpStream) {
    // Without it, it is closed cleanly, which some tests will tell.
    let _unsupported = stream.set_zero_linger();
    drop(stream);
}

/// Closes the connection so that the peer gets all that was written, even if it is sending still: to close with
/// something unread is to reset.
pub(crate) async fn close(mut stream: TcpStream) {
    let _gone = stream.shutdown().await;
    let mut waste = vec![0; 16 * 1024];
    let drain = async { while stream.read(&mut waste).await.is_ok_and(|read| read != 0) {} };
    let _late = tokio::time::timeout(UNTIL_STOPPED, drain).await;
}

/// Whether the peer's kernel lacks bytes that were written: by the queues in Linux's /proc, which need no call of the
/// unsafe kind. Elsewhere, and if it cannot be read, no.
fn unsent(stream: &TcpStream) -> bool {
    let (Ok(local), Ok(peer)) = (stream.local_addr(), stream.peer_addr()) else { return false };
    let table = if local.is_ipv4() { "tcp" } else { "tcp6" };
    let Ok(text) = std::fs::read_to_string(format!("/proc/thread-self/net/{table}")) else {
        return false;
    };
    let ports = (format!(":{:04X}", local.port()), format!(":{:04X}", peer.port()));
    text.lines().skip(1).any(|line| {
        let mut fields = line.split_whitespace().skip(1);
        let (Some(from), Some(to), _state, Some(queues)) =
            (fields.next(), fields.next(), fields.next(), fields.next())
        else {
            return false;
        };
        from.ends_with(&ports.0) && to.ends_with(&ports.1) && !queues.starts_with("00000000:")
    })
}
