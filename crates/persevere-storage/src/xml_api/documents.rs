//! The documents, as far as they are needed.

use std::fmt::Write;
use std::io;

use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::error::StorageError;
use crate::store::SentPart;

/// Reads a document. One that is cut off is as good as none.
pub(crate) fn parsed<T: DeserializeOwned>(document: &[u8], doing: &str) -> Result<T, StorageError> {
    let wrong = |why: String| {
        let why = format!("the answer is no whole document: {why}");
        let source = io::Error::new(io::ErrorKind::UnexpectedEof, why);
        StorageError::Transport { doing: doing.to_owned(), source: source.into() }
    };
    let text = std::str::from_utf8(document).map_err(|error| wrong(error.to_string()))?;
    quick_xml::de::from_str(text).map_err(|error| wrong(error.to_string()))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct ObjectList {
    pub(super) encoding_type: Option<String>,
    pub(super) is_truncated: bool,
    pub(super) next_continuation_token: Option<String>,
    pub(super) contents: Vec<Content>,
    pub(super) common_prefixes: Vec<CommonPrefix>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Content {
    pub(super) key: String,
    #[serde(default)]
    pub(super) size: u64,
    pub(super) last_modified: Option<String>,
    #[serde(rename = "ETag")]
    pub(super) etag: Option<String>,
    /// Google's.
    pub(super) generation: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CommonPrefix {
    pub(super) prefix: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct BegunUpload {
    pub(super) upload_id: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct PartList {
    pub(super) is_truncated: bool,
    pub(super) next_part_number_marker: Option<String>,
    pub(super) part: Vec<Part>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Part {
    pub(super) part_number: u32,
    pub(super) size: u64,
    #[serde(rename = "ETag")]
    pub(super) etag: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct UploadList {
    pub(super) encoding_type: Option<String>,
    pub(super) is_truncated: bool,
    pub(super) next_key_marker: Option<String>,
    pub(super) next_upload_id_marker: Option<String>,
    pub(super) upload: Vec<PendingUpload>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PendingUpload {
    pub(super) key: String,
    pub(super) upload_id: String,
    pub(super) initiated: Option<String>,
}

/// Of a finished upload, a copy, and a part that was copied.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(crate) struct CopyResult {
    #[serde(rename = "ETag")]
    pub(crate) etag: Option<String>,
    #[serde(rename = "ChecksumCRC64NVME")]
    pub(crate) crc64nvme: Option<String>,
    pub(crate) checksum_type: Option<String>,
}

/// What ends an upload.
pub(super) fn complete(parts: &[SentPart]) -> String {
    let mut text = String::with_capacity(128 + parts.len() * 96);
    text.push_str("<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    for part in parts {
        let tag = quick_xml::escape::escape(part.tag.as_str());
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "<Part><PartNumber>{}</PartNumber><ETag>&quot;{tag}&quot;</ETag></Part>",
            part.place.number
        );
    }
    text.push_str("</CompleteMultipartUpload>");
    text
}

/// A key in a list, which is encoded if the list says so: with `+` for a space.
pub(super) fn decoded(key: String, encoding: Option<&str>) -> String {
    if !encoding.is_some_and(|encoding| encoding.eq_ignore_ascii_case("url")) {
        return key;
    }
    let key = key.replace('+', " ");
    percent_decode_str(&key).decode_utf8_lossy().into_owned()
}
