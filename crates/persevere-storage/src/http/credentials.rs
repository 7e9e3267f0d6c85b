//! Credentials from a provider's own chain, and signatures by them.

use std::collections::HashMap;
use std::error::Error as _;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use http::request::Parts;
use persevere::http::HttpStatusError;
use reqsign_command_execute_tokio::TokioCommandExecute;
use reqsign_core::{Context, Env, OsEnv, SignRequest, Signer, SigningCredential};
use reqsign_file_read_tokio::TokioFileRead;
use tokio::sync::RwLock;

use super::chain::Chain;
use super::client::HttpOptions;
use super::fetch::Fetch;
use crate::error::StorageError;

/// What the chains of all providers need: files, environment, commands, HTTP.
pub(crate) fn context(options: &HttpOptions) -> Result<Context, StorageError> {
    Ok(Context::new()
        .with_file_read(TokioFileRead)
        .with_http_send(Fetch::new(options)?)
        .with_command_execute(TokioCommandExecute)
        .with_env(Environment))
}

/// The environment. Unlike [`OsEnv`] it does not panic at variables that are no text, which are nobody's
/// credentials.
#[derive(Debug)]
struct Environment;

impl Env for Environment {
    fn var(&self, key: &str) -> Option<String> {
        OsEnv.var(key)
    }

    fn vars(&self) -> HashMap<String, String> {
        let text = |(key, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((key.into_string().ok()?, value.into_string().ok()?))
        };
        std::env::vars_os().filter_map(text).collect()
    }

    fn home_dir(&self) -> Option<PathBuf> {
        OsEnv.home_dir()
    }
}

/// Makes the signer, with no credentials loaded yet.
type Make<K> = dyn Fn() -> Signer<K> + Send + Sync;

/// Credentials, loaded when they are first needed, and again before they expire.
pub(crate) struct Credentials<K: SigningCredential> {
    make: Arc<Make<K>>,
    chain: Option<Arc<Chain<K>>>,
    current: RwLock<Current<K>>,
}

struct Current<K: SigningCredential> {
    signer: Signer<K>,
    /// How often credentials were forgotten.
    generation: u64,
    /// The fingerprint of those that were refused last.
    refused: Option<u64>,
}

impl<K: SigningCredential> Credentials<K> {
    pub(crate) fn new(make: impl Fn() -> Signer<K> + Send + Sync + 'static) -> Self {
        let current = Current { signer: make(), generation: 0, refused: None };
        Self { make: Arc::new(make), chain: None, current: RwLock::new(current) }
    }

    /// Those of a chain, which are put into requests by `sign`.
    pub(crate) fn of_chain(
        context: Context,
        chain: Chain<K>,
        sign: impl SignRequest<Credential = K> + Clone,
    ) -> Self {
        let chain = Arc::new(chain);
        let loader = chain.clone();
        let made = Self::new(move || Signer::new(context.clone(), loader.clone(), sign.clone()));
        Self { chain: Some(chain), ..made }
    }

    /// Signs a request. `missing` says where credentials were looked for.
    ///
    /// The answer is what [`refused`](Self::refused) wants to know.
    pub(crate) async fn sign(&self, parts: &mut Parts, missing: &str) -> Result<u64, StorageError> {
        let (signer, generation) = {
            let current = self.current.read().await;
            (current.signer.clone(), current.generation)
        };
        match signer.sign(parts, None).await {
            Ok(()) => Ok(generation),
            Err(error) => Err(not_loaded(error, missing)),
        }
    }

    /// Forgets what is loaded: the provider says that it is no longer good.
    pub(crate) async fn forget(&self) {
        let mut current = self.current.write().await;
        current.signer = (self.make)();
        current.generation += 1;
    }

    /// The provider has refused what a request was signed with: whether to try with others, which are
    /// loaded next. Not if those are the same that were refused before.
    pub(crate) async fn refused(&self, generation: u64) -> bool {
        let mut current = self.current.write().await;
        // Of many requests under way at once, the first one says it for all.
        if current.generation != generation {
            return true;
        }
        let fingerprint = self.chain.as_ref().and_then(|chain| chain.fingerprint());
        let same = fingerprint.is_some() && fingerprint == current.refused;
        *current =
            Current { signer: (self.make)(), generation: generation + 1, refused: fingerprint };
        !same
    }

    /// Where the credentials in use come from, if that is known.
    pub(crate) fn origin(&self) -> Option<&str> {
        self.chain.as_ref()?.origin()
    }

    /// Where credentials are looked for.
    pub(crate) fn places(&self) -> String {
        self.chain.as_ref().map(|chain| chain.places()).unwrap_or_default()
    }
}

/// A service that gives out credentials and cannot be reached now may be reached later; nothing else
/// gets better by itself.
fn not_loaded(error: reqsign_core::Error, missing: &str) -> StorageError {
    let mut cause = error.source();
    while let Some(error_below) = cause {
        let is_busy = |error: &HttpStatusError| error.verdict().is_retryable();
        if error_below.is::<reqwest::Error>() || error_below.downcast_ref().is_some_and(is_busy) {
            let doing = "loading credentials".to_owned();
            return StorageError::Transport { doing, source: error.into() };
        }
        cause = error_below.source();
    }
    let nothing_found = error.to_string() == "failed to load signing credential";
    StorageError::setup(if nothing_found {
        missing.to_owned()
    } else {
        format!("{missing} ({error})")
    })
}

impl<K: SigningCredential> fmt::Debug for Credentials<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials")
    }
}
