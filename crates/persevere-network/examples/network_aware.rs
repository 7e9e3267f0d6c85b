//! Network-aware retry: an upload pauses when the network goes down, and resumes by itself when it is
//! back, without using up an attempt.
//!
//! `cargo run -p persevere-network --example network_aware`
//!
//! Monitor, connections and failures are real. Only the cable is not, for this has to run anywhere:
//! the server breaks off and says "down" to the monitor by hand, where a cable that is pulled out
//! would do both.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use persevere::{Event, NetworkState, RetryPolicy, Retryer};
use persevere_network::Monitor;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

static CHUNK: [u8; 64 * 1024] = [7; 64 * 1024];
const CHUNKS: usize = 100;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let monitor = Arc::new(Monitor::new());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let server = listener.local_addr()?;
    tokio::spawn(serve(listener, monitor.clone()));

    // Enable network awareness.
    let policy = RetryPolicy::balanced().to_builder().wait_for_network(true).build()?;
    // Attach the monitor, here to the way to this server.
    let retryer = Retryer::new(policy).network_monitor(monitor.target(server)).observer(print);

    // Operations pause when the network goes down, and resume automatically when it recovers. The
    // deadline is for a network that never does.
    let sent = retryer
        .call("upload")
        .deadline(Duration::from_secs(600))
        .run(|attempt| {
            println!("attempt {} of {}", attempt.number(), attempt.max_attempts());
            upload(server)
        })
        .await?;
    println!("uploaded {sent} bytes; the network is {}", monitor.target(server).status());
    Ok(())
}

/// One attempt.
async fn upload(server: SocketAddr) -> io::Result<u64> {
    let mut stream = TcpStream::connect(server).await?;
    for _ in 0..CHUNKS {
        stream.write_all(&CHUNK).await?;
    }
    stream.shutdown().await?;
    stream.read_u64().await
}

/// Takes uploads, and says how many bytes there were. In the first one the network goes down.
async fn serve(listener: TcpListener, network: Arc<Monitor>) -> io::Result<()> {
    let (mut stream, _) = listener.accept().await?;
    stream.read_exact(&mut CHUNK.clone()).await?;
    println!("(somebody pulls the cable out)");
    network.set_by_hand(Some(NetworkState::Down));
    drop(stream);
    tokio::time::sleep(Duration::from_secs(1)).await;
    println!("(somebody puts it in again)");
    network.set_by_hand(None);

    let (mut stream, _) = listener.accept().await?;
    let received = stream.read_to_end(&mut Vec::new()).await?;
    stream.write_u64(received as u64).await
}

/// As the log has it; see `tracing` for the real one.
fn print(event: &Event<'_>) {
    let (message, operation, attempt) = (event.kind.message(), event.operation, event.attempt);
    println!("{message} | operation={operation}, attempt={attempt}");
}
