//! What every provider can do, each with a request or a few, and nothing repeated.
//!
//! Retry lies above: each call of a [`Store`] is one attempt. So a store signs afresh whenever it is
//! called, keeps no half-finished state between calls, and says exactly what went wrong.

use std::fmt;
use std::future::Future;
use std::ops::Range;
use std::pin::Pin;
use std::time::SystemTime;

use bytes::Bytes;
use futures_util::stream::Stream;
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::error::StorageError;
use crate::meter::Meter;

/// The answer of a store, which is yet to come.
pub(crate) type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, StorageError>> + Send + 'a>>;

/// Bytes of an object as they arrive. It ends with an error if fewer come than were asked for.
pub(crate) type ByteStream = Pin<Box<dyn Stream<Item = Result<Bytes, StorageError>> + Send>>;

/// One provider's bucket, container or host.
///
/// A key is the name of an object there: a key in a bucket, or a path.
pub(crate) trait Store: fmt::Debug + Send + Sync + 'static {
    /// How log lines and errors call it: "S3", "Azure", "GCS", "SFTP", "local".
    fn name(&self) -> &'static str;

    /// The URL of a key, without secrets, for messages and journals.
    fn url(&self, key: &str) -> String;

    /// What the provider allows.
    fn limits(&self) -> Limits;

    /// Whom it talks to, for the network monitor: host and port, of the proxy if there is one.
    /// `None` for what needs no network.
    fn peer(&self) -> Option<(String, u16)>;

    /// What there is under a key. `None` if there is nothing: never for a refusal or an outage.
    fn stat<'a>(&'a self, key: &'a str) -> Answer<'a, Option<ObjectInfo>>;

    /// A range of an object, which is not empty.
    ///
    /// With `version`, of that version alone: [`StorageError::Changed`] if there is another now.
    fn read<'a>(
        &'a self,
        key: &'a str,
        range: Range<u64>,
        version: Option<&'a Version>,
    ) -> Answer<'a, ByteStream>;

    /// A whole object at once, in place of what was there. Nobody ever sees a part of it.
    fn put<'a>(
        &'a self,
        key: &'a str,
        data: &'a Payload,
        attributes: &'a Attributes,
        meter: &'a Meter,
    ) -> Answer<'a, Stored>;

    /// Begins an object that is sent in parts, and returns what names the upload from now on.
    fn begin_upload<'a>(&'a self, key: &'a str, attributes: &'a Attributes) -> Answer<'a, String>;

    /// Sends a part; the same one again takes the place of the first.
    ///
    /// Returns what the provider wants to hear of it at the end. [`StorageError::UploadGone`] if it
    /// knows no such upload.
    fn put_part<'a>(
        &'a self,
        upload: Upload<'a>,
        part: PartPlace,
        data: &'a Payload,
        meter: &'a Meter,
    ) -> Answer<'a, String>;

    /// Makes parts that were sent survive a loss of power, where that is for us to see to.
    fn sync_upload<'a>(&'a self, upload: Upload<'a>) -> Answer<'a, ()> {
        let _ = upload;
        Box::pin(async { Ok(()) })
    }

    /// The parts that the provider has; none where it cannot tell ([`knows_parts`](Self::knows_parts)).
    /// [`StorageError::UploadGone`] if it knows no such upload.
    fn list_parts<'a>(&'a self, upload: Upload<'a>) -> Answer<'a, Vec<SeenPart>>;

    /// Whether [`list_parts`](Self::list_parts) says which parts there are.
    ///
    /// Files do not: they answer with none if the partial file is there, and what the journal says of
    /// parts stands.
    fn knows_parts(&self) -> bool {
        true
    }

    /// The unfinished uploads of exactly this key.
    fn list_uploads<'a>(&'a self, key: &'a str) -> Answer<'a, Vec<SeenUpload>>;

    /// Makes the object of its parts, which are in order and have no gaps.
    ///
    /// [`StorageError::UploadGone`] if the provider knows no such upload, which is also what a second
    /// call answers after the first.
    fn finish_upload<'a>(
        &'a self,
        upload: Upload<'a>,
        parts: &'a [SentPart],
        whole: &'a Whole<'a>,
    ) -> Answer<'a, Stored>;

    /// Drops an upload and its parts. One that is gone already is no error.
    fn abort_upload<'a>(&'a self, upload: Upload<'a>) -> Answer<'a, ()>;

    /// Removes an object: whether there was one, as far as the provider tells.
    fn delete<'a>(&'a self, key: &'a str) -> Answer<'a, bool>;

    /// One page of what begins with `prefix`.
    ///
    /// Object stores take the prefix literally; paths list a folder, or the one file. With
    /// `recursive`, all objects below; without, those of one level, and folders.
    fn list_page<'a>(
        &'a self,
        prefix: &'a str,
        recursive: bool,
        page: Option<&'a str>,
    ) -> Answer<'a, Page>;

    /// Copies within the store, by the provider, of any size; as `version`, or
    /// [`StorageError::Changed`].
    fn copy<'a>(
        &'a self,
        from: &'a str,
        version: Option<&'a Version>,
        to: &'a str,
        attributes: &'a Attributes,
    ) -> Answer<'a, Stored>;
}

