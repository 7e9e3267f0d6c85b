//! The client: connections, certificates, proxies, and the watch on progress.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, Method, Request, StatusCode, Uri};
use persevere::Provider;
use persevere::detect::Detector;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::body::{Outgoing, Watched};
use super::failure::{self, Failure};
use super::pace::Pace;
use super::peer::Peers;
use crate::error::StorageError;
use crate::meter::Meter;
use crate::store::ByteStream;

/// How connections are made.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct HttpOptions {
    /// Certificate authorities to trust besides the system's: files in PEM format.
    pub ca_files: Vec<PathBuf>,
    /// After how long without a byte in either direction a request is given up. Default: 60 s.
    ///
    /// There is no limit on the whole request: a slow line is not a broken one.
    pub stalled_after: Duration,
    /// How long making a connection may take. Default: 10 s.
    pub connect_timeout: Duration,
    /// Whether requests go through the proxies that the environment names: `HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`
    /// and the like. Default: yes.
    pub proxies: bool,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            ca_files: Vec::new(),
            stalled_after: Duration::from_secs(60),
            connect_timeout: Duration::from_secs(10),
            proxies: true,
        }
    }
}

/// More of an error's body than this is not read.
const LONGEST_ERROR: usize = 64 * 1024;

/// More of a document than this is not read: S3's longest list has 1,000 keys of 1,024 bytes, each of
/// which may be written with three.
const LONGEST_DOCUMENT: usize = 32 * 1024 * 1024;

/// One provider's client.
#[derive(Debug, Clone)]
pub(crate) struct HttpClient {
    client: reqwest::Client,
    stalled_after: Duration,
    pub(super) provider: Provider,
    pub(super) name: &'static str,
    pub(super) detector: Detector,
    peers: Arc<Peers>,
}

impl HttpClient {
    pub(crate) fn new(
        provider: Provider,
        name: &'static str,
        options: &HttpOptions,
    ) -> Result<Self, StorageError> {
        // A connection for each part: over one connection of HTTP/2 a lost packet would hold up all.
        let client = client(options)?.http1_only();
        let client = client.build().map_err(|error| StorageError::Setup {
            message: "the HTTP client could not be set up".into(),
            source: Some(error.into()),
        })?;
        Ok(Self {
            client,
            stalled_after: options.stalled_after,
            provider,
            name,
            detector: Detector::new().provider(provider),
            peers: Arc::new(if options.proxies {
                Peers::from_environment()
            } else {
                Peers::themselves()
            }),
        })
    }

    pub(crate) fn provider(&self) -> Provider {
        self.provider
    }

    /// Whom a request to `uri` goes to: its host, or a proxy.
    pub(crate) fn peer(&self, uri: &Uri) -> Option<(String, u16)> {
        self.peers.of(uri)
    }

    /// Sends a signed request. Any status is an answer; [`HttpAnswer::checked`] tells errors.
    pub(crate) async fn send(
        &self,
        request: Request<Outgoing>,
        doing: &str,
    ) -> Result<HttpAnswer, StorageError> {
        let mut request = request;
        if matches!(*request.method(), Method::PUT | Method::POST) {
            // The libraries say nothing of a body that is empty, and then S3 and Google answer 411.
            let length = request.body().bytes.len();
            request.headers_mut().insert(CONTENT_LENGTH, length.into());
        }
        let (pulse, mut beat) = watch::channel(0);
        let request = request.map(|body| reqwest::Body::wrap(Watched::new(body, Arc::new(pulse))));
        let request =
            reqwest::Request::try_from(request).map_err(|error| transport(doing, error))?;
        let exchange = self.client.execute(request);
        tokio::pin!(exchange);
        let mut pace = Pace::from(Instant::now());
        let response = loop {
            let pause = timeout(self.stalled_after, beat.changed());
            tokio::select! {
                biased;
                response = &mut exchange => break response.map_err(|error| transport(doing, error))?,
                moved = pause => match moved {
                    Ok(Ok(())) => pace.beat(Instant::now()),
                    // The body has gone, as far as the system's buffers, and the answer is missing.
                    Ok(Err(_)) => {
                        let patience = self.stalled_after + pace.buffered(Instant::now());
                        let response = timeout(patience, &mut exchange).await;
                        let response = response.map_err(|_| self.stalled(doing))?;
                        break response.map_err(|error| transport(doing, error))?;
                    }
                    Err(_) => return Err(self.stalled(doing)),
                },
            }
        };
        Ok(HttpAnswer {
            status: response.status(),
            headers: response.headers().clone(),
            body: self.watched(response, doing),
            doing: doing.to_owned(),
        })
    }

    fn stalled(&self, doing: &str) -> StorageError {
        StorageError::Stalled { doing: doing.to_owned(), waited: self.stalled_after }
    }

    fn watched(&self, response: reqwest::Response, doing: &str) -> ByteStream {
        let (limit, doing) = (self.stalled_after, doing.to_owned());
        let stalled = self.stalled(&doing);
        let body = Box::pin(response.bytes_stream());
        let next = move |state: Option<(_, StorageError)>| {
            let doing = doing.clone();
            async move {
                let (mut body, stalled) = state?;
                let next: Result<Option<Result<Bytes, reqwest::Error>>, _> =
                    timeout(limit, StreamExt::next(&mut body)).await;
                match next {
                    Err(_) => Some((Err(stalled), None)),
                    Ok(None) => None,
                    Ok(Some(Ok(bytes))) => Some((Ok(bytes), Some((body, stalled)))),
                    Ok(Some(Err(error))) => Some((Err(transport(&doing, error)), None)),
                }
            }
        };
        Box::pin(futures_util::stream::unfold(Some((body, stalled)), next).fuse())
    }
}

