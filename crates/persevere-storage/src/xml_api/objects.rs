//! Objects: what there is to know of them, ranges of them, and lists.

use std::ops::Range;
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::{HeaderMap, Method, StatusCode};

use super::documents::{Names, ObjectList, parsed};
use super::multipart::moment;
use super::{Ask, Bucket, document};
use crate::error::StorageError;
use crate::store::{ByteStream, Checksums, Entry, ObjectInfo, Page, Version};

/// The names of a provider's own headers, and what it makes of them.
#[derive(Debug)]
pub(crate) struct Dialect {
    /// Of metadata: the job that wrote the object.
    pub(crate) job: &'static str,
    /// Of metadata: the checksum that we worked out, in hexadecimal digits.
    pub(crate) crc64nvme: &'static str,
    /// How all headers of metadata begin.
    pub(crate) metadata: &'static str,
    pub(crate) version: fn(&HeaderMap) -> Option<Version>,
    /// The checksums that the provider keeps.
    pub(crate) checksums: fn(&HeaderMap) -> Checksums,
    /// Asks for the stored bytes as they are.
    pub(crate) accept_encoding: Option<&'static str>,
}

/// What describes an object besides its bytes, and has to be said again when it is copied.
const DESCRIPTIVE: [&str; 6] = [
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-type",
    "expires",
];

/// What there is under a key.
pub(crate) async fn stat<B: Bucket + ?Sized>(
    bucket: &B,
    ask: Ask<'_>,
) -> Result<Option<(ObjectInfo, HeaderMap)>, StorageError> {
    match bucket.send(encoded_as_stored(bucket, ask)?).await {
        Ok(answer) => {
            let info = object_info(&answer.headers, bucket.dialect());
            Ok(Some((info, answer.headers)))
        }
        // An answer to HEAD does not say what is missing, and of a missing bucket the user must hear.
        Err(StorageError::NotFound { .. }) => bucket_exists(bucket).await.map(|()| None),
        Err(error) => Err(error),
    }
}

async fn bucket_exists<B: Bucket + ?Sized>(bucket: &B) -> Result<(), StorageError> {
    // Every server knows lists; not every one HEAD of a bucket.
    let ask = Ask::bucket(Method::GET).query("list-type", "2").query("max-keys", "1");
    match bucket.send(ask).await {
        Ok(_) => Ok(()),
        Err(StorageError::NotFound { source, .. }) => {
            Err(StorageError::NotFound { what: bucket.shown(""), source })
        }
        // Whoever may see objects need not be allowed to see the bucket.
        Err(StorageError::Provider(error)) if error.status < 500 => Ok(()),
        Err(error) => Err(error),
    }
}

fn encoded_as_stored<'a, B: Bucket + ?Sized>(
    bucket: &B,
    ask: Ask<'a>,
) -> Result<Ask<'a>, StorageError> {
    match bucket.dialect().accept_encoding {
        Some(encoding) => ask.header("accept-encoding", encoding),
        None => Ok(ask),
    }
}

pub(crate) fn object_info(headers: &HeaderMap, dialect: &Dialect) -> ObjectInfo {
    let text = |name: &str| headers.get(name)?.to_str().ok();
    let size = text("x-goog-stored-content-length").or_else(|| text("content-length"));
    let mut checksums = (dialect.checksums)(headers);
    if checksums.crc64nvme.is_none() {
        let ours = text(dialect.crc64nvme).filter(|digits| digits.len() == 16);
        checksums.crc64nvme = ours.and_then(|digits| u64::from_str_radix(digits, 16).ok());
    }
    ObjectInfo {
        size: size.and_then(|size| size.parse().ok()).unwrap_or_default(),
        modified: text("last-modified").and_then(http_date),
        version: (dialect.version)(headers),
        content_type: text("content-type").map(str::to_owned),
        checksums,
        job: text(dialect.job).map(str::to_owned),
    }
}

fn http_date(written: &str) -> Option<SystemTime> {
    Some(jiff::fmt::rfc2822::parse(written).ok()?.timestamp().into())
}

