//! object_store. Its own retries are to be switched off where ours are on (`RetryConfig::max_retries`).
//!
//! Most of its kinds stand for an HTTP status. Where a service documents codes that turn the status
//! into its contrary (S3's 409 OperationAborted, Google's 403 rateLimitExceeded), the kind counts no
//! more than a status does, so that the code in the text wins.

use std::error::Error;

use object_store::Error as StoreError;
use object_store::client::{HttpError, HttpErrorKind};

use crate::detect::evidence::{Evidence, Rank};
use crate::verdict::Kind::{
    Auth, Conflict, Invalid, Network, NotFound, Permission, Precondition, Timeout, Unsupported,
};

pub(super) fn judge(error: &(dyn Error + 'static)) -> Option<Evidence> {
    if let Some(error) = error.downcast_ref::<StoreError>() {
        return by_kind(error);
    }
    by_http_kind(error.downcast_ref::<HttpError>()?.kind())
}

/// Left out: `Generic` and `JoinError`, whose causes say more.
fn by_kind(error: &StoreError) -> Option<Evidence> {
    let stop = |rank, kind, rule, words| Some(Evidence::stop(rank, kind, rule, words));
    match error {
        StoreError::NotFound { .. } => {
            stop(Rank::Phrase, NotFound, "object_store.not_found", "object not found")
        }
        StoreError::AlreadyExists { .. } => {
            stop(Rank::Status, Conflict, "object_store.already_exists", "object already exists")
        }
        StoreError::Precondition { .. } => stop(
            Rank::Status,
            Precondition,
            "object_store.precondition",
            "request precondition failure",
        ),
        StoreError::NotModified { .. } => {
            stop(Rank::Phrase, Precondition, "object_store.not_modified", "object not modified")
        }
        StoreError::PermissionDenied { .. } => {
            stop(Rank::Status, Permission, "object_store.permission_denied", "privileges lacking")
        }
        StoreError::Unauthenticated { .. } => {
            stop(Rank::Status, Auth, "object_store.unauthenticated", "credentials lacking")
        }
        StoreError::NotSupported { .. } | StoreError::NotImplemented { .. } => {
            stop(Rank::Phrase, Unsupported, "object_store.not_supported", "operation not supported")
        }
        StoreError::InvalidPath { .. } => {
            stop(Rank::Phrase, Invalid, "object_store.invalid_path", "invalid path")
        }
        StoreError::UnknownConfigurationKey { .. } => stop(
            Rank::Phrase,
            Invalid,
            "object_store.unknown_configuration_key",
            "configuration key not valid",
        ),
        _ => None,
    }
}

fn by_http_kind(kind: HttpErrorKind) -> Option<Evidence> {
    let retry = |rank, kind, rule, words| Some(Evidence::retry(rank, kind, rule, words));
    match kind {
        HttpErrorKind::Timeout => retry(Rank::Phrase, Timeout, "object_store.timeout", "timed out"),
        HttpErrorKind::Connect => {
            retry(Rank::Vague, Network, "object_store.connect", "connecting failed")
                .map(Evidence::unprocessed)
        }
        HttpErrorKind::Request => {
            retry(Rank::Vague, Network, "object_store.request", "sending the request failed")
        }
        HttpErrorKind::Interrupted => {
            retry(Rank::Vague, Network, "object_store.interrupted", "request was interrupted")
        }
        // Decoding is a matter for its cause.
        _ => None,
    }
}
