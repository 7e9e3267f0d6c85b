//! Whether a host is the one that it says it is.

use std::borrow::Cow;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use hmac::{Hmac, KeyInit, Mac};
use russh::keys::ssh_key::known_hosts::{Entry, HostPatterns, Marker};
use russh::keys::{Algorithm, HashAlg, PublicKey};
use sha1::Sha1;

use super::config::Target;
use crate::error::StorageError;

/// A line of a file that is about our host.
#[derive(Debug)]
struct Known {
    file: PathBuf,
    line: usize,
    entry: Entry,
}

/// The keys that are known of one host.
#[derive(Debug)]
pub(super) struct KnownKeys {
    lines: Vec<Known>,
    /// Those that were written for the host without its port: good enough to trust, but not to
    /// distrust.
    without_port: Vec<Known>,
}

/// What files say of a key.
#[derive(Debug)]
enum Standing<'a> {
    Trusted,
    Unknown,
    Changed(&'a Known),
    Revoked(&'a Known),
}

impl KnownKeys {
    /// Reads the files. One that does not exist knows nobody.
    pub(super) fn read(target: &Target) -> Result<Self, StorageError> {
        let mut known = Self { lines: Vec::new(), without_port: Vec::new() };
        let name = target.alias.as_deref().unwrap_or(&target.host).to_lowercase();
        let with_port = written(&name, port(target));
        for file in &target.known_hosts {
            let text = match fs::read(file) {
                Ok(text) => text,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(StorageError::io("read", file)(error)),
            };
            for (index, line) in String::from_utf8_lossy(&text).lines().enumerate() {
                // As ssh does: what it cannot read, it skips.
                let Some(entry) = parse(line) else { continue };
                let about = |name: &str| matches(entry.host_patterns(), name);
                let (about, about_host) = (about(&with_port), about(&name));
                let known_line = Known { file: file.clone(), line: index + 1, entry };
                if about {
                    known.lines.push(known_line);
                } else if about_host {
                    known.without_port.push(known_line);
                }
            }
        }
        Ok(known)
    }

    /// These algorithms, with those first that a key is known of: a server has several keys, and must
    /// show one that we know.
    pub(super) fn order(&self, algorithms: &[Algorithm]) -> Vec<Algorithm> {
        let is_known = |algorithm: &&Algorithm| {
            let mut lines = self.lines.iter().chain(&self.without_port);
            lines
                .any(|known| known.entry.marker().is_none() && alike(&known.algorithm(), algorithm))
        };
        let (mut first, rest): (Vec<_>, Vec<_>) = algorithms.iter().partition(is_known);
        first.extend(rest);
        first.into_iter().cloned().collect()
    }

    fn standing(&self, key: &PublicKey) -> Standing<'_> {
        let is_this = |known: &&Known| known.entry.public_key().key_data() == key.key_data();
        let marked = |marker| move |known: &&Known| known.entry.marker() == Some(&marker);
        let plain = |known: &&Known| known.entry.marker().is_none();
        let mut all = self.lines.iter().chain(&self.without_port);
        if let Some(known) = all.clone().filter(marked(Marker::Revoked)).find(is_this) {
            return Standing::Revoked(known);
        }
        if all.any(|known| plain(&known) && is_this(&known)) {
            return Standing::Trusted;
        }
        // One of another kind counts too: whoever is in between could choose the kind.
        let others = self.lines.iter().filter(plain);
        let same_kind = |known: &&Known| alike(&known.algorithm(), &key.algorithm());
        match others.clone().find(same_kind).or_else(|| others.clone().next()) {
            Some(known) => Standing::Changed(known),
            None => Standing::Unknown,
        }
    }

    fn has_authority(&self) -> bool {
        self.lines.iter().any(|known| known.entry.marker() == Some(&Marker::CertAuthority))
    }

    /// Whether to go on with a host that shows this key.
    pub(super) fn check(&self, target: &Target, key: &PublicKey) -> Result<(), StorageError> {
        let fingerprint = key.fingerprint(HashAlg::Sha256);
        let host = written(&target.host, target.port);
        let kind = key.algorithm();
        match self.standing(key) {
            Standing::Trusted => Ok(()),
            Standing::Unknown if target.accept_new && !self.has_authority() => {
                let Some(file) = target.known_hosts.first() else { return Ok(()) };
                remember(file, target, key).map_err(StorageError::io("write", file))?;
                tracing::warn!(
                    "added {host} ({kind} {fingerprint}) to the known hosts in {}",
                    file.display()
                );
                Ok(())
            }
            Standing::Unknown => Err(refused(self.unknown(target, key))),
            Standing::Changed(known) => Err(refused(format!(
                "THE HOST KEY OF {host} HAS CHANGED: somebody may be in between, or the host was set up \
                 anew. It shows {kind} {fingerprint}, but {} line {} has {} {}. Only if the host's owner \
                 confirms the new key, remove the old one with `ssh-keygen -f {} -R {}`",
                known.file.display(),
                known.line,
                known.algorithm(),
                known.entry.public_key().fingerprint(HashAlg::Sha256),
                quoted(&known.file.display().to_string()),
                quoted(&host),
            ))),
            Standing::Revoked(known) => Err(refused(format!(
                "THE HOST KEY OF {host} ({kind} {fingerprint}) IS REVOKED by {} line {}: do not connect",
                known.file.display(),
                known.line,
            ))),
        }
    }

    fn unknown(&self, target: &Target, key: &PublicKey) -> String {
        let host = written(&target.host, target.port);
        let files: Vec<_> =
            target.known_hosts.iter().map(|file| file.display().to_string()).collect();
        let authority = match self.has_authority() {
            true => " (it has a certificate authority, but host certificates are not supported)",
            false => "",
        };
        let port = if target.port == 22 { String::new() } else { format!("-p {} ", target.port) };
        format!(
            "the host key of {host} is not known in {}{authority}: {} {}. If the host's owner confirms it, \
             use --accept-new-host-key, or run `ssh-keyscan -t {} {port}{} >> {}`",
            files.join(", "),
            key.algorithm(),
            key.fingerprint(HashAlg::Sha256),
            scan_name(&key.algorithm()),
            quoted(&target.host),
            quoted(files.first().map_or("~/.ssh/known_hosts", |file| file)),
        )
    }
}

