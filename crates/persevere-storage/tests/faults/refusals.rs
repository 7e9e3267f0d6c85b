//! What no repetition helps against: it ends at once, and says why.

use persevere_faults::FaultProxy;
use persevere_storage::{AzureOptions, Location, S3AccessKey, SftpOptions, Storage, StorageError};

use crate::place::{self, Place, text};

const TEST: &str = "faults::refusals";

/// Sends a file in parts, which must fail at once and leave nothing.
async fn refused(place: &Place, storage: &Storage, key: &str) -> StorageError {
    let source = place.file("source", place.small(), 1);
    let options = place.options().concurrency(1);
    let error = storage.upload(&source, key, &options).await.unwrap_err();
    assert_eq!(place.proxy.counters().requests, 1, "{:?}", place.proxy.exchanges());
    place.assert_tidy();
    error
}

fn assert_says(error: &StorageError, parts: &[&str]) {
    let text = text(error);
    assert!(parts.iter().all(|part| text.contains(part)), "{text}");
    assert!(!error.verdict().is_retryable(), "{text}");
}

async fn opened(place: &Place, url: &str, change: impl FnOnce(&FaultProxy) -> Changed) -> Storage {
    let location: Location = url.parse().unwrap();
    let builder = place.peer.builder(Some(&place.proxy), place.folder());
    let builder = match change(&place.proxy) {
        Changed::Nothing => builder,
        Changed::S3(key) => {
            let place::Peer::S3sFs(peer) = place.peer else { panic!("no S3") };
            let mut options = place::s3(peer, place.proxy.url());
            options.access_key = Some(key);
            builder.s3(options)
        }
        Changed::Azure(options) => builder.azure(options),
        Changed::Sftp(options) => builder.sftp(options),
    };
    builder.open(&location).await.unwrap().0
}

enum Changed {
    Nothing,
    S3(S3AccessKey),
    Azure(AzureOptions),
    Sftp(SftpOptions),
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_keys_of_s3() {
    let Some(peer) = place::s3s_fs(TEST) else { return };
    let place::Peer::S3sFs(server) = peer else { return };
    let wrong = [
        S3AccessKey::new(server.access_key, "wrong"),
        S3AccessKey::new("nobody", server.secret_key),
    ];
    for key in wrong {
        let place = peer.place("faults::wrong-keys").await;
        let storage = opened(&place, "s3://test/wrong", |_| Changed::S3(key)).await;
        let error = refused(&place, &storage, "wrong").await;
        assert_says(&error, &["s3://test/wrong", "the credentials are from the settings"]);
        let target = place.path("target");
        let error = storage.download("wrong", &target, &place.options()).await.unwrap_err();
        assert_says(&error, &["the credentials are from the settings"]);
        assert_eq!(place.proxy.counters().requests, 2);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_key_of_azure() {
    let Some(peer) = place::azurite(TEST) else { return };
    let place = peer.place("faults::wrong-key").await;
    let storage = opened(&place, "az://test/wrong", |proxy| {
        let mut options = AzureOptions::default().with_key("d3Jvbmc=");
        options.account = Some("devstoreaccount1".into());
        options.endpoint = Some(format!("{}/devstoreaccount1", proxy.url()));
        Changed::Azure(options)
    });
    let error = refused(&place, &storage.await, "wrong").await;
    assert_says(&error, &["az://test/wrong", "the key came from"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_key_of_sftp() {
    let Some(peer) = place::sshd(TEST) else { return };
    let place::Peer::Sshd(server) = peer else { return };
    let place = peer.place("faults::wrong-key").await;
    let url = format!("sftp://{}@{}/wrong", server.user, place.proxy.address());
    let storage = opened(&place, &url, |proxy| {
        let mut options = place::sftp(server, Some(proxy), place.folder());
        options.identity_files = vec![server.strangers_key.clone()];
        Changed::Sftp(options)
    });
    let error = refused(&place, &storage.await, &place.key).await;
    assert_says(&error, &[server.strangers_key.to_str().unwrap()]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn buckets_that_are_not_there() {
    let peers = [place::versitygw(TEST), place::azurite(TEST), place::gcs(TEST)];
    for (peer, scheme) in peers.into_iter().zip(["s3", "az", "gs"]) {
        let Some(peer) = peer else { continue };
        let place = peer.place("faults::no-bucket").await;
        let url = format!("{scheme}://no-such-bucket/key");
        let storage = opened(&place, &url, |_| Changed::Nothing).await;
        let error = refused(&place, &storage, "key").await;
        assert_says(&error, &["no-such-bucket", "does not exist"]);
        let target = place.path("target");
        let error = storage.download("key", &target, &place.options()).await.unwrap_err();
        assert_says(&error, &["no-such-bucket", "does not exist"]);
    }
}

/// URLs have a meaning of their own for them, so that another object would be asked for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_with_dots_between_slashes() {
    let peers = [place::s3s_fs(TEST), place::azurite(TEST), place::gcs(TEST)];
    for peer in peers.into_iter().flatten() {
        let place = peer.place("faults::dots").await;
        for key in ["..", "a/../b", "a/..", "./a", "../a", "a/./b"] {
            for size in [10, place.small()] {
                let source = place.file("source", size, 1);
                let sent = place.storage.upload(&source, key, &place.options()).await;
                assert_says(&sent.unwrap_err(), &[key, "`..`"]);
            }
            let target = place.path("target");
            let fetched = place.storage.download(key, &target, &place.options()).await;
            assert_says(&fetched.unwrap_err(), &[key, "`..`"]);
            assert_says(&place.storage.exists(key).await.unwrap_err(), &[key]);
            assert_says(&place.storage.delete(key).await.unwrap_err(), &[key]);
        }
        assert_eq!(place.proxy.counters().requests, 0);
        place.assert_tidy();
    }
}
