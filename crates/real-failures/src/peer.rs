//! A server that fails in one chosen way, with every connection.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use socket2::{Domain, SockRef, Socket, Type};

/// A port on which nobody listens, held so that nobody else begins to.
#[derive(Debug)]
pub struct Closed {
    address: SocketAddr,
    _bound: Socket,
}

impl Closed {
    /// Takes one.
    ///
    /// # Errors
    ///
    /// If the system has none.
    pub fn port() -> io::Result<Self> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into())?;
        let address = socket.local_addr()?.as_socket();
        let address = address.ok_or(io::ErrorKind::AddrNotAvailable)?;
        Ok(Self { address, _bound: socket })
    }

    /// Where nobody answers.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Serves each connection with `serve`, on a thread of its own, until the test process ends.
///
/// # Errors
///
/// If it cannot listen.
pub fn serve(
    serve: impl Fn(TcpStream) -> io::Result<()> + Clone + Send + 'static,
) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let serve = serve.clone();
            // A client that has gone is none of the server's business.
            thread::spawn(move || serve(connection));
        }
    });
    Ok(address)
}

/// Sends a reset as soon as it is connected to.
///
/// # Errors
///
/// If it cannot listen.
pub fn resets_at_once() -> io::Result<SocketAddr> {
    serve(reset)
}

/// Reads the head of a request, sends these bytes, and closes.
///
/// # Errors
///
/// If it cannot listen.
pub fn answers(answer: impl Into<Vec<u8>>) -> io::Result<SocketAddr> {
    let answer = answer.into();
    serve(move |mut connection| {
        answer_one(&mut connection, &answer)?;
        connection.shutdown(Shutdown::Write)?;
        // Closing with a request unread would be a reset.
        io::copy(&mut connection, &mut io::sink()).map(drop)
    })
}

/// Reads the head of a request, sends these bytes, and resets.
///
/// # Errors
///
/// If it cannot listen.
pub fn answers_and_resets(answer: impl Into<Vec<u8>>) -> io::Result<SocketAddr> {
    let answer = answer.into();
    serve(move |mut connection| {
        answer_one(&mut connection, &answer)?;
        reset(connection)
    })
}

/// Takes connections and says nothing, until the client goes.
///
/// # Errors
///
/// If it cannot listen.
pub fn stalls() -> io::Result<SocketAddr> {
    serve(|mut connection| io::copy(&mut connection, &mut io::sink()).map(drop))
}

/// Sends these bytes without being asked, and then says nothing, until the client goes.
///
/// # Errors
///
/// If it cannot listen.
pub fn greets(greeting: impl Into<Vec<u8>>) -> io::Result<SocketAddr> {
    let greeting = greeting.into();
    serve(move |mut connection| {
        connection.write_all(&greeting)?;
        io::copy(&mut connection, &mut io::sink()).map(drop)
    })
}

/// Reads the head of a request, sends these bytes, and says nothing more, until the client goes.
///
/// # Errors
///
/// If it cannot listen.
pub fn stalls_after(answer: impl Into<Vec<u8>>) -> io::Result<SocketAddr> {
    let answer = answer.into();
    serve(move |mut connection| {
        answer_one(&mut connection, &answer)?;
        io::copy(&mut connection, &mut io::sink()).map(drop)
    })
}

/// An answer of HTTP/1.1, with its length.
pub fn http(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}

/// Reads to the empty line that ends a request's head, and writes `answer`.
///
/// # Errors
///
/// If the client has gone.
pub fn answer_one(connection: &mut (impl Read + Write), answer: &[u8]) -> io::Result<()> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && connection.read(&mut byte)? == 1 {
        head.extend(byte);
    }
    connection.write_all(answer)?;
    connection.flush()
}

fn reset(connection: TcpStream) -> io::Result<()> {
    // Closing without lingering throws away what is not sent, and tells the client so.
    SockRef::from(&connection).set_linger(Some(Duration::ZERO))
}
