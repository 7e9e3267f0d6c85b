//! Where things are stored: a real server, and a proxy before it that makes the faults.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use persevere_faults::{FaultProxy, Plan, Request};
use persevere_peers::{Azurite, PeerError, S3Peer, Sshd, or_skip};

/// A server, seen through a proxy of the test's own.
pub(crate) struct Place {
    pub(crate) proxy: FaultProxy,
    /// What keys are put behind.
    pub(crate) url: String,
    /// The size of parts: the smallest that the provider takes.
    pub(crate) part: u64,
    pub(crate) protocol: Protocol,
    /// How the program finds the server, and logs in.
    pub(crate) environment: Vec<(&'static str, String)>,
    peer: Peer,
    /// For `known_hosts`.
    _folder: Option<tempfile::TempDir>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// S3's, which is also Google's XML interface.
    S3,
    Azure,
    Sftp,
}

enum Peer {
    S3(Box<S3Peer>),
    /// It knows neither signatures nor folders, and tells everybody what is there.
    Moto(&'static S3Peer),
    Azurite,
    Sshd(&'static Sshd),
}

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asks {
    Begin,
    /// To send part n, counted from 1.
    Send(u64),
    Complete,
    /// To read from this byte on.
    Read(u64),
    Stat,
    Other,
}

impl Protocol {
    pub(crate) fn asks(self, request: &Request) -> Asks {
        let (method, target) = (request.method(), request.target());
        let range = request.header("range").or_else(|| request.header("x-ms-range"));
        let query = target.split_once('?').map_or("", |(_, query)| query);
        let parameter =
            |name: &str| query.split('&').find_map(|it| it.strip_prefix(name)?.strip_prefix('='));
        let first = range.and_then(|it| it.strip_prefix("bytes=")?.split('-').next()?.parse().ok());
        match (self, method) {
            (_, "HEAD") => Asks::Stat,
            (_, "GET") => first.map_or(Asks::Other, Asks::Read),
            (Self::S3, "POST") if parameter("uploadId").is_some() => Asks::Complete,
            (Self::S3, "POST") if query.starts_with("uploads") => Asks::Begin,
            (Self::S3, "PUT") => match parameter("partNumber") {
                Some(number) => Asks::Send(number.parse().unwrap()),
                None => Asks::Other,
            },
            (Self::Azure, "PUT") => match (parameter("comp"), parameter("blockid")) {
                (Some("blocklist"), _) => Asks::Complete,
                (_, Some(id)) => Asks::Send(number_of_block(id)),
                _ => Asks::Other,
            },
            _ => Asks::Other,
        }
    }
}

/// Our block ids end with five digits.
fn number_of_block(id: &str) -> u64 {
    let id = id.replace("%3D", "=").replace("%2B", "+").replace("%2F", "/");
    let id = STANDARD.decode(id).unwrap();
    std::str::from_utf8(&id[id.len() - 5..]).unwrap().parse().unwrap()
}

/// The smallest part of S3.
const S3_PART: u64 = 5 * 1024 * 1024;
const SMALL_PART: u64 = 256 * 1024;

impl Place {
    fn http(
        peer: Peer,
        address: SocketAddr,
        (protocol, part): (Protocol, u64),
        url: String,
        environment: impl FnOnce(&str) -> Vec<(&'static str, String)>,
    ) -> Self {
        let proxy = FaultProxy::http(address, Plan::new()).unwrap();
        let environment = environment(&proxy.url());
        Self { proxy, url, part, protocol, environment, peer, _folder: None }
    }

    /// What the server still holds of uploads of this test that nobody has completed.
    pub(crate) fn unfinished(&self, key: &str) -> Vec<String> {
        match &self.peer {
            Peer::S3(peer) => {
                let buckets = peer.folder.as_deref().unwrap();
                // s3s-fs keeps them in files in the root, versitygw in folders of the bucket.
                let is_unfinished = |path: &String| {
                    path.contains(".upload") || path.split_once("/multipart/").is_some()
                };
                files(buckets).into_iter().filter(is_unfinished).collect()
            }
            Peer::Moto(peer) => {
                let list = get(peer.address, &format!("/{}?uploads", peer.bucket));
                let keys = list.split("<Key>").skip(1).map(|rest| rest.split('<').next().unwrap());
                keys.filter(|it| *it == key).map(str::to_owned).collect()
            }
            // Blocks that are not in the list of a blob are gone once it is committed.
            Peer::Azurite => Vec::new(),
            Peer::Sshd(peer) => {
                let parts = files(&peer.folder).into_iter();
                parts.filter(|it| it.starts_with(key) && it.contains(".part")).collect()
            }
        }
    }

    /// Makes an object old: SFTP tells its time in whole seconds, so that a new one could change unseen, of which nothing
    /// is taken up.
    pub(crate) fn age(&self, key: &str) {
        let Peer::Sshd(peer) = &self.peer else { return };
        let file = fs::File::options().write(true).open(peer.folder.join(key)).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(3600)).unwrap();
    }

    /// A private key under the passphrase `correct horse`.
    pub(crate) fn encrypted_key(&self) -> String {
        let Peer::Sshd(peer) = &self.peer else { panic!("only SSH has keys") };
        peer.encrypted_key.display().to_string()
    }

    /// The program, which reaches the server through the proxy.
    pub(crate) fn environ(&self, command: &mut std::process::Command) {
        for (name, value) in &self.environment {
            command.env(name, value);
        }
    }
}

/// All files and folders below a folder, by their paths from there.
pub(crate) fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        // Other tests remove what is theirs meanwhile.
        for child in fs::read_dir(next).into_iter().flatten().flatten() {
            let path = child.path();
            found.push(path.strip_prefix(folder).unwrap().display().to_string());
            if path.is_dir() {
                folders.push(path);
            }
        }
    }
    found
}

/// Asks a server that lets in anybody.
fn get(address: SocketAddr, target: &str) -> String {
    let mut connection = TcpStream::connect(address).unwrap();
    write!(connection, "GET {target} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    answer
}

type Shared<T> = OnceLock<Result<T, PeerError>>;

/// A peer that is started once for all tests.
fn shared<T: 'static>(
    test: &str,
    peer: &'static Shared<T>,
    start: fn() -> Result<T, PeerError>,
) -> Option<&'static T> {
    or_skip(test, peer.get_or_init(start).as_ref().map_err(Clone::clone))
}

