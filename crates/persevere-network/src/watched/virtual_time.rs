//! A target, those who call it and their retry loops, through any weather, in virtual time: every call
//! ends, and for a reason.
#![allow(clippy::unwrap_used, reason = "a test, whose helpers clippy does not take for one")]

use std::io::{self, ErrorKind};
use std::sync::Arc;

use persevere::{
    CancellationToken, End, NetworkMonitor, NetworkReport, RetryError, RetryPolicy, Retryer,
};
use proptest::prelude::*;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::*;
use crate::evaluator::{Probed, Strength};

const SECOND: Duration = Duration::from_secs(1);
const CALLS: usize = 24;
/// From the moment that the network works for good until the last call has ended: the longest look
/// without a message (60 s), settling (10 s), an outage by probes (30 s for the next of them and 30 s
/// for one after it), the stagger (2 s for so few), three attempts of 3 s, and the backoff (3 s).
const BOUND: Duration = Duration::from_secs(150);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Weather {
    route: Route,
    answers: bool,
}

const FINE: Weather = Weather { route: Route::Open, answers: true };

/// The network of a machine, and a monitor that does what [`crate::worker`] does.
#[derive(Debug)]
struct Machine {
    watched: Watched,
    weather: Mutex<Weather>,
    began: Instant,
    /// The kernel has a message.
    message: Notify,
    bell: Notify,
}

impl Machine {
    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    fn weather(&self) -> Weather {
        *self.weather.lock().unwrap()
    }

    fn look(&self) {
        let now = self.now();
        self.watched.take_route(now, now, self.weather().route);
    }

    async fn work(self: Arc<Self>) {
        let mut looked = self.now();
        self.look();
        loop {
            let now = self.now();
            self.watched.take(now, Input::Tick);
            self.watched.let_canary(now);
            if let Some(probe) = self.watched.takes_probe(|| self.now(), || self.look()) {
                tokio::spawn(self.clone().probe(probe));
            }
            let backstop = if self.watched.gate().waiting() > 0 { 1 } else { 60 };
            let look_at = looked + SECOND * backstop;
            let wakes_at = self.watched.wakes_at().map_or(look_at, |at| at.min(look_at));
            let heard = tokio::select! {
                () = self.message.notified() => true,
                () = self.bell.notified() => false,
                () = sleep_until(self.began + wakes_at) => false,
            };
            if heard || self.now() >= look_at {
                looked = self.now();
                self.look();
            }
        }
    }

    async fn probe(self: Arc<Self>, probe: ProbeId) {
        let probed = match self.weather() {
            FINE => Probed::Answered,
            Weather { route: Route::Open, .. } => {
                sleep(SECOND * 3).await;
                Probed::Silent
            }
            _ => Probed::Silent,
        };
        self.watched.take(self.now(), Input::Probe(probe, probed));
        self.bell.notify_one();
    }

    /// One attempt of an operation.
    async fn operate(&self, takes: Duration) -> io::Result<()> {
        sleep(takes).await;
        match self.weather() {
            FINE => Ok(()),
            Weather { route: Route::Open, .. } => Err(ErrorKind::TimedOut.into()),
            _ => Err(ErrorKind::NetworkUnreachable.into()),
        }
    }
}

impl NetworkMonitor for Machine {
    fn gate(&self) -> &NetworkGate {
        self.watched.gate()
    }

    fn recheck(&self) -> NetworkState {
        if self.gate().state() != NetworkState::Down {
            self.look();
        }
        self.bell.notify_one();
        self.gate().state()
    }