/// An answer, of which the body is yet to come.
pub(crate) struct HttpAnswer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: ByteStream,
    doing: String,
}

impl HttpAnswer {
    /// This answer, or the error that it is.
    pub(crate) async fn checked(self, client: &HttpClient) -> Result<Self, StorageError> {
        if self.status.is_success() {
            return Ok(self);
        }
        Err(self.failure(client).await.into())
    }

    /// What an answer that is no success says.
    pub(crate) async fn failure(self, client: &HttpClient) -> Failure {
        let Self { status, headers, mut body, doing } = self;
        let mut text = BytesMut::new();
        // The status alone says a lot: an error while its explanation arrives does not count.
        while let Some(Ok(bytes)) = body.next().await {
            text.extend_from_slice(&bytes[..bytes.len().min(LONGEST_ERROR - text.len())]);
            if text.len() == LONGEST_ERROR {
                break;
            }
        }
        failure::of(client, doing, status, headers, &text)
    }

    /// The whole body, which is a document and not an object.
    ///
    /// Some errors come with the status 200: a document that is one is one.
    pub(crate) async fn document(mut self, client: &HttpClient) -> Result<Bytes, StorageError> {
        let mut document = BytesMut::new();
        while let Some(bytes) = self.body.next().await {
            document.extend_from_slice(&bytes?);
            if document.len() > LONGEST_DOCUMENT {
                return Err(StorageError::Unsupported {
                    what: format!(
                        "{}: the answer is longer than {LONGEST_DOCUMENT} bytes",
                        self.doing
                    ),
                });
            }
        }
        match failure::in_document(client, self.doing, self.status, self.headers, &document) {
            Some(failure) => Err(failure.into()),
            None => Ok(document.freeze()),
        }
    }

    /// A header's text, if there is one.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body, counted, which must have `length` bytes.
    pub(crate) fn counted(self, length: u64, meter: Option<Meter>) -> ByteStream {
        let Self { body, doing, .. } = self;
        let next = move |(mut body, left): (ByteStream, u64)| {
            let (meter, doing) = (meter.clone(), doing.clone());
            async move {
                let item = match body.next().await {
                    Some(Ok(bytes)) if bytes.len() as u64 > left => {
                        Err(wrong_length(&doing, "more"))
                    }
                    None if left > 0 => Err(wrong_length(&doing, "fewer")),
                    item => item?,
                };
                let length = item.as_ref().map_or(0, |bytes| bytes.len() as u64);
                if let Some(meter) = meter {
                    meter.add(length);
                }
                // After an error nothing more is expected.
                let left = if item.is_ok() { left - length } else { 0 };
                Some((item, (body, left)))
            }
        };
        Box::pin(futures_util::stream::unfold((body, length), next).fuse())
    }
}

fn wrong_length(doing: &str, than: &str) -> StorageError {
    let source = std::io::Error::new(
        std::io::ErrorKind::UnexpectedEof,
        format!("the answer has {than} bytes than it should have"),
    );
    StorageError::Transport { doing: doing.to_owned(), source: source.into() }
}

/// Without the URL, which may hold a signature.
fn transport(doing: &str, error: reqwest::Error) -> StorageError {
    StorageError::Transport { doing: doing.to_owned(), source: error.without_url().into() }
}

/// What all clients have in common.
pub(super) fn client(options: &HttpOptions) -> Result<reqwest::ClientBuilder, StorageError> {
    let client = reqwest::Client::builder();
    let client = if options.proxies { client } else { client.no_proxy() };
    Ok(client
        .user_agent(concat!("persevere/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(options.connect_timeout)
        // Laptops that slept and NATs that forgot: a dead connection must not be used again.
        .pool_idle_timeout(Duration::from_secs(20))
        .tcp_nodelay(true)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .tls_backend_preconfigured(tls(options)?))
}

fn tls(options: &HttpOptions) -> Result<rustls::ClientConfig, StorageError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut extra = Vec::new();
    for file in &options.ca_files {
        let wrong = |reason| StorageError::setup(format!("CA file {}: {reason}", file.display()));
        extra.extend(certificates(file).map_err(wrong)?);
    }
    let setup = |error: rustls::Error| StorageError::Setup {
        message: "TLS could not be set up".into(),
        source: Some(error.into()),
    };
    let config = rustls::ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(setup)?;
    match rustls_platform_verifier::Verifier::new_with_extra_roots(extra, provider) {
        Ok(verifier) => Ok(config
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth()),
        // A small container may have none, and need none if all its endpoints are http://.
        Err(error) => {
            tracing::warn!(%error, "no certificate authorities: https:// cannot work without a CA file");
            Ok(config.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
        }
    }
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let pem = std::fs::read(file).map_err(|error| error.to_string())?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let found = found.map_err(|error| format!("is no PEM file: {error:?}"))?;
    if found.is_empty() {
        return Err("holds no certificate: it must have BEGIN CERTIFICATE in it".into());
    }
    for (index, certificate) in found.iter().enumerate() {
        let usable = RootCertStore::empty().add(certificate.clone());
        usable.map_err(|error| format!("certificate {} is unusable: {error}", index + 1))?;
    }
    Ok(found)
}
