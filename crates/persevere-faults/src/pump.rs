//! Bodies on their way from one connection to the other.

use std::io;
use std::time::Duration;

use bytes::{Buf, BufMut, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::body::Framing;
use crate::gate::View;

/// What is read at once.
const CHUNK: usize = 64 * 1024;

/// How a body goes.
pub(crate) struct Flow<'a> {
    pub(crate) view: View,
    /// So many bytes of data are let through.
    pub(crate) limit: Option<u64>,
    pub(crate) bytes_per_second: Option<u64>,
    /// Counts data that has been written.
    pub(crate) count: &'a (dyn Fn(u64) + Sync),
}

/// How it went.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Pumped {
    /// To its end.
    Whole,
    /// To the limit.
    Limit,
    /// The connection that it came from ended first, by a reset or cleanly.
    SourceGone { reset: bool },
    /// The connection that it went to takes no more.
    SinkGone,
}

/// Passes a body on: first what of it is in the buffer, then what comes.
pub(crate) async fn pump(
    source: &mut (impl AsyncRead + Unpin),
    buffer: &mut BytesMut,
    mut framing: Framing,
    sink: &mut (impl AsyncWrite + Unpin),
    mut flow: Flow<'_>,
) -> Pumped {
    let mut left = flow.limit.unwrap_or(u64::MAX);
    let whole = if flow.limit.is_some() { Pumped::Limit } else { Pumped::Whole };
    loop {
        if left == 0 {
            return Pumped::Limit;
        }
        if framing.length() == Some(0) {
            return whole;
        }
        if buffer.is_empty() {
            match fill(source, buffer).await {
                Ok(0) if matches!(framing, Framing::UntilClose) => return whole,
                Ok(0) => return Pumped::SourceGone { reset: false },
                Err(_) => return Pumped::SourceGone { reset: true },
                Ok(_) => {}
            }
        }
        flow.view.passable().await;
        let slice = flow.bytes_per_second.map_or(u64::MAX, |rate| rate.div_ceil(20).max(1));
        // A body that cannot be understood has no end that could be found.
        let Ok(scan) = framing.scan(buffer, left.min(slice)) else {
            return Pumped::SourceGone { reset: true };
        };
        if let Some(rate) = flow.bytes_per_second {
            let seconds = scan.data as f64 / rate.max(1) as f64;
            tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
        }
        if sink.write_all(&buffer[..scan.bytes]).await.is_err() {
            return Pumped::SinkGone;
        }
        buffer.advance(scan.bytes);
        left -= scan.data;
        (flow.count)(scan.data);
        if scan.end {
            return whole;
        }
    }
}

/// Reads and throws away, until the connection ends.
pub(crate) async fn drain(source: &mut (impl AsyncRead + Unpin)) {
    let mut waste = vec![0; CHUNK];
    while source.read(&mut waste).await.is_ok_and(|read| read != 0) {}
}

/// Reads more into the buffer; none means the connection's end.
pub(crate) async fn fill(
    source: &mut (impl AsyncRead + Unpin),
    buffer: &mut BytesMut,
) -> io::Result<usize> {
    buffer.reserve(CHUNK);
    source.read_buf(&mut buffer.limit(CHUNK)).await
}