impl Known {
    fn algorithm(&self) -> Algorithm {
        self.entry.public_key().algorithm()
    }
}

/// Whether two keys are of one kind, whichever hash they sign with.
fn alike(one: &Algorithm, other: &Algorithm) -> bool {
    let is_rsa = |algorithm: &Algorithm| matches!(algorithm, Algorithm::Rsa { .. });
    one == other || (is_rsa(one) && is_rsa(other))
}

/// With russh's error as the cause, so that it is seen to be about trust.
fn refused(message: String) -> StorageError {
    StorageError::Setup { message, source: Some(russh::Error::UnknownKey.into()) }
}

fn parse(line: &str) -> Option<Entry> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let words: Vec<_> = line.split_whitespace().collect();
    words.join(" ").parse().ok()
}

/// The port that a name in a file is written with.
fn port(target: &Target) -> u16 {
    if target.alias.is_some() { 22 } else { target.port }
}

fn written(host: &str, port: u16) -> Cow<'_, str> {
    if port == 22 { host.into() } else { format!("[{host}]:{port}").into() }
}

fn matches(patterns: &HostPatterns, name: &str) -> bool {
    match patterns {
        HostPatterns::HashedName { salt, hash } => Hmac::<Sha1>::new_from_slice(salt)
            .is_ok_and(|hmac| hmac.chain_update(name).verify_slice(hash).is_ok()),
        HostPatterns::Patterns(patterns) => {
            let mut found = false;
            for pattern in patterns {
                match pattern.strip_prefix('!') {
                    Some(pattern) if is_like(pattern, name) => return false,
                    Some(_) => {}
                    None => found |= is_like(pattern, name),
                }
            }
            found
        }
    }
}

/// `*` stands for anything, and `?` for one letter.
fn is_like(pattern: &str, name: &str) -> bool {
    let pattern = pattern.to_lowercase();
    let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
    let (mut p, mut n) = (0, 0);
    let mut star = None;
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(&letter) if letter == b'?' || letter == name[n] => {
                p += 1;
                n += 1;
            }
            _ => {
                let Some((after, from)) = star else { return false };
                star = Some((after, from + 1));
                (p, n) = (after + 1, from + 1);
            }
        }
    }
    pattern[p..].iter().all(|&letter| letter == b'*')
}

fn remember(file: &Path, target: &Target, key: &PublicKey) -> io::Result<()> {
    if let Some(folder) = file.parent() {
        make_private(folder)?;
    }
    let name = target.alias.as_deref().unwrap_or(&target.host).to_lowercase();
    let key = key.to_openssh().map_err(io::Error::other)?;
    let key = key.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
    let ends = match fs::read(file) {
        Ok(text) => text.is_empty() || text.ends_with(b"\n"),
        Err(_) => true,
    };
    let line = format!("{}{} {key}\n", if ends { "" } else { "\n" }, written(&name, port(target)));
    OpenOptions::new().append(true).create(true).open(file)?.write_all(line.as_bytes())
}

/// `~/.ssh`, as ssh makes it.
fn make_private(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// As ssh-keyscan calls it.
fn scan_name(algorithm: &Algorithm) -> &'static str {
    match algorithm {
        Algorithm::Ecdsa { .. } => "ecdsa",
        Algorithm::Rsa { .. } => "rsa",
        _ => "ed25519",
    }
}

/// For a shell.
fn quoted(word: &str) -> Cow<'_, str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-:@%+~".contains(&byte);
    if word.bytes().all(plain) {
        word.into()
    } else {
        format!("'{}'", word.replace('\'', r"'\''")).into()
    }
}
