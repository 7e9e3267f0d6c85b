//! The documents, as far as they are needed.

use std::fmt::Write;
use std::io;

use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::error::StorageError;

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
    #[serde(rename = "ETag", default)]
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

/// What ends an upload: of each part its number, its ETag, and its CRC-64/NVME if the provider has it.
pub(crate) fn complete<'a>(parts: impl Iterator<Item = (u32, &'a str, Option<String>)>) -> String {
    let mut text =
        String::from("<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    for (number, tag, checksum) in parts {
        let tag = quick_xml::escape::escape(tag);
        // Writing to a string cannot fail.
        let _ =
            write!(text, "<Part><PartNumber>{number}</PartNumber><ETag>&quot;{tag}&quot;</ETag>");
        if let Some(checksum) = checksum {
            let checksum = quick_xml::escape::escape(checksum);
            let _ = write!(text, "<ChecksumCRC64NVME>{checksum}</ChecksumCRC64NVME>");
        }
        text.push_str("</Part>");
    }
    text.push_str("</CompleteMultipartUpload>");
    text
}

/// How the names in a list are written.
pub(super) struct Names {
    are_encoded: bool,
}

impl Names {
    /// As the list says; but some servers only say so, as s3s-fs 0.14.1 does.
    pub(super) fn of<'a>(encoding: Option<&str>, mut names: impl Iterator<Item = &'a str>) -> Self {
        let says_so = encoding.is_some_and(|encoding| encoding.eq_ignore_ascii_case("url"));
        Self { are_encoded: says_so && names.all(could_be_encoded) }
    }

    /// A name as it is. In an encoded one `+` stands for a space.
    pub(super) fn decoded(&self, name: String) -> String {
        if !self.are_encoded {
            return name;
        }
        let name = name.replace('+', " ");
        percent_decode_str(&name).decode_utf8_lossy().into_owned()
    }
}

/// Whether there is nothing in it that every encoding replaces.
fn could_be_encoded(name: &str) -> bool {
    let mut bytes = name.bytes();
    while let Some(byte) = bytes.next() {
        let is_left = match byte {
            b'%' => [bytes.next(), bytes.next()]
                .iter()
                .all(|byte| byte.is_some_and(|byte| byte.is_ascii_hexdigit())),
            byte => byte.is_ascii_graphic() && !br##""#<>?[\]^`{|}"##.contains(&byte),
        };
        if !is_left {
            return false;
        }
    }
    true
}
