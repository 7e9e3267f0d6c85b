//! hyper, by hyper-util's client with its pool, and by a connection alone.

use std::error::Error;
use std::net::SocketAddr;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioIo};
use persevere::Kind;
use real_failures::{expect, expect_retry, peer};
use tokio::net::TcpStream;

use crate::{NOBODY, SHORT};

type BoxError = Box<dyn Error + Send + Sync>;

async fn get(url: &str) -> Result<Bytes, BoxError> {
    let client = Client::builder(TokioExecutor::new()).build_http::<Empty<Bytes>>();
    let answer = client.get(url.parse()?).await?;
    Ok(answer.into_body().collect().await?.to_bytes())
}

async fn failure_at(address: SocketAddr) -> BoxError {
    get(&format!("http://{address}/")).await.unwrap_err()
}

#[tokio::test]
async fn refused() {
    let closed = peer::Closed::port().unwrap();
    let verdict = expect(&*failure_at(closed.address()).await, true, Kind::Network);
    assert!(verdict.is_unprocessed());
}

#[tokio::test]
async fn reset() {
    expect_retry(&*failure_at(peer::resets_at_once().unwrap()).await, Kind::Network);
}

#[tokio::test]
async fn closed_before_the_answer() {
    let verdict = expect(&*failure_at(peer::answers("").unwrap()).await, true, Kind::Network);
    assert_eq!(verdict.rule(), "hyper.incomplete_message");
    assert!(!verdict.is_unprocessed());
}

#[tokio::test]
async fn body_cut_short() {
    let cut = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nthe beginning";
    expect_retry(&*failure_at(peer::answers(cut).unwrap()).await, Kind::Network);
}

#[tokio::test]
async fn unknown_host() {
    let verdict =
        expect(&*get(&format!("http://{NOBODY}/")).await.unwrap_err(), true, Kind::Network);
    assert!(verdict.is_unprocessed());
}

#[tokio::test]
async fn not_http() {
    let error = failure_at(peer::answers("+OK POP3 server ready\r\n").unwrap()).await;
    assert_eq!(expect(&*error, false, Kind::Invalid).rule(), "hyper.parse");
}

#[tokio::test]
async fn stalled() {
    let url = format!("http://{}/", peer::stalls().unwrap());
    let error = tokio::time::timeout(SHORT, get(&url)).await.unwrap_err();
    assert_eq!(expect(&error, true, Kind::Timeout).rule(), "tokio.elapsed");
}

/// What a pool meets when it takes a connection that the server has just closed.
#[tokio::test]
async fn a_connection_that_is_gone_has_sent_nothing() {
    let stream = TcpStream::connect(peer::answers("").unwrap()).await.unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake::<_, Empty<Bytes>>(TokioIo::new(stream))
            .await
            .unwrap();
    drop(connection);
    let request = Request::get("/").header("host", "localhost").body(Empty::new()).unwrap();
    let error = sender.send_request(request).await.unwrap_err();
    let verdict = expect(&error, true, Kind::Network);
    assert!(verdict.is_unprocessed(), "{verdict}");
}
