//! Logging in, by what ssh would try and in its order: keys, the agent's among them, then questions.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use russh::client::{AuthResult, Handle};
use russh::keys::agent::AgentIdentity;
use russh::keys::{HashAlg, PrivateKey, PrivateKeyWithHashAlg, PublicKey};
use russh::{MethodKind, MethodSet};
use tokio::time::timeout;

use super::agent::{Agent, Asked, Probe, describe};
use super::config::Target;
use super::connection::Peer;
use super::failure::Ended;
use super::key_file::{KeyFile, Protected};
use super::options::{PASSPHRASE_FILE, PASSWORD_FILE, Secret, SftpOptions};
use crate::error::StorageError;

/// How often somebody may mistype, as with ssh.
pub(super) const QUESTIONS: usize = 3;

/// What was found out once, for the connections to come: nobody is there at night to be asked again.
#[derive(Default)]
pub(super) struct Secrets {
    keys: Mutex<Vec<(PathBuf, Arc<PrivateKey>)>>,
    pub(super) password: Mutex<Option<Secret>>,
}

/// An attempt to log in.
pub(super) struct Login<'a> {
    pub(super) target: &'a Target,
    pub(super) options: &'a SftpOptions,
    pub(super) secrets: &'a Secrets,
    pub(super) ended: &'a Ended,
    pub(super) doing: &'a str,
}

/// How far it has got.
pub(super) struct Progress {
    /// What the server would accept.
    methods: MethodSet,
    /// What it did not accept, and what could not even be tried.
    pub(super) tried: Vec<String>,
    /// The hash to sign with by RSA, once it was asked for.
    rsa: Option<Option<HashAlg>>,
}

impl Progress {
    pub(super) fn accepts(&self, method: MethodKind) -> bool {
        self.methods.contains(&method)
    }
}

pub(super) type Session = Handle<Peer>;

