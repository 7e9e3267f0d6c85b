//! The retry loop as a future. Written by hand, for a first success must cost next to nothing, and
//! a million waiting calls must fit into memory; [`crate::run_blocking`] is the same for a thread.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;

use crate::as_error::AsError;
use crate::attempt::Attempt;
use crate::decision::Step;
use crate::error::{End, RetryError};
use crate::network::Recovery;
use crate::options::Options;
use crate::outage::Pause;
use crate::run::Run;
use crate::sleep::{AsyncSleep, TaskTime, async_sleep};

pin_project! {
    pub(crate) struct RunAsync<'a, E, Via, O: Options<E>, F, Attempted> {
        run: Run<'a, E, O, TaskTime>,
        operation: F,
        #[pin]
        doing: Doing<'a, Attempted, O::Limit>,
        // The wait, or the limit of what is being done. A place of its own, so that leaving it empty
        // costs one look.
        #[pin]
        sleep: Option<AsyncSleep>,
        via: PhantomData<fn() -> Via>,
    }
}

pin_project! {
    #[project = DoingProjection]
    enum Doing<'a, Attempted, Limit> {
        Nothing,
        Attempt { #[pin] attempted: Attempted, limit: Limit },
        Wait,
        WaitForNetwork { recovery: Recovery<'a> },
    }
}

impl<'a, E, Via, O: Options<E>, F, Attempted> RunAsync<'a, E, Via, O, F, Attempted> {
    #[inline]
    pub(crate) fn new(run: Run<'a, E, O, TaskTime>, operation: F) -> Self {
        Self { run, operation, doing: Doing::Nothing, sleep: None, via: PhantomData }
    }
}

impl<T, E, Via, O, F, Attempted> Future for RunAsync<'_, E, Via, O, F, Attempted>
where
    E: AsError<Via>,
    O: Options<E>,
    F: FnMut(Attempt) -> Attempted,
    Attempted: Future<Output = Result<T, E>>,
{
    type Output = Result<T, RetryError<E>>;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let run = this.run;
        if let Doing::Nothing = *this.doing
            && let Err(end) = attempt(run, this.operation, this.doing.as_mut())
        {
            return Poll::Ready(Err(run.give_up(end)));
        }
        loop {
            let doing = this.doing.as_mut().project();
            let step = if let DoingProjection::Attempt { attempted, limit } = doing {
                match attempted.poll(context) {
                    Poll::Ready(Ok(value)) => {
                        run.succeeded();
                        return Poll::Ready(Ok(value));
                    }
                    Poll::Ready(Err(error)) => run.failed(error),
                    Poll::Pending => {
                        ready!(poll_limit(run, (*limit).into(), this.sleep.as_mut(), context))
                    }
                }
            } else {
                ready!(poll_wait(run, doing, this.sleep.as_mut(), context))
            };
            this.sleep.set(None);
            let (doing, sleep) = (this.doing.as_mut(), this.sleep.as_mut());
            if let Err(end) = follow(step, run, this.operation, doing, sleep) {
                return Poll::Ready(Err(run.give_up(end)));
            }
        }
    }
}

/// Begins the next attempt, unless the call ends here.
#[inline]
fn attempt<'a, E, O: Options<E>, Attempted>(
    run: &mut Run<'a, E, O, TaskTime>,
    operation: &mut impl FnMut(Attempt) -> Attempted,
    mut doing: Pin<&mut Doing<'a, Attempted, O::Limit>>,
) -> Result<(), End> {
    let attempt = run.begin()?;
    let (attempted, limit) = (operation(attempt), O::limit(attempt.limit));
    doing.set(Doing::Attempt { attempted, limit });
    Ok(())
}

/// Begins whatever comes next, unless the call ends here.
#[cold]
#[inline(never)]
fn follow<'a, E, O: Options<E>, Attempted>(
    step: Step,
    run: &mut Run<'a, E, O, TaskTime>,
    operation: &mut impl FnMut(Attempt) -> Attempted,
    mut doing: Pin<&mut Doing<'a, Attempted, O::Limit>>,
    mut sleep: Pin<&mut Option<AsyncSleep>>,
) -> Result<(), End> {
    let (next, duration) = match step {
        Step::End(end) => return Err(end),
        Step::Attempt => return attempt(run, operation, doing),
        Step::Wait(delay) => (Doing::Wait, delay),
        Step::WaitForNetwork => match run.pause() {
            Some(Pause { recovery, limit }) => (Doing::WaitForNetwork { recovery }, limit),
            // A monitor that is gone means ordinary attempts.
            None => return attempt(run, operation, doing),
        },
    };
    doing.set(next);
    sleep.set(Some(async_sleep(run.retryer, duration)));
    Ok(())
}

/// An attempt in flight: ready when it is cancelled, or has taken too long. Its timer is only taken
/// here, when the attempt was not ready at once.
#[inline]
fn poll_limit<E, Via, O>(
    run: &mut Run<'_, E, O, TaskTime>,
    limit: Option<Duration>,
    mut sleep: Pin<&mut Option<AsyncSleep>>,
    context: &mut Context<'_>,
) -> Poll<Step>
where
    E: AsError<Via>,
    O: Options<E>,
{
    if run.options.poll_cancelled(context) {
        return Poll::Ready(Step::End(End::Cancelled));
    }
    let Some(limit) = limit else {
        return Poll::Pending;
    };
    if sleep.is_none() {
        sleep.set(Some(async_sleep(run.retryer, limit)));
    }
    ready!(poll_sleep(sleep, context));
    Poll::Ready(run.out_of_time())
}

#[cold]
#[inline(never)]
fn poll_wait<E, O: Options<E>, Attempted>(
    run: &mut Run<'_, E, O, TaskTime>,
    waiting: DoingProjection<'_, '_, Attempted, O::Limit>,
    sleep: Pin<&mut Option<AsyncSleep>>,
    context: &mut Context<'_>,
) -> Poll<Step> {
    if run.options.poll_cancelled(context) {
        return Poll::Ready(Step::End(End::Cancelled));
    }
    if let DoingProjection::WaitForNetwork { recovery } = waiting {
        return match Pin::new(recovery).poll(context) {
            Poll::Ready(release) => Poll::Ready(run.released(release)),
            Poll::Pending => poll_sleep(sleep, context).map(|()| run.not_recovered()),
        };
    }
    poll_sleep(sleep, context).map(|()| run.waited())
}

fn poll_sleep(sleep: Pin<&mut Option<AsyncSleep>>, context: &mut Context<'_>) -> Poll<()> {
    sleep.as_pin_mut().map_or(Poll::Ready(()), |sleep| sleep.poll(context))
}
