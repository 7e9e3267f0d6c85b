//! A policy with everything that a retry may need beside it.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::as_error::AsError;
use crate::attempt::Attempt;
use crate::budget::RetryBudget;
use crate::call::Call;
use crate::clock::Clock;
use crate::detect::Detector;
use crate::error::RetryError;
use crate::event::Observer;
use crate::gate::NetworkGate;
use crate::network::{NetworkMonitor, NetworkState};
use crate::network_report::NetworkReport;
use crate::options::Plain;
use crate::policy::RetryPolicy;
use crate::random::Random;
use crate::run::Run;
use crate::run_async::RunAsync;
use crate::run_blocking::run_blocking;
use crate::verdict::{Kind, Verdict};

/// Runs operations until they succeed, or cannot.
///
/// It is a [`RetryPolicy`] and, if you want them, a rule, a network monitor, a budget, an observer
/// and a clock. Cloning is cheap, and clones share all of these.
///
/// ```
/// use persevere::{RetryPolicy, Retryer};
///
/// static RETRYER: Retryer = Retryer::new(RetryPolicy::balanced());
///
/// # async fn fetch(url: &str) -> std::io::Result<String> { Ok(url.to_owned()) }
/// # async fn example() -> Result<(), persevere::RetryError<std::io::Error>> {
/// let page = RETRYER.run("fetch page", |_| fetch("https://example.org")).await?;
/// # Ok(())
/// # }
/// let manifest = RETRYER.run_blocking("read manifest", |_| std::fs::read("Cargo.toml"))?;
/// # Ok::<(), persevere::RetryError<std::io::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct Retryer {
    policy: RetryPolicy,
    /// Most retryers have nothing but a policy, and pay for nothing else.
    parts: Option<Arc<Parts>>,
}

