//! Uploads in parts.

use std::collections::HashSet;
use std::time::SystemTime;

use http::{HeaderMap, Method};

use super::documents::{BegunUpload, CopyResult, Names, PartList, UploadList, parsed};
use super::objects::{etag, unquoted};
use super::{Ask, Bucket, document};
use crate::error::StorageError;
use crate::http::{HttpAnswer, Outgoing};
use crate::meter::Meter;
use crate::store::{PartPlace, Payload, SeenPart, SeenUpload, Upload};

/// Begins an upload, and returns its id.
pub(crate) async fn begin_upload<B: Bucket + ?Sized>(
    bucket: &B,
    ask: Ask<'_>,
) -> Result<String, StorageError> {
    let doing = ask.doing(&bucket.shown(ask.key));
    let (_, document) = document(bucket, ask).await?;
    Ok(parsed::<BegunUpload>(&document, &doing)?.upload_id)
}

/// What sends a part.
pub(crate) fn put_part<'a, B: Bucket + ?Sized>(
    bucket: &B,
    upload: Upload<'a>,
    part: PartPlace,
    data: &Payload,
    meter: &Meter,
) -> Result<Ask<'a>, StorageError> {
    Ok(on_upload(bucket, Method::PUT, upload)?
        .query("partNumber", part.number.to_string())
        .body(Outgoing::metered(data.bytes.clone(), meter)))
}

pub(crate) fn on_upload<'a, B: Bucket + ?Sized>(
    bucket: &B,
    method: Method,
    upload: Upload<'a>,
) -> Result<Ask<'a>, StorageError> {
    let ask = Ask::object(method, upload.key, || bucket.shown(upload.key))?;
    Ok(ask.query("uploadId", upload.id))
}

/// What the answer to a part names it.
pub(crate) fn part_tag(answer: &HttpAnswer, doing: &str) -> Result<String, StorageError> {
    etag(&answer.headers).ok_or_else(|| StorageError::Unsupported {
        what: format!(
            "{doing}: the answer has no ETag, without which parts cannot be put together"
        ),
    })
}

/// All parts that are there.
pub(crate) async fn list_parts<B: Bucket + ?Sized>(
    bucket: &B,
    upload: Upload<'_>,
) -> Result<Vec<SeenPart>, StorageError> {
    let mut parts: Vec<SeenPart> = Vec::new();
    let mut marker: Option<String> = None;
    loop {
        let mut ask = on_upload(bucket, Method::GET, upload)?;
        if let Some(size) = bucket.page_size() {
            ask = ask.query("max-parts", size.to_string());
        }
        if let Some(marker) = &marker {
            ask = ask.query("part-number-marker", marker.clone());
        }
        let doing = ask.doing(&bucket.shown(upload.key));
        let list: PartList = parsed(&document(bucket, ask).await?.1, &doing)?;
        parts.extend(list.part.into_iter().map(|part| SeenPart {
            number: part.part_number,
            size: part.size,
            tag: unquoted(&part.etag).to_owned(),
        }));
        match list.next_part_number_marker.filter(|_| list.is_truncated) {
            Some(next) if marker.as_ref() == Some(&next) => return Err(endless(&doing)),
            Some(next) => marker = Some(next),
            None => {
                // Not every server has them in order.
                parts.sort_by_key(|part| part.number);
                return Ok(parts);
            }
        }
    }
}

/// All unfinished uploads of exactly this key.
pub(crate) async fn list_uploads<B: Bucket + ?Sized>(
    bucket: &B,
    key: &str,
) -> Result<Vec<SeenUpload>, StorageError> {
    // A key that cannot be asked for has no uploads either.
    Ask::object(Method::GET, key, || bucket.shown(key))?;
    let doing = format!("GET {}?uploads", bucket.shown(""));
    let mut uploads = Vec::new();
    let mut markers: Option<(String, String)> = None;
    let mut seen = HashSet::new();
    loop {
        let mut ask = Ask::bucket(Method::GET)
            .query("uploads", "")
            .query("prefix", key)
            .query("encoding-type", "url");
        if let Some(size) = bucket.page_size() {
            ask = ask.query("max-uploads", size.to_string());
        }
        if let Some((key, id)) = &markers {
            ask = ask.query("key-marker", key.clone()).query("upload-id-marker", id.clone());
        }
        let list: UploadList = match document(bucket, ask).await {
            Ok((_, document)) => parsed(&document, &doing)?,
            // Whoever keeps no list, as s3s-fs, has none to be found; one to be aborted expires.
            Err(StorageError::Provider(error)) if error.status == 501 => {
                tracing::debug!(%error, "unfinished uploads cannot be listed");
                return Ok(uploads);
            }
            Err(error) => return Err(error),
        };
        let keys = list.upload.iter().map(|upload| upload.key.as_str());
        let keys = keys.chain(list.next_key_marker.as_deref());
        let names = Names::of(list.encoding_type.as_deref(), keys);
        for upload in list.upload {
            if names.decoded(upload.key) == key {
                let begun = upload.initiated.as_deref().and_then(moment);
                uploads.push(SeenUpload { id: upload.upload_id, begun });
            }
        }
        let next_key = list.next_key_marker.filter(|_| list.is_truncated);
        let Some(next_key) = next_key.map(|next| names.decoded(next)) else {
            return Ok(uploads);
        };
        let next = (next_key, list.next_upload_id_marker.unwrap_or_default());
        if !seen.insert(next.clone()) {
            return Err(endless(&doing));
        }
        markers = Some(next);
    }
}

/// What makes the object of its parts.
pub(crate) fn finish_upload_ask<'a, B: Bucket + ?Sized>(
    bucket: &B,
    upload: Upload<'a>,
    document: String,
) -> Result<Ask<'a>, StorageError> {
    let ask = on_upload(bucket, Method::POST, upload)?.content_type(Some("application/xml"))?;
    Ok(ask.body(document.into()))
}

/// Makes the object of its parts.
pub(crate) async fn finish_upload<B: Bucket + ?Sized>(
    bucket: &B,
    ask: Ask<'_>,
) -> Result<(HeaderMap, CopyResult), StorageError> {
    let doing = ask.doing(&bucket.shown(ask.key));
    let (headers, document) = document(bucket, ask).await?;
    Ok((headers, parsed(&document, &doing)?))
}

/// Drops an upload and its parts.
pub(crate) async fn abort_upload<B: Bucket + ?Sized>(
    bucket: &B,
    upload: Upload<'_>,
) -> Result<(), StorageError> {
    match bucket.send(on_upload(bucket, Method::DELETE, upload)?).await {
        Ok(_) | Err(StorageError::UploadGone { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

/// A moment as documents write it.
pub(super) fn moment(written: &str) -> Option<SystemTime> {
    let moment: jiff::Timestamp = written.trim().parse().ok()?;
    Some(moment.into())
}

fn endless(doing: &str) -> StorageError {
    let what = format!("{doing}: the server sends the same page of its list again and again");
    StorageError::Unsupported { what }
}
