//! Lives through an outage with a single attempt to its name: while the network is down, calls
//! pause, and nothing is charged. With a monitor that is told by hand, as in tests of your own; the
//! one that watches the machine is in `network_aware`, an example of `persevere-network`.
//!
//! `cargo run --example network_pause`

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use persevere::{Event, ManualMonitor, NetworkMonitor, NetworkState, RetryPolicy, Retryer};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let monitor = Arc::new(ManualMonitor::new(NetworkState::Up));
    let policy = RetryPolicy::builder()
        .max_attempts(1)
        .initial_delay(Duration::from_millis(10))
        .wait_for_network(true)
        .build()?;
    let retryer = Retryer::new(policy)
        .network_monitor(monitor.clone())
        .observer(|event: &Event<'_>| println!("{}", event.kind.message()));

    monitor.set(NetworkState::Down);
    let cable = monitor.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(500)).await;
        println!("(somebody plugs the cable in)");
        cable.set(NetworkState::Up);
    });

    let started = Instant::now();
    let sent = retryer.run("upload", |_| send(&monitor)).await?;
    println!("sent {sent} bytes after {:?}", started.elapsed());
    Ok(())
}

async fn send(network: &ManualMonitor) -> io::Result<u64> {
    match network.gate().state() {
        NetworkState::Down => Err(io::ErrorKind::NetworkUnreachable.into()),
        _ => Ok(1024),
    }
}
