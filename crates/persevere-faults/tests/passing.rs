//! What is not to go wrong passes as it is: hyper's client and server through the proxy.
#![allow(clippy::unwrap_used)]

mod common;

use std::convert::Infallible;
use std::io::{Read, Write};
use std::net::SocketAddr;

use common::{connect, pattern, read_answer, read_to_end, wait_for};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Body, Bytes, Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use persevere_faults::{FaultProxy, Plan};
use tokio::net::{TcpListener, TcpStream};

/// Sends back the body that it is sent, in the framing in which it came.
async fn echo(
    request: Request<Incoming>,
) -> Result<Response<BoxBody<Bytes, Infallible>>, Infallible> {
    let length = request.body().size_hint().exact();
    let body = request.into_body().collect().await.unwrap().to_bytes();
    if length.is_some() {
        return Ok(Response::new(BoxBody::new(Full::new(body))));
    }
    Ok(Response::new(BoxBody::new(chunked(body))))
}

/// In chunks of several sizes.
fn chunked(body: Bytes) -> impl Body<Data = Bytes, Error = Infallible> + Send + Sync + 'static {
    let mut chunks = Vec::new();
    let mut rest = body;
    while !rest.is_empty() {
        let chunk = rest.split_to(rest.len().min(1 + chunks.len() * 4999));
        chunks.push(Ok(Frame::data(chunk)));
    }
    StreamBody::new(Chunks(chunks.into_iter()))
}

struct Chunks(std::vec::IntoIter<Result<Frame<Bytes>, Infallible>>);

impl futures_util::Stream for Chunks {
    type Item = Result<Frame<Bytes>, Infallible>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        std::task::Poll::Ready(self.0.next())
    }
}

/// An echo server on a thread of its own.
fn server() -> SocketAddr {
    let (address, bound) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            address.send(listener.local_addr().unwrap()).unwrap();
            loop {
                let (connection, _) = listener.accept().await.unwrap();
                tokio::spawn(async move {
                    let http = hyper::server::conn::http1::Builder::new();
                    let _gone =
                        http.serve_connection(TokioIo::new(connection), service_fn(echo)).await;
                });
            }
        });
    });
    bound.recv().unwrap()
}

#[tokio::test]
async fn bodies_of_both_framings_pass_on_one_connection() {
    let proxy = FaultProxy::http(server(), Plan::new()).unwrap();
    let connection = TcpStream::connect(proxy.address()).await.unwrap();
    let (mut client, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(connection)).await.unwrap();
    let connection = tokio::spawn(connection);
    for length in [0, 1, 65_536, 2_000_003] {
        let data = Bytes::from(pattern(length));
        for chunks in [false, true] {
            let body = match chunks {
                true => BoxBody::new(chunked(data.clone())),
                false => BoxBody::new(Full::new(data.clone())),
            };
            let request = Request::post(format!("/{length}?sig=secret")).header("host", "here");
            let answer = client.send_request(request.body(body).unwrap()).await.unwrap();
            assert_eq!(answer.headers().contains_key("transfer-encoding"), chunks);
            assert!(answer.into_body().collect().await.unwrap().to_bytes() == data);
        }
    }
    drop(client);
    connection.await.unwrap().unwrap();
    wait_for("all is over", || proxy.exchanges().iter().all(|exchange| exchange.ended.is_some()));
    let exchanges = proxy.exchanges();
    let bytes: Vec<_> = exchanges.iter().map(|e| (e.request_bytes, e.answer_bytes)).collect();
    let expected = [0, 0, 1, 1, 65_536, 65_536, 2_000_003, 2_000_003].map(|bytes| (bytes, bytes));
    assert_eq!(bytes, expected);
    assert!(exchanges.iter().all(|exchange| exchange.complete && exchange.fault.is_none()));
    assert_eq!(exchanges[2].target, "/1?sig=***");
    let counters = proxy.counters();
    assert_eq!((counters.connections, counters.requests, counters.faults), (1, 8, 0));
    assert_eq!(counters.request_bytes, 2 * (1 + 65_536 + 2_000_003));
}

#[test]
fn leave_to_send_a_body_passes() {
    let proxy = FaultProxy::http(server(), Plan::new()).unwrap();
    let mut client = connect(&proxy);
    client
        .write_all(
            b"PUT /key HTTP/1.1\r\nhost: here\r\ncontent-length: 5\r\nexpect: 100-continue\r\n\r\n",
        )
        .unwrap();
    let (head, _) = read_answer(&mut client);
    assert_eq!(head, "http/1.1 100 continue\r\n\r\n");
    client.write_all(b"hello").unwrap();
    assert_eq!(read_answer(&mut client).1, b"hello");
    // And the connection goes on.
    client.write_all(&common::put("/key", b"again")).unwrap();
    assert_eq!(read_answer(&mut client).1, b"again");
}

