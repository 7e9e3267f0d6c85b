//! The one connection of a store.

use std::sync::{Arc, Mutex, PoisonError};

use super::config::Target;
use super::connection::Connection;
use super::failure::Retold;
use super::login::Secrets;
use super::options::SftpOptions;
use crate::error::StorageError;

/// The connection that all share, made when it is needed, and again when it was lost.
#[derive(Default)]
pub(super) struct Shared {
    state: tokio::sync::Mutex<State>,
    /// How often making one has failed.
    failures: Mutex<u64>,
}

#[derive(Default)]
struct State {
    connection: Option<Arc<Connection>>,
    failure: Option<Retold>,
}

impl Shared {
    pub(super) async fn get(
        &self,
        target: &Target,
        options: &SftpOptions,
        secrets: &Secrets,
    ) -> Result<Arc<Connection>, StorageError> {
        let failures = || *self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let before = failures();
        let mut state = self.state.lock().await;
        if let Some(connection) = state.connection.as_ref().filter(|it| it.is_alive()) {
            return Ok(Arc::clone(connection));
        }
        state.connection = None;
        // What failed while we waited for it has failed for us: eight parts must not wait in turn.
        if failures() != before
            && let Some(failure) = &state.failure
        {
            return Err(failure.again());
        }
        match Connection::open(target, options, secrets).await {
            Ok(connection) => {
                let connection = Arc::new(connection);
                state.connection = Some(Arc::clone(&connection));
                Ok(connection)
            }
            Err(error) => {
                state.failure = Some(Retold::of(&error));
                *self.failures.lock().unwrap_or_else(PoisonError::into_inner) += 1;
                Err(error)
            }
        }
    }
}
