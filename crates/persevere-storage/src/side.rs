//! A store and the retryer that its calls go through.

use std::future::Future;
use std::sync::Arc;

use persevere::Retryer;

use crate::buffers::Buffers;
use crate::error::StorageError;
use crate::journal::End;
use crate::options::CallLimits;
use crate::progress::Progress;
use crate::store::{ObjectInfo, Store};

/// A key of a store, and the retryer that calls go through.
#[derive(Debug, Clone)]
pub(crate) struct Side {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) retryer: Retryer,
    pub(crate) buffers: Buffers,
    pub(crate) key: String,
}

impl Side {
    pub(crate) fn url(&self) -> String {
        self.store.url(&self.key)
    }

    /// What tells it from the same name elsewhere.
    pub(crate) fn identity(&self) -> String {
        match self.endpoint() {
            Some(endpoint) => format!("{} at {endpoint}", self.url()),
            None => self.url(),
        }
    }

    pub(crate) fn endpoint(&self) -> Option<String> {
        self.store.peer().map(|(host, port)| format!("{host}:{port}"))
    }

    /// As a journal remembers it.
    pub(crate) fn end(&self, info: Option<&ObjectInfo>) -> End {
        End {
            url: self.url(),
            key: self.key.clone(),
            endpoint: self.endpoint(),
            size: info.map(|info| info.size),
            version: info.and_then(|info| info.version.clone()),
        }
    }

    pub(crate) fn is_local(&self) -> bool {
        self.store.limits().is_local
    }

    /// What there is now. `None` if there is nothing.
    pub(crate) async fn stat(
        &self,
        limits: &CallLimits,
        progress: Option<&Progress>,
    ) -> Result<Option<ObjectInfo>, StorageError> {
        self.run("stat", limits, progress, || self.store.stat(&self.key)).await
    }

    /// Runs one operation, such as "upload", until it succeeds or cannot.
    pub(crate) async fn run<T, F>(
        &self,
        operation: &str,
        limits: &CallLimits,
        progress: Option<&Progress>,
        attempt: impl Fn() -> F,
    ) -> Result<T, StorageError>
    where
        F: Future<Output = Result<T, StorageError>>,
    {
        let name = format!("{} {operation}", self.store.name());
        let mut call = self.retryer.call(&name).rule(StorageError::own_verdict);
        if let Some(token) = &limits.cancel {
            call = call.cancel_on(token.clone());
        }
        if let Some(deadline) = limits.deadline {
            call = call.deadline_at(deadline);
        }
        if let Some(timeout) = limits.attempt_timeout {
            call = call.attempt_timeout(timeout);
        }
        let mut is_retry = false;
        let counted = |_| {
            count(progress, is_retry);
            is_retry = true;
            renewing(&attempt, progress)
        };
        call.run(counted).await.map_err(StorageError::from)
    }
}

/// One attempt. Credentials that have expired are no failure of the line, and cost none.
async fn renewing<T, F>(
    attempt: &impl Fn() -> F,
    progress: Option<&Progress>,
) -> Result<T, StorageError>
where
    F: Future<Output = Result<T, StorageError>>,
{
    match attempt().await {
        Err(error) if error.wants_new_credentials() => {
            count(progress, true);
            attempt().await
        }
        result => result,
    }
}

fn count(progress: Option<&Progress>, is_retry: bool) {
    if let Some(progress) = progress {
        progress.count(is_retry);
    }
}
