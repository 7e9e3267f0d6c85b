//! The HTTP of credential chains: token services, and the metadata services of virtual machines.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, Uri};
use reqsign_core::{Error, HttpSend};

use super::client::{HttpOptions, client};
use crate::error::StorageError;

/// The metadata services answer from the next machine; where there is none, as on a laptop, nobody
/// should wait for them.
const CONNECTING_TO_METADATA: Duration = Duration::from_secs(2);
/// How long one answer may take.
const FETCHING: Duration = Duration::from_secs(30);

/// Sends what a credential chain asks. Its errors never hold a URL: those of AWS's token service have a
/// token in them.
pub(super) struct Fetch {
    metadata: reqwest::Client,
    others: reqwest::Client,
}

impl Fetch {
    pub(super) fn new(options: &HttpOptions) -> Result<Self, StorageError> {
        let others = client(options)?.timeout(FETCHING);
        // No proxy knows the way to what is only there on this machine's own link.
        let metadata = client(options)?.timeout(FETCHING).no_proxy();
        let metadata = metadata.connect_timeout(CONNECTING_TO_METADATA);
        let build = |builder: reqwest::ClientBuilder| {
            builder.build().map_err(|error| StorageError::Setup {
                message: "the HTTP client for credentials could not be set up".into(),
                source: Some(error.into()),
            })
        };
        Ok(Self { metadata: build(metadata)?, others: build(others)? })
    }
}

impl HttpSend for Fetch {
    async fn http_send(&self, request: Request<Bytes>) -> reqsign_core::Result<Response<Bytes>> {
        let client = if is_metadata(request.uri()) { &self.metadata } else { &self.others };
        let request = reqwest::Request::try_from(request).map_err(failed)?;
        let answer = client.execute(request).await.map_err(failed)?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let mut response = Response::new(answer.bytes().await.map_err(failed)?);
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Ok(response)
    }
}

fn failed(error: reqwest::Error) -> Error {
    Error::unexpected("no answer").with_source(error.without_url()).set_retryable(true)
}

/// Of EC2, ECS, EKS, Azure and Google, in this order.
fn is_metadata(uri: &Uri) -> bool {
    let link_local = |host: &str| host.starts_with("169.254.") || host.starts_with("[fd00:ec2::");
    uri.host().is_some_and(|host| link_local(host) || host == "metadata.google.internal")
}

impl fmt::Debug for Fetch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fetch")
    }
}