    fn report(&self, report: NetworkReport) {
        let input = match report {
            NetworkReport::Unreachable => Input::Failure(Strength::Strong),
            NetworkReport::Failed => Input::Failure(Strength::Weak),
            _ => Input::Success,
        };
        if self.watched.take(self.now(), input) {
            self.bell.notify_one();
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Step {
    /// The weather changes, and the kernel says so, or its message is lost.
    Weather(Weather, bool),
    Cancel(usize),
    /// The machine sleeps.
    Suspend,
    ByHand(Option<NetworkState>),
}

#[derive(Debug, Clone, Copy)]
struct Plan {
    begins: Duration,
    takes: Duration,
    deadline: Option<Duration>,
}

fn steps() -> impl Strategy<Value = Vec<(Duration, Step)>> {
    let routes = [Route::Open, Route::Open, Route::Missing, Route::NoCarrier, Route::Unknown];
    let route = proptest::sample::select(routes.to_vec());
    let weather = (route, any::<bool>()).prop_map(|(route, answers)| Weather { route, answers });
    let by_hand = proptest::option::of(Just(NetworkState::Down));
    let step = prop_oneof![
        8 => (weather, any::<bool>()).prop_map(|(weather, heard)| Step::Weather(weather, heard)),
        4 => Just(Step::Weather(FINE, true)),
        3 => (0..CALLS).prop_map(Step::Cancel),
        1 => Just(Step::Suspend),
        1 => by_hand.prop_map(Step::ByHand),
    ];
    let gap = prop_oneof![0_u64..500, 0_u64..40_000];
    proptest::collection::vec((gap.prop_map(Duration::from_millis), step), 0..40)
}

fn plans() -> impl Strategy<Value = Vec<Plan>> {
    let millis = |range: std::ops::Range<u64>| range.prop_map(Duration::from_millis);
    let deadline = proptest::option::weighted(0.3, millis(1..300_000));
    let plan = (millis(0..60_000), millis(0..3_000), deadline);
    let plan = plan.prop_map(|(begins, takes, deadline)| Plan { begins, takes, deadline });
    proptest::collection::vec(plan, CALLS)
}

type Ended = (Duration, Result<(), RetryError<io::Error>>);

async fn call(machine: Arc<Machine>, plan: Plan, token: CancellationToken) -> Ended {
    sleep(plan.begins).await;
    let policy = RetryPolicy::builder().wait_for_network(true).build().unwrap();
    let retryer = Retryer::new(policy).network_monitor(machine.clone());
    let call = retryer.call("operation").cancel_on(token);
    let call = match plan.deadline {
        Some(deadline) => call.deadline(deadline),
        None => call,
    };
    let result = call.run(|_| machine.operate(plan.takes)).await;
    (machine.now(), result)
}

/// Why this call may have ended this way at this time; or why not.
fn judge(
    plan: Plan,
    cancelled: Option<Duration>,
    settled: Duration,
    (at, result): &Ended,
) -> Result<(), String> {
    let late_by = |limit: Duration| (*at > limit + Duration::from_millis(2)).then(|| *at - limit);
    if let Some(late) = late_by(settled.max(plan.begins) + BOUND) {
        return Err(format!("ended {late:?} too late: {result:?}"));
    }
    let deadline = plan.deadline.map(|deadline| plan.begins + deadline);
    if let Some(late) = deadline.and_then(late_by) {
        return Err(format!("ended {late:?} after its deadline: {result:?}"));
    }
    if let Some(late) = cancelled.map(|at| at.max(plan.begins)).and_then(late_by) {
        return Err(format!("ended {late:?} after it was cancelled: {result:?}"));
    }
    let Err(error) = result else { return Ok(()) };
    let allowed = match error.end() {
        End::Cancelled => cancelled.is_some(),
        End::Deadline => plan.deadline.is_some(),
        End::AttemptsExhausted => error.attempts() == 3,
        End::NetworkDown => error.network_wait() >= SECOND * 600,
        _ => false,
    };
    if allowed { Ok(()) } else { Err(format!("no reason for this: {error:?}")) }
}

/// Plays it all. Returns the first thing that is wrong.
async fn play(steps: &[(Duration, Step)], plans: &[Plan]) -> Result<(), String> {
    let target = Target::from(std::net::SocketAddr::from(([192, 0, 2, 7], 443)));
    let machine = Arc::new(Machine {
        watched: Watched::new(target, true, 7),
        weather: Mutex::new(FINE),
        began: Instant::now(),
        message: Notify::new(),
        bell: Notify::new(),
    });
    let worker = tokio::spawn(machine.clone().work());
    let tokens: Vec<_> = plans.iter().map(|_| CancellationToken::new()).collect();
    let calls = plans.iter().zip(&tokens);
    let calls: Vec<_> = calls
        .map(|(plan, token)| tokio::spawn(call(machine.clone(), *plan, token.clone())))
        .collect();
    let mut cancelled = vec![None; plans.len()];
    for (gap, step) in steps {
        sleep(*gap).await;
        match *step {
            Step::Weather(weather, heard) => {
                *machine.weather.lock().unwrap() = weather;
                if heard {
                    machine.message.notify_one();
                }
            }
            Step::Cancel(which) => {
                cancelled[which].get_or_insert(machine.now());
                tokens[which].cancel();
            }
            Step::Suspend => _ = machine.watched.take(machine.now(), Input::Lost),
            Step::ByHand(state) => machine.watched.set_by_hand(ByHand { turn: 0, state }),
        }
    }
    // From now on it works, and the kernel's message is lost.
    machine.watched.set_by_hand(ByHand::default());
    *machine.weather.lock().unwrap() = FINE;
    let settled = machine.now();
    for ((call, plan), cancelled) in calls.into_iter().zip(plans).zip(cancelled) {
        let ended = timeout(SECOND * 3_600, call).await.map_err(|_| "a call never ends")?;
        judge(*plan, cancelled, settled, &ended.unwrap())?;
    }
    worker.abort();
    let left: usize = tokens.iter().map(CancellationToken::waiting).sum();
    match machine.gate().waiting() + left {
        0 => Ok(()),
        left => Err(format!("{left} waiters left behind")),
    }
}

proptest! {
    #[test]
    fn every_call_ends_whatever_the_weather(steps in steps(), plans in plans()) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let played = runtime.block_on(play(&steps, &plans));
        prop_assert!(played.is_ok(), "{}", played.unwrap_err());
    }
}
