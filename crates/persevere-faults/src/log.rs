//! What the proxy has seen and done.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::plan::Request;

/// One request and its answer; in plain TCP one connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Exchange {
    /// Which connection it came on, counted from 1.
    pub connection: u64,
    /// The method; empty in plain TCP.
    pub method: String,
    /// The path with its query, as it stood in the request, but with `***` for each value that may be a secret; empty
    /// in plain TCP.
    pub target: String,
    /// The header `range`, if there was one.
    pub range: Option<String>,
    /// How long the request's body was to be, if its head told.
    pub request_length: Option<u64>,
    /// Bytes of its body that came from the client and were passed on (or, where the proxy answered itself, were
    /// read).
    pub request_bytes: u64,
    /// The answer's status, by the server or by the proxy. With a lost or replaced answer, the server's.
    pub status: Option<u16>,
    /// Bytes of the answer's body that were passed on to the client.
    pub answer_bytes: u64,
    /// Whether all of the request and all of the answer were passed on.
    pub complete: bool,
    /// The [name](crate::Fault::name) of what was done to it.
    pub fault: Option<&'static str>,
    /// When its head was there (in plain TCP the connection), since the proxy's start.
    pub started: Duration,
    /// When it was over, since the proxy's start.
    pub ended: Option<Duration>,
}

/// Sums over all that the proxy has seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Connections accepted.
    pub connections: u64,
    /// Requests whose head came; in plain TCP connections.
    pub requests: u64,
    /// Bytes of request bodies that came from clients and were passed on or read.
    pub request_bytes: u64,
    /// Bytes of answer bodies that were passed on to clients.
    pub answer_bytes: u64,
    /// Requests that a fault was made of, and outages.
    pub faults: u64,
}

#[derive(Debug)]
pub(crate) struct Log {
    start: Instant,
    entries: Mutex<Entries>,
}

#[derive(Debug, Default)]
struct Entries {
    counters: Counters,
    exchanges: Vec<Exchange>,
}

impl Log {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { start: Instant::now(), entries: Mutex::default() })
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        // Numbers alone, which a panic cannot leave half done.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn counters(&self) -> Counters {
        self.entries().counters
    }

    pub(crate) fn exchanges(&self) -> Vec<Exchange> {
        self.entries().exchanges.clone()
    }

    /// Counts a connection, and gives its number.
    pub(crate) fn connection(&self) -> u64 {
        let mut entries = self.entries();
        entries.counters.connections += 1;
        entries.counters.connections
    }

    pub(crate) fn fault(&self) {
        self.entries().counters.faults += 1;
    }

    pub(crate) fn begin(
        self: &Arc<Self>,
        connection: u64,
        request: &Request,
        length: Option<u64>,
    ) -> Entry {
        let exchange = Exchange {
            connection,
            method: request.method.clone(),
            target: without_secrets(&request.target),
            range: request.header("range").map(str::to_owned),
            request_length: length,
            started: self.start.elapsed(),
            ..Exchange::default()
        };
        let mut entries = self.entries();
        entries.counters.requests += 1;
        entries.exchanges.push(exchange);
        Entry { index: entries.exchanges.len() - 1, log: Arc::clone(self) }
    }
}

/// An exchange that goes on; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Entry {
    log: Arc<Log>,
    index: usize,
}

impl Entry {
    fn update(&self, change: impl FnOnce(&mut Exchange, &mut Counters)) {
        let mut entries = self.log.entries();
        let Entries { counters, exchanges } = &mut *entries;
        change(&mut exchanges[self.index], counters);
    }

    pub(crate) fn request_bytes(&self, bytes: u64) {
        self.update(|exchange, counters| {
            exchange.request_bytes += bytes;
            counters.request_bytes += bytes;
        });
    }

    pub(crate) fn answer_bytes(&self, bytes: u64) {
        self.update(|exchange, counters| {
            exchange.answer_bytes += bytes;
            counters.answer_bytes += bytes;
        });
    }

    pub(crate) fn status(&self, status: u16) {
        self.update(|exchange, _| exchange.status = Some(status));
    }

    pub(crate) fn complete(&self) {
        self.update(|exchange, _| exchange.complete = true);
    }

    pub(crate) fn fault(&self, name: &'static str) {
        self.update(|exchange, counters| {
            exchange.fault = Some(name);
            counters.faults += 1;
        });
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let now = self.log.start.elapsed();
        self.update(|exchange, _| exchange.ended = Some(now));
    }
}

/// Parts of names of parameters whose values let somebody in: signed URLs of AWS, Azure and Google.
const SECRETS: &[&str] =
    &["sig", "token", "credential", "accesskey", "access_key", "password", "secret"];

fn without_secrets(target: &str) -> String {
    let Some((path, query)) = target.split_once('?') else { return target.to_owned() };
    let parameters: Vec<String> = query.split('&').map(without_secret).collect();
    format!("{path}?{}", parameters.join("&"))
}

fn without_secret(parameter: &str) -> String {
    let name = parameter.split_once('=').map_or(parameter, |(name, _)| name);
    let lower = name.to_ascii_lowercase();
    match SECRETS.iter().any(|secret| lower.contains(secret)) {
        true => format!("{name}=***"),
        false => parameter.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::without_secrets;

    #[test]
    fn signatures_are_not_logged() {
        assert_eq!(
            without_secrets("/b/k?partNumber=3&X-Amz-Signature=abc&X-Amz-Security-Token=x&sig=%2F"),
            "/b/k?partNumber=3&X-Amz-Signature=***&X-Amz-Security-Token=***&sig=***"
        );
        assert_eq!(without_secrets("/b/k?uploads"), "/b/k?uploads");
        assert_eq!(without_secrets("/sig=a"), "/sig=a");
    }
}
