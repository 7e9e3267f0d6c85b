//! Waits for a service that is not up yet, as every program in a container does.
//!
//! `cargo run --example connect`

use std::time::Duration;

use persevere::{RetryError, RetryPolicy, Retryer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // A port that nobody listens on yet: the listener is dropped at once.
    let address = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(300)).await;
        if let Ok(listener) = TcpListener::bind(address).await
            && let Ok((mut stream, _)) = listener.accept().await
        {
            let _ = stream.write_all(b"hello").await;
        }
    });

    let policy = RetryPolicy::aggressive()
        .to_builder()
        .initial_delay(Duration::from_millis(50))
        .max_delay(Duration::from_secs(1))
        .build()?;
    let greeting = greet(&Retryer::new(policy), address).await?;
    println!("the service says: {greeting}");
    Ok(())
}

async fn greet(
    retryer: &Retryer,
    address: std::net::SocketAddr,
) -> Result<String, RetryError<std::io::Error>> {
    retryer
        .call("greet")
        .deadline(Duration::from_secs(10))
        .run(|attempt| async move {
            println!("attempt {}", attempt.number());
            let mut greeting = String::new();
            TcpStream::connect(address).await?.read_to_string(&mut greeting).await?;
            Ok(greeting)
        })
        .await
}
