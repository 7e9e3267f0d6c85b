//! What is asked of a bucket.

use std::borrow::Cow;

use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request};

use super::address::Address;
use crate::error::StorageError;
use crate::http::Outgoing;

/// A request before it has an address and a signature.
#[derive(Debug, Clone)]
pub(crate) struct Ask<'a> {
    pub(crate) method: Method,
    /// Empty for the bucket itself.
    pub(crate) key: &'a str,
    query: Vec<(&'static str, Cow<'a, str>)>,
    pub(crate) headers: HeaderMap,
    /// Headers that a store may not know, and then goes without.
    pub(crate) optional: HeaderMap,
    pub(crate) body: Outgoing,
}

impl<'a> Ask<'a> {
    /// About the bucket.
    pub(crate) fn bucket(method: Method) -> Self {
        let (headers, optional) = (HeaderMap::new(), HeaderMap::new());
        Self { method, key: "", query: Vec::new(), headers, optional, body: Outgoing::default() }
    }

    /// About an object. `shown` is its URL for the message, should the key be impossible.
    pub(crate) fn object(
        method: Method,
        key: &'a str,
        shown: impl FnOnce() -> String,
    ) -> Result<Self, StorageError> {
        if let Some(why) = impossible(key) {
            return Err(StorageError::Unsupported { what: format!("{}: {why}", shown()) });
        }
        Ok(Self { key, ..Self::bucket(method) })
    }

    pub(crate) fn query(mut self, name: &'static str, value: impl Into<Cow<'a, str>>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Result<Self, StorageError> {
        self.headers.insert(HeaderName::from_static(name), header_value(name, value)?);
        Ok(self)
    }

    pub(crate) fn optional(
        mut self,
        name: &'static str,
        value: &str,
    ) -> Result<Self, StorageError> {
        self.optional.insert(HeaderName::from_static(name), header_value(name, value)?);
        Ok(self)
    }

    pub(crate) fn with_optional(mut self) -> Self {
        self.headers.extend(std::mem::take(&mut self.optional));
        self
    }

    pub(crate) fn content_type(self, media_type: Option<&str>) -> Result<Self, StorageError> {
        match media_type {
            Some(media_type) => self.header("content-type", media_type),
            None => Ok(self),
        }
    }

    pub(crate) fn headers(mut self, headers: HeaderMap) -> Self {
        self.headers.extend(headers);
        self
    }

    pub(crate) fn body(mut self, body: Outgoing) -> Self {
        self.body = body;
        self
    }

    /// What is done, for messages.
    pub(crate) fn doing(&self, shown: &str) -> String {
        format!("{} {shown}", self.method)
    }

    pub(crate) fn request(self, address: &Address) -> Result<Request<Outgoing>, StorageError> {
        let uri = address.uri(self.key, &self.query).map_err(|why| StorageError::Unsupported {
            what: format!("`{}` makes no URL: {why}", self.key),
        })?;
        let mut request = Request::new(self.body);
        *request.method_mut() = self.method;
        *request.uri_mut() = uri;
        *request.headers_mut() = self.headers;
        Ok(request)
    }
}

fn header_value(name: &str, value: &str) -> Result<HeaderValue, StorageError> {
    HeaderValue::from_str(value).map_err(|_| StorageError::Unsupported {
        what: format!("the header {name} cannot hold `{}`", value.escape_debug()),
    })
}

/// Why a key cannot be asked for.
fn impossible(key: &str) -> Option<&'static str> {
    if key.is_empty() {
        return Some("names a bucket, but must name an object in it");
    }
    // URLs have a meaning of their own for these, and every library on the way goes by it.
    key.split('/')
        .any(|segment| segment == "." || segment == "..")
        .then_some("a key with `.` or `..` between slashes cannot be asked for by HTTP")
}
