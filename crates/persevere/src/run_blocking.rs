//! The retry loop on a thread; [`crate::run_async`] is the same as a future.

use std::task::Poll;
use std::time::Duration;

use crate::as_error::AsError;
use crate::attempt::Attempt;
use crate::decision::{Ending, Step};
use crate::error::{End, RetryError};
use crate::options::Options;
use crate::outage::Pause;
use crate::run::Run;
use crate::sleep::{ThreadTime, block_until};

#[inline]
pub(crate) fn run_blocking<T, E, Via, O, F>(
    mut run: Run<'_, E, O, ThreadTime>,
    mut operation: F,
) -> Result<T, RetryError<E>>
where
    E: AsError<Via>,
    O: Options<E>,
    F: FnMut(Attempt) -> Result<T, E>,
{
    let mut attempt = match run.begin() {
        Ok(attempt) => attempt,
        Err(end) => return Err(run.give_up(end.into())),
    };
    loop {
        let step = match operation(attempt) {
            Ok(value) => {
                run.succeeded();
                return Ok(value);
            }
            Err(error) => run.failed(error),
        };
        attempt = match follow(step, &mut run) {
            Ok(attempt) => attempt,
            Err(ending) => return Err(run.give_up(ending)),
        };
    }
}

/// Waits as long as there is something to wait for, and begins the next attempt, unless the call
/// ends here.
#[cold]
#[inline(never)]
fn follow<E, O: Options<E>>(
    mut step: Step,
    run: &mut Run<'_, E, O, ThreadTime>,
) -> Result<Attempt, Ending> {
    loop {
        step = match step {
            Step::Attempt => return Ok(run.begin()?),
            Step::End(ending) => return Err(ending),
            Step::Wait(delay) => wait(run, delay),
            Step::WaitForNetwork => wait_for_network(run),
        };
    }
}

fn wait<E, O: Options<E>>(run: &mut Run<'_, E, O, ThreadTime>, delay: Duration) -> Step {
    let cancelled =
        block_until(run.retryer, delay, |context| match run.options.poll_cancelled(context) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        });
    match cancelled {
        Some(()) => Step::End(End::Cancelled.into()),
        None => run.waited(),
    }
}

fn wait_for_network<E, O: Options<E>>(run: &mut Run<'_, E, O, ThreadTime>) -> Step {
    // A monitor that is gone means ordinary attempts.
    let Some(Pause { mut recovery, limit }) = run.pause() else {
        return Step::Attempt;
    };
    let released =
        block_until(run.retryer, limit, |context| match run.options.poll_cancelled(context) {
            true => Poll::Ready(None),
            false => recovery.poll(context, run.kept_place()).map(Some),
        });
    match released {
        Some(Some(release)) => run.released(release),
        Some(None) => Step::End(End::Cancelled.into()),
        None => run.not_recovered(),
    }
}
