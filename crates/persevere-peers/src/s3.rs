//! S3 servers: s3s-fs in this process, moto, versitygw.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

use persevere_faults::S3Server;
use tempfile::TempDir;

use crate::process::Process;
use crate::{BUCKET, PeerError, http, install};

/// A running S3 server with the bucket [`BUCKET`].
#[derive(Debug)]
#[non_exhaustive]
pub struct S3Peer {
    /// Its endpoint, such as `http://127.0.0.1:40123`; buckets are in the path.
    pub url: String,
    /// Where it listens.
    pub address: SocketAddr,
    /// Who may do everything. moto lets in anybody.
    pub access_key: &'static str,
    /// The key to that.
    pub secret_key: &'static str,
    /// Its region.
    pub region: &'static str,
    /// A bucket that is there.
    pub bucket: &'static str,
    /// The folder that holds a folder for each bucket, if it keeps its objects in files.
    pub folder: Option<PathBuf>,
    _server: Server,
}

#[derive(Debug)]
#[expect(dead_code, reason = "held to be dropped")]
enum Server {
    Here(S3Server, TempDir),
    Process(Process, TempDir),
}

const ACCESS_KEY: &str = "persevere-access";
const SECRET_KEY: &str = "persevere-secret";
const REGION: &str = "us-east-1";

impl S3Peer {
    /// Makes a bucket.
    ///
    /// # Errors
    ///
    /// If the server does not want it.
    pub fn create_bucket(&self, name: &str) -> io::Result<()> {
        match &self.folder {
            Some(folder) => std::fs::create_dir_all(folder.join(name)),
            None => match http::request(self.address, "PUT", &format!("/{name}"), &[], "")? {
                200 => Ok(()),
                status => Err(io::Error::other(format!("bucket {name}: status {status}"))),
            },
        }
    }

    fn new(
        address: SocketAddr,
        folder: Option<PathBuf>,
        server: Server,
        program: &'static str,
    ) -> Result<Self, PeerError> {
        let peer = Self {
            url: format!("http://{address}"),
            address,
            access_key: ACCESS_KEY,
            secret_key: SECRET_KEY,
            region: REGION,
            bucket: BUCKET,
            folder,
            _server: server,
        };
        peer.create_bucket(BUCKET).map_err(|error| PeerError::broken(program, error))?;
        Ok(peer)
    }
}

/// s3s-fs, in this process.
///
/// # Errors
///
/// If it does not start.
pub fn s3s_fs() -> Result<S3Peer, PeerError> {
    let broken = |error: io::Error| PeerError::broken("s3s-fs", error);
    let folder = tempfile::tempdir().map_err(broken)?;
    let server = S3Server::start(folder.path(), ACCESS_KEY, SECRET_KEY).map_err(broken)?;
    let path = folder.path().to_owned();
    S3Peer::new(server.address(), Some(path), Server::Here(server, folder), "s3s-fs")
}

/// moto's server. It does not check signatures; it answers for Google's XML interface too, near enough.
///
/// # Errors
///
/// If it is missing or does not start.
pub fn moto() -> Result<S3Peer, PeerError> {
    const PROGRAM: &str = "moto_server";
    let program = install::program(PROGRAM)?;
    let folder = tempfile::tempdir().map_err(|error| PeerError::broken(PROGRAM, error))?;
    let command = |address: SocketAddr| {
        let mut command = Command::new(&program);
        command.args(["-H", &address.ip().to_string(), "-p", &address.port().to_string()]);
        command.current_dir(folder.path());
        command
    };
    let process = Process::start(PROGRAM, command, |address| http::answers(address, "/"))?;
    S3Peer::new(process.address(), None, Server::Process(process, folder), PROGRAM)
}

/// versitygw over a folder.
///
/// # Errors
///
/// If it is missing or does not start.
pub fn versitygw() -> Result<S3Peer, PeerError> {
    const PROGRAM: &str = "versitygw";
    let program = install::program(PROGRAM)?;
    let folder = tempfile::tempdir().map_err(|error| PeerError::broken(PROGRAM, error))?;
    let buckets = folder.path().join("buckets");
    let attributes = folder.path().join("attributes");
    for folder in [&buckets, &attributes] {
        std::fs::create_dir(folder).map_err(|error| PeerError::broken(PROGRAM, error))?;
    }
    let command = |address: SocketAddr| {
        let mut command = Command::new(&program);
        command.args(["--port", &address.to_string(), "--quiet", "--keep-alive"]);
        command.args(["--access", ACCESS_KEY, "--region", REGION]);
        command.env("ROOT_SECRET_ACCESS_KEY", SECRET_KEY);
        // Attributes in files beside the objects: a temporary folder's file system may have none of its own.
        command.arg("posix").arg("--sidecar").arg(&attributes).arg(&buckets);
        command.current_dir(folder.path());
        command
    };
    let process = Process::start(PROGRAM, command, |address| http::answers(address, "/"))?;
    S3Peer::new(process.address(), Some(buckets), Server::Process(process, folder), PROGRAM)
}