/// One for each test: what is left there is of this test.
fn s3(test: &str, peer: Result<S3Peer, PeerError>) -> Option<Place> {
    let peer = or_skip(test, peer)?;
    let (address, url) = (peer.address, format!("s3://{}/", peer.bucket));
    let (region, key, secret) = (peer.region, peer.access_key, peer.secret_key);
    let kind = (Protocol::S3, S3_PART);
    let place = Place::http(Peer::S3(peer.into()), address, kind, url, |endpoint| {
        vec![
            ("AWS_ENDPOINT_URL", endpoint.to_owned()),
            ("AWS_REGION", region.to_owned()),
            ("AWS_ACCESS_KEY_ID", key.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", secret.to_owned()),
        ]
    });
    Some(place)
}

pub(crate) fn versitygw(test: &str) -> Option<Place> {
    s3(test, persevere_peers::versitygw())
}

pub(crate) fn s3s_fs(test: &str) -> Option<Place> {
    s3(test, persevere_peers::s3s_fs())
}

/// Google's client against a server that speaks the protocol it has in common with S3: no emulator of Google Cloud
/// Storage knows its XML interface.
pub(crate) fn gcs(test: &str) -> Option<Place> {
    static PEER: Shared<S3Peer> = OnceLock::new();
    let peer = shared(test, &PEER, persevere_peers::moto)?;
    let url = format!("gs://{}/", peer.bucket);
    let place =
        Place::http(Peer::Moto(peer), peer.address, (Protocol::S3, S3_PART), url, |endpoint| {
            vec![
                ("STORAGE_EMULATOR_HOST", endpoint.to_owned()),
                ("GOOGLE_OAUTH_ACCESS_TOKEN", "ya29.a-token".to_owned()),
            ]
        });
    Some(place)
}

pub(crate) fn azurite(test: &str) -> Option<Place> {
    static PEER: Shared<Azurite> = OnceLock::new();
    let peer = shared(test, &PEER, persevere_peers::azurite)?;
    let url = format!("az://{}/", peer.container);
    let kind = (Protocol::Azure, SMALL_PART);
    let place = Place::http(Peer::Azurite, peer.address, kind, url, |endpoint| {
        vec![
            ("AZURE_STORAGE_ENDPOINT", format!("{endpoint}/{}", peer.account)),
            ("AZURE_STORAGE_ACCOUNT", peer.account.to_owned()),
            ("AZURE_STORAGE_KEY", peer.key.to_owned()),
        ]
    });
    Some(place)
}

pub(crate) fn sshd(test: &str) -> Option<Place> {
    static PEER: Shared<Sshd> = OnceLock::new();
    let peer = shared(test, &PEER, persevere_peers::sshd)?;
    let proxy = FaultProxy::tcp(peer.address, Plan::new()).unwrap();
    let port = proxy.address().port();
    let url = format!("sftp://{}@127.0.0.1:{port}{}/", peer.user, peer.folder.display());
    // A host is known by its port too, and the proxy has one of its own.
    let folder = tempfile::tempdir().unwrap();
    let known = fs::read_to_string(&peer.known_hosts).unwrap();
    let known_hosts = folder.path().join("known_hosts");
    let key = known.split_once(' ').unwrap().1;
    fs::write(&known_hosts, format!("[127.0.0.1]:{port} {key}")).unwrap();
    let environment = vec![
        ("PERSEVERE_IDENTITY", peer.key.display().to_string()),
        ("PERSEVERE_KNOWN_HOSTS", known_hosts.display().to_string()),
    ];
    let (part, protocol, peer) = (SMALL_PART, Protocol::Sftp, Peer::Sshd(peer));
    Some(Place { proxy, url, part, protocol, environment, peer, _folder: Some(folder) })
}
