//! Where things are stored.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use persevere::{RetryPolicy, Retryer};
pub(crate) use persevere_peers::bytes;
use persevere_peers::{PeerError, S3Peer, or_skip};
use persevere_storage::{
    AzureOptions, GcsAccessToken, GcsOptions, S3AccessKey, S3Options, SftpOptions, Storage,
    StorageBuilder, TransferOptions,
};

/// A place to store things in, and a folder of this machine.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) builder: StorageBuilder,
    /// A URL that keys are put behind, with `/` at its end.
    pub(crate) url: String,
    /// The smallest part that the provider takes.
    pub(crate) part: u64,
    server: &'static str,
    folder: Arc<tempfile::TempDir>,
}

impl Place {
    fn new(
        server: &'static str,
        builder: StorageBuilder,
        url: impl Into<String>,
        part: u64,
    ) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let policy =
            RetryPolicy::builder().initial_delay(Duration::from_millis(10)).build().unwrap();
        let builder = builder.retryer(Retryer::new(policy));
        Self { builder, url: url.into(), part, server, folder }
    }

    /// A part of it that no other test uses.
    pub(crate) fn for_test(mut self, test: &str) -> Self {
        self.url.push_str(&test.replace("::", "-"));
        self.url.push('/');
        self
    }

    /// Whether it is this server, which cannot show what real ones do.
    pub(crate) fn is(&self, server: &str) -> bool {
        self.server == server
    }

    pub(crate) async fn open(&self, key: &str) -> (Storage, String) {
        let location = format!("{}{key}", self.url).parse().unwrap();
        self.builder.open(&location).await.unwrap()
    }

    /// Makes an object an hour older, where its age decides whether it is trusted.
    pub(crate) fn age(&self, key: &str) {
        if self.is("sftp") {
            let hour = Duration::from_secs(3600);
            let file = fs::File::options().write(true).open(key).unwrap();
            file.set_modified(std::time::SystemTime::now() - hour).unwrap();
        }
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

    pub(crate) fn journals(&self) -> usize {
        fs::read_dir(self.path("jobs")).map_or(0, Iterator::count)
    }
}

/// A peer that is started once for all tests.
fn shared<T: 'static>(
    test: &str,
    peer: &'static OnceLock<Result<T, PeerError>>,
    start: fn() -> Result<T, PeerError>,
) -> Option<&'static T> {
    or_skip(test, peer.get_or_init(start).as_ref().map_err(Clone::clone))
}

pub(crate) fn local(_: &str) -> Option<Place> {
    let place = Place::new("local", StorageBuilder::new(), "", 256 * 1024);
    let url = format!("{}/", place.folder.path().display());
    Some(Place { url, ..place })
}

pub(crate) fn azurite(test: &str) -> Option<Place> {
    static PEER: OnceLock<Result<persevere_peers::Azurite, PeerError>> = OnceLock::new();
    let peer = shared(test, &PEER, persevere_peers::azurite)?;
    let mut options = AzureOptions::default().with_key(peer.key);
    options.account = Some(peer.account.into());
    options.endpoint = Some(peer.url.clone());
    let builder = StorageBuilder::new().azure(options);
    Some(Place::new("azurite", builder, format!("az://{}/", peer.container), 256 * 1024))
}

type SharedS3 = OnceLock<Result<S3Peer, PeerError>>;

/// The smallest part of S3.
const MIN_PART: u64 = 5 * 1024 * 1024;

fn s3(server: &'static str, peer: &S3Peer) -> Place {
    let mut options = S3Options::default();
    options.endpoint = Some(peer.url.clone());
    options.region = Some(peer.region.into());
    options.access_key = Some(S3AccessKey::new(peer.access_key, peer.secret_key));
    let builder = StorageBuilder::new().s3(options);
    Place::new(server, builder, format!("s3://{}/", peer.bucket), MIN_PART)
}

pub(crate) fn s3s_fs(test: &str) -> Option<Place> {
    static PEER: SharedS3 = OnceLock::new();
    shared(test, &PEER, persevere_peers::s3s_fs).map(|peer| s3("s3s_fs", peer))
}

pub(crate) fn moto(test: &str) -> Option<Place> {
    static PEER: SharedS3 = OnceLock::new();
    shared(test, &PEER, persevere_peers::moto).map(|peer| s3("moto", peer))
}

pub(crate) fn versitygw(test: &str) -> Option<Place> {
    static PEER: SharedS3 = OnceLock::new();
    shared(test, &PEER, persevere_peers::versitygw).map(|peer| s3("versitygw", peer))
}

/// Google's client against a server that speaks the protocol it has in common with S3: no emulator of
/// Google Cloud Storage knows its XML interface.
pub(crate) fn gcs(test: &str) -> Option<Place> {
    static PEER: SharedS3 = OnceLock::new();
    let peer = shared(test, &PEER, persevere_peers::moto)?;
    let mut options = GcsOptions::default();
    options.endpoint = Some(peer.url.clone());
    options.access_token = Some(GcsAccessToken::new("a token"));
    let builder = StorageBuilder::new().gcs(options);
    Some(Place::new("gcs", builder, format!("gs://{}/", peer.bucket), MIN_PART))
}

pub(crate) fn sftp(test: &str) -> Option<Place> {
    static PEER: OnceLock<Result<persevere_peers::Sshd, PeerError>> = OnceLock::new();
    let peer = shared(test, &PEER, persevere_peers::sshd)?;
    let mut options = SftpOptions::default();
    options.identity_files = vec![peer.key.clone()];
    options.known_hosts = vec![peer.known_hosts.clone()];
    let builder = StorageBuilder::new().sftp(options);
    let folder = peer.folder.display();
    let url = format!("sftp://{}@{}{folder}/", peer.user, peer.address);
    Some(Place::new("sftp", builder, url, 256 * 1024))
}
