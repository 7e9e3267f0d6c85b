//! The retry loop as a future. Written by hand, for a first success must cost next to nothing, and
//! a million waiting calls must fit into memory; [`crate::run_blocking`] is the same for a thread.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use crate::as_error::AsError;
use crate::attempt::Attempt;
use crate::decision::{Ending, Step};
use crate::error::{End, RetryError};
use crate::gate::Recovery;
use crate::limit::Limit;
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
        via: PhantomData<fn() -> Via>,
    }
}

pin_project! {
    // An attempt and a wait are never there at once, so they share their place.
    #[project = DoingProjection]
    enum Doing<'a, Attempted, Limit> {
        Nothing,
        Attempt { #[pin] attempted: Attempted, #[pin] limit: Limit },
        Wait { #[pin] wait: Wait<'a> },
        Ended,
    }
}

pin_project! {
    struct Wait<'a> {
        // With one, the sleep is only how long to wait for it.
        recovery: Option<Recovery<'a>>,
        #[pin]
        sleep: AsyncSleep,
    }
}

impl<'a, E, Via, O: Options<E>, F, Attempted> RunAsync<'a, E, Via, O, F, Attempted> {
    #[inline]
    pub(crate) fn new(run: Run<'a, E, O, TaskTime>, operation: F) -> Self {
        Self { run, operation, doing: Doing::Nothing, via: PhantomData }
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
            return Poll::Ready(Err(give_up(run, end.into(), this.doing)));
        }
        loop {
            let step = match this.doing.as_mut().project() {
                DoingProjection::Attempt { attempted, limit } => match attempted.poll(context) {
                    Poll::Ready(Ok(value)) => {
                        run.succeeded();
                        this.doing.set(Doing::Ended);
                        return Poll::Ready(Ok(value));
                    }
                    Poll::Ready(Err(error)) => run.failed(error),
                    Poll::Pending => ready!(poll_limit(run, limit, context)),
                },
                DoingProjection::Wait { wait } => ready!(poll_wait(run, wait, context)),
                DoingProjection::Nothing => Step::Attempt,
                DoingProjection::Ended => polled_after_its_end(),
            };
            if let Err(ending) = follow(step, run, this.operation, this.doing.as_mut()) {
                return Poll::Ready(Err(give_up(run, ending, this.doing)));
            }
        }
    }
}

/// Ends the call with its error, and with it whatever is under way: an attempt in flight is dropped
/// now, not when the caller drops the future.
#[cold]
#[inline(never)]
fn give_up<E, Via, O, Attempted>(
    run: &mut Run<'_, E, O, TaskTime>,
    ending: Ending,
    mut doing: Pin<&mut Doing<'_, Attempted, O::Limit>>,
) -> RetryError<E>
where
    E: AsError<Via>,
    O: Options<E>,
{
    doing.set(Doing::Ended);
    run.give_up(ending)
}

/// What futures of async functions do.
#[cold]
#[inline(never)]
fn polled_after_its_end() -> ! {
    panic!("the future of a call was polled after it had ended")
}

/// Begins the next attempt, unless the call ends here.
#[inline]
fn attempt<'a, E, O: Options<E>, Attempted>(
    run: &mut Run<'a, E, O, TaskTime>,
    operation: &mut impl FnMut(Attempt) -> Attempted,
    mut doing: Pin<&mut Doing<'a, Attempted, O::Limit>>,
) -> Result<(), End> {
    let attempt = run.begin()?;
    let limit = O::Limit::new(run.limit());
    let attempted = operation(attempt);
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
) -> Result<(), Ending> {
    let (recovery, duration) = match step {
        Step::End(ending) => return Err(ending),
        Step::Attempt => return Ok(attempt(run, operation, doing)?),
        Step::Wait(delay) => (None, delay),
        Step::WaitForNetwork => match run.pause() {
            Some(Pause { recovery, limit }) => (Some(recovery), limit),
            // A monitor that is gone means ordinary attempts.
            None => return Ok(attempt(run, operation, doing)?),
        },
    };
    let sleep = async_sleep(run.retryer, duration);
    doing.set(Doing::Wait { wait: Wait { recovery, sleep } });
    Ok(())
}

/// An attempt in flight: ready when it is cancelled, or has taken too long.
#[inline]
fn poll_limit<E, Via, O>(
    run: &mut Run<'_, E, O, TaskTime>,
    limit: Pin<&mut O::Limit>,
    context: &mut Context<'_>,
) -> Poll<Step>
where
    E: AsError<Via>,
    O: Options<E>,
{
    if run.options.poll_cancelled(context) {
        return Poll::Ready(Step::End(End::Cancelled.into()));
    }
    ready!(limit.poll(run.retryer, context));
    Poll::Ready(run.out_of_time())
}

#[cold]
#[inline(never)]
fn poll_wait<E, O: Options<E>>(
    run: &mut Run<'_, E, O, TaskTime>,
    wait: Pin<&mut Wait<'_>>,
    context: &mut Context<'_>,
) -> Poll<Step> {
    if run.options.poll_cancelled(context) {
        return Poll::Ready(Step::End(End::Cancelled.into()));
    }
    let wait = wait.project();
    let Some(recovery) = wait.recovery else {
        return wait.sleep.poll(context).map(|()| run.waited());
    };
    match recovery.poll(context, run.kept_place()) {
        Poll::Ready(release) => Poll::Ready(run.released(release)),
        Poll::Pending => wait.sleep.poll(context).map(|()| run.not_recovered()),
    }
}
