//! An S3 server in this process.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{Body, HttpError};
use s3s_fs::FileSystem;
use tokio::net::TcpListener;

use crate::thread::ServerThread;

/// It hashes what it stores, which is more than one thread does at a disk's pace.
const THREADS: usize = 2;

/// An S3 server on loopback that keeps its objects in a folder: [`s3s-fs`](https://docs.rs/s3s-fs) on a
/// free port, on a thread of its own. Each folder in the folder is a bucket. It checks signatures.
///
/// Dropping it ends it; what it has stored stays in the folder.
///
/// ```
/// use persevere_faults::S3Server;
///
/// let folder = tempfile::tempdir()?;
/// let server = S3Server::start(folder.path(), "an access key", "a secret key")?;
/// server.create_bucket("test")?;
/// assert!(server.url().starts_with("http://127.0.0.1:"));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct S3Server {
    address: SocketAddr,
    folder: PathBuf,
    _thread: ServerThread,
}

impl S3Server {
    /// Starts a server over `folder` that lets in whoever signs with these keys.
    ///
    /// # Errors
    ///
    /// If the folder does not exist, or no port or thread is to be had.
    pub fn start(folder: impl AsRef<Path>, access_key: &str, secret_key: &str) -> io::Result<Self> {
        let folder = folder.as_ref().canonicalize()?;
        let files =
            FileSystem::new(&folder).map_err(|error| io::Error::other(format!("{error:?}")))?;
        let mut builder = S3ServiceBuilder::new(files);
        builder.set_auth(SimpleAuth::from_single(access_key, secret_key));
        let service = builder.build();
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let root = folder.clone();
        let thread =
            ServerThread::start("s3-server", THREADS, move || serve(listener, root, service))?;
        Ok(Self { address, folder, _thread: thread })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its endpoint, such as `http://127.0.0.1:40123`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Makes a bucket, if there is none of that name.
    ///
    /// # Errors
    ///
    /// If its folder cannot be made.
    pub fn create_bucket(&self, name: &str) -> io::Result<()> {
        std::fs::create_dir_all(self.folder.join(name))
    }
}

async fn serve(listener: std::net::TcpListener, folder: PathBuf, service: S3Service) {
    let Ok(listener) = TcpListener::from_std(listener) else { return };
    let folder = Arc::new(folder);
    loop {
        let Ok((connection, _)) = listener.accept().await else {
            // Out of file descriptors, most likely: some are free again soon.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let _unsupported = connection.set_nodelay(true);
        let (service, folder) = (service.clone(), Arc::clone(&folder));
        let answer =
            service_fn(move |request| answer(service.clone(), Arc::clone(&folder), request));
        tokio::spawn(async move {
            // What a connection fails with, its client sees.
            let _error = Builder::new().serve_connection(TokioIo::new(connection), answer).await;
        });
    }
}

async fn answer(
    service: S3Service,
    folder: Arc<PathBuf>,
    request: Request<Incoming>,
) -> Result<Response<Body>, HttpError> {
    if let Some(upload) = upload_of(request.uri())
        && !folder.join(format!(".upload-{upload}.json")).is_file()
    {
        return Ok(no_such_upload(request.into_body()).await);
    }
    // On a task of its own, so that it goes on when the client is lost, as it does with a real server: to break off
    // in the completion of an upload would leave neither the upload nor the object.
    match tokio::spawn(async move { service.call(request.map(Body::from)).await }).await {
        Ok(answer) => answer,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime ends, and this task with it.
            Err(_cancelled) => std::future::pending().await,
        },
    }
}

/// The upload in parts that a request is about.
fn upload_of(uri: &Uri) -> Option<&str> {
    uri.query()?.split('&').find_map(|parameter| parameter.strip_prefix("uploadId="))
}

/// s3s-fs calls an upload that it does not know, and one that is complete, `AccessDenied`, and lists its parts as none;
/// S3 says `NoSuchUpload`, on which clients stand.
async fn no_such_upload(mut body: Incoming) -> Response<Body> {
    // A connection that is closed with something unread is reset, and the answer lost.
    while let Some(Ok(_)) = body.frame().await {}
    let document = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>NoSuchUpload</Code><Message>The specified \
                    upload does not exist. The upload ID may be invalid, or the upload may have been aborted or \
                    completed.</Message></Error>";
    let mut answer = Response::new(Body::from(document.to_owned()));
    *answer.status_mut() = StatusCode::NOT_FOUND;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    answer
}