#[test]
fn a_refusal_to_take_the_body_ends_the_connection() {
    let (server, _) = common::raw_server("HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno");
    let proxy = FaultProxy::http(server, Plan::new()).unwrap();
    let mut client = connect(&proxy);
    let head = b"PUT /key HTTP/1.1\r\ncontent-length: 5\r\nexpect: 100-continue\r\n\r\n";
    client.write_all(head).unwrap();
    let (answer, ended) = read_to_end(&mut client);
    assert!(answer.ends_with(b"no"));
    assert_eq!(ended, None);
}

#[test]
fn an_answer_before_the_end_of_the_request_passes() {
    let (server, received) = common::raw_server(common::answer_of(10));
    let proxy = FaultProxy::http(server, Plan::new()).unwrap();
    let mut client = connect(&proxy);
    let request = common::put("/key", &pattern(100_000));
    let (first, rest) = request.split_at(50_000);
    client.write_all(first).unwrap();
    assert_eq!(read_answer(&mut client).1, pattern(10));
    client.write_all(rest).unwrap();
    wait_for("the server has it", || received.lock().unwrap()[0].len() == request.len());
    wait_for("it is complete", || proxy.exchanges()[0].complete);
}

#[test]
fn requests_sent_at_once_are_answered_in_turn() {
    let proxy = FaultProxy::http(server(), Plan::new()).unwrap();
    let mut client = connect(&proxy);
    let mut requests = Vec::new();
    for body in ["one", "two", "three"] {
        requests.extend(common::put("/key", body.as_bytes()));
    }
    client.write_all(&requests).unwrap();
    for body in ["one", "two", "three"] {
        assert_eq!(read_answer(&mut client).1, body.as_bytes());
    }
    assert_eq!(proxy.exchanges().len(), 3);
}

#[test]
fn answers_without_a_body_or_a_length_pass() {
    // Lengths that say what a body would have had.
    let no_body = [
        ("HEAD", 200, "content-length: 10\r\n"),
        ("GET", 304, "content-length: 10\r\n"),
        ("DELETE", 204, ""),
    ];
    for (method, status, header) in no_body {
        let (server, _) = common::raw_server(format!("HTTP/1.1 {status} X\r\n{header}\r\n"));
        let proxy = FaultProxy::http(server, Plan::new()).unwrap();
        let mut client = connect(&proxy);
        write!(client, "{method} /key HTTP/1.1\r\n\r\n").unwrap();
        wait_for("it is complete", || proxy.exchanges().iter().any(|exchange| exchange.complete));
        let mut answer = vec![0; 14 + header.len() + 4];
        client.read_exact(&mut answer).unwrap();
        assert!(answer.ends_with(b"\r\n\r\n"));
    }
    let answer = b"HTTP/1.0 200 OK\r\n\r\nuntil the end";
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let server = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (mut connection, _) = listener.accept().unwrap();
        assert_ne!(connection.read(&mut [0; 1024]).unwrap(), 0);
        connection.write_all(answer).unwrap();
    });
    let proxy = FaultProxy::http(server, Plan::new()).unwrap();
    let mut client = connect(&proxy);
    client.write_all(&common::get("/key")).unwrap();
    assert_eq!(read_to_end(&mut client), (answer.to_vec(), None));
    assert!(common::only_exchange(&proxy).complete);
}

#[test]
fn a_server_that_closes_an_idle_connection_closes_the_clients() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let server = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (mut connection, _) = listener.accept().unwrap();
        assert_ne!(connection.read(&mut [0; 1024]).unwrap(), 0);
        connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
    });
    let proxy = FaultProxy::http(server, Plan::new()).unwrap();
    let mut client = connect(&proxy);
    client.write_all(&common::get("/key")).unwrap();
    read_answer(&mut client);
    assert_eq!(read_to_end(&mut client), (vec![], None));
}

#[test]
fn what_is_not_http_ends_in_a_reset() {
    let proxy = FaultProxy::http(server(), Plan::new()).unwrap();
    let mut client = connect(&proxy);
    client.write_all(b"\x00\x01\x02 what?\r\n\r\n").unwrap();
    assert!(read_to_end(&mut client).1.is_some());
    assert!(proxy.exchanges().is_empty());
}
