//! Variables that begin with our name and are none of ours: most likely a slip of the pen.

use std::env;

use super::key;
use crate::error::CliError;

const PREFIX: &str = "PERSEVERE_";
pub(super) const CONFIG: &str = "PERSEVERE_CONFIG";
/// What the storage library reads: where unfinished transfers are remembered, and files with a password and with the
/// passphrase of a key.
const OF_STORAGE: [&str; 3] =
    ["PERSEVERE_STATE_DIR", "PERSEVERE_SFTP_PASSWORD_FILE", "PERSEVERE_SFTP_PASSPHRASE_FILE"];
/// What `run` tells its command, which may be this program again.
pub(crate) const ATTEMPT: &str = "PERSEVERE_ATTEMPT";
pub(crate) const MAX_ATTEMPTS: &str = "PERSEVERE_MAX_ATTEMPTS";

/// Refuses the first unknown one in the order of the alphabet.
pub(super) fn check() -> Result<(), CliError> {
    let names = env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let mut names: Vec<_> = names.filter(|name| name.starts_with(PREFIX)).collect();
    names.sort();
    // Both come from a run around us; one alone comes from somebody who means --attempts.
    let from_outer_run = [ATTEMPT, MAX_ATTEMPTS].map(|name| names.iter().any(|it| it == name));
    if from_outer_run == [true, true] {
        names.retain(|name| name != ATTEMPT && name != MAX_ATTEMPTS);
    }
    let others = [CONFIG].into_iter().chain(OF_STORAGE).map(str::to_owned);
    let known: Vec<_> = key::variables().chain(others).collect();
    match names.into_iter().find(|name| !known.contains(name)) {
        None => Ok(()),
        Some(unknown) => {
            // Rather one of which there is too much or too little than one that only looks like it.
            let is_other = |name: &str| !name.starts_with(&*unknown) && !unknown.starts_with(name);
            let distance = |name: &String| (is_other(name), strsim::levenshtein(name, &unknown));
            let nearest = known.into_iter().min_by_key(distance);
            let nearest = nearest.unwrap_or_default();
            Err(CliError::usage(format!("unknown variable {unknown}: did you mean {nearest}?")))
        }
    }
}
