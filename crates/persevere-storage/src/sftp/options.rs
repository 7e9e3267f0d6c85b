//! Settings.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::error::StorageError;

/// How to log in to a host by SSH.
///
/// What is not set here comes from ssh's own configuration of the host, as `ssh -G HOST` prints it,
/// where OpenSSH is installed.
///
/// ```
/// use persevere_storage::SftpOptions;
///
/// let mut options = SftpOptions::default();
/// options.user = Some("backup".into());
/// options.identity_files.push("/etc/backup/id_ed25519".into());
/// options.accept_new_host_keys = true;
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SftpOptions {
    /// Whom to log in as, if the URL does not say it.
    pub user: Option<String>,
    /// The port, if the URL does not say it.
    pub port: Option<u16>,
    /// Private keys, which are tried before all others.
    pub identity_files: Vec<PathBuf>,
    /// A file with the passphrase of the private keys in its first line.
    pub passphrase_file: Option<PathBuf>,
    /// A file with the password in its first line.
    pub password_file: Option<PathBuf>,
    /// The socket of ssh-agent.
    pub agent: Option<PathBuf>,
    /// Files of known host keys. Empty: those of ssh's configuration, or `~/.ssh/known_hosts` and
    /// `/etc/ssh/ssh_known_hosts`.
    pub known_hosts: Vec<PathBuf>,
    /// Whether to trust a host that is not known yet, and to write its key into the first file of known
    /// hosts, as `StrictHostKeyChecking accept-new` of ssh does. A key that has changed is refused all
    /// the same.
    pub accept_new_host_keys: bool,
    /// ssh's configuration file, as for `ssh -F`: `none` for no configuration at all. Not set: the
    /// system's and the user's own.
    pub config_file: Option<PathBuf>,
    /// Asks somebody for a password or a passphrase.
    pub ask: Option<Ask>,
    /// How long making a connection may take. Default: 10 s.
    pub connect_timeout: Duration,
    /// After how long without a byte in either direction a request is given up. Default: 60 s.
    pub stalled_after: Duration,
}

impl Default for SftpOptions {
    fn default() -> Self {
        Self {
            user: None,
            port: None,
            identity_files: Vec::new(),
            passphrase_file: None,
            password_file: None,
            agent: None,
            known_hosts: Vec::new(),
            accept_new_host_keys: false,
            config_file: None,
            ask: None,
            connect_timeout: Duration::from_secs(10),
            stalled_after: Duration::from_secs(60),
        }
    }
}

impl SftpOptions {
    /// The defaults, with what `SSH_AUTH_SOCK`, `PERSEVERE_SFTP_PASSWORD_FILE` and
    /// `PERSEVERE_SFTP_PASSPHRASE_FILE` say.
    pub fn from_environment() -> Self {
        let file = |name| std::env::var_os(name).filter(|path| !path.is_empty()).map(PathBuf::from);
        Self {
            agent: file("SSH_AUTH_SOCK"),
            password_file: file(PASSWORD_FILE),
            passphrase_file: file(PASSPHRASE_FILE),
            ..Self::default()
        }
    }
}

pub(super) const PASSWORD_FILE: &str = "PERSEVERE_SFTP_PASSWORD_FILE";
pub(super) const PASSPHRASE_FILE: &str = "PERSEVERE_SFTP_PASSPHRASE_FILE";

/// Asks somebody a question, as "Password of me@host", and returns the answer; `None` if there is
/// nobody, or they would not say.
#[derive(Clone)]
pub struct Ask(Arc<Question>);

type Question = dyn Fn(&str) -> Option<String> + Send + Sync;

impl Ask {
    /// Asks by this function, which may block.
    pub fn new(ask: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(ask))
    }

    pub(super) async fn ask(&self, question: String) -> Option<Secret> {
        let ask = Arc::clone(&self.0);
        let answer = tokio::task::spawn_blocking(move || ask(&question)).await;
        answer.ok().flatten().map(Secret)
    }
}

impl fmt::Debug for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ask")
    }
}

/// A password or a passphrase, which never shows itself.
#[derive(Clone)]
pub(super) struct Secret(pub(super) String);

impl Secret {
    /// The first line of a file.
    pub(super) fn read(path: &Path, what: &str) -> Result<Self, StorageError> {
        let text = std::fs::read_to_string(path).map_err(|error| StorageError::Setup {
            message: format!("the {what} file {} cannot be read", path.display()),
            source: Some(error.into()),
        })?;
        let line = text.lines().next().unwrap_or_default();
        if line.is_empty() {
            let message = format!(
                "the {what} file {} begins with an empty line: the {what} must stand there",
                path.display()
            );
            return Err(StorageError::setup(message));
        }
        Ok(Self(line.to_owned()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}
