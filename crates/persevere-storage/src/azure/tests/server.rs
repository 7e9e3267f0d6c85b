//! A server that answers as it is told, and remembers what it was asked.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub(super) struct Server {
    pub(super) address: SocketAddr,
    /// The head and the body of every request.
    pub(super) asked: Arc<Mutex<Vec<String>>>,
}

/// What to say to the request of this number, counted from 0.
pub(super) async fn serve(answer: impl Fn(usize, &str) -> String + Send + 'static) -> Server {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = asked.clone();
    tokio::spawn(async move {
        for number in 0.. {
            let (mut connection, _) = listener.accept().await.unwrap();
            let request = read_request(&mut connection).await;
            let answer = answer(number, &request);
            seen.lock().unwrap().push(request);
            connection.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    Server { address, asked }
}

async fn read_request(connection: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return text.into_owned();
            }
        }
        let mut piece = [0; 4096];
        match connection.read(&mut piece).await.unwrap() {
            0 => return String::from_utf8_lossy(&bytes).into_owned(),
            length => bytes.extend_from_slice(&piece[..length]),
        }
    }
}

pub(super) fn answer(status: &str, headers: &[&str], body: &str) -> String {
    let length = match headers.iter().any(|header| header.starts_with("content-length")) {
        true => String::new(),
        false => format!("content-length: {}\r\n", body.len()),
    };
    let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    format!("HTTP/1.1 {status}\r\nconnection: close\r\n{length}{headers}\r\n{body}")
}

/// An error as Azure sends it.
pub(super) fn error(status: &str, code: &str, headers: &[&str]) -> String {
    let code_header = format!("x-ms-error-code: {code}");
    let headers: Vec<&str> =
        headers.iter().copied().chain([code_header.as_str(), "x-ms-request-id: 7-7"]).collect();
    let body = format!(
        "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>{code}</Code><Message>It is \
         so.\nRequestId:7-7\nTime:2026-01-01T00:00:00.0000000Z</Message></Error>"
    );
    answer(status, &headers, &body)
}