/// The headers of an object that a copy of it gets as well.
pub(crate) fn copied_headers(headers: &HeaderMap, dialect: &Dialect) -> HeaderMap {
    let copied = |name: &str| {
        DESCRIPTIVE.contains(&name) || (name.starts_with(dialect.metadata) && name != dialect.job)
    };
    let headers = headers.iter().filter(|(name, _)| copied(name.as_str()));
    headers.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// A range of an object; of this version alone, if there is one, on which `ask` has a condition.
pub(crate) async fn read<B: Bucket + ?Sized>(
    bucket: &B,
    ask: Ask<'_>,
    range: Range<u64>,
    version: Option<&Version>,
) -> Result<ByteStream, StorageError> {
    let shown = bucket.shown(ask.key);
    let ask = ask.header("range", &format!("bytes={}-{}", range.start, range.end - 1))?;
    let answer = bucket.send(encoded_as_stored(bucket, ask)?).await?;
    let changed = || StorageError::Changed { what: shown.clone() };
    // Not every server knows of conditions.
    let found = (bucket.dialect().version)(&answer.headers);
    if version.is_some() && found.is_some() && found.as_ref() != version {
        return Err(changed());
    }
    let length = range.end - range.start;
    let content_length = answer.header("content-length").and_then(|length| length.parse().ok());
    match (answer.status, answer.header("content-range").map(content_range)) {
        (StatusCode::PARTIAL_CONTENT, Some(Some((first, last)))) => {
            if (first, last + 1) != (range.start, range.end) {
                return Err(changed());
            }
        }
        (StatusCode::PARTIAL_CONTENT, None) if content_length == Some(length) => {}
        // All of it is also a range.
        (StatusCode::OK, _) if range.start == 0 && content_length == Some(length) => {}
        (status, _) => {
            let status = status.as_u16();
            let what = format!(
                "GET {shown}: the server does not answer with the range that was asked for, but with \
                 status {status}"
            );
            return Err(StorageError::Unsupported { what });
        }
    }
    Ok(answer.counted(length, None))
}

/// First and last byte.
fn content_range(written: &str) -> Option<(u64, u64)> {
    let range = written.trim().strip_prefix("bytes")?.trim_start().split_once('/')?.0;
    let (first, last) = range.split_once('-')?;
    let last: u64 = last.parse().ok()?;
    Some((first.parse().ok()?, last.min(u64::MAX - 1)))
}

/// Removes an object.
pub(crate) async fn delete<B: Bucket + ?Sized>(
    bucket: &B,
    ask: Ask<'_>,
) -> Result<bool, StorageError> {
    match bucket.send(ask).await {
        Ok(_) => Ok(true),
        Err(StorageError::NotFound { what, .. }) if what != bucket.shown("") => Ok(false),
        Err(error) => Err(error),
    }
}

/// One page of what begins with `prefix`.
pub(crate) async fn list_page<B: Bucket + ?Sized>(
    bucket: &B,
    prefix: &str,
    recursive: bool,
    page: Option<&str>,
) -> Result<Page, StorageError> {
    let mut ask = Ask::bucket(Method::GET).query("list-type", "2").query("encoding-type", "url");
    if !prefix.is_empty() {
        ask = ask.query("prefix", prefix);
    }
    if !recursive {
        ask = ask.query("delimiter", "/");
    }
    if let Some(page) = page {
        ask = ask.query("continuation-token", page);
    }
    if let Some(size) = bucket.page_size() {
        ask = ask.query("max-keys", size.to_string());
    }
    let doing = ask.doing(&bucket.shown(prefix));
    let list: ObjectList = parsed(&document(bucket, ask).await?.1, &doing)?;
    let prefixes = list.common_prefixes.iter().map(|folder| folder.prefix.as_str());
    let keys = list.contents.iter().map(|object| object.key.as_str());
    let names = Names::of(list.encoding_type.as_deref(), prefixes.chain(keys));
    let folders = list.common_prefixes.into_iter().map(|folder| Entry {
        key: names.decoded(folder.prefix),
        size: 0,
        modified: None,
        version: None,
        is_folder: true,
    });
    let objects = list.contents.into_iter().map(|object| {
        let etag = object.etag.map(|etag| unquoted(&etag).to_owned());
        Entry {
            key: names.decoded(object.key),
            size: object.size,
            modified: object.last_modified.as_deref().and_then(moment),
            version: object.generation.or(etag).map(Version),
            is_folder: false,
        }
    });
    let next = list.next_continuation_token.filter(|_| list.is_truncated);
    let repeats = next.is_some() && next.as_deref() == page;
    if repeats {
        let what = format!("{doing}: the server sends the same page of its list again and again");
        return Err(StorageError::Unsupported { what });
    }
    Ok(Page { entries: folders.chain(objects).collect(), next })
}

/// The entity tag, without its quotation marks.
pub(crate) fn etag(headers: &HeaderMap) -> Option<String> {
    Some(unquoted(headers.get("etag")?.to_str().ok()?).to_owned())
}

pub(super) fn unquoted(etag: &str) -> &str {
    let etag = etag.trim();
    etag.strip_prefix("W/").unwrap_or(etag).trim_matches('"')
}

/// A checksum as headers write it: base64 of its bytes, the most significant first.
pub(crate) fn encoded_crc(bytes: &[u8]) -> String {
    BASE64.encode(bytes)
}

/// The other way. `None` for one of another length, as that of parts together (`...-3`) is.
pub(crate) fn decoded_crc<const LENGTH: usize>(written: &str) -> Option<[u8; LENGTH]> {
    BASE64.decode(written.trim()).ok()?.try_into().ok()
}
