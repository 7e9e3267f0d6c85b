//! The XML interface that Amazon S3 has begun and Google Cloud Storage speaks as well: how keys become
//! URLs, what the documents are, and what is asked in the same way of both.

mod address;
mod ask;
mod documents;
mod explain;
mod multipart;
mod objects;
#[cfg(test)]
pub(crate) mod tests;

use bytes::Bytes;
use http::HeaderMap;

pub(crate) use address::{Address, Endpoint, encoded};
pub(crate) use ask::Ask;
pub(crate) use documents::complete;
#[cfg(feature = "s3")]
pub(crate) use documents::{CopyResult, parsed};
pub(crate) use explain::{concerning, explained, judged};
#[cfg(feature = "s3")]
pub(crate) use multipart::on_upload;
pub(crate) use multipart::{
    abort_upload, begin_upload, finish_upload, finish_upload_ask, list_parts, list_uploads,
    part_tag, put_part,
};
pub(crate) use objects::{
    Dialect, copied_headers, decoded_crc, delete, encoded_crc, etag, list_page, read, stat,
};

use crate::error::StorageError;
use crate::http::{HttpAnswer, HttpClient};
use crate::store::Answer;

/// A bucket behind this interface: what S3 and Google do each in their own way.
pub(crate) trait Bucket: Send + Sync {
    /// Signs and sends once. Anything but a success is an error, and [`explained`].
    fn send<'a>(&'a self, ask: Ask<'a>) -> Answer<'a, HttpAnswer>;

    fn client(&self) -> &HttpClient;

    /// The URL of a key for messages; that of the bucket for none.
    fn shown(&self, key: &str) -> String;

    /// The names of this provider's own headers.
    fn dialect(&self) -> &'static Dialect;

    /// Entries on a page of a list, if not the provider's default.
    fn page_size(&self) -> Option<u32>;
}

/// Sends, and reads the document that is the answer. Even a good status may bring an error in it.
pub(crate) async fn document<B: Bucket + ?Sized>(
    bucket: &B,
    ask: Ask<'_>,
) -> Result<(HeaderMap, Bytes), StorageError> {
    let key = ask.key;
    let answer = bucket.send(ask).await?;
    let headers = answer.headers.clone();
    match answer.document(bucket.client()).await {
        Ok(document) => Ok((headers, document)),
        Err(StorageError::Provider(error)) => Err(explained(bucket, error, key)),
        Err(error) => Err(error),
    }
}
