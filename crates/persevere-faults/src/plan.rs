//! Which fault hits which request.

use std::fmt;
use std::sync::Arc;

use crate::{Fault, random};

/// Rules in order; the first that fires on a request decides what happens to it.
///
/// ```
/// use persevere_faults::{Answer, At, Fault, Plan, Rule};
///
/// let plan = Plan::new()
///     .seed(7)
///     // The first attempt to complete an upload is carried out, and its answer lost.
///     .rule(Rule::new(Fault::LoseAnswer).method("POST").path_contains("uploadId=").nth(1))
///     // One part in ten breaks off somewhere.
///     .rule(Rule::new(Fault::ResetRequest(At::Anywhere)).method("PUT").every(10))
///     // And a third of everything else has to wait.
///     .rule(Rule::new(Fault::slow_down(Some(1))).probability(0.33));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Plan {
    seed: u64,
    pub(crate) pace: Option<u64>,
    rules: Vec<Rule>,
}

impl Plan {
    /// A plan without a fault.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What random decisions come from; 0 unless set. The n-th request that a rule matches has the same fate with
    /// the same seed.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Lets every body move at so many bytes per second at the most, in each connection and direction, whatever
    /// the rules do besides: a slow line, which is no fault. At least 1; 0 is taken as 1. Without it, as fast as
    /// it can be. A [`Fault::Drip`] wins over it.
    ///
    /// A proxy that is started with such a plan also takes no more than some 100 KiB from a client ahead of the line, so that
    /// clients see how slow it is.
    ///
    /// ```
    /// use persevere_faults::{At, Fault, Plan, Rule};
    ///
    /// // Breaks in the middle of a body that takes a while.
    /// let plan = Plan::new()
    ///     .pace(1_000_000)
    ///     .rule(Rule::new(Fault::ResetRequest(At::Anywhere)).method("PUT").nth(1));
    /// ```
    #[must_use]
    pub fn pace(mut self, bytes_per_second: u64) -> Self {
        self.pace = Some(bytes_per_second);
        self
    }

    /// Adds a rule, after those that are there.
    #[must_use]
    pub fn rule(mut self, rule: Rule) -> Self {
        self.rules.push(rule);
        self
    }

    /// What makes no sense for connections without HTTP, if anything.
    pub(crate) fn unfit_for_tcp(&self) -> Option<String> {
        let unfit = |rule: &Rule| !rule.fault.works_in_tcp() || rule.reads_requests();
        let index = self.rules.iter().position(unfit)?;
        Some(format!(
            "rule {} ({}) needs HTTP: in plain TCP there are no requests and answers",
            index + 1,
            self.rules[index].fault.name()
        ))
    }
}

/// A fault, and which requests it hits: all, unless narrowed down. The conditions on the request itself
/// ([`method`](Self::method), [`path_contains`](Self::path_contains), [`when`](Self::when)) say what it *matches*; of
/// these, [`nth`](Self::nth), [`every`](Self::every), [`probability`](Self::probability) and [`times`](Self::times)
/// choose those on which it *fires*. In plain TCP each connection counts as one request.
#[derive(Clone)]
pub struct Rule {
    fault: Fault,
    method: Option<String>,
    path_parts: Vec<String>,
    predicate: Option<Arc<Predicate>>,
    nth: Option<u64>,
    every: Option<u64>,
    probability: Option<f64>,
    times: Option<u64>,
}

type Predicate = dyn Fn(&Request) -> bool + Send + Sync;

impl Rule {
    /// A rule that fires on every request.
    #[must_use]
    pub fn new(fault: Fault) -> Self {
        Self {
            fault,
            method: None,
            path_parts: Vec::new(),
            predicate: None,
            nth: None,
            every: None,
            probability: None,
            times: None,
        }
    }

    /// Only requests with this method, such as `PUT`.
    #[must_use]
    pub fn method(mut self, method: &str) -> Self {
        self.method = Some(method.to_owned());
        self
    }

    /// Only requests whose path with its query contains this, as it stands in the request (percent-encoded). Called
    /// again, both.
    #[must_use]
    pub fn path_contains(mut self, part: &str) -> Self {
        self.path_parts.push(part.to_owned());
        self
    }

