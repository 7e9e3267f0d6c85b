//! Faults by chance.

use std::time::Duration;

use persevere_faults::{Answer, At, Fault, Outage, Plan, Rule};
use persevere_storage::TransferOptions;
use proptest::prelude::*;
use proptest::test_runner::{Config, FileFailurePersistence, TestRunner};

use crate::place::{Peer, Place, azurite, bytes, retryer, s3s_fs, sshd};

fn fault(is_http: bool) -> impl Strategy<Value = Fault> {
    let anywhere = || match is_http {
        true => At::Anywhere,
        // Past the login, and in the midst of the bytes.
        false => At::Within(4_000..600_000),
    };
    let any = vec![
        Fault::ResetRequest(anywhere()),
        Fault::ResetAnswer(anywhere()),
        Fault::TruncateAnswer(anywhere()),
        Fault::Outage { outage: Outage::Refuse, duration: Duration::from_millis(20) },
        Fault::Outage { outage: Outage::Silence, duration: Duration::from_millis(20) },
    ];
    let http = vec![
        Fault::LoseAnswer,
        Fault::slow_down(None),
        Fault::Answer(Answer::too_many_requests(None)),
        Fault::Answer(Answer::new(500)),
        Fault::ReplaceAnswer(Answer::new(502).body("<html>")),
        Fault::Answer(Answer::new(504)),
    ];
    prop::sample::select(if is_http { [any, http].concat() } else { any })
}

/// A few kinds of faults, each on every second to eighth request, or on some by chance.
fn plan(is_http: bool) -> impl Strategy<Value = Plan> {
    let rule = (fault(is_http), 2..9_u64, any::<bool>()).prop_map(move |(fault, every, often)| {
        let rule = Rule::new(fault);
        match often {
            true => rule.probability(1.0 / every as f64),
            false => rule.every(every),
        }
    });
    // In plain TCP all that there is comes over a few connections, which must not all end early.
    let times = if is_http { u64::MAX } else { 6 };
    let rules = prop::collection::vec(rule, 1..4);
    (rules, any::<u64>()).prop_map(move |(rules, seed)| {
        let plan = Plan::new().seed(seed);
        rules.into_iter().fold(plan, |plan, rule| plan.rule(rule.times(times)))
    })
}

/// Whatever goes wrong, all of it arrives, in both directions.
fn arrives(peer: Option<Peer>, test: &str, cases: u32) {
    let Some(peer) = peer else { return };
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let place = runtime.block_on(peer.place(test));
    let config = Config {
        cases,
        max_shrink_iters: 8,
        failure_persistence: Some(Box::new(FileFailurePersistence::Off)),
        ..Config::default()
    };
    let sizes = 0..4 * place.part;
    let plans = (plan(peer.is_http()), plan(peer.is_http()));
    let number = std::cell::Cell::new(0);
    TestRunner::new(config)
        .run(&(sizes, plans, 1..4_usize), |(size, plans, concurrency)| {
            number.set(number.get() + 1);
            let place = place.other(&number.get().to_string());
            runtime.block_on(there_and_back(&place, size, plans, concurrency));
            Ok(())
        })
        .unwrap();
}

async fn there_and_back(place: &Place, size: u64, (up, down): (Plan, Plan), concurrency: usize) {
    let patient = retryer(|policy| {
        policy
            .max_attempts(1_000)
            .initial_delay(Duration::from_millis(1))
            .max_delay(Duration::from_millis(20))
    });
    let storage = place.storage.clone().with_retryer(patient);
    let options: TransferOptions = place.options().concurrency(concurrency);
    let source = place.file("source", size, 1);
    place.faults(up);
    let sent = storage.upload(&source, &place.key, &options).await.unwrap();
    place.assert_sent().await;
    place.faults(down);
    let target = place.path("target");
    let fetched = storage.download(&place.key, &target, &options).await.unwrap();
    assert_eq!(sent.crc64nvme, fetched.crc64nvme);
    place.assert_fetched(&bytes(size, 1));
    std::fs::remove_file(target).unwrap();
}

#[test]
fn all_arrives_at_s3() {
    arrives(s3s_fs("all_arrives_at_s3"), "faults::random", 6);
}

#[test]
fn all_arrives_at_azure() {
    arrives(azurite("all_arrives_at_azure"), "faults::random", 12);
}

#[test]
fn all_arrives_by_sftp() {
    arrives(sshd("all_arrives_by_sftp"), "faults::random", 12);
}
