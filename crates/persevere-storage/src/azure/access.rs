//! Who asks: credentials, and what is known of them.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::request::Parts;
use reqsign_azure_storage::{Credential, RequestSigner, StaticCredentialProvider};
use reqsign_core::{Context, ProvideCredentialDyn, Signer};

use super::entra::{Entra, Found};
use super::options::{AzureOptions, Secret, SecretKind, Service};
use crate::error::StorageError;
use crate::http::Credentials;

/// How requests are signed.
pub(super) enum Access {
    Anonymous,
    Signed(Box<Signed>),
}

pub(super) struct Signed {
    credentials: Credentials<Credential>,
    origin: Origin,
    /// Counts the times that credentials were forgotten, from 1.
    generation: AtomicU64,
    /// The newest generation that the service has taken.
    accepted: AtomicU64,
}

pub(super) enum Origin {
    Key(&'static str),
    Sas { from: &'static str, token: String },
    Entra(Found),
}

/// Which credentials a request was signed with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ticket(u64);

impl Access {
    pub(super) fn new(
        options: &AzureOptions,
        service: &Service,
        context: Context,
    ) -> Result<Self, StorageError> {
        if options.anonymous {
            return Ok(Self::Anonymous);
        }
        match &options.secret {
            Some(secret) if secret.kind == SecretKind::Key => key(secret, service, context),
            Some(secret) => sas(secret, context),
            None => entra(service, context),
        }
    }

    pub(super) fn signed(
        origin: Origin,
        context: Context,
        provider: impl Fn() -> Arc<Provider> + Send + Sync + 'static,
    ) -> Self {
        let credentials = Credentials::new(move || {
            Signer::new(context.clone(), provider(), RequestSigner::new())
        });
        let (generation, accepted) = (AtomicU64::new(1), AtomicU64::new(0));
        Self::Signed(Box::new(Signed { credentials, origin, generation, accepted }))
    }

    pub(super) async fn sign(&self, parts: &mut Parts) -> Result<Ticket, StorageError> {
        let Self::Signed(signed) = self else {
            return Ok(Ticket(0));
        };
        let ticket = Ticket(signed.generation.load(Ordering::Acquire));
        let missing = match &signed.origin {
            Origin::Key(from) => format!("the request could not be signed with the key in {from}"),
            Origin::Sas { from, .. } => {
                format!("the SAS token in {from} has characters that no URL has")
            }
            Origin::Entra(_) => NOTHING.to_owned(),
        };
        signed.credentials.sign(parts, &missing).await?;
        Ok(ticket)
    }

    /// The service has taken the credentials.
    pub(super) fn taken(&self, Ticket(generation): Ticket) {
        if let Self::Signed(signed) = self {
            signed.accepted.fetch_max(generation, Ordering::AcqRel);
        }
    }

    /// The service has refused the credentials: whether fresh ones may help.
    ///
    /// They may if these have been good before. Ones that never were are wrong, and so will be the next.
    pub(super) async fn refused(&self, Ticket(generation): Ticket) -> bool {
        let Self::Signed(signed) = self else {
            return false;
        };
        let Origin::Entra(_) = &signed.origin else {
            return false;
        };
        // Of the parts that were under way at once, one forgets for all.
        let next = generation + 1;
        let (is_first, order) = (&signed.generation, (Ordering::AcqRel, Ordering::Acquire));
        if is_first.compare_exchange(generation, next, order.0, order.1).is_ok() {
            signed.credentials.forget().await;
        }
        signed.accepted.load(Ordering::Acquire) >= generation
    }

    /// Where the credentials came from, for messages.
    pub(super) fn origin(&self) -> String {
        let signed = match self {
            Self::Anonymous => return "no credentials were sent, as was asked for".into(),
            Self::Signed(signed) => signed,
        };
        match &signed.origin {
            Origin::Key(from) => format!("the key came from {from}"),
            Origin::Sas { from, token } => match expired(token, SystemTime::now()) {
                Some(when) => format!("the SAS token came from {from}, and expired at {when}"),
                None => format!("the SAS token came from {from}"),
            },
            Origin::Entra(found) => {
                let found = *found.lock().unwrap_or_else(PoisonError::into_inner);
                format!("the token came from {found}")
            }
        }
    }

    /// The token that a URL needs which the service itself is to read, if it needs one.
    pub(super) fn sas_token(&self) -> Option<&str> {
        match self {
            Self::Signed(signed) => match &signed.origin {
                Origin::Sas { token, .. } => Some(token),
                _ => None,
            },
            Self::Anonymous => None,
        }
    }
}

pub(super) type Provider = dyn ProvideCredentialDyn<Credential = Credential>;

fn key(secret: &Secret, service: &Service, context: Context) -> Result<Access, StorageError> {
    let from = secret.origin;
    let key = secret.text.trim();
    if STANDARD.decode(key).map_or(true, |bytes| bytes.is_empty()) {
        return Err(StorageError::setup(format!(
            "the account key in {from} is no base64, as it stands in the portal under \"Access keys\""
        )));
    }
    let account = service.account.as_deref().ok_or_else(|| {
        StorageError::setup(format!(
            "there is an account key in {from}, but no account that it is of: set AZURE_STORAGE_ACCOUNT"
        ))
    })?;
    let provider = Arc::new(StaticCredentialProvider::new_shared_key(account, key));
    Ok(Access::signed(Origin::Key(from), context, move || provider.clone()))
}

fn sas(secret: &Secret, context: Context) -> Result<Access, StorageError> {
    let from = secret.origin;
    let token = secret.text.trim().trim_start_matches('?').to_owned();
    let has = |name: &str| token.split('&').any(|pair| pair.starts_with(name));
    if !has("sig=") {
        return Err(StorageError::setup(format!(
            "the SAS token in {from} has no `sig=` in it: it must look like sv=...&se=...&sp=...&sig=..."
        )));
    }
    let provider = Arc::new(StaticCredentialProvider::new_sas_token(&token));
    Ok(Access::signed(Origin::Sas { from, token }, context, move || provider.clone()))
}

fn entra(service: &Service, context: Context) -> Result<Access, StorageError> {
    if service.endpoint.starts_with("http://") {
        return Err(StorageError::setup(format!(
            "a token of Microsoft Entra would go in clear text to {}: use https, or set \
             AZURE_STORAGE_KEY or AZURE_STORAGE_SAS_TOKEN",
            service.endpoint
        )));
    }
    let found = Found::new(Mutex::new("Microsoft Entra"));
    let provider = Arc::new(Entra::new(found.clone()));
    Ok(Access::signed(Origin::Entra(found), context, move || provider.clone()))
}

const NOTHING: &str = "no credentials for Azure Storage could be loaded: none of AZURE_STORAGE_KEY, \
    AZURE_STORAGE_SAS_TOKEN, AZURE_STORAGE_CONNECTION_STRING is set, and Microsoft Entra gave no token";

/// When a token expired, if it has.
fn expired(token: &str, now: SystemTime) -> Option<String> {
    let written = token.split('&').find_map(|pair| pair.strip_prefix("se="))?;
    let written = percent_encoding::percent_decode_str(written).decode_utf8().ok()?;
    let when: jiff::Timestamp = written.parse().ok()?;
    (SystemTime::from(when) <= now).then(|| when.to_string())
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Anonymous => "Anonymous",
            Self::Signed(_) => "Signed",
        })
    }
}
