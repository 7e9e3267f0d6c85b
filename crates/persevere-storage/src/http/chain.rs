//! Where credentials are looked for, one place after the other.
//!
//! Unlike the libraries' own chains this one says where it has looked and what was wrong there, knows
//! where credentials came from, and tells a token service that cannot be reached from one that says no.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{Request, Response};
use persevere::http::{HttpStatusError, check};
use reqsign_core::{Context, Error, HttpSend, ProvideCredential, ProvideCredentialDyn, Result};

/// One place.
pub(crate) struct Source<C> {
    /// As messages call it.
    name: String,
    provider: Box<dyn ProvideCredentialDyn<Credential = C>>,
    /// Whether there may be nothing at all there: then no answer means no credentials.
    may_be_absent: bool,
}

impl<C: Send + Sync + Unpin + 'static> Source<C> {
    /// What the user's settings name, so it must be there.
    pub(crate) fn named(
        name: impl Into<String>,
        provider: impl ProvideCredential<Credential = C>,
    ) -> Self {
        Self { name: name.into(), provider: Box::new(provider), may_be_absent: false }
    }

    /// What is tried in case it is there.
    pub(crate) fn perhaps(
        name: impl Into<String>,
        provider: impl ProvideCredential<Credential = C>,
    ) -> Self {
        Self { may_be_absent: true, ..Self::named(name, provider) }
    }
}

/// The places in their order.
pub(crate) struct Chain<C> {
    sources: Vec<Source<C>>,
    fingerprint: fn(&C) -> u64,
    given: Mutex<Option<Given>>,
}

/// What was found last.
#[derive(Debug, Clone, Copy)]
struct Given {
    source: usize,
    fingerprint: u64,
}

impl<C> Chain<C> {
    /// `fingerprint` tells credentials apart.
    pub(crate) fn new(sources: Vec<Source<C>>, fingerprint: fn(&C) -> u64) -> Self {
        Self { sources, fingerprint, given: Mutex::new(None) }
    }

    /// The names of all places.
    pub(crate) fn places(&self) -> String {
        let names: Vec<&str> = self.sources.iter().map(|source| source.name.as_str()).collect();
        names.join("; ")
    }

    /// The name of the place where credentials were found last.
    pub(crate) fn origin(&self) -> Option<&str> {
        Some(&self.sources[self.given()?.source].name)
    }

    /// What tells the credentials found last from others.
    pub(super) fn fingerprint(&self) -> Option<u64> {
        Some(self.given()?.fingerprint)
    }

    fn given(&self) -> Option<Given> {
        *self.given.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<C: Send + Sync + Unpin + 'static> ProvideCredential for Chain<C> {
    type Credential = C;

    async fn provide_credential(&self, context: &Context) -> Result<Option<C>> {
        let before = self.given().map(|given| given.source);
        let mut reasons = Vec::new();
        for (index, source) in self.sources.iter().enumerate() {
            let noticed = Noticed::default();
            let listening = Listening { inner: context.clone(), noticed: noticed.clone() };
            let listening = context.clone().with_http_send(listening);
            let found = source.provider.provide_credential_dyn(&listening).await;
            if let Ok(Some(credential)) = found {
                let fingerprint = (self.fingerprint)(&credential);
                let given = Given { source: index, fingerprint };
                *self.given.lock().unwrap_or_else(PoisonError::into_inner) = Some(given);
                return Ok(Some(credential));
            }
            let trouble = noticed.take();
            // A service that once gave us credentials is there, and so is one that answers.
            let is_there = !source.may_be_absent
                || before == Some(index)
                || matches!(trouble, Some(Trouble::Busy(_)));
            match trouble {
                // To go on would mean to find somebody else's.
                Some(trouble) if is_there => return Err(trouble.of(&source.name)),
                _ => {}
            }
            if let (Err(error), true) = (found, is_there) {
                reasons.push(format!("{}: {}", source.name, with_causes(&error)));
            }
        }
        if reasons.is_empty() { Ok(None) } else { Err(Error::config_invalid(reasons.join("; "))) }
    }
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}

/// The last request's trouble that may pass. The libraries' errors do not keep it.
#[derive(Debug, Clone, Default)]
struct Noticed(Arc<Mutex<Option<Trouble>>>);

#[derive(Debug)]
enum Trouble {
    NoAnswer(Arc<Error>),
    Busy(HttpStatusError),
}

impl Noticed {
    fn take(&self) -> Option<Trouble> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn put(&self, trouble: Option<Trouble>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }
}

impl Trouble {
    fn of(self, name: &str) -> Error {
        let error = Error::unexpected(name.to_owned());
        match self {
            Self::NoAnswer(cause) => error.with_source(cause),
            Self::Busy(cause) => error.with_source(cause),
        }
    }
}

#[derive(Debug)]
struct Listening {
    inner: Context,
    noticed: Noticed,
}

impl HttpSend for Listening {
    async fn http_send(&self, request: Request<Bytes>) -> Result<Response<Bytes>> {
        self.noticed.put(None);
        match self.inner.http_send(request).await {
            Ok(response) => {
                let busy = check(response.status(), response.headers()).err();
                let busy = busy.filter(|error| error.verdict().is_retryable());
                self.noticed.put(busy.map(Trouble::Busy));
                Ok(response)
            }
            Err(error) => {
                let error = Arc::new(error);
                self.noticed.put(Some(Trouble::NoAnswer(error.clone())));
                Err(Error::new(error.kind(), "no answer").with_source(error).set_retryable(true))
            }
        }
    }
}

impl<C> fmt::Debug for Chain<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.sources.iter().map(|source| &source.name)).finish()
    }
}
