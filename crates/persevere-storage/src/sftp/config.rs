//! What ssh's own configuration says of a host.
//!
//! ssh is asked itself, by `ssh -G`: no library reads `Match`, and one that takes what stands under it
//! for everybody's logs in as the wrong user.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::options::SftpOptions;
use crate::error::StorageError;

/// A host, and how to get in.
#[derive(Debug, Clone)]
pub(super) struct Target {
    /// As it was written, which is how ssh's files know it.
    pub(super) host: String,
    /// What is connected to.
    pub(super) address: String,
    pub(super) port: u16,
    pub(super) user: String,
    /// What the host is called in files of known hosts, if not by its name.
    pub(super) alias: Option<String>,
    /// Keys that somebody has named, which must exist.
    pub(super) named_keys: Vec<PathBuf>,
    /// Keys that are tried if they exist.
    pub(super) usual_keys: Vec<PathBuf>,
    /// Whether other keys of the agent are not to be tried.
    pub(super) named_keys_only: bool,
    pub(super) agent: Option<PathBuf>,
    /// The first is the one that new keys are written into.
    pub(super) known_hosts: Vec<PathBuf>,
    pub(super) accept_new: bool,
}

impl Target {
    pub(super) fn new(
        host: &str,
        user: Option<&str>,
        port: Option<u16>,
        options: &SftpOptions,
    ) -> Result<Self, StorageError> {
        if host.is_empty() || host.starts_with('-') || host.contains(char::is_whitespace) {
            return Err(StorageError::setup(format!("{host:?} is no name of a host")));
        }
        let user = user.or(options.user.as_deref());
        let port = port.or(options.port);
        let config = Config::of(host, user, port, options);
        if let Some(proxy) = config.first("proxyjump").or_else(|| config.first("proxycommand")) {
            return Err(StorageError::setup(format!(
                "ssh's configuration reaches {host} by way of `{proxy}`, which is not supported here: \
                 open a tunnel (ssh -L PORT:{host}:22 ...) and use sftp://localhost:PORT"
            )));
        }
        let user = user.or_else(|| config.first("user")).map(str::to_owned);
        let user = user.or_else(user_of_the_system).ok_or_else(|| {
            StorageError::setup(format!(
                "it is not known whom to log in to {host} as: write sftp://USER@{host}/..., or set USER"
            ))
        })?;
        let known_hosts = match options.known_hosts.is_empty() {
            false => options.known_hosts.clone(),
            true => config.known_hosts(),
        };
        Ok(Self {
            host: host.to_owned(),
            address: config.first("hostname").unwrap_or(host).to_owned(),
            port: port.or_else(|| config.first("port")?.parse().ok()).unwrap_or(22),
            user,
            alias: config.first("hostkeyalias").map(str::to_owned),
            named_keys: options.identity_files.clone(),
            usual_keys: config.keys(),
            named_keys_only: config.first("identitiesonly") == Some("yes"),
            agent: config.agent(options),
            known_hosts,
            accept_new: options.accept_new_host_keys || config.accepts_new(),
        })
    }

    /// As people write it.
    pub(super) fn login(&self) -> String {
        format!("{}@{}", self.user, self.host)
    }
}

/// The lines that `ssh -G` prints: a word in lower case, and its value.
#[derive(Debug, Default)]
struct Config(String);

impl Config {
    fn of(host: &str, user: Option<&str>, port: Option<u16>, options: &SftpOptions) -> Self {
        let file = options.config_file.as_deref();
        if file == Some(Path::new("none")) {
            return Self::default();
        }
        let mut ssh = Command::new("ssh");
        ssh.arg("-G");
        if let Some(file) = file {
            ssh.arg("-F").arg(file);
        }
        if let Some(user) = user {
            ssh.args(["-l", user]);
        }
        if let Some(port) = port {
            ssh.args(["-p", &port.to_string()]);
        }
        let output = ssh.arg("--").arg(host).stdin(Stdio::null()).output();
        match output {
            Ok(output) if output.status.success() => {
                Self(String::from_utf8_lossy(&output.stdout).into_owned())
            }
            Ok(output) => {
                let said = String::from_utf8_lossy(&output.stderr);
                tracing::warn!(host, "ssh's configuration is not used: {}", said.trim());
                Self::default()
            }
            Err(error) => {
                tracing::debug!(host, %error, "ssh's configuration is not used: there is no ssh");
                Self::default()
            }
        }
    }

