//! Answers that are errors.

use http::{HeaderMap, StatusCode};
use persevere::http::check_body;
use serde::Deserialize;

use super::client::HttpClient;
use crate::error::{ProviderError, StorageError};

/// The error document of S3, Azure and Google's XML interface.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Document {
    code: Option<String>,
    message: Option<String>,
    request_id: Option<String>,
}

/// Where they say whom to ask about.
const REQUEST_IDS: [&str; 3] = ["x-amz-request-id", "x-ms-request-id", "x-guploader-uploadid"];

pub(super) fn of(
    client: &HttpClient,
    doing: String,
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
) -> StorageError {
    let document = parse(body).unwrap_or_default();
    let header = |name: &str| headers.get(name)?.to_str().ok().map(str::to_owned);
    // An answer to HEAD has no body.
    let code = document.code.or_else(|| header("x-ms-error-code"));
    let source = check_body(status, headers, body, &client.detector).err();
    let verdict = source.as_ref().map_or_else(
        || client.detector.http_status(status.as_u16()),
        persevere::http::HttpStatusError::verdict,
    );
    StorageError::Provider(Box::new(ProviderError {
        provider: client.name,
        doing,
        status: status.as_u16(),
        code,
        message: document.message,
        request_id: REQUEST_IDS.iter().find_map(|name| header(name)).or(document.request_id),
        verdict: verdict.with_answer().with_provider(client.provider),
        source: source.map(Into::into),
    }))
}

/// The error in a document that came with a good status: S3 may say 200 while it still works at it, and
/// then find that it cannot, <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html>.
pub(super) fn in_document(
    client: &HttpClient,
    doing: &str,
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
) -> Option<StorageError> {
    parse(body)?;
    Some(of(client, doing.to_owned(), status, headers, body))
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
