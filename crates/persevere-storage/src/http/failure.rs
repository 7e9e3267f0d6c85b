//! Answers that are errors.

use http::{HeaderMap, StatusCode};
use persevere::http::check_body;
use serde::Deserialize;

use super::client::HttpClient;
use crate::error::{ProviderError, StorageError};

/// An answer that is an error, with what a store may want to know besides.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) error: Box<ProviderError>,
    pub(crate) headers: HeaderMap,
    /// The region that S3 expects, and the host it refers to.
    pub(crate) region: Option<String>,
    pub(crate) endpoint: Option<String>,
}

impl From<Failure> for StorageError {
    fn from(failure: Failure) -> Self {
        Self::Provider(failure.error)
    }
}

/// The error document of S3, Azure and Google's XML interface.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Document {
    code: Option<String>,
    message: Option<String>,
    /// Google's, which says what the message does not.
    details: Option<String>,
    request_id: Option<String>,
    region: Option<String>,
    endpoint: Option<String>,
}

/// Where they say whom to ask about.
const REQUEST_IDS: [&str; 3] = ["x-amz-request-id", "x-ms-request-id", "x-guploader-uploadid"];

pub(super) fn of(
    client: &HttpClient,
    doing: String,
    status: StatusCode,
    headers: HeaderMap,
    body: &[u8],
) -> Failure {
    let document = parse(body).or_else(|| parse_json(body)).unwrap_or_default();
    let header = |name: &str| headers.get(name)?.to_str().ok().map(str::to_owned);
    // An answer to HEAD has no body.
    let code = document.code.or_else(|| header("x-ms-error-code"));
    let answer = check_body(status, &headers, body, &client.detector).err();
    let verdict = answer.as_ref().map_or_else(
        || client.detector.http_status(status.as_u16()),
        persevere::http::HttpStatusError::verdict,
    );
    let message = match (document.message, document.details) {
        (Some(message), Some(details)) => Some(format!("{message} ({details})")),
        (message, details) => message.or(details),
    };
    let error = ProviderError {
        provider: client.name,
        doing,
        status: status.as_u16(),
        code,
        message,
        request_id: REQUEST_IDS.iter().find_map(|name| header(name)).or(document.request_id),
        verdict: verdict.with_answer().with_provider(client.provider),
        answer,
    };
    Failure {
        error: Box::new(error),
        headers,
        region: document.region,
        endpoint: document.endpoint,
    }
}

/// The error in a document that came with a good status: S3 may say 200 while it still works at it, and
/// then find that it cannot, <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html>.
pub(super) fn in_document(
    client: &HttpClient,
    doing: String,
    status: StatusCode,
    headers: HeaderMap,
    body: &[u8],
) -> Option<Failure> {
    parse(body)?;
    Some(of(client, doing, status, headers, body))
}

fn parse(body: &[u8]) -> Option<Document> {
    let text = std::str::from_utf8(body).ok()?;
    let root = text.trim_start_matches('\u{feff}').trim_start();
    let root = match root.strip_prefix("<?xml") {
        Some(rest) => rest.split_once("?>")?.1.trim_start(),
        None => root,
    };
    let is_error = root.starts_with("<Error>") || root.starts_with("<Error ");
    is_error.then(|| quick_xml::de::from_str(root).unwrap_or_default())
}

/// What Google's other interfaces and its front ends answer.
fn parse_json(body: &[u8]) -> Option<Document> {
    #[derive(Deserialize)]
    struct Outer {
        error: Inner,
    }
    #[derive(Deserialize)]
    struct Inner {
        message: String,
    }
    let Outer { error } = serde_json::from_slice(body).ok()?;
    Some(Document { message: Some(error.message), ..Document::default() })
}
