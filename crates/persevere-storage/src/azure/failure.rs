//! Errors, as Azure words them.

use persevere::{Kind, Verdict};

use super::AzureStore;
use super::access::Ticket;
use crate::error::{EXPIRED, ProviderError, StorageError};

/// That credentials are wrong, or not good any more.
const AUTHENTICATION: [&str; 5] = [
    "AuthenticationFailed",
    "InvalidAuthenticationInfo",
    "InvalidAuthenticationToken",
    "ExpiredAuthenticationToken",
    "NoAuthenticationInformation",
];

/// That they are good, but not for this. Without credentials, what may not be seen does not exist.
const AUTHORIZATION: [&str; 9] = [
    "AuthorizationFailure",
    "AuthorizationPermissionMismatch",
    "AuthorizationProtocolMismatch",
    "AuthorizationResourceTypeMismatch",
    "AuthorizationServiceMismatch",
    "AuthorizationSourceIPMismatch",
    "InsufficientAccountPermissions",
    "PublicAccessNotPermitted",
    "ResourceNotFound",
];

/// What an error answer means. `what` is the URL that was asked for.
pub(super) async fn explained(
    store: &AzureStore,
    what: String,
    ticket: Ticket,
    error: StorageError,
) -> StorageError {
    let StorageError::Provider(mut error) = error else {
        return error;
    };
    error.message = error.message.map(without_time);
    let code = error.code.as_deref().unwrap_or_default();
    let is_authentication = AUTHENTICATION.contains(&code);
    match code {
        "BlobNotFound" => return StorageError::NotFound { what, source: Some(error) },
        "ContainerNotFound" => {
            let what = format!("the container {}", store.container_url());
            return StorageError::NotFound { what, source: Some(error) };
        }
        "ConditionNotMet" | "SourceConditionNotMet" => return StorageError::Changed { what },
        // The bytes were damaged on their way. They are not so with us, and may well arrive next time.
        "Md5Mismatch" => error.verdict = again(&error, Kind::Other, "azure.damaged"),
        "InvalidBlobOrBlock" => add(&mut error, LEFTOVERS),
        _ if is_authentication || AUTHORIZATION.contains(&code) => {
            add(&mut error, &store.access.origin());
        }
        _ => {}
    }
    if is_authentication && store.access.refused(ticket).await {
        error.verdict = again(&error, Kind::Auth, EXPIRED);
    }
    StorageError::Provider(error)
}

/// Block ids of one blob must all have the same length, those of unfinished uploads included.
const LEFTOVERS: &str = "an unfinished upload of another program may be in the way, with block ids \
    of another length: it goes away by itself a week after its last block, or when the blob is \
    written at once";

fn again(error: &ProviderError, kind: Kind, rule: &'static str) -> Verdict {
    let verdict = Verdict::retry(kind, rule).with_answer();
    match error.verdict.provider() {
        Some(provider) => verdict.with_provider(provider),
        None => verdict,
    }
}

/// Says more than the service said.
fn add(error: &mut ProviderError, more: &str) {
    error.message = Some(match error.message.take() {
        Some(message) => format!("{}: {more}", message.trim().trim_end_matches('.')),
        None => more.to_owned(),
    });
}

/// The message without the lines that say again which request it was, and when.
fn without_time(message: String) -> String {
    match message.find("\nRequestId:") {
        Some(end) => message[..end].trim_end().to_owned(),
        None => message,
    }
}

/// A failure to get through, with the place that was tried: a wrong account is a host that does not exist.
pub(super) fn at(endpoint: &str, error: StorageError) -> StorageError {
    match error {
        StorageError::Transport { doing, source } => {
            StorageError::Transport { doing: format!("{doing} at {endpoint}"), source }
        }
        error => error,
    }
}

/// Whether a provider answered with this code.
pub(super) fn has_code(error: &StorageError, code: &str) -> bool {
    matches!(error, StorageError::Provider(error) if error.code.as_deref() == Some(code))
}
