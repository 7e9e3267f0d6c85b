//! One connection: made, watched, and cut when it is of no more use.

use std::borrow::Cow;
use std::collections::HashMap;
use std::future::Future;
use std::net::Shutdown;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use russh::client::{self, DisconnectReason, Handle};
use russh::keys::{Algorithm, EcdsaCurve, HashAlg, PublicKeyOrCertificate};
use russh::{ChannelMsg, Preferred, cipher};
use russh_sftp::client::error::Error as SftpError;
use russh_sftp::client::{Config as SessionConfig, RawSftpSession};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout, timeout_at};

use super::config::Target;
use super::failure::{Ended, Lost, transport};
use super::host_key::KnownKeys;
use super::login::{Login, Secrets};
use super::options::SftpOptions;
use super::pulse::{Pulse, Watched};
use crate::error::StorageError;

/// What is read or written by one request, where the server does not say less. OpenSSH takes packets
/// of 256 KiB, and 1 KiB is for what is around the data (`sftp-common.h`, `sftp-server.c`).
const LARGEST_REQUEST: u64 = 255 * 1024;

/// The same for servers that do not say it (draft-ietf-secsh-filexfer-02 section 3: 34,000 bytes).
const SAFE_REQUEST: u64 = 32 * 1024;

/// Open files at once. OpenSSH numbers them in four bytes, which the library takes for text: from 128
/// on they are none.
const HANDLES: usize = 100;

/// How much the server may send before it must wait for us: enough for 1 Gbit/s over 250 ms.
const RECEIVE_WINDOW: u32 = 32 * 1024 * 1024;

/// A connection that is logged in, with its SFTP session.
pub(super) struct Connection {
    pub(super) session: RawSftpSession,
    pub(super) extensions: HashMap<String, String>,
    pub(super) largest_read: u32,
    pub(super) largest_write: usize,
    pub(super) handles: Arc<Semaphore>,
    pulse: Pulse,
    ended: Ended,
    stalled_after: Duration,
    is_lost: AtomicBool,
    /// For how long nothing had moved when it was given up, if that is why.
    stalled: OnceLock<Duration>,
    ssh: Handle<Peer>,
    cut: Cut,
}

impl Connection {
    pub(super) async fn open(
        target: &Target,
        options: &SftpOptions,
        secrets: &Secrets,
    ) -> Result<Self, StorageError> {
        let doing = format!("connect to {} port {}", target.address, target.port);
        let stream = connect(target, options, &doing).await?;
        let cut = Cut::of(&stream).map_err(transport(&doing))?;
        // Whatever ends before the end of this function ends the connection.
        let (config, peer, ended) = prepare(target, options).await?;
        let handshake = client::connect_stream(Arc::new(config), stream, peer);
        let stalled = |doing: &str| StorageError::Stalled {
            doing: doing.to_owned(),
            waited: options.stalled_after,
        };
        let mut ssh = match timeout(options.stalled_after, handshake).await {
            Err(_) => return Err(stalled(&doing)),
            Ok(Err(PeerError::Refused(error))) => return Err(error),
            Ok(Err(PeerError::Ssh(error))) => return Err(ended.error(&doing, Some(error))),
            Ok(Ok(ssh)) => ssh,
        };
        let doing = format!("log in as {}", target.login());
        let mut login = Login { target, options, secrets, ended: &ended, doing: &doing };
        login.run(&mut ssh).await?;

        let doing = format!("start SFTP on {}", target.host);
        let started = timeout(options.stalled_after, start_sftp(&ssh, &ended, &doing)).await;
        let (session, pulse, version) = started.map_err(|_| stalled(&doing))??;
        let mut connection = Self {
            session,
            extensions: version.extensions,
            largest_read: SAFE_REQUEST as u32,
            largest_write: SAFE_REQUEST as usize,
            handles: Arc::new(Semaphore::new(HANDLES)),
            pulse,
            ended,
            stalled_after: options.stalled_after,
            is_lost: AtomicBool::new(false),
            stalled: OnceLock::new(),
            ssh,
            cut,
        };
        connection.learn_limits(&doing).await?;
        Ok(connection)
    }

    async fn learn_limits(&mut self, doing: &str) -> Result<(), StorageError> {
        if !self.extensions.contains_key("limits@openssh.com") {
            return Ok(());
        }
        let limits = self.run(doing, self.session.limits()).await?;
        // Zero is no limit.
        let within = |limit| if limit == 0 { LARGEST_REQUEST } else { LARGEST_REQUEST.min(limit) };
        self.largest_read = within(limits.max_read_len) as u32;
        self.largest_write = within(limits.max_write_len) as usize;
        Ok(())
    }

