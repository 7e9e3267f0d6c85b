//! The record as it is drawn.

use std::time::Duration;

use persevere_faults::Exchange;

use super::record::{Record, Subject, subject};
use super::report::Report;
use super::stage::Stage;
use crate::plot::{Curve, Lanes, Outcome, Request, Run, Span};
use crate::storage::format;

/// More lanes could not be told apart: neighbours share one.
const MOST_LANES: u64 = 60;

pub(super) fn of(stage: &Stage, record: &Record, report: &Report) -> Run {
    let from = record.acts.first().map_or(Duration::ZERO, |act| act.from);
    let end = record.acts.last().map_or(Duration::ZERO, |act| act.to);
    let since = |at: Duration| at.min(end).saturating_sub(from);
    let moved = |span: &Span| Span { from: since(span.from), to: since(span.to), ..span.clone() };
    let request = |exchange: &Exchange| {
        let outcome = record.outcome(exchange);
        let ended = exchange.ended.unwrap_or(end);
        // The proxy hears of it a little later.
        let to = match (outcome, record.killed) {
            (Outcome::Killed, Some((killed, _))) => ended.min(killed),
            _ => ended,
        };
        Request { from: since(exchange.started), to: since(to), outcome }
    };
    let lanes = (stage.parts()).min(MOST_LANES);
    let group = |name: &str, lanes: u64, number: &dyn Fn(Subject) -> Option<u64>| {
        let mut group = vec![Vec::new(); usize::try_from(lanes).unwrap_or(1)];
        for exchange in &record.exchanges {
            let part = number(subject(stage, exchange)).map(|number| number.saturating_sub(1));
            let lane = part.map(|part| part.min(stage.parts() - 1) * lanes / stage.parts());
            let lane = lane.and_then(|lane| group.get_mut(usize::try_from(lane).ok()?));
            lane.into_iter().for_each(|lane| lane.push(request(exchange)));
        }
        Lanes { name: name.to_owned(), numbered: lanes > 1 && lanes == stage.parts(), lanes: group }
    };
    let curve = |name: &str, bytes: fn(&super::record::Sample) -> u64| Curve {
        name: name.to_owned(),
        points: record.samples.iter().map(|it| (since(it.at), bytes(it))).collect(),
    };
    Run {
        title: format!(
            "{} up and down through a bad network, and {} is missing",
            format::bytes(stage.size),
            if report.is_equal() { "nothing" } else { "something" }
        ),
        subtitle: subtitle(stage, report),
        end: since(end),
        acts: record.acts.iter().map(moved).collect(),
        outages: record.outages.iter().map(moved).collect(),
        groups: vec![
            group("upload", lanes, &|subject| match subject {
                Subject::Up(number) => Some(number),
                _ => None,
            }),
            group("download", lanes, &|subject| match subject {
                Subject::Down(number) => Some(number),
                _ => None,
            }),
            group("others", 1, &|subject| (subject == Subject::Other).then_some(1)),
        ],
        curves: vec![curve("sent", |it| it.up), curve("received", |it| it.down)],
    }
}

fn subtitle(stage: &Stage, report: &Report) -> String {
    let parts = format::count(stage.parts(), "part");
    let resumed = match report.confirmed_before_kill_bytes {
        Some(_) => format!(
            "{} of the upload resumed after kill -9, ",
            format::bytes(report.upload.resumed_bytes)
        ),
        None => String::new(),
    };
    let equal = if report.is_equal() { "checksums equal" } else { "CHECKSUMS DIFFER" };
    format!(
        "{parts}, {} at once: {} attempts, {} retries, {resumed}{} sent again, {equal}",
        stage.concurrency,
        report.attempts(),
        report.retries(),
        format::bytes(report.sent_again()),
    )
}
