//! Azure Blob Storage: Azurite.

use std::ffi::OsStr;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tempfile::TempDir;

use crate::process::Process;
use crate::{BUCKET, PeerError, http, install};

const PROGRAM: &str = "azurite-blob";

/// Azurite's well-known account and key.
/// <https://learn.microsoft.com/azure/storage/common/storage-connect-azurite>
const ACCOUNT: &str = "devstoreaccount1";
const KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// A running Azurite, its blob service only, with the container [`BUCKET`]. It checks signatures.
#[derive(Debug)]
#[non_exhaustive]
pub struct Azurite {
    /// The account's endpoint, such as `http://127.0.0.1:40123/devstoreaccount1`.
    pub url: String,
    /// Where it listens.
    pub address: SocketAddr,
    /// The account.
    pub account: &'static str,
    /// The account's key, in base64.
    pub key: &'static str,
    /// A container that is there.
    pub container: &'static str,
    _process: Process,
    _folder: TempDir,
}

impl Azurite {
    /// Makes a container.
    ///
    /// # Errors
    ///
    /// If the server does not want it.
    pub fn create_container(&self, name: &str) -> io::Result<()> {
        let date = httpdate::fmt_http_date(SystemTime::now());
        let version = "2021-08-06";
        // https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key
        let to_sign = format!(
            "PUT\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:{date}\nx-ms-version:{version}\n\
             /{ACCOUNT}/{ACCOUNT}/{name}\nrestype:container"
        );
        let authorization = format!("SharedKey {ACCOUNT}:{}", signature(&to_sign)?);
        let headers = [
            ("x-ms-date", date.as_str()),
            ("x-ms-version", version),
            ("authorization", authorization.as_str()),
        ];
        let target = format!("/{ACCOUNT}/{name}?restype=container");
        match http::request(self.address, "PUT", &target, &headers, "")? {
            201 => Ok(()),
            status => Err(io::Error::other(format!("container {name}: status {status}"))),
        }
    }

    /// A connection string, as Azure's own tools take it.
    #[must_use]
    pub fn connection_string(&self) -> String {
        format!(
            "DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};BlobEndpoint={};",
            self.url
        )
    }
}

fn signature(to_sign: &str) -> io::Result<String> {
    let key = STANDARD.decode(KEY).map_err(io::Error::other)?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).map_err(io::Error::other)?;
    mac.update(to_sign.as_bytes());
    Ok(STANDARD.encode(mac.finalize().into_bytes()))
}

/// Azurite's blob service, with its blobs in a temporary folder.
///
/// # Errors
///
/// If it is missing or does not start.
pub fn azurite() -> Result<Azurite, PeerError> {
    let peer = start("http", &[], |address| http::answers(address, "/"))?;
    peer.create_container(BUCKET).map_err(|error| PeerError::broken(PROGRAM, error))?;
    Ok(peer)
}

/// The same with TLS by a certificate and its key, in files, which is what Azurite takes tokens of
/// Microsoft Entra by. It has no container yet.
///
/// # Errors
///
/// If it is missing or does not start.
pub fn azurite_with_tokens(certificate: &Path, key: &Path) -> Result<Azurite, PeerError> {
    let files = [certificate, key].map(Path::as_os_str);
    let [certificate, key] = files;
    let arguments = ["--oauth", "basic", "--cert"].map(OsStr::new);
    let arguments = [&arguments[..], &[certificate, OsStr::new("--key"), key]].concat();
    start("https", &arguments, |address| TcpStream::connect(address).is_ok())
}

fn start(
    scheme: &str,
    arguments: &[&OsStr],
    answers: impl Fn(SocketAddr) -> bool,
) -> Result<Azurite, PeerError> {
    let program = install::program(PROGRAM)?;
    let folder = tempfile::tempdir().map_err(|error| PeerError::broken(PROGRAM, error))?;
    let command = |address: SocketAddr| {
        let mut command = Command::new(&program);
        command.args(["--blobHost", &address.ip().to_string()]);
        command.args(["--blobPort", &address.port().to_string()]);
        // It phones home otherwise.
        command.args(["--silent", "--disableTelemetry", "--skipApiVersionCheck"]);
        command.args(arguments);
        command.arg("--location").arg(folder.path()).current_dir(folder.path());
        command
    };
    let process = Process::start(PROGRAM, command, answers)?;
    let address = process.address();
    Ok(Azurite {
        url: format!("{scheme}://{address}/{ACCOUNT}"),
        address,
        account: ACCOUNT,
        key: KEY,
        container: BUCKET,
        _process: process,
        _folder: folder,
    })
}
