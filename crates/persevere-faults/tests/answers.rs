//! Faults of answers: the client gets so many bytes, and not one more.
#![allow(clippy::unwrap_used)]

mod common;

use std::io::{ErrorKind, Read, Write};
use std::time::Duration;

use common::{
    answer_of, body, connect, get, only_exchange, pattern, put, raw_server, read_answer,
    read_to_end, wait_for,
};
use persevere_faults::{Answer, At, Fault, FaultProxy, Plan, Rule};

fn proxy(fault: Fault, answer: Vec<u8>) -> (FaultProxy, common::Received) {
    let (server, received) = raw_server(answer);
    (FaultProxy::http(server, Plan::new().rule(Rule::new(fault))).unwrap(), received)
}

#[test]
fn an_answer_is_reset_at_a_byte() {
    for byte in [0, 1, 65_536, 6_000_001, 8_000_000, 9_000_000] {
        let (proxy, _) = proxy(Fault::ResetAnswer(At::Byte(byte)), answer_of(8_000_000));
        let mut client = connect(&proxy);
        client.write_all(&get("/key")).unwrap();
        // Longer than what the kernel takes in for a client that does not read yet.
        let (answer, ended) = read_to_end(&mut client);
        assert_eq!(ended, Some(ErrorKind::ConnectionReset), "at byte {byte}");
        let expected = byte.min(8_000_000);
        assert!(body(&answer) == &pattern(8_000_000)[..expected as usize], "at byte {byte}");
        let exchange = only_exchange(&proxy);
        assert_eq!((exchange.status, exchange.answer_bytes), (Some(200), expected));
        assert_eq!((exchange.fault, exchange.complete), (Some("reset answer"), false));
    }
}

#[test]
fn an_answer_is_truncated_and_ends_cleanly() {
    // However much is let through: of a known length, a byte is missing.
    for (byte, expected) in [(0, 0), (1, 1), (99_999, 99_999), (100_000, 99_999), (1 << 40, 99_999)]
    {
        let (proxy, _) = proxy(Fault::TruncateAnswer(At::Byte(byte)), answer_of(100_000));
        let mut client = connect(&proxy);
        client.write_all(&get("/key")).unwrap();
        let (answer, ended) = read_to_end(&mut client);
        assert_eq!(ended, None);
        assert!(body(&answer) == &pattern(100_000)[..expected], "at byte {byte}");
        let exchange = only_exchange(&proxy);
        assert_eq!((exchange.fault, exchange.complete), (Some("truncate answer"), false));
    }
}

#[test]
fn a_chunked_answer_is_truncated_without_its_end() {
    let answer = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n";
    let (proxy, _) = proxy(Fault::TruncateAnswer(At::Byte(5)), answer.into());
    let mut client = connect(&proxy);
    client.write_all(&get("/key")).unwrap();
    let (answer, ended) = read_to_end(&mut client);
    assert_eq!((body(&answer), ended), (&b"5\r\nhello"[..], None));
    assert_eq!(only_exchange(&proxy).answer_bytes, 5);
}

#[test]
fn an_answer_stalls_at_a_byte_until_the_client_gives_up() {
    let (proxy, _) = proxy(Fault::StallAnswer(At::Byte(1000)), answer_of(5000));
    let mut client = connect(&proxy);
    client.write_all(&get("/key")).unwrap();
    wait_for("it stalls", || proxy.exchanges().iter().any(|exchange| exchange.fault.is_some()));
    client.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    let (answer, ended) = read_to_end(&mut client);
    assert_eq!(body(&answer), &pattern(5000)[..1000]);
    assert!(matches!(ended, Some(ErrorKind::WouldBlock | ErrorKind::TimedOut)), "{ended:?}");
    assert_eq!(proxy.exchanges()[0].ended, None);
    drop(client);
    let exchange = only_exchange(&proxy);
    assert_eq!((exchange.answer_bytes, exchange.fault), (1000, Some("stall answer")));
}

#[test]
fn a_lost_answer_leaves_the_request_done() {
    let (proxy, received) = proxy(Fault::LoseAnswer, answer_of(10));
    let mut client = connect(&proxy);
    client.write_all(&put("/key", b"some data")).unwrap();
    assert_eq!(read_to_end(&mut client), (vec![], Some(ErrorKind::ConnectionReset)));
    assert_eq!(body(&received.lock().unwrap()[0]), b"some data");
    let exchange = only_exchange(&proxy);
    assert_eq!((exchange.status, exchange.answer_bytes), (Some(200), 0));
    assert_eq!((exchange.fault, exchange.complete), (Some("lose answer"), false));
}

