//! Private keys in files.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use russh::keys::{self, PrivateKey, PublicKey};

use super::options::Secret;

/// A private key.
pub(super) enum KeyFile {
    Open { path: PathBuf, key: Arc<PrivateKey> },
    Locked(Protected),
}

/// One that needs a passphrase.
pub(super) struct Protected {
    pub(super) path: PathBuf,
    /// Where the file, or the one beside it, shows it.
    pub(super) public: Option<PublicKey>,
    text: Arc<str>,
}

impl KeyFile {
    /// Reads one; or says why it is of no use.
    pub(super) fn read(path: &Path) -> Result<Self, String> {
        let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
        is_private(path)?;
        match keys::decode_secret_key(&text, None) {
            Ok(key) => Ok(Self::Open { path: path.to_owned(), key: Arc::new(key) }),
            Err(keys::Error::KeyIsEncrypted) => Ok(Self::Locked(Protected {
                path: path.to_owned(),
                public: public(path, &text),
                text: text.into(),
            })),
            Err(error) if text.contains("ENCRYPTED") => {
                tracing::debug!(%error, "taken for a key with a passphrase");
                let public = public(path, &text);
                Ok(Self::Locked(Protected { path: path.to_owned(), public, text: text.into() }))
            }
            Err(error) => Err(format!("is no private key that can be used: {error}")),
        }
    }

    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Open { path, .. } | Self::Locked(Protected { path, .. }) => path,
        }
    }

    /// Whether it is the private half of this key.
    pub(super) fn is(&self, public: &PublicKey) -> bool {
        let ours = match self {
            Self::Open { key, .. } => Some(key.public_key()),
            Self::Locked(locked) => locked.public.as_ref(),
        };
        ours.is_some_and(|ours| ours.key_data() == public.key_data())
    }
}

impl Protected {
    /// `None` if it is the wrong passphrase. It takes a moment, on purpose of those who wrote the key.
    pub(super) async fn unlock(&self, passphrase: &Secret) -> Option<PrivateKey> {
        let (text, passphrase) = (Arc::clone(&self.text), passphrase.clone());
        let unlock = move || keys::decode_secret_key(&text, Some(&passphrase.0)).ok();
        tokio::task::spawn_blocking(unlock).await.ok().flatten()
    }
}

fn public(path: &Path, text: &str) -> Option<PublicKey> {
    let inside = PrivateKey::from_openssh(text).map(|key| key.public_key().clone());
    let beside = || keys::load_public_key(format!("{}.pub", path.display())).ok();
    inside.ok().or_else(beside)
}

/// As ssh has it: a key that others can read is nobody's.
#[cfg(unix)]
fn is_private(path: &Path) -> Result<(), String> {
    use std::os::unix::fs::MetadataExt;
    let metadata = fs::metadata(path).map_err(|error| error.to_string())?;
    let ours = metadata.uid() == rustix::process::getuid().as_raw();
    match metadata.mode() & 0o077 {
        mode if ours && mode != 0 => {
            Err(format!("can be read by others: run `chmod 600 {}`", path.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(not(unix))]
fn is_private(_: &Path) -> Result<(), String> {
    Ok(())
}
