//! What happened, as the proxy has seen it, and who else has something to tell.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use persevere_faults::Exchange;
use tokio::task::JoinHandle;

use super::stage::Stage;
use crate::commands::cp::Figures;
use crate::plot::{Outcome, Span};

/// Everything that happened. Times are the proxy's.
#[derive(Debug, Default)]
pub(super) struct Record {
    pub(super) acts: Vec<Span>,
    pub(super) outages: Vec<Span>,
    /// When the first process was killed, and how many bytes were confirmed then, by its journal.
    pub(super) killed: Option<(Duration, u64)>,
    /// How many of those were sent again.
    pub(super) confirmed_sent_again: u64,
    pub(super) exchanges: Vec<Exchange>,
    pub(super) samples: Vec<Sample>,
    /// Of the upload as far as this process made it, and of the download.
    pub(super) upload: Figures,
    pub(super) download: Figures,
    /// SHA-256 of what was sent and of what came back.
    pub(super) sent: String,
    pub(super) received: String,
}

/// Bytes that have gone until then.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    pub(super) at: Duration,
    pub(super) up: u64,
    pub(super) down: u64,
}

/// What a request was about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject {
    /// Sending part `number`, counted from 1, or the whole, if it has no parts.
    Up(u64),
    /// Fetching part `number`, or what of it was missing.
    Down(u64),
    /// Anything else.
    Other,
}

pub(super) fn subject(stage: &Stage, exchange: &Exchange) -> Subject {
    let parameter = |name: &str| {
        let query = exchange.target.split_once('?').map_or("", |(_, query)| query);
        query.split('&').find_map(|it| it.strip_prefix(name)?.strip_prefix('='))
    };
    match &*exchange.method {
        "PUT" => {
            let number = parameter("partNumber").and_then(|number| number.parse().ok());
            Subject::Up(number.unwrap_or(1))
        }
        "GET" if !exchange.target.contains('?') => {
            let range = exchange.range.as_deref().and_then(|range| range.strip_prefix("bytes="));
            let first = range.and_then(|range| range.split('-').next()?.parse::<u64>().ok());
            Subject::Down(1 + first.unwrap_or(0) / stage.part_size)
        }
        _ => Subject::Other,
    }
}

impl Record {
    /// How a request ended, for whoever made it.
    pub(super) fn outcome(&self, exchange: &Exchange) -> Outcome {
        // Connections that end for one reason do not all end at the same moment.
        const ABOUT: Duration = Duration::from_millis(100);
        match exchange.fault {
            Some("answer") => return Outcome::Busy,
            Some("stall answer") => return Outcome::Stalled,
            // It was held up for the outage.
            Some("stall request") => return Outcome::Cut,
            Some(_) => return Outcome::Reset,
            None => {}
        }
        let ended = exchange.ended.unwrap_or(Duration::MAX);
        let after = ended.saturating_add(ABOUT);
        let in_outage = |span: &Span| after >= span.from && exchange.started <= span.to;
        match self.killed {
            // What was in the system's buffers may have arrived all the same, but nobody was there to hear of it.
            Some((killed, _)) if exchange.started <= killed && ended > killed => Outcome::Killed,
            _ if exchange.complete => Outcome::Answered,
            Some((killed, _)) if exchange.started <= killed && after >= killed => Outcome::Killed,
            _ if self.outages.iter().any(in_outage) => Outcome::Cut,
            _ => Outcome::Reset,
        }
    }

    /// What was exchanged in an act.
    pub(super) fn of_act(&self, index: usize) -> impl Iterator<Item = &Exchange> {
        let span = self.acts.get(index);
        let is_in = move |at: Duration| span.is_some_and(|it| it.from <= at && at <= it.to);
        self.exchanges.iter().filter(move |exchange| is_in(exchange.started))
    }
}

/// Looks a few times a second how many bytes have gone.
pub(super) struct Sampler {
    task: JoinHandle<()>,
    samples: Arc<Mutex<Vec<Sample>>>,
}

impl Sampler {
    /// `look` tells the bytes up and down until now.
    pub(super) fn start(look: impl Fn() -> Sample + Send + 'static) -> Self {
        const PERIOD: Duration = Duration::from_millis(50);
        let samples = Arc::new(Mutex::new(vec![look()]));
        let kept = Arc::clone(&samples);
        let task = tokio::spawn(async move {
            let mut ticks = tokio::time::interval(PERIOD);
            loop {
                ticks.tick().await;
                kept.lock().unwrap_or_else(PoisonError::into_inner).push(look());
            }
        });
        Self { task, samples }
    }

    pub(super) fn end(self) -> Vec<Sample> {
        self.task.abort();
        std::mem::take(&mut self.samples.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
