//! What changes while it is copied.

use std::fs;

use crate::place::{Place, bytes, text, wait_for, when_confirmed};

const PARTS: u64 = 3;

pub(crate) async fn a_source_that_changes(place: &Place) {
    becomes(place, PARTS * place.part).await;
}

pub(crate) async fn a_source_that_grows(place: &Place) {
    becomes(place, PARTS * place.part + 17).await;
}

/// So much that it is no longer worth an upload in parts.
pub(crate) async fn a_source_that_shrinks(place: &Place) {
    becomes(place, 5).await;
}

/// After the first part the file is another one, of this size.
async fn becomes(place: &Place, size: u64) {
    let source = place.file("source", PARTS * place.part, 1);
    let path = source.clone();
    let change = when_confirmed(place.part, move || fs::write(&path, bytes(size, 2)).unwrap());
    let options = place.options().concurrency(1).on_progress(change);
    let sent = place.storage.upload(&source, &place.key, &options).await;
    let sent = sent.unwrap_or_else(|error| panic!("{}", text(&error)));
    assert_eq!(sent.bytes, size);
    place.assert_sent().await;
}

pub(crate) async fn a_remote_that_changes(place: &Place) {
    // SFTP knows times by the second only, so that a change of the same size may be overlooked.
    let more = u64::from(!place.peer.is_http());
    remote_becomes(place, PARTS * place.part + more).await;
}

pub(crate) async fn a_remote_that_shrinks(place: &Place) {
    remote_becomes(place, 5).await;
}

async fn remote_becomes(place: &Place, size: u64) {
    place.have(PARTS * place.part, 1).await;
    let file = place.file("other", size, 2);
    let (behind, key, others) = (
        place.behind.clone(),
        place.key.clone(),
        place.options().state_folder(place.path("others")),
    );
    let change = when_confirmed(place.part, move || {
        wait_for(behind.upload(&file, &key, &others)).unwrap();
    });
    let options = place.options().concurrency(1).on_progress(change);
    let fetched = place.storage.download(&place.key, place.path("target"), &options).await;
    let fetched = fetched.unwrap_or_else(|error| panic!("{}", text(&error)));
    assert_eq!(fetched.bytes, size);
    place.assert_fetched(&bytes(size, 2));
}