type SharedRule = dyn Fn(&(dyn Error + 'static)) -> Option<Verdict> + Send + Sync;

#[derive(Clone, Default)]
pub(crate) struct Parts {
    pub(crate) rule: Option<Arc<SharedRule>>,
    pub(crate) monitor: Option<Arc<dyn NetworkMonitor>>,
    pub(crate) budget: Option<RetryBudget>,
    pub(crate) observer: Option<Arc<dyn Observer>>,
    clock: Option<Arc<dyn Clock>>,
    seed: Option<Arc<Seed>>,
    pub(crate) retry_nested: bool,
    pub(crate) detector: Detector,
}

/// Each call draws from a sequence of its own, so that calls side by side do not disturb each other.
struct Seed {
    seed: u64,
    calls: AtomicU64,
}

impl Retryer {
    /// A retryer with this policy and nothing else.
    pub const fn new(policy: RetryPolicy) -> Self {
        Self { policy, parts: None }
    }

    /// A rule for all calls, asked after a call's own rule and before detection: `Some` decides,
    /// `None` leaves it to detection. Its verdict stands as it is: detection adds nothing to it.
    ///
    /// It sees the error as the operation returned it; look for your own types with
    /// [`downcast_ref`](Error#method.downcast_ref), or at the causes with [`Error::source`].
    ///
    /// ```
    /// use std::error::Error;
    /// use persevere::{Kind, Retryer, Verdict};
    ///
    /// let retryer = Retryer::default().rule(|error: &(dyn Error + 'static)| {
    ///     let busy = error.to_string().contains("come back later");
    ///     busy.then_some(Verdict::retry(Kind::Throttle, "my-service.busy"))
    /// });
    /// # drop(retryer);
    /// ```
    #[must_use]
    pub fn rule(
        self,
        rule: impl Fn(&(dyn Error + 'static)) -> Option<Verdict> + Send + Sync + 'static,
    ) -> Self {
        self.with(|parts| parts.rule = Some(Arc::new(rule)))
    }

    /// What error detection knows beside the errors: whose service is called, and rules as data.
    ///
    /// ```
    /// use persevere::detect::Detector;
    /// use persevere::{Provider, Retryer};
    ///
    /// let storage = Retryer::default().detector(Detector::new().provider(Provider::S3));
    /// # drop(storage);
    /// ```
    #[must_use]
    pub fn detector(self, detector: Detector) -> Self {
        self.with(|parts| parts.detector = detector)
    }

    /// A monitor that says when the network is down. It pauses calls only if the policy has
    /// [`wait_for_network`](crate::RetryPolicyBuilder::wait_for_network).
    #[must_use]
    pub fn network_monitor(self, monitor: Arc<dyn NetworkMonitor>) -> Self {
        self.with(|parts| parts.monitor = Some(monitor))
    }

    /// A budget that limits retries over all calls, and over all retryers that share it.
    #[must_use]
    pub fn budget(self, budget: RetryBudget) -> Self {
        self.with(|parts| parts.budget = Some(budget))
    }

    /// Somebody who sees every event; see [`Event`](crate::Event).
    #[must_use]
    pub fn observer(self, observer: impl Observer + 'static) -> Self {
        self.with(|parts| parts.observer = Some(Arc::new(observer)))
    }

    /// Another time than tokio's or the system's.
    #[must_use]
    pub fn clock(self, clock: Arc<dyn Clock>) -> Self {
        self.with(|parts| parts.clock = Some(clock))
    }

    /// Makes the delays reproducible: of this retryer and its clones, the *n*-th call that fails at
    /// all always waits the same. Without it every call draws afresh.
    ///
    /// Calls get their number at their first failed attempt, so that one that succeeds at once has
    /// none. Calls side by side get theirs in the order in which they fail first.
    #[must_use]
    pub fn seed(self, seed: u64) -> Self {
        let seed = Seed { seed, calls: AtomicU64::new(0) };
        self.with(|parts| parts.seed = Some(Arc::new(seed)))
    }

    /// Whether an error that has come out of an inner retry is retried here as well, so that 3
    /// attempts around 3 become 9. Default: no.
    #[must_use]
    pub fn retry_nested(self, retry: bool) -> Self {
        self.with(|parts| parts.retry_nested = retry)
    }

    fn with(mut self, change: impl FnOnce(&mut Parts)) -> Self {
        change(Arc::make_mut(self.parts.get_or_insert_default()));
        self
    }

    /// The policy.
    #[inline]
    pub const fn policy(&self) -> &RetryPolicy {
        &self.policy
    }

    /// A call with options of its own. `name` stands in logs and errors.
    #[inline]
    pub fn call<'a>(&'a self, name: &'a str) -> Call<'a> {
        Call::new(self, name)
    }

    /// Runs an async operation under this policy: [`Call::run`] without options.
    ///
    /// # Errors
    ///
    /// A [`RetryError`] with the operation's last error.
    #[inline]
    pub fn run<'a, T, E, Via, F, Attempted>(
        &'a self,
        name: &'a str,
        operation: F,
    ) -> impl Future<Output = Result<T, RetryError<E>>> + use<'a, T, E, Via, F, Attempted>
    where
        E: AsError<Via>,
        F: FnMut(Attempt) -> Attempted,
        Attempted: Future<Output = Result<T, E>>,
    {
        RunAsync::new(Run::new(self, name, Plain), operation)
    }

    /// Runs a blocking operation under this policy: [`Call::run_blocking`] without options.
    ///
    /// # Errors
    ///
    /// A [`RetryError`] with the operation's last error.
    #[inline]
    pub fn run_blocking<T, E, Via, F>(&self, name: &str, operation: F) -> Result<T, RetryError<E>>
    where
        E: AsError<Via>,
        F: FnMut(Attempt) -> Result<T, E>,
    {
        run_blocking(Run::new(self, name, Plain), operation)
    }

    #[inline]
    pub(crate) fn parts(&self) -> Option<&Parts> {
        self.parts.as_deref()
    }

    #[inline]
    pub(crate) fn own_clock(&self) -> Option<&dyn Clock> {
        self.parts()?.clock.as_deref()
    }

    /// Tells the monitor, where there is one, what an attempt has found out.
    pub(crate) fn report(&self, report: NetworkReport) {
        if let Some(monitor) = self.parts().and_then(|parts| parts.monitor.as_ref()) {
            monitor.report(report);
        }
    }

    /// Whether to pause: asked after a failure of this kind. What smells of the network is worth a
    /// fresh look, since the monitor may not have heard yet.
    pub(crate) fn sees_outage(&self, kind: Kind) -> bool {
        if !self.policy.wait_for_network() {
            return false;
        }
        match kind {
            Kind::Network | Kind::Timeout => self.is_found_down(),
            // And that somebody is about to wait is worth knowing.
            _ => {
                let gate = self.parts().and_then(Parts::gate);
                gate.is_some_and(NetworkGate::is_closed) && self.is_found_down()
            }
        }
    }

    /// Whether the network is down after a fresh look. But the gate has the last word: at one that is
    /// open nobody can wait.
    pub(crate) fn is_found_down(&self) -> bool {
        let monitor = self.parts().and_then(|parts| parts.monitor.as_ref());
        monitor.is_some_and(|monitor| {
            monitor.recheck() == NetworkState::Down && monitor.gate().is_closed()
        })
    }
}

impl Parts {
    pub(crate) fn gate(&self) -> Option<&NetworkGate> {
        self.monitor.as_ref().map(|monitor| monitor.gate())
    }

    pub(crate) fn random(&self) -> Random {
        self.seed.as_ref().map_or_else(Random::fresh, |seed| {
            Random::stream(seed.seed, seed.calls.fetch_add(1, Ordering::Relaxed))
        })
    }
}

impl fmt::Debug for Retryer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = self.parts();
        f.debug_struct("Retryer")
            .field("policy", &self.policy)
            .field("network_monitor", &parts.and_then(|parts| parts.monitor.as_ref()))
            .field("budget", &parts.and_then(|parts| parts.budget.as_ref()))
            .finish_non_exhaustive()
    }
}
