//! The body of a request, which tells how far it has got.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::sync::watch;

use crate::meter::Meter;

/// How much of the body is given to the connection at once. Small enough that progress is seen on a
/// slow line, large enough to cost nothing.
pub(super) const FRAME: usize = 64 * 1024;

/// A body to send.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outgoing {
    pub(crate) bytes: Bytes,
    pub(crate) meter: Option<Meter>,
}

impl Outgoing {
    pub(crate) fn metered(bytes: Bytes, meter: &Meter) -> Self {
        Self { bytes, meter: Some(meter.clone()) }
    }
}

impl From<String> for Outgoing {
    fn from(text: String) -> Self {
        Self { bytes: text.into(), meter: None }
    }
}

/// Counts frames that the connection has taken, for the watchdog.
pub(super) type Pulse = Arc<watch::Sender<u64>>;

/// The body on its way.
pub(super) struct Watched {
    rest: Bytes,
    meter: Option<Meter>,
    pulse: Pulse,
}

impl Watched {
    pub(super) fn new(body: Outgoing, pulse: Pulse) -> Self {
        Self { rest: body.bytes, meter: body.meter, pulse }
    }
}

impl Body for Watched {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = self.get_mut();
        if this.rest.is_empty() {
            return Poll::Ready(None);
        }
        let frame = this.rest.split_to(this.rest.len().min(FRAME));
        if let Some(meter) = &this.meter {
            meter.add(frame.len() as u64);
        }
        this.pulse.send_modify(|frames| *frames += 1);
        Poll::Ready(Some(Ok(Frame::data(frame))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest.len() as u64)
    }
}
