//! A server of gRPC that answers every call with one status, and the call to it.

use std::io;
use std::net::SocketAddr;

use bytes::{Buf, BufMut, Bytes};
use h2::Reason;
use http::{HeaderMap, Response};
use tokio::net::TcpListener;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::transport::Channel;
use tonic::{Request, Status};

/// What the server does with a call.
#[derive(Debug, Clone)]
pub enum Answer {
    /// Ends it with this status.
    Status(Box<Status>),
    /// Resets its stream.
    Reset(Reason),
    /// Says that the connection is to end, and ends it.
    GoAway(Reason),
    /// Drops the connection.
    Drop,
    /// Nothing.
    Stall,
}

/// Serves on the runtime of the test.
///
/// # Errors
///
/// If it cannot listen.
pub async fn serve(answer: Answer) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            let answer = answer.clone();
            // A client that has gone is none of the server's business.
            tokio::spawn(async move { serve_one(connection, answer).await });
        }
    });
    Ok(address)
}

async fn serve_one(connection: tokio::net::TcpStream, answer: Answer) -> Result<(), h2::Error> {
    let mut connection = h2::server::handshake(connection).await?;
    let mut held = Vec::new();
    while let Some(call) = connection.accept().await {
        let (request, mut respond) = call?;
        match &answer {
            Answer::Status(status) => {
                respond.send_response(as_response(status), true)?;
            }
            Answer::Reset(reason) => respond.send_reset(*reason),
            Answer::GoAway(reason) => connection.abrupt_shutdown(*reason),
            Answer::Drop => return Ok(()),
            Answer::Stall => {}
        }
        held.push((request, respond));
    }
    Ok(())
}

/// "Trailers-Only", as the protocol calls it.
fn as_response(status: &Status) -> Response<()> {
    let mut headers = HeaderMap::new();
    status.add_header(&mut headers).expect("a status is made of valid headers");
    let mut response = Response::new(());
    *response.headers_mut() = headers;
    response
        .headers_mut()
        .insert("content-type", http::HeaderValue::from_static("application/grpc"));
    response
}

/// Calls a server, and hands back the failure.
///
/// # Panics
///
/// If the call succeeds.
pub async fn call(channel: Channel) -> Status {
    let mut client = tonic::client::Grpc::new(channel);
    if let Err(error) = client.ready().await {
        return Status::from_error(Box::new(error));
    }
    let path = http::uri::PathAndQuery::from_static("/tests.Failing/Call");
    let answer = client.unary(Request::new(Bytes::from_static(b"hello")), path, Raw).await;
    answer.expect_err("these servers only fail")
}

/// Messages as they are: a codec without Protocol Buffers.
#[derive(Debug, Clone, Copy)]
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, message: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(message);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }
}
