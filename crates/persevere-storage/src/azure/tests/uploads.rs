use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Method;

use super::peer::azurite;
use super::*;
use crate::azure::call::Call;
use crate::store::SeenPart;

async fn begin(store: &AzureStore, key: &str) -> String {
    store.begin_upload(key, &attributes("job")).await.unwrap()
}

fn is_gone<T: std::fmt::Debug>(result: Result<T, StorageError>) {
    match result {
        Err(StorageError::UploadGone { what }) => assert!(what.starts_with("az://"), "{what}"),
        other => panic!("{other:?}"),
    }
}

/// Puts a block as another program would.
async fn foreign_block(store: &AzureStore, key: &str, id: &str) {
    let id = STANDARD.encode(id);
    let call = Call::of(Method::PUT, key).query("comp", "block").query("blockid", &id);
    store.send(call.body("foreign".to_owned().into())).await.unwrap();
}

#[tokio::test]
async fn parts_become_a_blob() {
    let Some(azurite) = azurite() else { return };
    let store = azurite.container().await;
    let key = "a b//é%20";
    let id = begin(&store, key).await;
    let upload = Upload { key, id: &id };
    let parts: [&[u8]; 3] = [&[b'x'; 100_000], &[b'y'; 100_000], b"z"];
    let sent = send_parts(&store, upload, &parts).await;
    assert_eq!(store.stat(key).await.unwrap(), None, "nobody sees parts");
    assert!(listed(&store, "", true).await.is_empty(), "nobody sees parts");
    let text = Attributes { job: "job 7".into(), content_type: Some("text/plain".into()) };
    let stored = finish(&store, upload, &sent, &text).await.unwrap();
    let info = store.stat(key).await.unwrap().unwrap();
    assert_eq!(info.size, 200_001);
    assert_eq!(info.version, stored.version);
    assert_eq!(info.content_type.as_deref(), Some("text/plain"));
    assert_eq!(info.job.as_deref(), Some("job 7"));
    let whole = parts.concat();
    assert_eq!(info.checksums.crc64nvme, Some(Digest::of(&whole).crc64nvme));
    assert_eq!(read(&store, key, 0..200_001, None).await.unwrap(), whole);
}

#[tokio::test]
async fn a_second_commit_finds_the_upload_gone() {
    let Some(azurite) = azurite() else { return };
    let store = azurite.container().await;
    let id = begin(&store, "a").await;
    let upload = Upload { key: "a", id: &id };
    let sent = send_parts(&store, upload, &[b"one", b"two"]).await;
    let stored = finish(&store, upload, &sent, &attributes("job")).await.unwrap();
    is_gone(finish(&store, upload, &sent, &attributes("job")).await);
    is_gone(store.list_parts(upload).await);
    // And has changed nothing.
    let info = store.stat("a").await.unwrap().unwrap();
    assert_eq!((info.version, info.job.as_deref()), (stored.version, Some("job")));
}

#[tokio::test]
async fn parts_that_nobody_wrote_down_are_found() {
    let Some(azurite) = azurite() else { return };
    let store = azurite.container().await;
    let id = begin(&store, "a").await;
    let upload = Upload { key: "a", id: &id };
    let sent = send_parts(&store, upload, &[b"one", b"three", b"!"]).await;
    let seen = store.list_parts(upload).await.unwrap();
    let expected: Vec<_> = sent
        .iter()
        .map(|part| {
            let (number, size) = (part.place.number, part.digest.length);
            SeenPart { number, size, tag: part.tag.clone() }
        })
        .collect();
    assert_eq!(seen, expected);
    let uploads = store.list_uploads("a").await.unwrap();
    assert_eq!(uploads.len(), 1);
    assert_eq!(uploads[0].id, id);
    let age = SystemTime::now().duration_since(uploads[0].begun.unwrap()).unwrap();
    assert!(age < Duration::from_secs(600), "{age:?}");
    assert!(store.list_uploads("b").await.unwrap().is_empty());
}

#[tokio::test]
async fn a_part_sent_again_takes_the_place_of_the_first() {
    let Some(azurite) = azurite() else { return };
    let store = azurite.container().await;
    let id = begin(&store, "a").await;
    let upload = Upload { key: "a", id: &id };
    let first = send_parts(&store, upload, &[b"wrong", b"two"]).await;
    let again = send_parts(&store, upload, &[b"right"]).await;
    assert_eq!(first[0].tag, again[0].tag);
    assert_eq!(store.list_parts(upload).await.unwrap().len(), 2);
    let parts = [again[0].clone(), first[1].clone()];
    finish(&store, upload, &parts, &attributes("job")).await.unwrap();
    assert_eq!(read(&store, "a", 0..8, None).await.unwrap(), b"righttwo");
}

