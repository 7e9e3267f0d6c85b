//! What the headers of an answer say of a blob.

use std::time::SystemTime;

use http::HeaderMap;

use super::call::{CRC64NVME, JOB};
use crate::store::{Checksums, ObjectInfo, Stored, Version};

pub(super) fn info(headers: &HeaderMap) -> Option<ObjectInfo> {
    let text = |name: &str| headers.get(name)?.to_str().ok();
    let crc64nvme = text(CRC64NVME).and_then(|hex| u64::from_str_radix(hex, 16).ok());
    Some(ObjectInfo {
        size: content_length(headers)?,
        modified: text("last-modified").and_then(http_date),
        version: version_of(headers),
        content_type: text("content-type").map(str::to_owned),
        checksums: Checksums { crc64nvme, crc32c: None },
        job: text(JOB).map(str::to_owned),
    })
}

/// The service has checked the MD5 of what was sent. It works out no checksum that we have as well.
pub(super) fn stored(headers: &HeaderMap) -> Stored {
    Stored { version: version_of(headers), checksums: Checksums::default() }
}

pub(super) fn version_of(headers: &HeaderMap) -> Option<Version> {
    Some(Version(headers.get("etag")?.to_str().ok()?.to_owned()))
}

pub(super) fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get("content-length")?.to_str().ok()?.parse().ok()
}

/// "Sun, 06 Nov 1994 08:49:37 GMT"
pub(super) fn http_date(text: &str) -> Option<SystemTime> {
    Some(jiff::fmt::rfc2822::parse(text).ok()?.timestamp().into())
}
