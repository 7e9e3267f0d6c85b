//! Copies within a bucket, which the server makes.

use futures_util::{StreamExt, TryStreamExt, stream};
use http::{HeaderMap, Method};

use super::{S3, checksum};
use crate::error::StorageError;
use crate::store::{Attributes, ObjectInfo, PartPlace, Stored, Upload, Version};
use crate::xml_api::{
    self, Ask, Bucket, CopyResult, abort_upload, begin_upload, complete, concerning,
    copied_headers, document, encoded, finish_upload, finish_upload_ask, on_upload, parsed,
};

/// What is copied at once, <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html>.
pub(super) const LARGEST_COPY: u64 = 5 * 1024 * 1024 * 1024;
/// Bytes of a part that the server copies by itself. Small enough to be done before a connection is
/// given up, large enough that there are few.
const PART: u64 = 512 * 1024 * 1024;
const PARTS: u64 = 10_000;
/// How many of them at once.
const AT_ONCE: usize = 8;

impl S3 {
    pub(super) async fn copy_object(
        &self,
        from: &str,
        version: Option<&Version>,
        to: &str,
        attributes: &Attributes,
    ) -> Result<Stored, StorageError> {
        let found = xml_api::stat(self, self.head(from)?).await?;
        let Some((info, headers)) = found else {
            return Err(StorageError::NotFound { what: self.shown(from), source: None });
        };
        if version.is_some() && version != info.version.as_ref() {
            return Err(StorageError::Changed { what: self.shown(from) });
        }
        let mut kept = copied_headers(&headers, self.dialect());
        if attributes.content_type.is_some() {
            kept.remove("content-type");
        }
        let copied = match info.size > self.largest_copy {
            false => self.copy_at_once(from, &info, kept, to, attributes).await,
            true => self.copy_in_parts(from, &info, kept, to, attributes).await,
        };
        copied.map_err(|error| concerning(self, error, from))
    }

    async fn copy_at_once(
        &self,
        from: &str,
        source: &ObjectInfo,
        kept: HeaderMap,
        to: &str,
        attributes: &Attributes,
    ) -> Result<Stored, StorageError> {
        let ask = Ask::object(Method::PUT, to, || self.shown(to))?.headers(kept);
        let ask = self.described(self.with_source(ask, from, source)?, attributes)?;
        let ask = ask
            .header("x-amz-metadata-directive", "REPLACE")?
            .optional(checksum::ALGORITHM, checksum::NAME)?;
        let doing = ask.doing(&self.shown(to));
        let (_, document) = document(self, ask).await?;
        Ok(stored(parsed(&document, &doing)?))
    }

    async fn copy_in_parts(
        &self,
        from: &str,
        source: &ObjectInfo,
        kept: HeaderMap,
        to: &str,
        attributes: &Attributes,
    ) -> Result<Stored, StorageError> {
        // Amazon works the checksum out unasked; versitygw 1.8 works out a wrong one if asked.
        let mut ask = self.begin(to, attributes)?.headers(kept);
        ask.optional.clear();
        let id = begin_upload(self, ask).await?;
        let upload = Upload { key: to, id: &id };
        let copied = self.copy_parts(from, source, upload).await;
        if copied.is_err() {
            // The first error counts; an upload that stays behind expires.
            if let Err(error) = abort_upload(self, upload).await {
                tracing::warn!(%error, "an unfinished copy was not removed");
            }
        }
        copied
    }

    async fn copy_parts(
        &self,
        from: &str,
        source: &ObjectInfo,
        upload: Upload<'_>,
    ) -> Result<Stored, StorageError> {
        let length = self.largest_copy.min(PART).max(source.size.div_ceil(PARTS));
        let places = (0..source.size.div_ceil(length)).map(|index| PartPlace {
            // Not more than 10,000.
            number: index as u32 + 1,
            offset: index * length,
        });
        let parts: Vec<(PartPlace, CopyResult)> = stream::iter(places)
            .map(|place| self.copy_part(from, source, upload, place, length))
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        let document = complete(parts.iter().map(|(place, part)| {
            let tag = part.etag.as_deref().unwrap_or_default().trim_matches('"');
            (place.number, tag, part.crc64nvme.clone())
        }));
        let ask = finish_upload_ask(self, upload, document)?;
        let (_, result) = finish_upload(self, ask).await?;
        Ok(stored(result))
    }

    async fn copy_part(
        &self,
        from: &str,
        source: &ObjectInfo,
        upload: Upload<'_>,
        place: PartPlace,
        length: u64,
    ) -> Result<(PartPlace, CopyResult), StorageError> {
        let last = (place.offset + length).min(source.size) - 1;
        let ask = on_upload(self, Method::PUT, upload)?
            .query("partNumber", place.number.to_string())
            .header("x-amz-copy-source-range", &format!("bytes={}-{last}", place.offset))?;
        let ask = self.with_source(ask, from, source)?;
        let doing = ask.doing(&self.shown(upload.key));
        let result: CopyResult = parsed(&document(self, ask).await?.1, &doing)?;
        if result.etag.is_none() {
            let what = format!("{doing}: the answer has no ETag");
            return Err(StorageError::Unsupported { what });
        }
        Ok((place, result))
    }

    fn with_source<'a>(
        &self,
        ask: Ask<'a>,
        from: &str,
        source: &ObjectInfo,
    ) -> Result<Ask<'a>, StorageError> {
        let place = format!("{}/{}", encoded(&self.bucket), encoded(from));
        let ask = ask.header("x-amz-copy-source", &place)?;
        match &source.version {
            Some(version) => ask.header("x-amz-copy-source-if-match", &format!("\"{version}\"")),
            None => Ok(ask),
        }
    }
}

pub(super) fn stored(result: CopyResult) -> Stored {
    let checksums = checksum::in_result(&result);
    let version = result.etag.map(|etag| Version(etag.trim_matches('"').to_owned()));
    Stored { version, checksums }
}
