//! What was begun and not ended.

use std::fs;

use persevere::CancellationToken;
use persevere_storage::{StorageError, Summary, TransferOptions, UnfinishedTransfer};

use crate::place::{Place, text, wait_for, when_confirmed};
use crate::server::expiry;

const PARTS: u64 = 4;

fn size(place: &Place) -> u64 {
    PARTS * place.part
}

/// One part after the other, so that it is known what was sent when something happens.
fn one_by_one(place: &Place) -> TransferOptions {
    place.options().concurrency(1)
}

async fn send(place: &Place, options: &TransferOptions) -> Result<Summary, StorageError> {
    place.storage.upload(place.path("source"), &place.key, options).await
}

/// Ends the upload of the file `source`, as a signal would, when two parts are confirmed.
async fn interrupted(place: &Place) -> UnfinishedTransfer {
    place.file("source", size(place), 1);
    let token = CancellationToken::new();
    let cancel = token.clone();
    let stop = when_confirmed(2 * place.part, move || cancel.cancel());
    let options = one_by_one(place).cancel_on(token).on_progress(stop);
    send(place, &options).await.unwrap_err();
    let unfinished = UnfinishedTransfer::all(Some(&place.path("jobs"))).unwrap().remove(0);
    assert!(unfinished.confirmed >= 2 * place.part);
    unfinished
}

pub(crate) async fn an_upload_that_expires_in_between(place: &Place) {
    interrupted(place).await;
    expiry(place)();
    let sent = send(place, &one_by_one(place)).await.unwrap();
    assert_eq!(sent.resumed, 0);
    place.assert_sent().await;
}

pub(crate) async fn an_upload_that_expires_in_the_middle(place: &Place) {
    place.file("source", size(place), 1);
    let gone = expiry(place);
    let options = one_by_one(place).on_progress(when_confirmed(2 * place.part, gone));
    let sent = send(place, &options).await;
    let sent = sent.unwrap_or_else(|error| panic!("{}", text(&error)));
    assert_eq!(sent.bytes, size(place));
    place.assert_sent().await;
}

pub(crate) async fn a_torn_journal(place: &Place) {
    let unfinished = interrupted(place).await;
    // The last line was written by half.
    let journal = fs::read(&unfinished.journal).unwrap();
    fs::write(&unfinished.journal, &journal[..journal.len() - 20]).unwrap();
    let sent = send(place, &one_by_one(place)).await.unwrap();
    assert!(sent.resumed >= place.part, "{}", sent.resumed);
    place.assert_sent().await;

    // Something else stands where the last line should.
    let unfinished = interrupted(place).await;
    let mut journal = fs::read(&unfinished.journal).unwrap();
    journal.extend([0; 512]);
    fs::write(&unfinished.journal, journal).unwrap();
    let sent = send(place, &one_by_one(place)).await.unwrap();
    assert_eq!(sent.resumed, unfinished.confirmed);
    place.assert_sent().await;
}

pub(crate) async fn two_at_once(place: &Place) {
    place.file("source", size(place), 1);
    let (storage, key, source) = (place.storage.clone(), place.key.clone(), place.path("source"));
    let options = one_by_one(place);
    let second = when_confirmed(place.part, move || {
        let error = wait_for(storage.upload(&source, &key, &options)).unwrap_err();
        let here = std::process::id();
        assert!(matches!(error, StorageError::Busy { process } if process == here), "{error:?}");
    });
    send(place, &one_by_one(place).on_progress(second)).await.unwrap();
    place.assert_sent().await;
}

/// Empty, and as long as a part or two: with no more requests than that takes.
pub(crate) async fn no_faults_at_all(place: &Place) {
    for size in [0, 1, place.part, place.part + 1, 2 * place.part] {
        let place = place.other(&size.to_string());
        let before = place.proxy.exchanges().len();
        let sent = place.sends(size).await;
        assert_eq!((sent.retries, sent.moved), (0, size));
        let requests = place.proxy.exchanges().len() - before;
        if place.peer.is_http() && size <= place.part {
            assert_eq!(requests, 1, "{size}");
        }
        let fetched = place.fetches(size).await;
        assert_eq!((fetched.retries, fetched.moved), (0, size));
        fs::remove_file(place.path("target")).unwrap();
    }
}
