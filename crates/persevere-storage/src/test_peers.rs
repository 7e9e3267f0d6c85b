//! Servers for tests: real ones, and one of our own that answers by the byte.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hyper_util::rt::TokioIo;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A running server with the bucket `bucket`. It ends when this is dropped.
pub(crate) struct Peer {
    pub(crate) url: String,
    pub(crate) access_key: &'static str,
    pub(crate) secret_key: &'static str,
    pub(crate) bucket: &'static str,
    process: Option<Child>,
    _folder: TempDir,
}

impl Drop for Peer {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

const ACCESS_KEY: &str = "persevere-access";
const SECRET_KEY: &str = "persevere-secret";
const BUCKET: &str = "test";

/// What is missing is told to a user, and is a failure in CI.
pub(crate) fn or_skip(test: &str, peer: Result<Peer, String>) -> Option<Peer> {
    match peer {
        Ok(peer) => Some(peer),
        Err(why) if std::env::var_os("CI").is_some_and(|it| it == "true") => {
            panic!("{test}: {why}")
        }
        Err(why) => {
            eprintln!("SKIPPED {test}: {why}");
            None
        }
    }
}

/// s3s-fs, in this process.
pub(crate) async fn s3s_fs() -> Peer {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join(BUCKET)).unwrap();
    let mut builder = S3ServiceBuilder::new(s3s_fs::FileSystem::new(folder.path()).unwrap());
    builder.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
    let service = builder.build();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let server = hyper::server::conn::http1::Builder::new();
            tokio::spawn(server.serve_connection(TokioIo::new(stream), service.clone()));
        }
    });
    Peer {
        url,
        access_key: ACCESS_KEY,
        secret_key: SECRET_KEY,
        bucket: BUCKET,
        process: None,
        _folder: folder,
    }
}

/// moto's server, which checks no signatures.
pub(crate) fn moto() -> Result<Peer, String> {
    let peer = started("moto_server", |command, address, _| {
        command.args(["-H", "127.0.0.1", "-p", &address.port().to_string()]);
    })?;
    request(&peer.url, &format!("PUT /{BUCKET} HTTP/1.0\r\nhost: localhost\r\n\r\n"));
    Ok(peer)
}

/// versitygw, over a folder.
pub(crate) fn versitygw() -> Result<Peer, String> {
    started("versitygw", |command, address, folder| {
        let (buckets, attributes) = (folder.join("buckets"), folder.join("attributes"));
        std::fs::create_dir_all(buckets.join(BUCKET)).unwrap();
        std::fs::create_dir_all(&attributes).unwrap();
        command.args(["--port", &address.to_string(), "--quiet", "--keep-alive"]);
        command.args(["--access", ACCESS_KEY, "--secret", SECRET_KEY]);
        command.arg("posix").arg("--sidecar").arg(attributes).arg(buckets);
    })
}

/// fake-gcs-server, which checks no tokens.
pub(crate) fn fake_gcs() -> Result<Peer, String> {
    let peer = started("fake-gcs-server", |command, address, _| {
        command.args(["-scheme", "http", "-backend", "memory", "-log-level", "warn"]);
        command.args(["-host", "127.0.0.1", "-port", &address.port().to_string()]);
        command.args(["-public-host", "127.0.0.1"]);
    })?;
    let body = format!("{{\"name\":\"{BUCKET}\"}}");
    let head = "POST /storage/v1/b?project=test HTTP/1.0\r\ncontent-type: application/json\r\n";
    request(&peer.url, &format!("{head}content-length: {}\r\n\r\n{body}", body.len()));
    Ok(peer)
}

fn started(
    program: &'static str,
    set: impl Fn(&mut Command, SocketAddr, PathBuf),
) -> Result<Peer, String> {
    let folder = tempfile::tempdir().unwrap();
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let path = persevere_peers::program(program).map_err(|error| error.to_string())?;
    let mut command = Command::new(path);
    command.current_dir(folder.path()).stdin(Stdio::null());
    command.stdout(Stdio::null()).stderr(Stdio::null());
    set(&mut command, address, folder.path().to_owned());
    let process = command.spawn().map_err(|error| format!("{program}: {error}"))?;
    let peer = Peer {
        url: format!("http://{address}"),
        access_key: ACCESS_KEY,
        secret_key: SECRET_KEY,
        bucket: BUCKET,
        process: Some(process),
        _folder: folder,
    };
    for _ in 0..300 {
        if std::net::TcpStream::connect(address).is_ok() {
            return Ok(peer);
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    Err(format!("{program} does not answer"))
}

/// Sends what no store of ours sends.
pub(crate) fn request(url: &str, text: &str) {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(url.trim_start_matches("http://")).unwrap();
    stream.write_all(text.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.lines().next().unwrap().contains(" 200"), "{answer}");
}

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    /// `GET /path?query`
    pub(crate) line: String,
    /// In small letters.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(it, _)| it == name).map(|(_, value)| value.as_str())
    }
}

/// What to do after a request.
pub(crate) enum Reply {
    /// These bytes, and the connection goes on.
    Bytes(Vec<u8>),
    /// These bytes, and then nothing more; the connection stays.
    Stall(Vec<u8>),
    /// These bytes, and the connection ends.
    Close(Vec<u8>),
}

/// A whole answer.
pub(crate) fn reply(status: u16, headers: &[(&str, &str)], body: &str) -> Reply {
    let mut text = format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    Reply::Bytes(format!("{text}\r\n{body}").into_bytes())
}

/// Answers by the byte.
pub(crate) struct Script {
    pub(crate) url: String,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Script {
    pub(crate) async fn start(
        answer: impl Fn(&Received, usize) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let received = Arc::new(Mutex::new(Vec::new()));
        let (log, answer) = (received.clone(), Arc::new(answer));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, log.clone(), answer.clone()));
            }
        });
        Self { url, received }
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }
}

async fn serve(
    mut stream: TcpStream,
    log: Arc<Mutex<Vec<Received>>>,
    answer: Arc<impl Fn(&Received, usize) -> Reply>,
) {
    while let Some(request) = receive(&mut stream).await {
        let index = {
            let mut log = log.lock().unwrap();
            log.push(request.clone());
            log.len() - 1
        };
        let (bytes, goes_on) = match answer(&request, index) {
            Reply::Bytes(bytes) => (bytes, Some(true)),
            Reply::Stall(bytes) => (bytes, None),
            Reply::Close(bytes) => (bytes, Some(false)),
        };
        if stream.write_all(&bytes).await.is_err() || goes_on == Some(false) {
            return;
        }
        if goes_on.is_none() {
            std::future::pending::<()>().await;
        }
    }
}

async fn receive(stream: &mut TcpStream) -> Option<Received> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|it| it == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.lines();
    let line = lines.next()?.trim_end_matches(" HTTP/1.1").to_owned();
    let headers: Vec<_> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let request = Received { line, headers, body: Vec::new() };
    let length = request.header("content-length").map_or(0, |it| it.parse().unwrap());
    let mut body = bytes.split_off(end);
    while body.len() < length {
        if stream.read_buf(&mut body).await.ok()? == 0 {
            return None;
        }
    }
    Some(Received { body, ..request })
}