#[test]
fn a_replaced_answer_leaves_the_request_done() {
    let (proxy, received) =
        proxy(Fault::ReplaceAnswer(Answer::new(500).body("sorry")), answer_of(10));
    let mut client = connect(&proxy);
    client.write_all(&put("/key", b"some data")).unwrap();
    let (head, answer) = read_answer(&mut client);
    assert!(head.starts_with("http/1.1 500 "), "{head}");
    assert_eq!(answer, b"sorry");
    assert_eq!(body(&received.lock().unwrap()[0]), b"some data");
    drop(client);
    let exchange = only_exchange(&proxy);
    // The server's own status, and what the client got.
    assert_eq!((exchange.status, exchange.answer_bytes), (Some(200), 5));
    assert_eq!(exchange.fault, Some("replace answer"));
}

#[test]
fn a_throttled_request_does_not_reach_the_server_and_the_connection_goes_on() {
    let (server, received) = raw_server(answer_of(3));
    let throttled = Rule::new(Fault::slow_down(Some(7))).method("PUT").times(1);
    let proxy = FaultProxy::http(server, Plan::new().rule(throttled)).unwrap();
    let mut client = connect(&proxy);
    client.write_all(&put("/key", &pattern(300_000))).unwrap();
    let (head, answer) = read_answer(&mut client);
    assert!(head.starts_with("http/1.1 503 ") && head.contains("\r\nretry-after: 7\r\n"), "{head}");
    assert!(String::from_utf8(answer).unwrap().contains("<Code>SlowDown</Code>"));
    assert!(received.lock().unwrap().is_empty());

    client.write_all(&put("/key", b"again")).unwrap();
    assert_eq!(read_answer(&mut client).1, pattern(3));
    let exchanges = proxy.exchanges();
    assert_eq!((exchanges[0].status, exchanges[0].request_bytes), (Some(503), 300_000));
    assert_eq!((exchanges[1].status, exchanges[1].fault), (Some(200), None));
    assert_eq!(exchanges[0].connection, exchanges[1].connection);
    let counters = proxy.counters();
    assert_eq!((counters.connections, counters.requests, counters.faults), (1, 2, 1));
    assert_eq!(counters.request_bytes, 300_005);
}

#[test]
fn an_error_in_a_200_and_a_429() {
    let (server, _) = raw_server("");
    let plan = Plan::new()
        .rule(Rule::new(Fault::Answer(Answer::internal_error_in_200())).path_contains("uploadId="))
        .rule(Rule::new(Fault::Answer(Answer::too_many_requests(None))));
    let proxy = FaultProxy::http(server, plan).unwrap();
    let mut client = connect(&proxy);
    client.write_all(b"POST /key?uploadId=a HTTP/1.1\r\ncontent-length: 0\r\n\r\n").unwrap();
    let (head, answer) = read_answer(&mut client);
    assert!(head.starts_with("http/1.1 200 "), "{head}");
    assert!(String::from_utf8(answer).unwrap().contains("<Code>InternalError</Code>"));
    client.write_all(&get("/key")).unwrap();
    let (head, _) = read_answer(&mut client);
    assert!(head.starts_with("http/1.1 429 ") && !head.contains("retry-after"), "{head}");
    // To HEAD there is no body, whatever the length says.
    client.write_all(b"HEAD /key HTTP/1.1\r\nconnection: close\r\n\r\n").unwrap();
    let (answer, ended) = read_to_end(&mut client);
    assert!(answer.ends_with(b"\r\n\r\n"), "{answer:?}");
    assert_eq!(ended, None);
}

#[test]
fn who_waits_for_leave_to_send_is_answered_before() {
    let (proxy, received) = proxy(Fault::slow_down(None), vec![]);
    let mut client = connect(&proxy);
    let head = b"PUT /key HTTP/1.1\r\ncontent-length: 1000000\r\nexpect: 100-continue\r\n\r\n";
    client.write_all(head).unwrap();
    let (answer, ended) = read_to_end(&mut client);
    assert!(answer.starts_with(b"HTTP/1.1 503 "));
    assert_eq!(ended, None);
    assert!(received.lock().unwrap().is_empty());
    assert_eq!(only_exchange(&proxy).request_bytes, 0);
}

#[test]
fn the_rest_of_a_cut_answer_does_not_reach_the_next_client() {
    let (server, _) = raw_server(answer_of(100));
    let plan = Plan::new().rule(Rule::new(Fault::ResetAnswer(At::Byte(10))).nth(1));
    let proxy = FaultProxy::http(server, plan).unwrap();
    let mut client = connect(&proxy);
    client.write_all(&get("/key")).unwrap();
    read_to_end(&mut client);
    let mut client = connect(&proxy);
    client.write_all(&get("/key")).unwrap();
    assert_eq!(read_answer(&mut client).1, pattern(100));
    client.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    client.read(&mut [0]).unwrap_err();
}
