//! What the demo needs: a folder, a file, a server, a proxy before it, and a network that can be switched off.

use std::fs::{self, File};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use persevere::{RetryPolicy, Retryer};
use persevere_faults::{FaultProxy, Plan, S3Server};
use persevere_network::Monitor;
use persevere_storage::{HttpOptions, S3AccessKey, S3Options, StorageBuilder};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::error::{CliError, reason};
use crate::storage::session::Session;

pub(super) const BUCKET: &str = "demo";
pub(super) const ACCESS_KEY: &str = "demo";

/// A request on which nothing moves for so long is given up; 60 s elsewhere.
pub(super) const STALLED_AFTER: Duration = Duration::from_secs(2);

/// More attempts and shorter waits than elsewhere, so that much can happen in a short time.
pub(super) const ATTEMPTS: u32 = 10;
pub(super) const INITIAL_DELAY: Duration = Duration::from_millis(250);
pub(super) const MAX_DELAY: Duration = Duration::from_secs(5);

const MIB: u64 = 1 << 20;
/// The smallest part that S3 takes, <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>.
const SMALLEST_PART: u64 = 5 * MIB;
const LARGEST_PART: u64 = 64 * MIB;
/// As many as can be told apart in the picture.
const PARTS: u64 = 13;
const MADE: u64 = 64 * MIB;
/// The slow line takes a file in about so many seconds one way, but a small one faster.
const SECONDS: u64 = 3;
const SLOWEST: u64 = 4 * MIB;

pub(super) struct Stage {
    folder: Folder,
    secret_key: String,
    /// Dropped with the rest, which ends it.
    _server: S3Server,
    pub(super) proxy: Arc<FaultProxy>,
    /// The time that the proxy counts from.
    pub(super) started: Instant,
    pub(super) monitor: Arc<Monitor>,
    pub(super) file: PathBuf,
    pub(super) name: String,
    pub(super) size: u64,
    pub(super) part_size: u64,
    /// How many parts are under way at once.
    pub(super) concurrency: u64,
    /// Bytes a second of one connection.
    pub(super) pace: u64,
    pub(super) seed: u64,
}

enum Folder {
    Temporary(TempDir),
    Kept(PathBuf),
}

impl Stage {
    pub(super) fn set_up(
        file: Option<&Path>,
        keep: Option<&Path>,
        seed: u64,
    ) -> Result<Self, CliError> {
        let given = file.map(given_file).transpose()?;
        let folder = Folder::new(keep)?;
        let path = folder.path();
        let cannot = |what: &str, error: &io::Error| {
            CliError::failed(format!("cannot {what} in {}: {}", path.display(), reason(error)))
        };
        for name in ["server", "received"] {
            fs::create_dir(path.join(name)).map_err(|error| cannot("make a folder", &error))?;
        }
        let file = match given {
            Some(file) => file,
            None => make_file(path, seed).map_err(|error| cannot("make a file", &error))?,
        };
        let size = fs::metadata(&file).map_err(|error| cannot("read the file", &error))?.len();
        let name = file.file_name().and_then(|name| name.to_str()).unwrap_or("file").to_owned();
        let secret_key = random_key();
        let loopback = |error: io::Error| {
            CliError::failed(format!("cannot start a server on loopback: {}", reason(&error)))
        };
        let server = S3Server::start(path.join("server"), ACCESS_KEY, &secret_key);
        let server = server.map_err(loopback)?;
        server.create_bucket(BUCKET).map_err(|error| cannot("make a bucket", &error))?;
        let part_size = size.div_ceil(PARTS).next_multiple_of(MIB);
        let part_size = part_size.clamp(SMALLEST_PART, LARGEST_PART).max(size / 9_000);
        // So few that parts end one after the other, and there is a middle to be killed in.
        let concurrency = (size.div_ceil(part_size) / 3).clamp(1, 4);
        let pace = (size.div_ceil(SECONDS) / concurrency).max(SLOWEST);
        let started = Instant::now();
        let proxy = FaultProxy::http(server.address(), Plan::new().pace(pace));
        let proxy = Arc::new(proxy.map_err(loopback)?);
        Ok(Self {
            secret_key,
            _server: server,
            proxy,
            started,
            monitor: Arc::new(Monitor::new()),
            file,
            name,
            size,
            part_size,
            concurrency,
            pace,
            seed,
            folder,
        })
    }

    /// What copies in this process.
    pub(super) fn session(&self) -> Result<Session, CliError> {
        let mut http = HttpOptions::default();
        http.stalled_after = STALLED_AFTER;
        http.proxies = false;
        let mut s3 = S3Options::default();
        s3.endpoint = Some(self.proxy.url());
        s3.region = Some("us-east-1".to_owned());
        s3.access_key = Some(S3AccessKey::new(ACCESS_KEY, &self.secret_key));
        let builder = StorageBuilder::new().http(http).s3(s3);
        let builder = builder.network_monitor(Arc::clone(&self.monitor));
        let policy = RetryPolicy::builder()
            .max_attempts(ATTEMPTS)
            .initial_delay(INITIAL_DELAY)
            .max_delay(MAX_DELAY)
            .wait_for_network(true)
            .build()
            .map_err(|error| CliError::failed(error.to_string()))?;
        let retryer = Retryer::new(policy).seed(self.seed);
        let session = Session::with(builder, retryer, (None, None))?;
        Ok(session.state_folder(self.journals()))
    }

