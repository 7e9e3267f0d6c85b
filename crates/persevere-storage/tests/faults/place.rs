//! Where things are stored, with a proxy on the way that makes faults.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Once, OnceLock};
use std::time::Duration;

use persevere::{RetryPolicy, RetryPolicyBuilder, Retryer};
use persevere_faults::{Exchange, FaultProxy, Plan};
pub(crate) use persevere_peers::bytes;
use persevere_peers::{Azurite, PeerError, S3Peer, Sshd, or_skip};
use persevere_storage::{
    AzureOptions, GcsAccessToken, GcsOptions, HttpOptions, Location, Progress, S3AccessKey,
    S3Options, SftpOptions, Storage, StorageBuilder, StorageError, Summary, TransferOptions,
};

use crate::server;

/// After how long without a byte a request is given up: far less than usual, and more than any request takes
/// on a busy machine.
pub(crate) const STALLED_AFTER: Duration = Duration::from_secs(2);

/// One object of one test: on a real server, behind a proxy of its own.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) peer: Peer,
    pub(crate) proxy: Arc<FaultProxy>,
    /// Through the proxy, with ten attempts shortly after each other.
    pub(crate) storage: Storage,
    /// Past the proxy.
    pub(crate) behind: Storage,
    pub(crate) key: String,
    /// The smallest part that the provider takes, or one that is small.
    pub(crate) part: u64,
    folder: Arc<tempfile::TempDir>,
}

