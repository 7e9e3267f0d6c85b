//! Lines that break, stand still and are gone for a while.

use std::sync::Arc;
use std::time::Duration;

use persevere::NetworkState;
use persevere_faults::{At, Fault, Outage, Plan, Rule};
use persevere_network::Monitor;
use persevere_storage::StorageError;

use crate::answers::is_part;
use crate::place::{Place, STALLED_AFTER, retryer, text, when_confirmed};

/// Of so many parts that ten requests are only a few of them.
fn many(place: &Place) -> u64 {
    let parts = if place.part < 1024 * 1024 { 31 } else { 11 };
    parts * place.part + 17
}

fn assert_faults(place: &Place) {
    assert!(place.proxy.counters().faults > 0, "nothing went wrong, which is wrong here");
}

pub(crate) async fn resets_up(place: &Place) {
    let reset = Rule::new(Fault::ResetRequest(At::Anywhere)).every(10);
    place.faults(Plan::new().seed(1).rule(reset));
    let sent = place.sends(many(place)).await;
    assert!(sent.retries > 0);
    assert_faults(place);
}

pub(crate) async fn resets_down(place: &Place) {
    let reset = Rule::new(Fault::ResetAnswer(At::Anywhere)).every(10);
    place.faults(Plan::new().seed(1).rule(reset));
    let fetched = place.fetches(many(place)).await;
    assert!(fetched.retries > 0);
    assert_faults(place);
}

/// Where the proxy sees no requests: three connections end somewhere in the middle.
pub(crate) async fn connections_reset_up(place: &Place) {
    let size = many(place);
    let reset = Rule::new(Fault::ResetRequest(At::Within(10_000..size / 4))).times(3);
    place.faults(Plan::new().seed(1).rule(reset));
    let sent = place.sends(size).await;
    assert!(sent.retries > 0);
    assert_eq!(place.proxy.counters().faults, 3);
}

pub(crate) async fn connections_reset_down(place: &Place) {
    let size = many(place);
    let reset = Rule::new(Fault::ResetAnswer(At::Within(10_000..size / 4))).times(3);
    place.faults(Plan::new().seed(1).rule(reset));
    let fetched = place.fetches(size).await;
    assert!(fetched.retries > 0);
    assert_eq!(place.proxy.counters().faults, 3);
}

pub(crate) async fn a_stall_up(place: &Place) {
    let stall = match place.peer.is_http() {
        true => Rule::new(Fault::StallRequest(At::Anywhere)).when(is_part),
        false => Rule::new(Fault::StallRequest(At::Within(10_000..place.part))),
    };
    place.faults(Plan::new().seed(1).rule(stall.nth(1)));
    let sent = place.sends(place.small()).await;
    assert!(sent.retries > 0);
    assert_faults(place);
}

pub(crate) async fn a_stall_down(place: &Place) {
    let stall = match place.peer.is_http() {
        true => Rule::new(Fault::StallAnswer(At::Anywhere)).method("GET"),
        false => Rule::new(Fault::StallAnswer(At::Within(10_000..place.part))),
    };
    place.faults(Plan::new().seed(1).rule(stall.nth(1)));
    let fetched = place.fetches(place.small()).await;
    assert!(fetched.retries > 0);
    assert_faults(place);
}

pub(crate) async fn a_truncated_download(place: &Place) {
    let cut = Rule::new(Fault::TruncateAnswer(At::Anywhere)).method("GET").every(2);
    place.faults(Plan::new().seed(1).rule(cut));
    let fetched = place.fetches(place.small()).await;
    assert!(fetched.retries > 0);
    assert_faults(place);
}

/// Nobody listens there: that is an answer, and the network works. So it takes attempts, and they suffice.
pub(crate) async fn an_outage_that_refuses(place: &Place) {
    let (proxy, source) = (place.proxy.clone(), place.file("source", 4 * place.part + 17, 1));
    let begin = when_confirmed(place.part, move || {
        proxy.outage(Outage::Refuse, Duration::from_millis(500));
    });
    let options = place.options().concurrency(1).on_progress(begin);
    let storage = place.storage.clone().with_retryer(retryer(|policy| policy.max_attempts(100)));
    let sent = storage.upload(&source, &place.key, &options).await;
    let sent = sent.unwrap_or_else(|error| panic!("{}", text(&error)));
    assert!(sent.retries > 0);
    place.assert_sent().await;
}

/// An outage that is longer than all attempts take, and a monitor that knows of it.
pub(crate) async fn an_outage_in_silence(place: &Place) {
    let monitor = Arc::new(Monitor::new());
    let retryer = retryer(|policy| policy.max_attempts(2).wait_for_network(true));
    let retryer = retryer.network_monitor(monitor.clone());
    let storage = place.storage.clone().with_retryer(retryer);
    let (proxy, begins) = (place.proxy.clone(), monitor.clone());
    let runtime = tokio::runtime::Handle::current();
    let begin = when_confirmed(place.part, move || {
        begins.set_by_hand(Some(NetworkState::Down));
        proxy.begin_outage(Outage::Silence);
        let (proxy, ends) = (proxy.clone(), begins.clone());
        runtime.spawn(async move {
            tokio::time::sleep(STALLED_AFTER + Duration::from_secs(1)).await;
            proxy.end_outage();
            ends.set_by_hand(Some(NetworkState::Up));
        });
    });
    let source = place.file("source", 4 * place.part + 17, 1);
    let options = place.options().concurrency(2).on_progress(begin);
    let sent = storage.upload(&source, &place.key, &options).await;
    let sent = sent.unwrap_or_else(|error| panic!("{}", text(&error)));
    assert!(sent.retries > 0);
    place.assert_sent().await;
}

pub(crate) async fn an_outage_that_nobody_knows_of(place: &Place) {
    let storage = place.storage.clone().with_retryer(retryer(|policy| policy.max_attempts(2)));
    let proxy = place.proxy.clone();
    let begin = when_confirmed(place.part, move || proxy.begin_outage(Outage::Refuse));
    let source = place.file("source", 4 * place.part + 17, 1);
    let options = place.options().concurrency(1);
    let error =
        storage.upload(&source, &place.key, &options.clone().on_progress(begin)).await.unwrap_err();
    assert!(matches!(&error, StorageError::GaveUp(error) if error.attempts() == 2), "{error:?}");
    assert_eq!(place.journals(), 1, "what has arrived is kept");
    place.proxy.end_outage();
    let sent = storage.upload(&source, &place.key, &options).await.unwrap();
    assert_eq!(sent.resumed, place.part);
    place.assert_sent().await;
}