    /// Only requests of which this is true.
    #[must_use]
    pub fn when(mut self, predicate: impl Fn(&Request) -> bool + Send + Sync + 'static) -> Self {
        self.predicate = Some(Arc::new(predicate));
        self
    }

    /// Only the n-th that it matches, counted from 1.
    #[must_use]
    pub fn nth(mut self, n: u64) -> Self {
        self.nth = Some(n);
        self
    }

    /// Only each k-th that it matches: the k-th, the 2k-th, ... With 0, none.
    #[must_use]
    pub fn every(mut self, k: u64) -> Self {
        self.every = Some(k);
        self
    }

    /// Only this share of those that it matches, chosen by the plan's seed: 0 and below none, 1 and above all.
    #[must_use]
    pub fn probability(mut self, share: f64) -> Self {
        self.probability = Some(share);
        self
    }

    /// At most so many times.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    fn reads_requests(&self) -> bool {
        self.method.is_some() || !self.path_parts.is_empty() || self.predicate.is_some()
    }

    fn matches(&self, request: &Request) -> bool {
        self.method.as_ref().is_none_or(|method| *method == request.method)
            && self.path_parts.iter().all(|part| request.target.contains(part))
            && self.predicate.as_ref().is_none_or(|predicate| predicate(request))
    }

    fn fires(&self, seen: &Seen, number: u64) -> bool {
        self.nth.is_none_or(|n| seen.matched == n)
            && self.every.is_none_or(|k| k != 0 && seen.matched.is_multiple_of(k))
            && self.times.is_none_or(|times| seen.fired < times)
            && self.probability.is_none_or(|share| random::share(number) < share)
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rule")
            .field("fault", &self.fault)
            .field("method", &self.method)
            .field("path_parts", &self.path_parts)
            .field("predicate", &self.predicate.is_some())
            .field("nth", &self.nth)
            .field("every", &self.every)
            .field("probability", &self.probability)
            .field("times", &self.times)
            .finish()
    }
}

/// The head of a request, as a [rule's predicate](Rule::when) sees it.
#[derive(Clone, Default)]
pub struct Request {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
}

impl Request {
    /// The method, such as `PUT`; empty in plain TCP.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The path with its query, as it stands in the request, secrets and all; empty in plain TCP.
    #[must_use]
    pub fn target(&self) -> &str {
        &self.target
    }

    /// The first header of this name, in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let named = |(header, _): &&(String, String)| header.eq_ignore_ascii_case(name);
        self.headers.iter().find(named).map(|(_, value)| value.as_str())
    }
}

impl fmt::Debug for Request {
    /// Headers and queries hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("method", &self.method).finish_non_exhaustive()
    }
}

/// A plan at work: what each rule has seen.
#[derive(Debug)]
pub(crate) struct Plans {
    plan: Plan,
    seen: Vec<Seen>,
}

#[derive(Clone, Debug, Default)]
struct Seen {
    matched: u64,
    fired: u64,
}

/// What a plan says of a request.
#[derive(Clone, Debug)]
pub(crate) struct Decision {
    pub(crate) fault: Fault,
    /// For the fault's own choices.
    pub(crate) number: u64,
}

impl Plans {
    pub(crate) fn new(plan: Plan) -> Self {
        Self { seen: vec![Seen::default(); plan.rules.len()], plan }
    }

    /// How many bytes a second bodies may move.
    pub(crate) fn pace(&self) -> Option<u64> {
        self.plan.pace
    }

    /// Counts the request, and says what is to happen to it.
    pub(crate) fn decide(&mut self, request: &Request) -> Option<Decision> {
        let mut decision = None;
        for (index, (rule, seen)) in self.plan.rules.iter().zip(&mut self.seen).enumerate() {
            if !rule.matches(request) {
                continue;
            }
            // Rules after the one that fires count it too, so that their n does not depend on others.
            seen.matched += 1;
            let stream = 2 * index as u64;
            let number = random::number(self.plan.seed, stream, seen.matched);
            if decision.is_none() && rule.fires(seen, number) {
                seen.fired += 1;
                let number = random::number(self.plan.seed, stream + 1, seen.matched);
                decision = Some(Decision { fault: rule.fault.clone(), number });
            }
        }
        decision
    }
}

#[cfg(test)]
mod tests;