impl Login<'_> {
    pub(super) async fn run(&mut self, ssh: &mut Session) -> Result<(), StorageError> {
        let mut progress = Progress { methods: MethodSet::empty(), tried: Vec::new(), rsa: None };
        let none = ssh.authenticate_none(&self.target.user);
        let none = self.watched(none).await?;
        if self.is_in(ssh, &mut progress, none, None)?
            || self.by_keys(ssh, &mut progress).await?
            || self.by_keyboard(ssh, &mut progress).await?
            || self.by_password(ssh, &mut progress).await?
        {
            return Ok(());
        }
        Err(self.refused(&progress))
    }

    /// The named keys, wherever they are; then those of the agent; then the usual ones.
    async fn by_keys(
        &self,
        ssh: &mut Session,
        progress: &mut Progress,
    ) -> Result<bool, StorageError> {
        let mut agent = Agent::connect(self.target.agent.as_deref(), &mut progress.tried).await;
        let (mut named, mut usual) = (Vec::new(), Vec::new());
        for path in &self.target.named_keys {
            named.push(KeyFile::read(path).map_err(|reason| {
                StorageError::setup(format!("the private key {}: {reason}", path.display()))
            })?);
        }
        for path in &self.target.usual_keys {
            match KeyFile::read(path) {
                Ok(key) => usual.push(key),
                Err(reason) if path.exists() => {
                    progress.tried.push(format!("{} ({reason})", path.display()));
                }
                Err(_) => {}
            }
        }
        let is_of = |keys: &[KeyFile], identity: &AgentIdentity| {
            keys.iter().any(|key| key.is(&identity.public_key()))
        };
        let (first, rest): (Vec<_>, Vec<_>) =
            agent.take_identities().into_iter().partition(|identity| is_of(&named, identity));
        let held = |key: &KeyFile| {
            let held = |identity: &AgentIdentity| key.is(&identity.public_key());
            first.iter().any(held) || rest.iter().any(held)
        };
        named.retain(|key| !held(key));
        let only = self.target.named_keys_only;
        let rest: Vec<_> =
            rest.iter().filter(|identity| !only || is_of(&usual, identity)).cloned().collect();
        usual.retain(|key| !held(key));
        for identity in first {
            if self.by_agent(ssh, progress, &mut agent, identity).await? {
                return Ok(true);
            }
        }
        for key in named {
            if self.by_file(ssh, progress, key).await? {
                return Ok(true);
            }
        }
        for identity in rest {
            if self.by_agent(ssh, progress, &mut agent, identity).await? {
                return Ok(true);
            }
        }
        for key in usual {
            if self.by_file(ssh, progress, key).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn by_agent(
        &self,
        ssh: &mut Session,
        progress: &mut Progress,
        agent: &mut Agent,
        identity: AgentIdentity,
    ) -> Result<bool, StorageError> {
        let Some(signer) = agent.signer().filter(|_| progress.accepts(MethodKind::PublicKey))
        else {
            return Ok(false);
        };
        let name = format!("the agent's key {}", describe(&identity));
        let user = &self.target.user;
        let hash = self.hash(ssh, progress, &identity.public_key()).await?;
        // As long as a person needs to confirm it, or to touch a device.
        let result = match identity {
            AgentIdentity::PublicKey { key, .. } => {
                ssh.authenticate_publickey_with(user, key, hash, signer).await
            }
            AgentIdentity::Certificate { certificate, .. } => {
                ssh.authenticate_certificate_with(user, certificate, hash, signer).await
            }
        };
        match result {
            Ok(result) => self.is_in(ssh, progress, result, Some(name)),
            Err(error) => {
                progress.tried.push(format!("{name} ({error})"));
                Ok(false)
            }
        }
    }

    async fn by_file(
        &self,
        ssh: &mut Session,
        progress: &mut Progress,
        key: KeyFile,
    ) -> Result<bool, StorageError> {
        if !progress.accepts(MethodKind::PublicKey) {
            return Ok(false);
        }
        let name = key.path().display().to_string();
        let private = match key {
            KeyFile::Open { key, .. } => key,
            KeyFile::Locked(locked) => match self.known_key(&locked.path) {
                Some(key) => key,
                None => {
                    // Nobody is asked for the passphrase of a key that the server does not want.
                    if let Some(public) = locked.public.clone()
                        && !self.would_accept(ssh, progress, public, &name).await?
                    {
                        return Ok(false);
                    }
                    let Some(key) = self.unlock(&locked, &mut progress.tried).await? else {
                        return Ok(false);
                    };
                    key
                }
            },
        };
        let hash = self.hash(ssh, progress, private.public_key()).await?;
        let key = PrivateKeyWithHashAlg::new(private, hash);
        let result = ssh.authenticate_publickey(&self.target.user, key);
        let result = self.watched(result).await?;
        self.is_in(ssh, progress, result, Some(name))
    }

    fn known_key(&self, path: &Path) -> Option<Arc<PrivateKey>> {
        let keys = self.secrets.keys.lock().unwrap_or_else(PoisonError::into_inner);
        keys.iter().find(|(known, _)| known == path).map(|(_, key)| Arc::clone(key))
    }

    async fn would_accept(
        &self,
        ssh: &mut Session,
        progress: &mut Progress,
        key: PublicKey,
        name: &str,
    ) -> Result<bool, StorageError> {
        let hash = self.hash(ssh, progress, &key).await?;
        let probe = async {
            let user = &self.target.user;
            Ok(ssh.authenticate_publickey_with(user, key, hash, &mut Probe).await)
        };
        match self.watched(probe).await? {
            Err(Asked) => Ok(true),
            Ok(result) => self.is_in(ssh, progress, result, Some(name.to_owned())),
        }
    }

    async fn unlock(
        &self,
        locked: &Protected,
        tried: &mut Vec<String>,
    ) -> Result<Option<Arc<PrivateKey>>, StorageError> {
        let path = locked.path.display();
        let keep = |key: PrivateKey| {
            let key = Arc::new(key);
            let mut keys = self.secrets.keys.lock().unwrap_or_else(PoisonError::into_inner);
            keys.push((locked.path.clone(), Arc::clone(&key)));
            Some(key)
        };
        if let Some(file) = &self.options.passphrase_file {
            let passphrase = Secret::read(file, "passphrase")?;
            match locked.unlock(&passphrase).await {
                Some(key) => return Ok(keep(key)),
                None => tried.push(format!("{path} (not by the passphrase in {})", file.display())),
            }
        }
        let Some(ask) = &self.options.ask else {
            if self.options.passphrase_file.is_none() {
                tried.push(format!(
                    "{path} (has a passphrase: set {PASSPHRASE_FILE}, or use ssh-add)"
                ));
            }
            return Ok(None);
        };
        for _ in 0..QUESTIONS {
            let Some(passphrase) = ask.ask(format!("Passphrase of the key {path}")).await else {
                break;
            };
            if let Some(key) = locked.unlock(&passphrase).await {
                return Ok(keep(key));
            }
        }
        tried.push(format!("{path} (nobody had the passphrase)"));
        Ok(None)
    }

    /// What to sign with, which matters for RSA alone: SHA-1, its old default, is refused everywhere.
    async fn hash(
        &self,
        ssh: &Session,
        progress: &mut Progress,
        key: &PublicKey,
    ) -> Result<Option<HashAlg>, StorageError> {
        if !key.algorithm().is_rsa() {
            return Ok(None);
        }
        if progress.rsa.is_none() {
            let best = self.watched(ssh.best_supported_rsa_hash()).await?;
            progress.rsa = Some(best.flatten().or(Some(HashAlg::Sha512)));
        }
        Ok(progress.rsa.flatten())
    }

    /// Whether this let us in; if not, what it was is remembered.
    pub(super) fn is_in(
        &self,
        ssh: &Session,
        progress: &mut Progress,
        result: AuthResult,
        tried: Option<String>,
    ) -> Result<bool, StorageError> {
        match result {
            AuthResult::Success => Ok(true),
            AuthResult::Failure { remaining_methods, partial_success } => {
                // This is how russh says that the connection is gone.
                if remaining_methods.is_empty() && (ssh.is_closed() || self.ended.is_set()) {
                    return Err(self.cut_off(progress, tried));
                }
                if let Some(tried) = tried.filter(|_| !partial_success) {
                    progress.tried.push(tried);
                }
                progress.methods = remaining_methods;
                Ok(false)
            }
        }
    }

    /// The server has hung up: after too many keys, that is its answer.
    fn cut_off(&self, progress: &mut Progress, tried: Option<String>) -> StorageError {
        let error = self.ended.error(self.doing, None);
        progress.tried.extend(tried);
        match &error {
            StorageError::Provider(told) if !progress.tried.is_empty() => StorageError::Setup {
                message: format!(
                    "{}: {}. It refused {}. Name the right key with --identity",
                    self.doing,
                    told.message.as_deref().unwrap_or("the server hung up"),
                    progress.tried.join(", ")
                ),
                source: Some(russh::Error::NotAuthenticated.into()),
            },
            // There is nothing left that the server would accept.
            StorageError::Transport { source, .. }
                if matches!(source.downcast_ref(), Some(russh::Error::NoAuthMethod)) =>
            {
                self.refused(progress)
            }
            _ => error,
        }
    }

    fn refused(&self, progress: &Progress) -> StorageError {
        let login = self.target.login();
        let tried = match progress.tried.is_empty() {
            true => "there was nothing to try: no key in the agent or in ~/.ssh".to_owned(),
            false => format!("it refused {}", progress.tried.join(", ")),
        };
        let methods: Vec<&str> = progress.methods.iter().map(<&str>::from).collect();
        let mut message = format!("could not log in as {login}: {tried}");
        if !methods.is_empty() {
            message.push_str(&format!(" (the server accepts {})", methods.join(", ")));
        }
        let by_password = progress.accepts(MethodKind::Password)
            || progress.accepts(MethodKind::KeyboardInteractive);
        if by_password && self.options.password_file.is_none() && self.options.ask.is_none() {
            message.push_str(&format!(". For a password, set {PASSWORD_FILE}"));
        }
        StorageError::Setup { message, source: Some(russh::Error::NotAuthenticated.into()) }
    }

    pub(super) async fn watched<T>(
        &self,
        step: impl Future<Output = Result<T, russh::Error>>,
    ) -> Result<T, StorageError> {
        let limit: Duration = self.options.stalled_after;
        match timeout(limit, step).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(self.ended.error(self.doing, Some(error))),
            Err(_) => Err(StorageError::Stalled { doing: self.doing.to_owned(), waited: limit }),
        }
    }
}
