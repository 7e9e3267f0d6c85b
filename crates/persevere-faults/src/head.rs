//! Heads of HTTP/1.1 messages. They are read for what the proxy must know, and passed on as they came.

use std::io;

use crate::body::Framing;
use crate::plan::Request;

/// The longest head: real servers take 8 to 64 KiB.
pub(crate) const LONGEST: usize = 256 * 1024;
const MOST_HEADERS: usize = 256;

/// What was read of a request's head.
#[derive(Debug)]
pub(crate) struct RequestHead {
    pub(crate) request: Request,
    /// How many bytes the head has.
    pub(crate) bytes: usize,
    pub(crate) framing: Framing,
    pub(crate) expects_continue: bool,
    pub(crate) close: bool,
}

/// What was read of an answer's head.
#[derive(Debug)]
pub(crate) struct AnswerHead {
    pub(crate) status: u16,
    /// How many bytes the head has.
    pub(crate) bytes: usize,
    pub(crate) framing: Framing,
}

impl AnswerHead {
    /// Whether the body's end is the connection's.
    pub(crate) fn until_close(&self) -> bool {
        matches!(self.framing, Framing::UntilClose)
    }
}

/// Reads a request's head, once all of it is there.
pub(crate) fn request(buffer: &[u8]) -> io::Result<Option<RequestHead>> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut head = httparse::Request::new(&mut headers);
    let httparse::Status::Complete(bytes) = head.parse(buffer).map_err(unreadable)? else {
        return incomplete(buffer);
    };
    let fields = Fields::of(head.headers)?;
    let framing = match (fields.chunked, fields.length) {
        (true, _) => Framing::chunked(),
        (false, Some(length)) => Framing::Length(length),
        (false, None) => Framing::Length(0),
    };
    let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
    let header = |header: &httparse::Header<'_>| {
        (header.name.to_owned(), String::from_utf8_lossy(header.value).into_owned())
    };
    let request = Request {
        method: text(head.method),
        target: text(head.path),
        headers: head.headers.iter().map(header).collect(),
    };
    let close = fields.close || head.version == Some(0);
    let expects_continue = fields.expects_continue;
    Ok(Some(RequestHead { request, bytes, framing, expects_continue, close }))
}

/// Reads an answer's head, once all of it is there.
pub(crate) fn answer(buffer: &[u8], to_head: bool) -> io::Result<Option<AnswerHead>> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut head = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(bytes) = head.parse(buffer).map_err(unreadable)? else {
        return incomplete(buffer);
    };
    let fields = Fields::of(head.headers)?;
    let status = head.code.unwrap_or_default();
    // https://www.rfc-editor.org/rfc/rfc9112#section-6.3
    let framing = match status {
        _ if to_head => Framing::Length(0),
        100..200 | 204 | 304 => Framing::Length(0),
        _ if fields.chunked => Framing::chunked(),
        _ => fields.length.map_or(Framing::UntilClose, Framing::Length),
    };
    Ok(Some(AnswerHead { status, bytes, framing }))
}

fn incomplete<T>(buffer: &[u8]) -> io::Result<Option<T>> {
    match buffer.len() >= LONGEST {
        true => Err(invalid(format!("a head of more than {LONGEST} bytes"))),
        false => Ok(None),
    }
}

#[derive(Default)]
struct Fields {
    length: Option<u64>,
    chunked: bool,
    expects_continue: bool,
    close: bool,
}

impl Fields {
    fn of(headers: &[httparse::Header<'_>]) -> io::Result<Self> {
        let mut fields = Self::default();
        for header in headers {
            let value = String::from_utf8_lossy(header.value).trim().to_ascii_lowercase();
            match header.name.to_ascii_lowercase().as_str() {
                "content-length" => {
                    let length = value.parse();
                    let wrong = |_| invalid(format!("content-length is {value:?}, not a number"));
                    fields.length = Some(length.map_err(wrong)?);
                }
                "transfer-encoding" => fields.chunked |= value.ends_with("chunked"),
                "expect" => fields.expects_continue |= value == "100-continue",
                "connection" => {
                    fields.close |= value.split(',').any(|option| option.trim() == "close");
                }
                _ => {}
            }
        }
        Ok(fields)
    }
}

fn unreadable(error: httparse::Error) -> io::Error {
    invalid(format!("not HTTP/1: {error}"))
}

fn invalid(what: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
