//! What an error means to whoever asked.

use persevere::Verdict;
use reqsign_core::SigningCredential;

use super::Bucket;
use crate::error::{EXPIRED, ProviderError, StorageError};
use crate::http::Credentials;

/// The codes of bytes that do not match their checksum: they were damaged on the way.
const DAMAGED: [&str; 3] =
    ["BadDigest", "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch"];

/// What a failed request about `key` means, and what follows for the credentials that it was signed
/// with: those that have expired are loaded afresh, and an answer that refuses says whose they are.
pub(crate) async fn judged<B: Bucket + ?Sized, K: SigningCredential>(
    bucket: &B,
    signed: Option<(&Credentials<K>, u64)>,
    mut error: Box<ProviderError>,
    has_expired: bool,
    key: &str,
) -> StorageError {
    if let Some((credentials, generation)) = signed {
        if has_expired && credentials.refused(generation).await {
            let verdict = Verdict::retry(error.verdict.kind(), EXPIRED);
            let verdict = verdict.with_http_status(error.status).with_answer();
            error.verdict = verdict.with_provider(bucket.client().provider());
        }
        if has_expired || matches!(error.status, 401 | 403) {
            let origin = credentials.origin().unwrap_or("an unknown place");
            let said = error.message.take().unwrap_or_else(|| "refused".to_owned());
            let said = said.trim().trim_end_matches('.');
            error.message = Some(format!("{said}; the credentials are from {origin}"));
        }
    }
    explained(bucket, error, key)
}

/// The error of a request about `key`.
pub(crate) fn explained<B: Bucket + ?Sized>(
    bucket: &B,
    error: Box<ProviderError>,
    key: &str,
) -> StorageError {
    let what = bucket.shown(key);
    match (error.code.as_deref(), error.status) {
        (Some("NoSuchUpload"), _) => StorageError::UploadGone { what },
        (Some("NoSuchBucket"), _) => {
            StorageError::NotFound { what: bucket.shown(""), source: Some(error.into()) }
        }
        (Some("NoSuchKey"), _) | (None, 404) => {
            StorageError::NotFound { what, source: Some(error.into()) }
        }
        (_, 412) => StorageError::Changed { what },
        (Some(code), _) if DAMAGED.contains(&code) => StorageError::Damaged {
            what,
            found: format!("another one ({code})"),
            expected: "that which was sent".to_owned(),
        },
        _ => StorageError::Provider(error),
    }
}

/// An error of a copy, which is about what is copied.
pub(crate) fn concerning<B: Bucket + ?Sized>(
    bucket: &B,
    error: StorageError,
    from: &str,
) -> StorageError {
    match error {
        StorageError::Changed { .. } => StorageError::Changed { what: bucket.shown(from) },
        StorageError::NotFound { source, what } if what != bucket.shown("") => {
            StorageError::NotFound { what: bucket.shown(from), source }
        }
        error => error,
    }
}
