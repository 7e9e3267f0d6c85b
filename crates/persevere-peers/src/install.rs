//! Where peers are installed.

use std::env;
use std::path::{Path, PathBuf};

use crate::PeerError;

/// Where `scripts/peers` puts them: `$PERSEVERE_PEERS`, or `persevere-peers` in the user's cache.
fn folder() -> Option<PathBuf> {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("PERSEVERE_PEERS")
        .or_else(|| Some(set("XDG_CACHE_HOME")?.join("persevere-peers")))
        .or_else(|| Some(set("HOME")?.join(".cache/persevere-peers")))
}

/// A peer's program, for a test that starts it in its own way: the one that the script has installed or chosen, or
/// else the one on the PATH.
///
/// # Errors
///
/// If it is missing.
pub fn program(name: &'static str) -> Result<PathBuf, PeerError> {
    let path = env::var_os("PATH").unwrap_or_default();
    let installed = folder().map(|folder| folder.join("bin"));
    installed
        .into_iter()
        .chain(env::split_paths(&path))
        // Where daemons are, which is not on everybody's PATH.
        .chain(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from))
        .map(|folder| folder.join(name))
        .find(|path| is_program(path))
        .ok_or(PeerError::Missing { program: name })
}

fn is_program(path: &Path) -> bool {
    path.is_file()
}
