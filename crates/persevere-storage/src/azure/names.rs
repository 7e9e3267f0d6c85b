//! Names in URLs.

use std::fmt::Write;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::error::StorageError;

/// All but the unreserved characters of RFC 3986.
const VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The same, and what parts a path.
const PATH: &AsciiSet = &VALUE.remove(b'/');

/// Of a blob's name, <https://learn.microsoft.com/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata>.
const LONGEST: usize = 1024;

/// Refuses a name that would not be the blob's in the end.
pub(super) fn check(key: &str, url: &str) -> Result<(), StorageError> {
    let refused =
        |reason: &str| Err(StorageError::Unsupported { what: format!("{url}: {reason}") });
    if key.is_empty() {
        return refused("names no blob: it must look like az://container/blob");
    }
    if key.split('/').any(|segment| matches!(segment, "." | "..")) {
        return refused("Azure cannot be asked for a blob with `.` or `..` between slashes");
    }
    if key.contains('\\') {
        return refused("Azure would make `/` of the `\\`: use `/`");
    }
    let length = key.chars().count();
    if length > LONGEST {
        return refused(&format!("the name has {length} characters, but Azure allows {LONGEST}"));
    }
    Ok(())
}

/// A name as a part of a URL's path.
pub(super) fn path(name: &str) -> impl std::fmt::Display {
    utf8_percent_encode(name, PATH)
}

/// The query part of a URL.
pub(super) fn query(pairs: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for (name, value) in pairs {
        let separator = if text.is_empty() { '?' } else { '&' };
        // Writing to a string does not fail.
        let _infallible = write!(text, "{separator}{name}={}", utf8_percent_encode(value, VALUE));
    }
    text
}
