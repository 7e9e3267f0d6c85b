//! Servers that keep what they are sent, and plain clients.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use persevere_faults::{Exchange, FaultProxy};

/// What each connection to a server brought, in the order in which they came.
pub type Received = Arc<Mutex<Vec<Vec<u8>>>>;

/// A server that answers the n-th connection's first request head (`\r\n\r\n`) with these bytes, and keeps all that
/// it is sent until the connection ends.
pub fn raw_server(answer: impl Into<Vec<u8>>) -> (SocketAddr, Received) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let received = Received::default();
    let (keep, answer) = (Arc::clone(&received), answer.into());
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let (keep, answer) = (Arc::clone(&keep), answer.clone());
            std::thread::spawn(move || serve_raw(connection.unwrap(), &keep, &answer));
        }
    });
    (address, received)
}

fn serve_raw(mut connection: TcpStream, keep: &Received, answer: &[u8]) {
    let index = {
        let mut keep = keep.lock().unwrap();
        keep.push(Vec::new());
        keep.len() - 1
    };
    let mut answered = false;
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = connection.read(&mut buffer) {
        let mut keep = keep.lock().unwrap();
        keep[index].extend_from_slice(&buffer[..read]);
        let head_is_there = keep[index].windows(4).any(|window| window == b"\r\n\r\n");
        drop(keep);
        if head_is_there && !answered {
            answered = true;
            let mut writer = connection.try_clone().unwrap();
            let answer = answer.to_vec();
            // Beside the reading, as a real server does it.
            std::thread::spawn(move || drop(writer.write_all(&answer)));
        }
    }
}

/// The body of a raw message.
pub fn body(message: &[u8]) -> &[u8] {
    let head = message.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    &message[head + 4..]
}

/// What the server got of its first message's body, once its head is there.
pub fn first_body(received: &Received) -> Option<Vec<u8>> {
    let received = received.lock().unwrap();
    let message = received.first()?;
    message.windows(4).any(|window| window == b"\r\n\r\n").then(|| body(message).to_vec())
}

/// Bytes that differ from place to place.
pub fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|index| (index.wrapping_mul(31) ^ (index >> 8)) as u8).collect()
}

pub fn answer_of(length: usize) -> Vec<u8> {
    let mut answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n").into_bytes();
    answer.extend(pattern(length));
    answer
}

pub fn put(target: &str, body: &[u8]) -> Vec<u8> {
    let mut request =
        format!("PUT {target} HTTP/1.1\r\nhost: here\r\ncontent-length: {}\r\n\r\n", body.len())
            .into_bytes();
    request.extend_from_slice(body);
    request
}

pub fn get(target: &str) -> Vec<u8> {
    format!("GET {target} HTTP/1.1\r\nhost: here\r\n\r\n").into_bytes()
}

pub fn connect(proxy: &FaultProxy) -> TcpStream {
    let connection = TcpStream::connect(proxy.address()).unwrap();
    // No test waits so long; one that would hang fails in place of that.
    connection.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    connection
}

/// Reads to the end: what came, and what it ended with.
pub fn read_to_end(connection: &mut TcpStream) -> (Vec<u8>, Option<ErrorKind>) {
    let mut bytes = Vec::new();
    let mut buffer = vec![0; 16 * 1024];
    loop {
        match connection.read(&mut buffer) {
            Ok(0) => return (bytes, None),
            Ok(read) => bytes.extend_from_slice(&buffer[..read]),
            Err(error) => return (bytes, Some(error.kind())),
        }
    }
}

/// Reads one answer with a `content-length`: its head as text, and its body.
pub fn read_answer(connection: &mut TcpStream) -> (String, Vec<u8>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        connection.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.unwrap_or("0").parse().unwrap()];
    connection.read_exact(&mut body).unwrap();
    (head, body)
}

/// Waits until something is so.
#[track_caller]
pub fn wait_for(what: &str, mut so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !so() {
        assert!(start.elapsed() < Duration::from_secs(60), "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The proxy's only exchange, once it is over.
#[track_caller]
pub fn only_exchange(proxy: &FaultProxy) -> Exchange {
    wait_for("the exchange is over", || {
        proxy.exchanges().first().is_some_and(|exchange| exchange.ended.is_some())
    });
    let [exchange] = <[Exchange; 1]>::try_from(proxy.exchanges()).unwrap();
    exchange
}
