//! h2 alone, beneath gRPC.

use h2::Reason;
use persevere::Kind;
use real_failures::grpc::{Answer, serve};
use real_failures::{expect, expect_retry, peer};
use tokio::net::TcpStream;

async fn call(answer: Answer) -> h2::Error {
    let stream = TcpStream::connect(serve(answer).await.unwrap()).await.unwrap();
    let (client, connection) = h2::client::handshake(stream).await.unwrap();
    let connection = tokio::spawn(connection);
    let mut client = client.ready().await.unwrap();
    let request = http::Request::get("http://localhost/").body(()).unwrap();
    let (answer, _) = client.send_request(request, true).unwrap();
    let error = answer.await.unwrap_err();
    connection.abort();
    error
}

#[tokio::test]
async fn a_refused_stream_was_not_looked_at() {
    let verdict = expect(&call(Answer::Reset(Reason::REFUSED_STREAM)).await, true, Kind::Network);
    assert!(verdict.is_unprocessed() && verdict.has_answer());
}

#[tokio::test]
async fn too_much() {
    let error = call(Answer::Reset(Reason::ENHANCE_YOUR_CALM)).await;
    assert!(expect(&error, true, Kind::Throttle).has_answer());
}

/// The reason is told to the connection; the call sees no more than its end.
#[tokio::test]
async fn going_away() {
    let error = call(Answer::GoAway(Reason::NO_ERROR)).await;
    expect_retry(&error, Kind::Network);
}

#[tokio::test]
async fn dropped() {
    let verdict = expect(&call(Answer::Drop).await, true, Kind::Network);
    assert!(!verdict.is_unprocessed());
}

#[tokio::test]
async fn reset_beneath_it() {
    let stream = TcpStream::connect(peer::answers_and_resets("").unwrap()).await.unwrap();
    let (mut client, connection) = h2::client::handshake(stream).await.unwrap();
    let request = http::Request::get("http://localhost/").body(()).unwrap();
    let _answer = client.send_request(request, true).unwrap();
    assert_eq!(
        expect(&connection.await.unwrap_err(), true, Kind::Network).rule(),
        "io.connection_reset"
    );
}
