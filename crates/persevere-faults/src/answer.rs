//! Answers that the proxy gives itself.

use std::fmt::Write;

/// An HTTP answer, given by the proxy in place of the server.
///
/// ```
/// use persevere_faults::Answer;
///
/// let busy = Answer::new(503).header("retry-after", "2").body("not now");
/// assert_eq!(busy.status(), 503);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Answer {
    /// An answer with an empty body. Its `content-length` is added to whatever [`header`](Self::header) adds.
    #[must_use]
    pub fn new(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// An error as S3 writes it: an XML document with a code and a message.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>
    ///
    /// With status 200 it is what S3 sends when completing an upload or a copy fails after its answer has begun.
    #[must_use]
    pub fn s3_error(status: u16, code: &str, message: &str) -> Self {
        Self::new(status).header("content-type", "application/xml").body(format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message>\
             <RequestId>PERSEVEREFAULTS0</RequestId></Error>"
        ))
    }

    /// S3's `503 SlowDown`, with `Retry-After` in seconds if given.
    #[must_use]
    pub fn slow_down(retry_after: Option<u32>) -> Self {
        Self::s3_error(503, "SlowDown", "Please reduce your request rate.").retry_after(retry_after)
    }

    /// `429 Too Many Requests`, with `Retry-After` in seconds if given.
    #[must_use]
    pub fn too_many_requests(retry_after: Option<u32>) -> Self {
        Self::new(429).body("too many requests").retry_after(retry_after)
    }

    /// S3's `200 OK` with `InternalError` in its body.
    #[must_use]
    pub fn internal_error_in_200() -> Self {
        Self::s3_error(200, "InternalError", "We encountered an internal error. Please try again.")
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    fn retry_after(self, seconds: Option<u32>) -> Self {
        match seconds {
            Some(seconds) => self.header("retry-after", &seconds.to_string()),
            None => self,
        }
    }

    /// How long the body is, in bytes.
    pub(crate) fn body_length(&self, to_head: bool) -> usize {
        if to_head { 0 } else { self.body.len() }
    }

    /// The bytes of it.
    pub(crate) fn to_bytes(&self, to_head: bool, close: bool) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} Injected\r\n", self.status);
        for (name, value) in &self.headers {
            // Writing to a String cannot fail.
            let _written = write!(head, "{name}: {value}\r\n");
        }
        let _written = write!(head, "content-length: {}\r\n", self.body.len());
        if close {
            head.push_str("connection: close\r\n");
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        if !to_head {
            bytes.extend_from_slice(&self.body);
        }
        bytes
    }
}