    pub(super) fn secret_key(&self) -> &str {
        &self.secret_key
    }

    /// Where unfinished transfers are remembered, as the environment would say it.
    pub(super) fn state_folder(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    pub(super) fn journals(&self) -> PathBuf {
        self.state_folder().join("jobs")
    }

    pub(super) fn url(&self) -> String {
        format!("s3://{BUCKET}/{}", self.name)
    }

    /// Where the file comes back to.
    pub(super) fn received(&self) -> PathBuf {
        self.folder.path().join("received").join(&self.name)
    }

    pub(super) fn parts(&self) -> u64 {
        self.size.div_ceil(self.part_size).max(1)
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Leaves of a folder that is kept only what is worth it.
    pub(super) fn clear_away(&self) {
        if let Folder::Kept(path) = &self.folder {
            for name in ["server", "state"] {
                let _stays = fs::remove_dir_all(path.join(name));
            }
        }
    }
}

impl Folder {
    fn new(keep: Option<&Path>) -> Result<Self, CliError> {
        let Some(path) = keep else {
            let made = tempfile::Builder::new().prefix("persevere-demo-").tempdir();
            return made.map(Self::Temporary).map_err(|error| {
                CliError::failed(format!("cannot make a temporary folder: {}", reason(&error)))
            });
        };
        let refuse = |why: &str| {
            CliError::usage(format!(
                "--keep is '{}', but must be a new or empty folder: {why}",
                path.display()
            ))
        };
        fs::create_dir_all(path).map_err(|error| refuse(&reason(&error)))?;
        let mut entries = fs::read_dir(path).map_err(|error| refuse(&reason(&error)))?;
        match entries.next() {
            Some(_) => Err(refuse("there is something in it")),
            None => fs::canonicalize(path).map(Self::Kept).map_err(|error| refuse(&reason(&error))),
        }
    }

    fn path(&self) -> &Path {
        match self {
            Self::Temporary(folder) => folder.path(),
            Self::Kept(path) => path,
        }
    }
}

/// By the one name that both processes will know it by.
fn given_file(path: &Path) -> Result<PathBuf, CliError> {
    let refuse = |why: &str| {
        CliError::usage(format!(
            "--file is '{}', but must be a file that can be read: {why}",
            path.display()
        ))
    };
    let file = fs::canonicalize(path).map_err(|error| refuse(&reason(&error)))?;
    let opened = File::open(&file).and_then(|it| it.metadata());
    match opened {
        Ok(metadata) if metadata.is_file() => {}
        Ok(_) => return Err(refuse("it is no regular file")),
        Err(error) => return Err(refuse(&reason(&error))),
    }
    match file.to_str() {
        Some(_) => Ok(file),
        None => Err(refuse("its name is not UTF-8")),
    }
}

/// Bytes that no compression could shorten, the same for the same seed.
fn make_file(folder: &Path, seed: u64) -> io::Result<PathBuf> {
    let folder = folder.join("sent");
    fs::create_dir(&folder)?;
    let path = folder.join("disk.img");
    let mut file = BufWriter::with_capacity(1 << 16, File::create(&path)?);
    for index in 0..MADE / 8 {
        file.write_all(&mixed(seed, index).to_le_bytes())?;
    }
    file.flush()?;
    Ok(path)
}

/// SplitMix64: number `index` of the sequence of this seed, <https://prng.di.unimi.it/splitmix64.c>.
pub(super) fn mixed(seed: u64, index: u64) -> u64 {
    let mut number = seed.wrapping_add((index.wrapping_add(1)).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// For this run alone: others on this machine can reach loopback too.
fn random_key() -> String {
    // The keys of a `RandomState` come from the system's random numbers.
    let random = || RandomState::new().hash_one(std::process::id());
    format!("{:016x}{:016x}", random(), random())
}

/// As `sha256sum` prints it.
pub(super) fn sha256(path: &Path) -> Result<String, CliError> {
    let hash = || {
        let (mut file, mut hash) = (File::open(path)?, Sha256::new());
        let mut buffer = vec![0; 1 << 20];
        loop {
            match file.read(&mut buffer)? {
                0 => break,
                read => hash.update(&buffer[..read]),
            }
        }
        Ok::<_, io::Error>(hash.finalize())
    };
    let digest = hash().map_err(|error| {
        CliError::failed(format!("cannot read {}: {}", path.display(), reason(&error)))
    })?;
    Ok(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}
