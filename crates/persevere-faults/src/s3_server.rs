//! An S3 server in this process.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use hyper::server::conn::http1::Builder;
use hyper_util::rt::TokioIo;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
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
        let thread = ServerThread::start("s3-server", THREADS, move || serve(listener, service))?;
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

async fn serve(listener: std::net::TcpListener, service: S3Service) {
    let Ok(listener) = TcpListener::from_std(listener) else { return };
    loop {
        let Ok((connection, _)) = listener.accept().await else {
            // Out of file descriptors, most likely: some are free again soon.
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            continue;
        };
        let _unsupported = connection.set_nodelay(true);
        let service = service.clone();
        tokio::spawn(async move {
            // What a connection fails with, its client sees.
            let _error = Builder::new().serve_connection(TokioIo::new(connection), service).await;
        });
    }
}
