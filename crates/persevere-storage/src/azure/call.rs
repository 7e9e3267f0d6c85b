//! One request and its answer.

use std::str::FromStr;

use http::{HeaderName, HeaderValue, Method, Request, Uri, header};

use super::{AzureStore, failure, names};
use crate::error::StorageError;
use crate::http::{HttpAnswer, Outgoing};
use crate::store::{Attributes, Whole};

/// The first version in which lists spell out names that XML cannot hold, and one that emulators have
/// known for years. Blocks of 4,000 MiB came with 2019-12-12,
/// <https://learn.microsoft.com/rest/api/storageservices/previous-azure-storage-service-versions>.
pub(super) const API_VERSION: &str = "2021-12-02";

/// The metadata that we write, and know our own blobs by. Names must be those of a C# identifier.
pub(super) const JOB: &str = "x-ms-meta-persevere_job";
pub(super) const CRC64NVME: &str = "x-ms-meta-persevere_crc64nvme";

/// A request that is being put together.
pub(super) struct Call<'a> {
    pub(super) method: Method,
    /// `None` for the container.
    pub(super) key: Option<&'a str>,
    query: Vec<(&'a str, &'a str)>,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Outgoing,
}

impl<'a> Call<'a> {
    pub(super) fn of(method: Method, key: &'a str) -> Self {
        Self { key: Some(key), ..Self::container(method) }
    }

    pub(super) fn container(method: Method) -> Self {
        Self { method, key: None, query: vec![], headers: vec![], body: Outgoing::default() }
    }

    pub(super) fn query(mut self, name: &'a str, value: &'a str) -> Self {
        self.query.push((name, value));
        self
    }

    pub(super) fn static_header(mut self, name: &'static str, value: &'static str) -> Self {
        let pair = (HeaderName::from_static(name), HeaderValue::from_static(value));
        self.headers.push(pair);
        self
    }

    pub(super) fn raw_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    pub(super) fn header(self, name: &'static str, value: &str) -> Result<Self, StorageError> {
        let checked = HeaderValue::from_str(value).map_err(|_| StorageError::Unsupported {
            what: format!("`{value}` cannot stand in the HTTP header {name}"),
        })?;
        Ok(self.raw_header(HeaderName::from_static(name), checked))
    }

    /// What is said of a blob as it is written.
    pub(super) fn describing(self, whole: Whole<'_>) -> Result<Self, StorageError> {
        let Attributes { job, content_type } = whole.attributes;
        let call = match content_type {
            Some(content_type) => self.header("x-ms-blob-content-type", content_type)?,
            None => self,
        };
        let call = match job.is_empty() {
            true => call,
            false => call.header(JOB, job)?,
        };
        call.header(CRC64NVME, &format!("{:016x}", whole.digest.crc64nvme))
    }

    pub(super) fn body(mut self, body: Outgoing) -> Self {
        self.body = body;
        self
    }
}

impl AzureStore {
    /// Signs and sends it, and tells errors from answers.
    pub(super) async fn send(&self, call: Call<'_>) -> Result<HttpAnswer, StorageError> {
        let what = match call.key {
            Some(key) => {
                let url = self.url_of(key);
                names::check(key, &url)?;
                url
            }
            None => self.container_url(),
        };
        let doing = format!("{} {what}", call.method);
        let Call { method, key, query, headers, body } = call;
        let has_body = method == Method::PUT;
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = self.uri(key, &query)?;
        let all = request.headers_mut();
        all.insert("x-ms-version", HeaderValue::from_static(API_VERSION));
        all.extend(headers);
        let (mut parts, body) = request.into_parts();
        if has_body {
            // It is signed, so it must be there before.
            parts.headers.insert(header::CONTENT_LENGTH, body.bytes.len().into());
        }
        let ticket = self.access.sign(&mut parts).await?;
        let answer = self.client.send(Request::from_parts(parts, body), &doing).await;
        let answer = match answer {
            Ok(answer) => answer.checked(&self.client).await,
            Err(error) => return Err(failure::at(&self.service.endpoint, error)),
        };
        match answer {
            Ok(answer) => {
                self.access.taken(ticket);
                Ok(answer)
            }
            Err(error) => Err(failure::explained(self, what, ticket, error).await),
        }
    }

    fn uri(&self, key: Option<&str>, query: &[(&str, &str)]) -> Result<Uri, StorageError> {
        let text = format!("{}{}", self.wire_url(key), names::query(query));
        Uri::from_str(&text).map_err(|error| StorageError::Setup {
            message: format!("{} makes no URL", self.service.endpoint),
            source: Some(error.into()),
        })
    }

    /// The URL as it goes over the wire, without a query.
    pub(super) fn wire_url(&self, key: Option<&str>) -> String {
        let container = names::path(&self.container);
        match key {
            Some(key) => format!("{}/{container}/{}", self.service.endpoint, names::path(key)),
            None => format!("{}/{container}", self.service.endpoint),
        }
    }
}

/// A hash in a header.
pub(super) fn base64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
