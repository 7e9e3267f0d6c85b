//! Peers behind TLS.

use std::io;
use std::net::SocketAddr;

use rustls::{ServerConnection, StreamOwned};

use crate::certificates::SelfSigned;
use crate::peer::{self, answer_one};

/// Serves HTTPS with this certificate, and answers every request with these bytes.
///
/// # Errors
///
/// If it cannot listen.
pub fn answers(certificate: &SelfSigned, answer: impl Into<Vec<u8>>) -> io::Result<SocketAddr> {
    let (config, answer) = (certificate.server(), answer.into());
    peer::serve(move |connection| {
        let session = ServerConnection::new(config.clone()).map_err(io::Error::other)?;
        answer_one(&mut StreamOwned::new(session, connection), &answer)
    })
}

/// Answers a handshake with a fatal alert: "handshake failure".
///
/// # Errors
///
/// If it cannot listen.
pub fn refuses_handshakes() -> io::Result<SocketAddr> {
    use std::io::{Read, Write};

    peer::serve(|mut connection| {
        let _hello = connection.read(&mut [0; 4096])?;
        connection.write_all(&[21, 3, 3, 0, 2, 2, 40])?;
        // To the end, for a close with unread bytes would be a reset.
        connection.shutdown(std::net::Shutdown::Write)?;
        io::copy(&mut connection, &mut io::sink()).map(drop)
    })
}
