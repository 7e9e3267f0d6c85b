//! One request over plain HTTP: enough to see whether a peer answers, and to make its bucket.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Sends a request and gives the answer's status.
///
/// # Errors
///
/// If no answer comes within 10 seconds.
pub(crate) fn request(
    address: SocketAddr,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> io::Result<u16> {
    let patience = Duration::from_secs(10);
    let mut connection = TcpStream::connect_timeout(&address, patience)?;
    connection.set_read_timeout(Some(patience))?;
    connection.set_write_timeout(Some(patience))?;
    let mut head = format!(
        "{method} {target} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    connection.write_all(format!("{head}\r\n{body}").as_bytes())?;
    let mut line = [0; 12];
    connection.read_exact(&mut line)?;
    let status = line
        .strip_prefix(b"HTTP/1.")
        .and_then(|rest| std::str::from_utf8(rest.get(2..)?).ok()?.parse().ok());
    // To the end, so that nothing unread makes of our close a reset.
    let _rest = connection.read_to_end(&mut Vec::new());
    status.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "not an answer in HTTP/1"))
}

/// Whether anything that speaks HTTP answers there.
pub(crate) fn answers(address: SocketAddr, target: &str) -> bool {
    request(address, "GET", target, &[], "").is_ok()
}
