//! Azure Blob Storage.
//!
//! An upload is a set of blocks that nobody sees until a list of them is committed. Block ids are ours to
//! choose, so an upload's id is made here, without a request, and part 7 of it always has the same block
//! id: what was sent and not written down is found by Get Block List.

mod access;
mod blocks;
mod call;
mod connection_string;
mod copy;
mod entra;
mod failure;
mod headers;
mod list;
mod names;
mod options;
#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::Range;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{Method, StatusCode, Uri};
use md5::{Digest, Md5};
use reqsign_core::Context;

pub use options::AzureOptions;

use self::access::Access;
use self::call::Call;
use self::headers::{content_length, info, stored};
use self::options::Service;
use crate::error::{Cause, StorageError};
use crate::http::{HttpClient, HttpOptions, Outgoing, context};
use crate::meter::Meter;
use crate::store::{
    Answer, Attributes, ByteStream, Limits, ObjectInfo, Page, PartPlace, Payload, SeenPart,
    SeenUpload, SentPart, Store, Stored, Upload, Version, Whole,
};

const MIB: u64 = 1024 * 1024;

/// A container.
pub(crate) struct AzureStore {
    client: HttpClient,
    access: Access,
    service: Service,
    container: String,
    /// Entries of a page of a list. `None` leaves it to the service, which sends 5,000.
    page_size: Option<u32>,
    /// How long to wait before asking how far a copy is. Within an account it is mostly done when it has
    /// begun.
    first_look: Duration,
}

impl AzureStore {
    pub(crate) fn new(
        container: &str,
        options: &AzureOptions,
        http: &HttpOptions,
    ) -> Result<Self, StorageError> {
        Self::in_context(container, options, http, context(http)?)
    }

    /// With an environment and a network for the search for credentials.
    fn in_context(
        container: &str,
        options: &AzureOptions,
        http: &HttpOptions,
        context: Context,
    ) -> Result<Self, StorageError> {
        if container.is_empty() || container.bytes().all(|byte| byte == b'.') {
            return Err(StorageError::setup(format!(
                "the container is `{container}`, but must have letters, digits and `-`"
            )));
        }
        let service = options.service()?;
        Ok(Self {
            client: HttpClient::new(persevere::Provider::Azure, "Azure", http)?,
            access: Access::new(options, &service, context)?,
            service,
            container: container.to_owned(),
            page_size: None,
            first_look: Duration::from_millis(200),
        })
    }

    fn container_url(&self) -> String {
        format!("az://{}", self.container)
    }

    fn url_of(&self, key: &str) -> String {
        format!("az://{}/{key}", self.container)
    }

