//! How long one async attempt may take.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use pin_project_lite::pin_project;

use crate::retryer::Retryer;
use crate::sleep::{AsyncSleep, TaskTime, async_sleep, now};

/// What ends an attempt that takes too long.
pub(crate) trait Limit {
    fn new(until: Option<Instant>) -> Self;

    /// Ready when the attempt has taken too long.
    fn poll(self: Pin<&mut Self>, retryer: &Retryer, context: &mut Context<'_>) -> Poll<()>;
}

/// No limit, and no place for one: what a call without options has.
pub(crate) struct Never;

impl Limit for Never {
    #[inline]
    fn new(_: Option<Instant>) -> Self {
        Self
    }

    #[inline]
    fn poll(self: Pin<&mut Self>, _: &Retryer, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }
}

pin_project! {
    /// A limit, if there is one. Its timer is only taken when the attempt was not ready at once.
    pub(crate) struct Within {
        until: Option<Instant>,
        #[pin]
        sleep: Option<AsyncSleep>,
    }
}

impl Limit for Within {
    #[inline]
    fn new(until: Option<Instant>) -> Self {
        Self { until, sleep: None }
    }

    fn poll(self: Pin<&mut Self>, retryer: &Retryer, context: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        let Some(until) = *this.until else {
            return Poll::Pending;
        };
        if this.sleep.is_none() {
            // What the attempt took before its first wait counts too.
            let left = until.saturating_duration_since(now::<TaskTime>(retryer));
            this.sleep.set(Some(async_sleep(retryer, left)));
        }
        this.sleep.as_pin_mut().map_or(Poll::Pending, |sleep| poll_freely(sleep, context))
    }
}

/// Polls outside of tokio's cooperative budget: an attempt that has used it up, and would for ever,
/// must not hide from its limit.
fn poll_freely(sleep: Pin<&mut AsyncSleep>, context: &mut Context<'_>) -> Poll<()> {
    #[cfg(feature = "tokio")]
    let sleep = std::pin::pin!(tokio::task::coop::unconstrained(sleep));
    sleep.poll(context)
}