/// What a provider allows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Bytes of a part, but for the last.
    pub(crate) min_part: u64,
    /// Bytes of a part.
    pub(crate) max_part: u64,
    /// Parts of an upload.
    pub(crate) max_parts: u32,
    /// Bytes of an object that is put at once.
    pub(crate) max_put: u64,
    /// Bytes that a part must be a multiple of, but for the last.
    pub(crate) part_multiple: u64,
    /// Files of this machine.
    pub(crate) is_local: bool,
    /// Versions are told apart by time, in whole seconds: what was written just now may be written
    /// again without a sign of it.
    pub(crate) coarse_times: bool,
}

/// What tells one version of an object from another: an ETag, a generation, or size and time of a file.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Version(pub(crate) String);

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An object, as its provider describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ObjectInfo {
    /// Bytes.
    pub size: u64,
    /// When it was written last.
    pub modified: Option<SystemTime>,
    /// What tells this version from others.
    pub version: Option<Version>,
    /// The media type.
    pub content_type: Option<String>,
    /// The checksums of the whole object that the provider keeps.
    pub checksums: Checksums,
    /// The job that has written it, if it was one of ours.
    pub job: Option<String>,
}

/// The checksums of a whole object that a provider keeps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Checksums {
    /// CRC-64/NVME, of S3 ("full object"), or written by us into the metadata elsewhere.
    pub crc64nvme: Option<u64>,
    /// CRC-32C (Castagnoli), of Google Cloud Storage.
    pub crc32c: Option<u32>,
}

impl Checksums {
    /// Whether none of them differs, as far as both have them.
    pub(crate) fn agree(&self, other: &Self) -> bool {
        fn same<T: PartialEq>(one: Option<T>, other: Option<T>) -> bool {
            one.is_none() || other.is_none() || one == other
        }
        same(self.crc64nvme, other.crc64nvme) && same(self.crc32c, other.crc32c)
    }
}

/// What is said of an object when it is written.
#[derive(Debug, Clone, Default)]
pub(crate) struct Attributes {
    /// The job's id, which goes into the object's metadata: by it we know our own work again.
    pub(crate) job: String,
    pub(crate) content_type: Option<String>,
}

/// Bytes to send, and their digest.
#[derive(Debug, Clone)]
pub(crate) struct Payload {
    pub(crate) bytes: Bytes,
    pub(crate) digest: Digest,
}

impl Payload {
    pub(crate) fn new(bytes: Bytes) -> Self {
        let digest = Digest::of(&bytes);
        Self { bytes, digest }
    }
}

/// An upload under way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Upload<'a> {
    pub(crate) key: &'a str,
    pub(crate) id: &'a str,
}

/// Where a part belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PartPlace {
    /// Counted from 1.
    pub(crate) number: u32,
    /// Bytes from the beginning of the object.
    pub(crate) offset: u64,
}

/// A part that was sent and confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SentPart {
    pub(crate) place: PartPlace,
    pub(crate) digest: Digest,
    /// What the provider answered: an ETag, a block id.
    pub(crate) tag: String,
}

/// A part that the provider says it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SeenPart {
    pub(crate) number: u32,
    pub(crate) size: u64,
    /// As in [`SentPart::tag`]; empty if the provider does not say.
    pub(crate) tag: String,
}

impl SeenPart {
    /// Whether it may be the one that was given this tag. Not every server lists tags.
    pub(crate) fn has(&self, tag: &str) -> bool {
        self.tag.is_empty() || self.tag == tag
    }
}

/// An unfinished upload that the provider says it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SeenUpload {
    pub(crate) id: String,
    pub(crate) begun: Option<SystemTime>,
}

/// What the whole object must come to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Whole<'a> {
    pub(crate) digest: Digest,
    pub(crate) attributes: &'a Attributes,
}

/// An object that was written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) version: Option<Version>,
    /// The checksums that the provider worked out itself. What differs from ours is found above.
    pub(crate) checksums: Checksums,
}

/// A part of a list.
#[derive(Debug, Clone, Default)]
pub(crate) struct Page {
    pub(crate) entries: Vec<Entry>,
    /// What the next page is asked for with; `None` if this was the last.
    pub(crate) next: Option<String>,
}

/// An object or a folder in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// The whole key or path, as other operations take it. A folder's ends with `/`.
    pub key: String,
    /// Bytes; 0 for a folder.
    pub size: u64,
    /// When it was written last.
    pub modified: Option<SystemTime>,
    /// What tells this version from others.
    pub version: Option<Version>,
    /// Whether it is a folder, or a common beginning of keys.
    pub is_folder: bool,
}