    /// The text of an answer, without the mark that Azure begins it with.
    fn text<'a>(&self, document: &'a [u8], what: &str) -> Result<&'a str, StorageError> {
        let text = std::str::from_utf8(document);
        let text = text.map_err(|reason| self.unreadable(what, reason.into()))?;
        Ok(text.trim_start_matches('\u{feff}'))
    }

    /// Not what Azure sends: half of it, or the page of a proxy.
    fn unreadable(&self, what: &str, reason: Cause) -> StorageError {
        StorageError::Transport {
            doing: format!("read Azure's answer about {what}"),
            source: std::io::Error::new(std::io::ErrorKind::UnexpectedEof, reason).into(),
        }
    }

    async fn head(&self, key: &str) -> Result<Option<ObjectInfo>, StorageError> {
        match self.send(Call::of(Method::HEAD, key)).await {
            Ok(answer) => info(&answer.headers).map(Some).ok_or_else(|| StorageError::Transport {
                doing: format!("HEAD {}", self.url_of(key)),
                source: std::io::Error::other("the answer has no Content-Length").into(),
            }),
            Err(StorageError::NotFound { what, .. }) if what == self.url_of(key) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn ranged(
        &self,
        key: &str,
        range: Range<u64>,
        version: Option<&Version>,
    ) -> Result<ByteStream, StorageError> {
        let bytes = format!("bytes={}-{}", range.start, range.end.saturating_sub(1));
        let mut call = Call::of(Method::GET, key).header("x-ms-range", &bytes)?;
        if let Some(Version(etag)) = version {
            call = call.header("if-match", etag)?;
        }
        let answer = match self.send(call).await {
            // It has become shorter than it was.
            Err(error) if failure::has_code(&error, "InvalidRange") => {
                return Err(StorageError::Changed { what: self.url_of(key) });
            }
            answer => answer?,
        };
        let (length, wanted) = (content_length(&answer.headers), range.end - range.start);
        if answer.status != StatusCode::PARTIAL_CONTENT && length != Some(wanted) {
            return Err(StorageError::Unsupported {
                what: format!(
                    "GET {}: something on the way has dropped the range from the request: \
                     the answer is {} and has all of the blob",
                    self.url_of(key),
                    answer.status
                ),
            });
        }
        if length.is_some_and(|length| length < wanted) {
            return Err(StorageError::Changed { what: self.url_of(key) });
        }
        Ok(answer.counted(wanted, None))
    }

    async fn put_whole(
        &self,
        key: &str,
        data: &Payload,
        attributes: &Attributes,
        meter: &Meter,
    ) -> Result<Stored, StorageError> {
        let call = Call::of(Method::PUT, key)
            .static_header("x-ms-blob-type", "BlockBlob")
            .header("content-md5", &md5_of(&data.bytes).await)?
            .describing(Whole { digest: data.digest, attributes })?
            .body(Outgoing::metered(data.bytes.clone(), meter));
        Ok(stored(&self.send(call).await?.headers))
    }

    async fn put_block(
        &self,
        upload: Upload<'_>,
        number: u32,
        data: &Payload,
        meter: &Meter,
    ) -> Result<String, StorageError> {
        self.check_upload(upload)?;
        let id = blocks::block_id(upload.id, number);
        let call = Call::of(Method::PUT, upload.key)
            .query("comp", "block")
            .query("blockid", &id)
            .header("content-md5", &md5_of(&data.bytes).await)?
            .body(Outgoing::metered(data.bytes.clone(), meter));
        self.send(call).await?;
        Ok(id)
    }

    async fn commit(
        &self,
        upload: Upload<'_>,
        parts: &[SentPart],
        whole: Whole<'_>,
    ) -> Result<Stored, StorageError> {
        self.check_upload(upload)?;
        let list = blocks::commit(parts);
        let call = Call::of(Method::PUT, upload.key)
            .query("comp", "blocklist")
            .static_header("content-type", "application/xml")
            .header("content-md5", &call::base64(&Md5::digest(list.as_bytes())))?
            .describing(whole)?
            .body(list.into());
        match self.send(call).await {
            Err(error) if failure::has_code(&error, "InvalidBlockList") => {
                Err(StorageError::UploadGone { what: self.url_of(upload.key) })
            }
            answer => Ok(stored(&answer?.headers)),
        }
    }

    fn check_upload(&self, upload: Upload<'_>) -> Result<(), StorageError> {
        match blocks::is_upload_id(upload.id) {
            true => Ok(()),
            false => Err(StorageError::UploadGone { what: self.url_of(upload.key) }),
        }
    }
}

impl Store for AzureStore {
    fn name(&self) -> &'static str {
        "Azure"
    }

    fn url(&self, key: &str) -> String {
        self.url_of(key)
    }

    /// <https://learn.microsoft.com/rest/api/storageservices/understanding-block-blobs--append-blobs--and-page-blobs>
    fn limits(&self) -> Limits {
        Limits {
            min_part: 1,
            max_part: 4000 * MIB,
            max_parts: 50_000,
            max_put: 5000 * MIB,
            part_multiple: 1,
            is_local: false,
            coarse_times: false,
        }
    }

    fn peer(&self) -> Option<(String, u16)> {
        self.client.peer(&self.service.endpoint.parse::<Uri>().ok()?)
    }

    fn stat<'a>(&'a self, key: &'a str) -> Answer<'a, Option<ObjectInfo>> {
        Box::pin(self.head(key))
    }

    fn read<'a>(
        &'a self,
        key: &'a str,
        range: Range<u64>,
        version: Option<&'a Version>,
    ) -> Answer<'a, ByteStream> {
        Box::pin(self.ranged(key, range, version))
    }

    fn put<'a>(
        &'a self,
        key: &'a str,
        data: &'a Payload,
        attributes: &'a Attributes,
        meter: &'a Meter,
    ) -> Answer<'a, Stored> {
        Box::pin(self.put_whole(key, data, attributes, meter))
    }

    /// Azure hears of an upload with its first part.
    fn begin_upload<'a>(&'a self, key: &'a str, attributes: &'a Attributes) -> Answer<'a, String> {
        Box::pin(async move {
            names::check(key, &self.url_of(key))?;
            Ok(blocks::new_upload_id(&attributes.job, SystemTime::now()))
        })
    }

    fn put_part<'a>(
        &'a self,
        upload: Upload<'a>,
        part: PartPlace,
        data: &'a Payload,
        meter: &'a Meter,
    ) -> Answer<'a, String> {
        Box::pin(self.put_block(upload, part.number, data, meter))
    }

    /// An upload of which there is no part is gone as well: Azure knows no difference.
    fn list_parts<'a>(&'a self, upload: Upload<'a>) -> Answer<'a, Vec<SeenPart>> {
        Box::pin(self.parts_of(upload.key, upload.id))
    }

    /// Those of this library: only we know which blocks belong together.
    fn list_uploads<'a>(&'a self, key: &'a str) -> Answer<'a, Vec<SeenUpload>> {
        Box::pin(self.uploads_of(key))
    }

    fn finish_upload<'a>(
        &'a self,
        upload: Upload<'a>,
        parts: &'a [SentPart],
        whole: &'a Whole<'a>,
    ) -> Answer<'a, Stored> {
        Box::pin(self.commit(upload, parts, *whole))
    }

    /// Does nothing, on purpose. Azure has no request for it: blocks that were not committed go away a week
    /// after the last of them, or when anyone writes the blob, and nobody sees them until then.
    ///
    /// Writing the blob for their sake would do harm. Where there is none, an empty one would be seen for a
    /// moment, or for good if we are stopped before it is deleted; where there is one, it would get a new
    /// version under the hands of its readers; and either way the uploads of others to it would be lost.
    fn abort_upload<'a>(&'a self, upload: Upload<'a>) -> Answer<'a, ()> {
        Box::pin(async move {
            let url = self.url_of(upload.key);
            tracing::debug!(%url, "Azure drops the blocks of an unfinished upload after a week");
            Ok(())
        })
    }

    /// A blob with snapshots is left alone: Azure refuses, unless told to delete them too.
    fn delete<'a>(&'a self, key: &'a str) -> Answer<'a, bool> {
        Box::pin(async move {
            match self.send(Call::of(Method::DELETE, key)).await {
                Ok(_) => Ok(true),
                Err(StorageError::NotFound { what, .. }) if what == self.url_of(key) => Ok(false),
                Err(error) => Err(error),
            }
        })
    }

    fn list_page<'a>(
        &'a self,
        prefix: &'a str,
        recursive: bool,
        page: Option<&'a str>,
    ) -> Answer<'a, Page> {
        Box::pin(self.page(prefix, recursive, page))
    }

    fn copy<'a>(
        &'a self,
        from: &'a str,
        version: Option<&'a Version>,
        to: &'a str,
        attributes: &'a Attributes,
    ) -> Answer<'a, Stored> {
        Box::pin(self.copied(from, version, to, attributes))
    }
}

/// Without credentials.
impl fmt::Debug for AzureStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AzureStore")
            .field("service", &self.service)
            .field("container", &self.container)
            .field("access", &self.access)
            .finish_non_exhaustive()
    }
}

/// The service checks it before it says yes. Hashing a large part takes a while, in which other
/// transfers should go on.
async fn md5_of(bytes: &Bytes) -> String {
    const SHORT: usize = 64 * 1024;
    if bytes.len() <= SHORT {
        return call::base64(&Md5::digest(bytes));
    }
    let (shared, hash) = (bytes.clone(), |bytes: &Bytes| call::base64(&Md5::digest(bytes)));
    match tokio::task::spawn_blocking(move || hash(&shared)).await {
        Ok(hash) => hash,
        // The runtime is being shut down.
        Err(_) => hash(bytes),
    }
}