    pub(super) fn is_alive(&self) -> bool {
        !self.is_lost.load(Ordering::Relaxed) && !self.ssh.is_closed()
    }

    /// Waits for an answer as long as anything moves.
    pub(super) async fn run<T>(
        &self,
        doing: &str,
        request: impl Future<Output = Result<T, SftpError>>,
    ) -> Result<T, StorageError> {
        self.run_patiently(1, doing, request).await
    }

    /// The same, for what takes a server longer than to answer.
    pub(super) async fn run_patiently<T>(
        &self,
        times: u32,
        doing: &str,
        request: impl Future<Output = Result<T, SftpError>>,
    ) -> Result<T, StorageError> {
        let limit = self.stalled_after * times;
        let mut since = Instant::now();
        tokio::pin!(request);
        loop {
            match timeout_at(since + limit, &mut request).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(error)) => return Err(self.failed(doing, error).await),
                Err(_) => match self.pulse.last() {
                    last if last > since => since = last,
                    _ => {
                        let waited = *self.stalled.get_or_init(|| limit);
                        self.give_up();
                        return Err(StorageError::Stalled { doing: doing.to_owned(), waited });
                    }
                },
            }
        }
    }

    async fn failed(&self, doing: &str, error: SftpError) -> StorageError {
        match error {
            SftpError::Status(status) => super::failure::of_status(doing, status),
            SftpError::UnexpectedPacket | SftpError::Limited(_) => {
                StorageError::Transport { doing: doing.to_owned(), source: error.into() }
            }
            SftpError::IO(_) | SftpError::Timeout | SftpError::UnexpectedBehavior(_) => {
                self.give_up();
                match self.stalled.get() {
                    // Of many requests under way one has noticed it, and ended them all.
                    Some(&waited) => StorageError::Stalled { doing: doing.to_owned(), waited },
                    None => self.ended.error_soon(doing).await,
                }
            }
        }
    }

    /// Ends all that is under way: nothing more will come.
    fn give_up(&self) {
        self.is_lost.store(true, Ordering::Relaxed);
        self.cut.cut();
    }
}

/// A task of russh's may be waiting for a socket that will never be ready: only its end wakes it.
struct Cut(std::net::TcpStream);

impl Cut {
    fn of(stream: &TcpStream) -> std::io::Result<Self> {
        let socket = socket(stream)?;
        Ok(Self(socket))
    }

    fn cut(&self) {
        // It may have ended by itself.
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

impl Drop for Cut {
    fn drop(&mut self) {
        self.cut();
    }
}

#[cfg(unix)]
fn socket(stream: &TcpStream) -> std::io::Result<std::net::TcpStream> {
    use std::os::fd::AsFd;
    Ok(stream.as_fd().try_clone_to_owned()?.into())
}

#[cfg(windows)]
fn socket(stream: &TcpStream) -> std::io::Result<std::net::TcpStream> {
    use std::os::windows::io::AsSocket;
    Ok(stream.as_socket().try_clone_to_owned()?.into())
}

/// Tries all addresses, each for as long as a connection may take.
async fn connect(
    target: &Target,
    options: &SftpOptions,
    doing: &str,
) -> Result<TcpStream, StorageError> {
    let limit = options.connect_timeout;
    let look_up = tokio::net::lookup_host((&*target.address, target.port));
    let timed_out = || std::io::Error::from(std::io::ErrorKind::TimedOut);
    let addresses = match timeout(limit, look_up).await {
        Ok(result) => result.map_err(transport(doing))?,
        Err(_) => return Err(transport(doing)(timed_out())),
    };
    let mut failure = std::io::Error::other("the name has no address");
    for address in addresses {
        match timeout(limit, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                stream.set_nodelay(true).map_err(transport(doing))?;
                return Ok(stream);
            }
            Ok(Err(error)) => failure = error,
            Err(_) => failure = timed_out(),
        }
    }
    Err(transport(doing)(failure))
}

async fn prepare(
    target: &Target,
    options: &SftpOptions,
) -> Result<(client::Config, Peer, Ended), StorageError> {
    let known = {
        let target = target.clone();
        let read = tokio::task::spawn_blocking(move || KnownKeys::read(&target)).await;
        read.map_err(transport("read the known hosts"))??
    };
    // SHA-1 is not among the signatures.
    let algorithms = known.order(&[
        Algorithm::Ed25519,
        Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 },
        Algorithm::Ecdsa { curve: EcdsaCurve::NistP384 },
        Algorithm::Ecdsa { curve: EcdsaCurve::NistP521 },
        Algorithm::Rsa { hash: Some(HashAlg::Sha512) },
        Algorithm::Rsa { hash: Some(HashAlg::Sha256) },
    ]);
    let config = client::Config {
        preferred: Preferred {
            key: Cow::Owned(algorithms),
            cipher: Cow::Borrowed(CIPHERS),
            ..Preferred::DEFAULT
        },
        window_size: RECEIVE_WINDOW,
        // Asked while nothing comes, so that a dead line is found even where nobody waits for it.
        keepalive_interval: Some((options.stalled_after / 4).max(Duration::from_secs(1))),
        keepalive_max: 4,
        nodelay: true,
        ..client::Config::default()
    };
    let ended = Ended::default();
    let peer = Peer { target: target.clone(), known, ended: ended.clone() };
    Ok((config, peer, ended))
}

