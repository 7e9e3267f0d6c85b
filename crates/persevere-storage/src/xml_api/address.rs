//! Where a bucket is, and how keys become URLs.

use std::fmt;

use http::Uri;
use http::uri::{Authority, Scheme};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::error::StorageError;

/// All but the unreserved characters, as Signature Version 4 wants it,
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html>.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// In a path, slashes stay.
const ENCODED_IN_PATH: &AsciiSet = &ENCODED.remove(b'/');

/// A service's URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) scheme: Scheme,
    pub(crate) authority: Authority,
    /// Empty, or with a slash before it and none behind.
    path: String,
}

impl Endpoint {
    /// `setting` names the variable or field that it comes from.
    pub(crate) fn parse(written: &str, setting: &str) -> Result<Self, StorageError> {
        let wrong = |what: &str| {
            // What was written may hold a password.
            let shown = if written.contains('@') { "…" } else { written };
            StorageError::setup(format!("{setting} is `{shown}`, but {what}"))
        };
        let must = "must be a URL like https://storage.example.com:9000";
        let uri: Uri = written.trim().parse().map_err(|_| wrong(must))?;
        let parts = uri.into_parts();
        let (Some(scheme), Some(authority)) = (parts.scheme, parts.authority) else {
            return Err(wrong("must begin with http:// or https://"));
        };
        if scheme != Scheme::HTTP && scheme != Scheme::HTTPS {
            return Err(wrong("must begin with http:// or https://"));
        }
        if authority.as_str().contains('@') {
            return Err(wrong(
                "cannot hold a user or a password: credentials are settings of their own",
            ));
        }
        let path = parts.path_and_query;
        if path.as_ref().is_some_and(|path| path.query().is_some()) {
            return Err(wrong("cannot hold a `?`"));
        }
        let path = path.as_ref().map_or("", |path| path.path()).trim_end_matches('/').to_owned();
        Ok(Self { scheme, authority, path })
    }

    pub(crate) fn is_encrypted(&self) -> bool {
        self.scheme == Scheme::HTTPS
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme, self.authority, self.path)
    }
}

/// Where a bucket is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    /// All before the slash and the key.
    base: String,
    pub(crate) is_encrypted: bool,
}

impl Address {
    /// `https://host/bucket/key`
    pub(crate) fn path_style(endpoint: &Endpoint, bucket: &str) -> Self {
        Self {
            base: format!("{endpoint}/{}", encoded(bucket)),
            is_encrypted: endpoint.is_encrypted(),
        }
    }

    /// `https://bucket.host/key`
    pub(crate) fn virtual_hosted(endpoint: &Endpoint, bucket: &str) -> Self {
        let Endpoint { scheme, authority, path } = endpoint;
        let base = format!("{scheme}://{bucket}.{authority}{path}");
        Self { base, is_encrypted: endpoint.is_encrypted() }
    }

    /// The URL of a key, or of the bucket if that is empty.
    pub(crate) fn uri(&self, key: &str, query: &[(&str, impl AsRef<str>)]) -> Result<Uri, String> {
        let mut uri = self.base.clone();
        if !key.is_empty() {
            uri.push('/');
            uri.extend(utf8_percent_encode(key, ENCODED_IN_PATH));
        }
        for (index, (name, value)) in query.iter().enumerate() {
            uri.push(if index == 0 { '?' } else { '&' });
            uri.push_str(name);
            if !value.as_ref().is_empty() {
                uri.push('=');
                uri.extend(utf8_percent_encode(value.as_ref(), ENCODED));
            }
        }
        uri.parse().map_err(|error: http::uri::InvalidUri| error.to_string())
    }
}

/// A name in a path, in which slashes stay.
pub(crate) fn encoded(name: &str) -> String {
    utf8_percent_encode(name, ENCODED_IN_PATH).to_string()
}
