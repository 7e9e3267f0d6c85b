//! tokio's sockets, names and time.

use persevere::Kind;
use real_failures::{expect, expect_retry, peer};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpStream, lookup_host};

use crate::{NOBODY, SHORT};

#[tokio::test]
async fn refused() {
    let closed = peer::Closed::port().unwrap();
    let error = TcpStream::connect(closed.address()).await.unwrap_err();
    assert!(expect(&error, true, Kind::Network).is_unprocessed());
}

#[tokio::test]
async fn reset() {
    let mut stream = TcpStream::connect(peer::resets_at_once().unwrap()).await.unwrap();
    let error = stream.read(&mut [0]).await.unwrap_err();
    assert_eq!(expect(&error, true, Kind::Network).rule(), "io.connection_reset");
}

#[tokio::test]
async fn cut_short() {
    let mut stream = TcpStream::connect(peer::resets_at_once().unwrap()).await.unwrap();
    expect_retry(&stream.read_exact(&mut [0; 9]).await.unwrap_err(), Kind::Network);
}

#[tokio::test]
async fn stalled() {
    let mut stream = TcpStream::connect(peer::stalls().unwrap()).await.unwrap();
    let error = tokio::time::timeout(SHORT, stream.read(&mut [0])).await.unwrap_err();
    assert_eq!(expect(&error, true, Kind::Timeout).rule(), "tokio.elapsed");
}

#[tokio::test]
async fn unknown_host() {
    let error = lookup_host((NOBODY, 80)).await.err().unwrap();
    assert!(expect(&error, true, Kind::Network).is_unprocessed());
}