/// A server that was started once for all tests.
#[derive(Clone, Copy)]
pub(crate) enum Peer {
    S3sFs(&'static S3Peer),
    Versitygw(&'static S3Peer),
    Azurite(&'static Azurite),
    /// Google's client against a server that speaks the protocol it has in common with S3: no emulator of
    /// Google Cloud Storage knows its XML interface.
    Gcs(&'static S3Peer),
    Sshd(&'static Sshd),
}

/// The smallest part of S3 and Google.
const MIN_PART: u64 = 5 * 1024 * 1024;

impl Peer {
    /// Whether it speaks HTTP, so that the proxy sees requests.
    pub(crate) fn is_http(self) -> bool {
        !matches!(self, Self::Sshd(_))
    }

    pub(crate) async fn place(self, test: &str) -> Place {
        let proxy = match self {
            Self::S3sFs(peer) | Self::Versitygw(peer) | Self::Gcs(peer) => {
                FaultProxy::http(peer.address, Plan::new())
            }
            Self::Azurite(peer) => FaultProxy::http(peer.address, Plan::new()),
            Self::Sshd(peer) => FaultProxy::tcp(peer.address, Plan::new()),
        }
        .unwrap();
        let folder = tempfile::tempdir().unwrap();
        let key = format!("{}/object", test.replace("::", "-"));
        let (storage, there) = self.open(&key, Some(&proxy), folder.path()).await;
        let (behind, _) = self.open(&key, None, folder.path()).await;
        let part = match self {
            Self::Azurite(_) | Self::Sshd(_) => 256 * 1024,
            _ => MIN_PART,
        };
        let (proxy, folder) = (Arc::new(proxy), Arc::new(folder));
        Place { peer: self, proxy, storage, behind, key: there, part, folder }
    }

    /// Opens a place of it, by way of the proxy if there is one.
    async fn open(self, key: &str, proxy: Option<&FaultProxy>, folder: &Path) -> (Storage, String) {
        let location = self.location(key, proxy);
        self.builder(proxy, folder).open(&location).await.unwrap()
    }

    fn location(self, key: &str, proxy: Option<&FaultProxy>) -> Location {
        let url = match self {
            Self::S3sFs(peer) | Self::Versitygw(peer) => format!("s3://{}/{key}", peer.bucket),
            Self::Azurite(peer) => format!("az://{}/{key}", peer.container),
            Self::Gcs(peer) => format!("gs://{}/{key}", peer.bucket),
            Self::Sshd(peer) => {
                let address = proxy.map_or(peer.address, FaultProxy::address);
                format!("sftp://{}@{address}{}/{key}", peer.user, peer.folder.display())
            }
        };
        url.parse().unwrap()
    }

    /// Opens places of it, by way of the proxy if there is one.
    pub(crate) fn builder(self, proxy: Option<&FaultProxy>, folder: &Path) -> StorageBuilder {
        let mut http = HttpOptions::default();
        http.stalled_after = STALLED_AFTER;
        let builder = StorageBuilder::new().http(http).retryer(retryer(|policy| policy));
        let url = |peer: &str| proxy.map_or_else(|| peer.to_owned(), FaultProxy::url);
        match self {
            Self::S3sFs(peer) | Self::Versitygw(peer) => builder.s3(s3(peer, url(&peer.url))),
            Self::Azurite(peer) => {
                let mut options = AzureOptions::default().with_key(peer.key);
                options.account = Some(peer.account.into());
                let path = format!("/{}", peer.account);
                let endpoint = url(peer.url.strip_suffix(&path).unwrap());
                options.endpoint = Some(format!("{endpoint}{path}"));
                builder.azure(options)
            }
            Self::Gcs(peer) => {
                let mut options = GcsOptions::default();
                options.endpoint = Some(url(&peer.url));
                options.access_token = Some(GcsAccessToken::new("a token"));
                builder.gcs(options)
            }
            Self::Sshd(peer) => builder.sftp(sftp(peer, proxy, folder)),
        }
    }
}

pub(crate) fn s3(peer: &S3Peer, url: String) -> S3Options {
    let mut options = S3Options::default();
    options.endpoint = Some(url);
    options.region = Some(peer.region.into());
    options.access_key = Some(S3AccessKey::new(peer.access_key, peer.secret_key));
    options
}

pub(crate) fn sftp(peer: &Sshd, proxy: Option<&FaultProxy>, folder: &Path) -> SftpOptions {
    let mut options = SftpOptions::default();
    options.config_file = Some("none".into());
    options.identity_files.push(peer.key.clone());
    options.stalled_after = STALLED_AFTER;
    // The host's key is known by its address, which is the proxy's here.
    let address = proxy.map_or(peer.address, FaultProxy::address);
    let known = fs::read_to_string(&peer.known_hosts).unwrap();
    let key = known.split_once(' ').unwrap().1;
    let known_hosts = folder.join(format!("known_hosts-{}", address.port()));
    fs::write(&known_hosts, format!("[{}]:{} {key}", address.ip(), address.port())).unwrap();
    options.known_hosts.push(known_hosts);
    options
}

/// One that is quick, and patient unless told otherwise.
pub(crate) fn retryer(change: impl FnOnce(RetryPolicyBuilder) -> RetryPolicyBuilder) -> Retryer {
    let policy = RetryPolicy::builder()
        .max_attempts(10)
        .initial_delay(Duration::from_millis(10))
        .max_delay(Duration::from_millis(200));
    Retryer::new(change(policy).build().unwrap())
}

impl Place {
    /// Another object beside this one.
    pub(crate) fn other(&self, name: &str) -> Self {
        Self { key: format!("{}-{name}", self.key), ..self.clone() }
    }

    /// Makes faults by this plan from now on.
    pub(crate) fn faults(&self, plan: Plan) {
        self.proxy.set_plan(plan).unwrap();
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A file of so many bytes, in which no two parts are the same.
    pub(crate) fn file(&self, name: &str, size: u64, seed: u64) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, bytes(size, seed)).unwrap();
        path
    }

    pub(crate) fn options(&self) -> TransferOptions {
        TransferOptions::new().part_size(self.part).concurrency(3).state_folder(self.path("jobs"))
    }

    /// Bytes of two parts and a beginning of a third.
    pub(crate) fn small(&self) -> u64 {
        2 * self.part + 17
    }

    /// Puts an object there past the proxy.
    pub(crate) async fn have(&self, size: u64, seed: u64) {
        let file = self.file("had", size, seed);
        let options = TransferOptions::new().state_folder(self.path("other jobs"));
        self.behind.upload(&file, &self.key, &options).await.unwrap();
        fs::remove_file(file).unwrap();
    }

    /// Sends a file, which has to arrive.
    pub(crate) async fn sends(&self, size: u64) -> Summary {
        let source = self.file("source", size, size);
        let sent = self.storage.upload(&source, &self.key, &self.options()).await;
        let sent = sent.unwrap_or_else(|error| panic!("{}", text(&error)));
        assert_eq!(sent.bytes, size);
        self.assert_sent().await;
        assert_sent_once(&self.proxy.exchanges());
        sent
    }

    /// What is there is the file `source`, and nothing else is left.
    pub(crate) async fn assert_sent(&self) {
        let target = self.path("seen");
        let options = TransferOptions::new().state_folder(self.path("other jobs"));
        self.behind.download(&self.key, &target, &options).await.unwrap();
        assert!(fs::read(self.path("source")).unwrap() == fs::read(&target).unwrap(), "differs");
        fs::remove_file(target).unwrap();
        self.assert_tidy();
    }

    /// Fetches an object of so many bytes, which has to arrive.
    pub(crate) async fn fetches(&self, size: u64) -> Summary {
        self.have(size, size).await;
        let target = self.path("target");
        let fetched = self.storage.download(&self.key, &target, &self.options()).await;
        let fetched = fetched.unwrap_or_else(|error| panic!("{}", text(&error)));
        self.assert_fetched(&bytes(size, size));
        fetched
    }

    pub(crate) fn assert_fetched(&self, expected: &[u8]) {
        assert!(fs::read(self.path("target")).unwrap() == expected, "differs");
        self.assert_tidy();
    }

    /// No unfinished upload, no part of a file, and no journal.
    pub(crate) fn assert_tidy(&self) {
        let left = server::unfinished(self.peer, &self.key, &self.upload_ids());
        assert!(left.is_empty(), "an unfinished upload is left: {left:?}");
        let names = fs::read_dir(self.folder.path()).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let parts: Vec<_> = names.filter(|name| name.contains(".part")).collect();
        assert!(parts.is_empty(), "a part of a file is left: {parts:?}");
        assert_eq!(self.journals(), 0, "a journal is left");
    }

    pub(crate) fn journals(&self) -> usize {
        fs::read_dir(self.path("jobs")).map_or(0, Iterator::count)
    }

    /// The uploads that requests were about.
    pub(crate) fn upload_ids(&self) -> HashSet<String> {
        upload_ids(&self.proxy.exchanges())
    }
}

/// The uploads that these were about.
pub(crate) fn upload_ids(exchanges: &[Exchange]) -> HashSet<String> {
    exchanges.iter().filter_map(|it| parameter(it, "uploadId")).map(str::to_owned).collect()
}

fn parameter<'a>(exchange: &'a Exchange, name: &str) -> Option<&'a str> {
    let query = exchange.target.split_once('?')?.1;
    query.split('&').find_map(|it| it.strip_prefix(name)?.strip_prefix('='))
}

/// A part whose answer came back is not sent again.
pub(crate) fn assert_sent_once(exchanges: &[Exchange]) {
    let is_part = |it: &&Exchange| {
        it.method == "PUT"
            && (parameter(it, "partNumber").is_some() || parameter(it, "blockid").is_some())
    };
    let mut answered: HashMap<&str, &Exchange> = HashMap::new();
    for exchange in exchanges.iter().filter(is_part) {
        if let Some(first) = answered.get(exchange.target.as_str()) {
            panic!("sent again: {exchange:?}, after {first:?}");
        }
        let succeeded = exchange.status.is_some_and(|status| status < 300);
        if succeeded && exchange.complete && exchange.fault.is_none() {
            answered.insert(&exchange.target, exchange);
        }
    }
}

/// An error and its causes.
pub(crate) fn text(error: &StorageError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// Does something once, when so many bytes are confirmed.
pub(crate) fn when_confirmed(
    bytes: u64,
    act: impl Fn() + Send + Sync + 'static,
) -> impl Fn(&Progress) + Send + Sync + 'static {
    let done = Once::new();
    move |progress| {
        if progress.confirmed() >= bytes {
            done.call_once(&act);
        }
    }
}

/// Waits for something in the midst of a callback.
pub(crate) fn wait_for<T>(work: impl Future<Output = T>) -> T {
    tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(work))
}

fn shared<T: 'static>(
    test: &str,
    peer: &'static OnceLock<Result<T, PeerError>>,
    start: fn() -> Result<T, PeerError>,
) -> Option<&'static T> {
    or_skip(test, peer.get_or_init(start).as_ref().map_err(Clone::clone))
}

type SharedS3 = OnceLock<Result<S3Peer, PeerError>>;

pub(crate) fn s3s_fs(test: &str) -> Option<Peer> {
    static PEER: SharedS3 = OnceLock::new();
    shared(test, &PEER, persevere_peers::s3s_fs).map(Peer::S3sFs)
}

pub(crate) fn versitygw(test: &str) -> Option<Peer> {
    static PEER: SharedS3 = OnceLock::new();
    shared(test, &PEER, persevere_peers::versitygw).map(Peer::Versitygw)
}

pub(crate) fn azurite(test: &str) -> Option<Peer> {
    static PEER: OnceLock<Result<Azurite, PeerError>> = OnceLock::new();
    shared(test, &PEER, persevere_peers::azurite).map(Peer::Azurite)
}

pub(crate) fn gcs(test: &str) -> Option<Peer> {
    static PEER: SharedS3 = OnceLock::new();
    shared(test, &PEER, persevere_peers::moto).map(Peer::Gcs)
}

pub(crate) fn sshd(test: &str) -> Option<Peer> {
    static PEER: OnceLock<Result<Sshd, PeerError>> = OnceLock::new();
    shared(test, &PEER, persevere_peers::sshd).map(Peer::Sshd)
}
