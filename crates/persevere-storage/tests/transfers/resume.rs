//! What goes on after an interruption.

use std::fs;

use futures_util::TryStreamExt;
use persevere::CancellationToken;
use persevere_storage::{Entry, Progress, TransferOptions, UnfinishedTransfer};

use crate::place::{Place, bytes};

const PARTS: u64 = 8;

/// Options that end a transfer, as a signal would, when so many parts are confirmed.
fn ending_after(place: &Place, parts: u64) -> TransferOptions {
    let token = CancellationToken::new();
    let (cancel, part) = (token.clone(), place.part);
    let stop = move |progress: &Progress| {
        if progress.confirmed() >= parts * part {
            cancel.cancel();
        }
    };
    place.options().cancel_on(token).on_progress(stop)
}

pub(crate) async fn an_interrupted_upload_goes_on(place: &Place) {
    let (storage, key) = place.open("object").await;
    let source = place.file("source", PARTS * place.part, 1);
    storage.upload(&source, &key, &ending_after(place, 4)).await.unwrap_err();
    assert!(!storage.exists(&key).await.unwrap(), "nobody sees a half");
    let confirmed = UnfinishedTransfer::all(Some(&place.path("jobs"))).unwrap()[0].confirmed;
    assert!(confirmed >= 4 * place.part);

    let summary = storage.upload(&source, &key, &place.options()).await.unwrap();
    assert!(summary.resumed >= confirmed, "{} of {confirmed}", summary.resumed);
    assert!(summary.moved <= PARTS * place.part - confirmed, "no confirmed byte goes again");
    assert_equal(place, &storage, &key).await;
}

pub(crate) async fn an_interrupted_download_goes_on(place: &Place) {
    let (storage, key) = place.open("object").await;
    let source = place.file("source", PARTS * place.part, 1);
    storage.upload(&source, &key, &place.options()).await.unwrap();
    place.age(&key);
    let target = place.path("target");
    storage.download(&key, &target, &ending_after(place, 4)).await.unwrap_err();
    assert!(!target.exists(), "nobody sees a half");
    let confirmed = UnfinishedTransfer::all(Some(&place.path("jobs"))).unwrap()[0].confirmed;

    let summary = storage.download(&key, &target, &place.options()).await.unwrap();
    assert_eq!(summary.resumed, confirmed);
    assert_eq!(summary.moved, PARTS * place.part - confirmed);
    assert!(fs::read(&source).unwrap() == fs::read(&target).unwrap());
    assert_eq!(place.journals(), 0);
}

/// Killed after a part was sent and before it was written down.
pub(crate) async fn parts_that_nobody_wrote_down_are_found(place: &Place) {
    // s3s-fs lists parts without their tags.
    let lists = place.url.contains("://") && !place.url.starts_with("sftp") && !place.is("s3s_fs");
    let (storage, key) = place.open("object").await;
    let source = place.file("source", PARTS * place.part, 1);
    storage.upload(&source, &key, &ending_after(place, 4)).await.unwrap_err();
    let unfinished = &UnfinishedTransfer::all(Some(&place.path("jobs"))).unwrap()[0];
    // The last two lines of the journal were never written.
    let journal = fs::read_to_string(&unfinished.journal).unwrap();
    let lines: Vec<_> = journal.lines().collect();
    let kept = lines[..lines.len() - 2].join("\n") + "\n";
    fs::write(&unfinished.journal, kept).unwrap();

    let summary = storage.upload(&source, &key, &place.options()).await.unwrap();
    if lists {
        assert!(summary.resumed >= unfinished.confirmed);
    }
    assert_equal(place, &storage, &key).await;
}

pub(crate) async fn an_upload_that_expired_is_begun_anew(place: &Place) {
    let (storage, key) = place.open("object").await;
    let source = place.file("source", PARTS * place.part, 1);
    // One at once: a part that is under way while its upload is aborted brings the upload back with
    // versitygw, without what it was begun with.
    let ending = ending_after(place, 4).concurrency(1);
    storage.upload(&source, &key, &ending).await.unwrap_err();
    let unfinished = UnfinishedTransfer::all(Some(&place.path("jobs"))).unwrap().remove(0);
    let journal = fs::read(&unfinished.journal).unwrap();
    storage.give_up(&unfinished).await.unwrap();
    fs::write(&unfinished.journal, journal).unwrap();

    storage.upload(&source, &key, &place.options()).await.unwrap();
    assert_equal(place, &storage, &key).await;
}

pub(crate) async fn what_is_given_up_is_gone(place: &Place) {
    let (storage, key) = place.open("object").await;
    let source = place.file("source", PARTS * place.part, 1);
    storage.upload(&source, &key, &ending_after(place, 4)).await.unwrap_err();
    let unfinished = UnfinishedTransfer::all(Some(&place.path("jobs"))).unwrap().remove(0);
    storage.give_up(&unfinished).await.unwrap();
    assert_eq!(place.journals(), 0);
    let (storage, prefix) = place.open("").await;
    let left: Vec<Entry> = storage.list(&prefix, true).try_collect().await.unwrap();
    let left: Vec<_> = left.iter().filter(|entry| entry.key.contains("object")).collect();
    assert!(left.is_empty(), "{left:?}");
}

pub(crate) async fn a_remote_that_changes_is_read_anew(place: &Place) {
    let (storage, key) = place.open("object").await;
    let source = place.file("source", PARTS * place.part, 1);
    storage.upload(&source, &key, &place.options()).await.unwrap();
    let target = place.path("target");
    storage.download(&key, &target, &ending_after(place, 4)).await.unwrap_err();
    let source = place.file("source", PARTS * place.part, 2);
    storage.upload(&source, &key, &place.options()).await.unwrap();

    let summary = storage.download(&key, &target, &place.options()).await.unwrap();
    if !place.url.starts_with('/') {
        assert_eq!(summary.resumed, 0);
    }
    assert!(fs::read(&target).unwrap() == bytes(PARTS * place.part, 2));
    assert_eq!(place.journals(), 0);
}

/// What is stored is the file `source`, and nothing else is left.
async fn assert_equal(place: &Place, storage: &persevere_storage::Storage, key: &str) {
    let target = place.path("target");
    storage.download(key, &target, &place.options()).await.unwrap();
    assert!(fs::read(place.path("source")).unwrap() == fs::read(&target).unwrap());
    assert_eq!(place.journals(), 0);
}
