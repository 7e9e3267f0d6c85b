//! Google Cloud Storage's interfaces: fake-gcs-server.

use std::io;
use std::net::SocketAddr;
use std::process::Command;

use crate::process::Process;
use crate::{BUCKET, PeerError, http, install};

/// A running fake-gcs-server with the bucket [`BUCKET`]. It checks no credentials, and knows the JSON interface
/// with resumable uploads, and of the XML interface plain reads and writes, without uploads in parts.
#[derive(Debug)]
#[non_exhaustive]
pub struct FakeGcs {
    /// Where both interfaces are, such as `http://127.0.0.1:40123`.
    pub url: String,
    /// Where it listens.
    pub address: SocketAddr,
    /// A bucket that is there.
    pub bucket: &'static str,
    _process: Process,
}

impl FakeGcs {
    /// Makes a bucket.
    ///
    /// # Errors
    ///
    /// If the server does not want it.
    pub fn create_bucket(&self, name: &str) -> io::Result<()> {
        let body = format!("{{\"name\":\"{name}\"}}");
        let json = [("content-type", "application/json")];
        match http::request(self.address, "POST", "/storage/v1/b?project=test", &json, &body)? {
            200 => Ok(()),
            status => Err(io::Error::other(format!("bucket {name}: status {status}"))),
        }
    }
}

/// fake-gcs-server, with its objects in memory.
///
/// # Errors
///
/// If it is missing or does not start.
pub fn fake_gcs() -> Result<FakeGcs, PeerError> {
    const PROGRAM: &str = "fake-gcs-server";
    let program = install::program(PROGRAM)?;
    let command = |address: SocketAddr| {
        let mut command = Command::new(&program);
        command.args(["-scheme", "http", "-backend", "memory", "-log-level", "warn"]);
        command.args(["-host", &address.ip().to_string(), "-port", &address.port().to_string()]);
        // Without a port it takes requests for any port there, and so those that come by a proxy.
        command.args(["-public-host", &address.ip().to_string()]);
        command.args(["-external-url", &format!("http://{address}")]);
        command
    };
    let alive = |address| http::answers(address, "/_internal/healthcheck");
    let process = Process::start(PROGRAM, command, alive)?;
    let address = process.address();
    let peer =
        FakeGcs { url: format!("http://{address}"), address, bucket: BUCKET, _process: process };
    peer.create_bucket(BUCKET).map_err(|error| PeerError::broken(PROGRAM, error))?;
    Ok(peer)
}
