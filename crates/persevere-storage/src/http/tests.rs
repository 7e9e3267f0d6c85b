//! Against servers of our own, which answer by the byte.

mod chain;
mod requests;
mod settings;

use std::time::Duration;

use http::{Method, Request};
use persevere::Provider;
use persevere::detect::Detector;

use super::*;
use crate::error::StorageError;

fn options() -> HttpOptions {
    HttpOptions { stalled_after: Duration::from_secs(20), ..HttpOptions::default() }
}

fn client(options: &HttpOptions) -> HttpClient {
    HttpClient::new(Provider::S3, "S3", options).unwrap()
}

fn request(method: Method, url: &str, body: Outgoing) -> Request<Outgoing> {
    // A query as a signed URL has it.
    let uri = format!("{url}/path?X-Amz-Signature=secret");
    Request::builder().method(method).uri(uri).body(body).unwrap()
}

async fn get(client: &HttpClient, url: &str) -> Result<HttpAnswer, StorageError> {
    client.send(request(Method::GET, url, Outgoing::default()), "GET x").await
}

fn is_retryable(error: &StorageError) -> bool {
    error.verdict().is_retryable()
}

fn all_text(error: &StorageError) -> String {
    let mut text = format!("{error:?}");
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        text += &format!(" {error}");
        cause = error.source();
    }
    text
}
