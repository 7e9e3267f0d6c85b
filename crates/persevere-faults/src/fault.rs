//! What can go wrong.

use std::ops::Range;
use std::time::Duration;

use crate::{Answer, random};

/// What happens to a request (or in plain TCP to a connection) whose [`Rule`](crate::Rule) fires.
///
/// Places are counted in bytes of the body, without its head and without the framing of chunks; in plain TCP, in
/// bytes of the connection in that direction. Up to the place every byte is passed on, and none after it. A body
/// that is shorter is passed on whole, and the fault comes after it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Fault {
    /// The client's and the server's connections are reset when so much of the request has gone to the server.
    ResetRequest(At),
    /// Both connections are reset when so much of the answer has gone to the client. To reset in place of the
    /// answer's head, see [`LoseAnswer`](Self::LoseAnswer).
    ResetAnswer(At),
    /// Nothing moves any more when so much of the request has gone to the server, and the server does not hear of it
    /// when the client gives up: both connections stay until the proxy is dropped or they are
    /// [reset](crate::FaultProxy::reset_connections).
    StallRequest(At),
    /// Nothing moves any more when so much of the answer has gone to the client, until the client gives up.
    StallAnswer(At),
    /// The answer ends here with a clean close of the connection. Of an answer with `content-length` at least
    /// the last byte is kept back, so that it is short in any case; one without a body is passed on whole.
    TruncateAnswer(At),
    /// The server never hears of the request; the proxy reads it to its end and answers it. Where the client
    /// expects `100 Continue`, the answer comes before the body, and the connection is closed.
    Answer(Answer),
    /// The server carries the request out, and the client gets this in place of its answer.
    ReplaceAnswer(Answer),
    /// The server carries the request out, and the client's connection is reset in place of its answer.
    LoseAnswer,
    /// The request's body and the answer's move at so many bytes per second each.
    Drip {
        /// At least 1; 0 is taken as 1.
        bytes_per_second: u64,
    },
    /// The network fails for a time, as by [`FaultProxy::outage`](crate::FaultProxy::outage), before the request is
    /// passed on. With [`Outage::Refuse`] it is lost; with [`Outage::Silence`] it goes on afterwards.
    Outage {
        /// How it fails.
        outage: Outage,
        /// For how long.
        duration: Duration,
    },
}

impl Fault {
    /// The S3 error `503 SlowDown`, see [`Answer::slow_down`].
    #[must_use]
    pub fn slow_down(retry_after: Option<u32>) -> Self {
        Self::Answer(Answer::slow_down(retry_after))
    }

    /// Its name in the [log](crate::Exchange::fault).
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::ResetRequest(_) => "reset request",
            Self::ResetAnswer(_) => "reset answer",
            Self::StallRequest(_) => "stall request",
            Self::StallAnswer(_) => "stall answer",
            Self::TruncateAnswer(_) => "truncate answer",
            Self::Answer(_) => "answer",
            Self::ReplaceAnswer(_) => "replace answer",
            Self::LoseAnswer => "lose answer",
            Self::Drip { .. } => "drip",
            Self::Outage { .. } => "outage",
        }
    }

    /// Whether it makes sense without HTTP.
    pub(crate) fn works_in_tcp(&self) -> bool {
        !matches!(self, Self::Answer(_) | Self::ReplaceAnswer(_) | Self::LoseAnswer)
    }
}

/// A place in a body.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum At {
    /// After so many bytes; 0 is between the head and the body.
    Byte(u64),
    /// After a random number of bytes of this range.
    Within(Range<u64>),
    /// Anywhere in a body of known length; within the first 64 KiB of one that tells none.
    Anywhere,
}

impl At {
    /// The place in a body of this length, with a random number.
    pub(crate) fn place(&self, length: Option<u64>, number: u64) -> u64 {
        match self {
            Self::Byte(byte) => *byte,
            Self::Within(range) => random::within(number, range.start, range.end),
            Self::Anywhere => random::within(number, 0, length.unwrap_or(64 * 1024)),
        }
    }
}

impl From<u64> for At {
    fn from(byte: u64) -> Self {
        Self::Byte(byte)
    }
}

/// How the network fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outage {
    /// Connections are reset, and new ones refused: nobody listens there any more.
    Refuse,
    /// Nothing arrives. Connections stay open and go on afterwards, as TCP's do when a cable was out; new ones
    /// are made, and hear nothing until then.
    Silence,
}
