//! Against Azurite, and against a server of ours for what Azurite cannot be made to answer.

mod answers;
mod objects;
mod peer;
mod refusals;
mod server;
mod tokens;
mod uploads;

use futures_util::TryStreamExt;

use super::AzureStore;
use crate::digest::Digest;
use crate::error::StorageError;
use crate::meter::Meter;
use crate::store::{
    Attributes, Page, PartPlace, Payload, SentPart, Store, Stored, Upload, Version, Whole,
};

fn payload(bytes: impl Into<Vec<u8>>) -> Payload {
    Payload::new(bytes.into().into())
}

fn attributes(job: &str) -> Attributes {
    Attributes { job: job.to_owned(), content_type: None }
}

async fn put(store: &AzureStore, key: &str, bytes: &[u8]) -> Result<Stored, StorageError> {
    store.put(key, &payload(bytes), &attributes("job"), &Meter::default()).await
}

async fn read(
    store: &AzureStore,
    key: &str,
    range: std::ops::Range<u64>,
    version: Option<&Version>,
) -> Result<Vec<u8>, StorageError> {
    let pieces: Vec<_> = store.read(key, range, version).await?.try_collect().await?;
    Ok(pieces.concat())
}

async fn listed(store: &AzureStore, prefix: &str, recursive: bool) -> Vec<String> {
    let page: Page = store.list_page(prefix, recursive, None).await.unwrap();
    page.entries.into_iter().map(|entry| entry.key).collect()
}

/// Sends parts of an upload, as they would be written down.
async fn send_parts(store: &AzureStore, upload: Upload<'_>, parts: &[&[u8]]) -> Vec<SentPart> {
    let (mut sent, mut offset) = (Vec::new(), 0);
    for (number, bytes) in (1..).zip(parts) {
        let place = PartPlace { number, offset };
        let data = payload(*bytes);
        let tag = store.put_part(upload, place, &data, &Meter::default()).await.unwrap();
        sent.push(SentPart { place, digest: data.digest, tag });
        offset += data.digest.length;
    }
    sent
}

async fn finish(
    store: &AzureStore,
    upload: Upload<'_>,
    parts: &[SentPart],
    attributes: &Attributes,
) -> Result<Stored, StorageError> {
    let digest = parts.iter().fold(Digest::empty(), |sum, part| sum.then(part.digest));
    store.finish_upload(upload, parts, &Whole { digest, attributes }).await
}

/// The code that the service answered with.
fn code(error: &StorageError) -> &str {
    match error {
        StorageError::Provider(error) => error.code.as_deref().unwrap_or("none"),
        other => panic!("{other:?}"),
    }
}

fn is_retryable(error: &StorageError) -> bool {
    error.verdict().is_retryable()
}