/// AES first: processors have instructions for it.
const CIPHERS: &[cipher::Name] = &[
    cipher::AES_128_GCM,
    cipher::AES_256_GCM,
    cipher::CHACHA20_POLY1305,
    cipher::AES_256_CTR,
    cipher::AES_192_CTR,
    cipher::AES_128_CTR,
];

async fn start_sftp(
    ssh: &Handle<Peer>,
    ended: &Ended,
    doing: &str,
) -> Result<(RawSftpSession, Pulse, russh_sftp::protocol::Version), StorageError> {
    let failed = |error: russh::Error| ended.error(doing, Some(error));
    let mut channel = ssh.channel_open_session().await.map_err(failed)?;
    channel.request_subsystem(true, "sftp").await.map_err(failed)?;
    loop {
        match channel.wait().await {
            Some(ChannelMsg::Success) => break,
            Some(ChannelMsg::Failure) => {
                return Err(StorageError::Setup {
                    message: format!("{doing}: the server has no SFTP, or not for this user"),
                    source: Some(russh::Error::RequestDenied.into()),
                });
            }
            None | Some(ChannelMsg::Close | ChannelMsg::Eof) => {
                return Err(ended.error_soon(doing).await);
            }
            Some(_) => {}
        }
    }
    let pulse = Pulse::default();
    let stream = Watched::new(channel.into_stream(), pulse.clone());
    // We watch it ourselves: a request that waits for others is not late.
    let config = SessionConfig { request_timeout_secs: 365 * 86_400, ..SessionConfig::default() };
    let session = RawSftpSession::new_with_config(stream, config);
    match session.init().await {
        Ok(version) => Ok((session, pulse, version)),
        Err(SftpError::UnexpectedBehavior(_) | SftpError::IO(_)) => {
            Err(ended.error_soon(doing).await)
        }
        Err(error) => {
            Err(StorageError::Transport { doing: doing.to_owned(), source: error.into() })
        }
    }
}

/// The server, as russh tells of it.
pub(super) struct Peer {
    target: Target,
    known: KnownKeys,
    ended: Ended,
}

/// Why a connection was not made.
#[derive(Debug)]
pub(super) enum PeerError {
    Ssh(russh::Error),
    /// By us.
    Refused(StorageError),
}

impl From<russh::Error> for PeerError {
    fn from(error: russh::Error) -> Self {
        Self::Ssh(error)
    }
}

impl client::Handler for Peer {
    type Error = PeerError;

    async fn check_server_key(&mut self, key: &PublicKeyOrCertificate) -> Result<bool, PeerError> {
        match key {
            PublicKeyOrCertificate::PublicKey { key, .. } => {
                self.known.check(&self.target, key).map(|()| true).map_err(PeerError::Refused)
            }
            // Never asked for.
            PublicKeyOrCertificate::Certificate(_) => Ok(false),
        }
    }

    async fn disconnected(&mut self, reason: DisconnectReason<PeerError>) -> Result<(), PeerError> {
        match reason {
            DisconnectReason::ReceivedDisconnect(info) => self
                .ended
                .set(Lost::Told { reason: info.reason_code as u32, message: info.message }),
            DisconnectReason::Error(PeerError::Ssh(error)) => self.ended.set(Lost::Failed(error)),
            DisconnectReason::Error(PeerError::Refused(_)) => {}
        }
        Ok(())
    }
}