    fn all<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        let pairs = self.0.lines().filter_map(|line| line.split_once(' '));
        pairs.filter(move |(word, _)| *word == key).map(|(_, value)| value.trim())
    }

    fn first<'a>(&'a self, key: &'a str) -> Option<&'a str> {
        self.all(key).next().filter(|value| *value != "none")
    }

    fn keys(&self) -> Vec<PathBuf> {
        let mut keys: Vec<_> = self.all("identityfile").map(in_home).collect();
        if keys.is_empty() {
            keys = ["id_ed25519", "id_ecdsa", "id_rsa"]
                .map(|name| in_home(&format!("~/.ssh/{name}")))
                .into();
        }
        keys
    }

    fn known_hosts(&self) -> Vec<PathBuf> {
        let files = ["userknownhostsfile", "globalknownhostsfile"];
        let files = files.iter().filter_map(|key| self.first(key));
        let files: Vec<_> = files.flat_map(str::split_whitespace).map(in_home).collect();
        if files.is_empty() {
            return vec![in_home("~/.ssh/known_hosts"), "/etc/ssh/ssh_known_hosts".into()];
        }
        files
    }

    fn agent(&self, options: &SftpOptions) -> Option<PathBuf> {
        match self.all("identityagent").next() {
            None | Some("SSH_AUTH_SOCK") => options.agent.clone(),
            Some("none") => None,
            Some(path) => match path.strip_prefix('$') {
                Some(name) => std::env::var_os(name).map(PathBuf::from),
                None => Some(in_home(path)),
            },
        }
    }

    fn accepts_new(&self) -> bool {
        // Where ssh would trust anybody, we trust the first one.
        matches!(self.first("stricthostkeychecking"), Some("accept-new" | "no" | "off" | "false"))
    }
}

fn in_home(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), std::env::home_dir()) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => path.into(),
    }
}

fn user_of_the_system() -> Option<String> {
    let variables = ["USER", "LOGNAME", "USERNAME"];
    variables.iter().find_map(|name| std::env::var(name).ok()).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `None` if there is no ssh, where that is no failure.
    fn options(config: &str) -> Option<(tempfile::TempDir, SftpOptions)> {
        if Command::new("ssh").arg("-V").output().is_err() {
            assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "there is no ssh");
            eprintln!("SKIPPED: there is no ssh");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config");
        std::fs::write(&file, config).unwrap();
        let options = SftpOptions { config_file: Some(file), ..SftpOptions::default() };
        Some((folder, options))
    }

    #[test]
    fn ssh_says_how_to_reach_a_host() {
        let Some((_folder, options)) = options(
            "Host store\n HostName store.example.com\n Port 2222\n IdentityFile /keys/store\n \
             StrictHostKeyChecking accept-new\n UserKnownHostsFile /keys/known /keys/known2\n\
             Match host store.example.com\n User backup\n",
        ) else {
            return;
        };
        let target = Target::new("store", None, None, &options).unwrap();
        assert_eq!((&*target.address, target.port), ("store.example.com", 2222));
        assert_eq!(target.user, "backup");
        assert_eq!(target.usual_keys, [Path::new("/keys/store")]);
        assert_eq!(target.known_hosts[..2], [Path::new("/keys/known"), Path::new("/keys/known2")]);
        assert!(target.accept_new);

        let target = Target::new("store", Some("me"), Some(22), &options).unwrap();
        assert_eq!((&*target.user, target.port), ("me", 22));
        let other = Target::new("other", Some("me"), None, &options).unwrap();
        assert_eq!((&*other.address, other.port), ("other", 22));
        assert!(!other.accept_new);
    }

    #[test]
    fn a_way_round_is_refused_and_not_ignored() {
        let Some((_folder, options)) = options("Host inner\n ProxyJump bastion\n") else { return };
        let error = Target::new("inner", Some("me"), None, &options).unwrap_err();
        assert!(error.to_string().contains("bastion"), "{error}");
    }

    #[test]
    fn a_host_is_never_taken_for_an_option() {
        let options = SftpOptions::default();
        for host in ["-oProxyCommand=touch /tmp/x", "", "a b"] {
            assert!(Target::new(host, Some("me"), None, &options).is_err(), "{host}");
        }
    }
}