#[tokio::test]
async fn uploads_that_azure_does_not_know() {
    let Some(azurite) = azurite() else { return };
    let store = azurite.container().await;
    let id = begin(&store, "a").await;
    let upload = Upload { key: "a", id: &id };
    is_gone(store.list_parts(upload).await);
    let place = PartPlace { number: 1, offset: 0 };
    let part =
        SentPart { place, digest: Digest::of(b"x"), tag: crate::azure::blocks::block_id(&id, 1) };
    is_gone(finish(&store, upload, &[part], &attributes("job")).await);
    let stranger = Upload { key: "a", id: "2~strange" };
    is_gone(store.put_part(stranger, place, &payload("x"), &Meter::default()).await);
    is_gone(finish(&store, stranger, &[], &attributes("job")).await);
    store.abort_upload(upload).await.unwrap();
    store.abort_upload(stranger).await.unwrap();
    assert_eq!(store.stat("a").await.unwrap(), None);
}

#[tokio::test]
async fn an_upload_over_a_blob_shows_when_it_is_whole() {
    let Some(azurite) = azurite() else { return };
    let store = azurite.container().await;
    let old = put(&store, "a", b"old").await.unwrap().version;
    let id = begin(&store, "a").await;
    let upload = Upload { key: "a", id: &id };
    let sent = send_parts(&store, upload, &[b"new"]).await;
    assert_eq!(read(&store, "a", 0..3, old.as_ref()).await.unwrap(), b"old");
    finish(&store, upload, &sent, &attributes("job")).await.unwrap();
    assert_eq!(read(&store, "a", 0..3, None).await.unwrap(), b"new");
}

#[tokio::test]
async fn an_aborted_upload_leaves_the_blob_alone() {
    let Some(azurite) = azurite() else { return };
    let store = azurite.container().await;
    let old = put(&store, "a", b"old").await.unwrap().version;
    let id = begin(&store, "a").await;
    let upload = Upload { key: "a", id: &id };
    send_parts(&store, upload, &[b"new"]).await;
    store.abort_upload(upload).await.unwrap();
    let info = store.stat("a").await.unwrap().unwrap();
    assert_eq!((info.size, info.version), (3, old));
}

#[tokio::test]
async fn writing_the_blob_drops_all_uploads_to_it() {
    let Some(azurite) = azurite() else { return };
    let store = azurite.container().await;
    let ids = [begin(&store, "a").await, begin(&store, "a").await];
    let [first, second] = [0, 1].map(|index| Upload { key: "a", id: &ids[index] });
    let sent = send_parts(&store, first, &[b"first"]).await;
    let lost = send_parts(&store, second, &[b"second"]).await;
    assert_eq!(store.list_uploads("a").await.unwrap().len(), 2);
    assert_eq!(store.list_parts(first).await.unwrap().len(), 1);
    finish(&store, first, &sent, &attributes("job")).await.unwrap();
    is_gone(finish(&store, second, &lost, &attributes("job")).await);
    is_gone(store.list_parts(second).await);
    assert!(store.list_uploads("a").await.unwrap().is_empty());
    assert_eq!(read(&store, "a", 0..5, None).await.unwrap(), b"first");
}

#[tokio::test]
async fn blocks_of_other_programs_are_not_ours() {
    let Some(azurite) = azurite() else { return };
    let store = azurite.container().await;
    foreign_block(&store, "a", &"x".repeat(48)).await;
    assert!(store.list_uploads("a").await.unwrap().is_empty());
    let id = begin(&store, "a").await;
    let upload = Upload { key: "a", id: &id };
    let sent = send_parts(&store, upload, &[b"ours"]).await;
    assert_eq!(store.list_parts(upload).await.unwrap().len(), 1);
    finish(&store, upload, &sent, &attributes("job")).await.unwrap();
    assert_eq!(read(&store, "a", 0..4, None).await.unwrap(), b"ours");
}

#[tokio::test]
async fn blocks_of_another_length_are_explained() {
    let Some(azurite) = azurite() else { return };
    let store = azurite.container().await;
    foreign_block(&store, "a", "00001").await;
    let id = begin(&store, "a").await;
    let (upload, place) = (Upload { key: "a", id: &id }, PartPlace { number: 1, offset: 0 });
    let sent = store.put_part(upload, place, &payload("x"), &Meter::default()).await;
    let error = sent.unwrap_err();
    assert_eq!(code(&error), "InvalidBlobOrBlock");
    assert!(!is_retryable(&error));
    assert!(error.to_string().contains("unfinished upload of another program"), "{error}");
}
