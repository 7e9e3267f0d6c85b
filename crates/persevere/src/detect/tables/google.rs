//! Google Cloud: Storage, Compute Engine, and what its APIs have in common.
//!
//! Sources: "HTTP status and error codes for JSON" (Cloud Storage), "Retry strategy" (Cloud
//! Storage), "Standard Google API
//! errors" and AIP-193, "Troubleshooting resource availability" (Compute Engine), BigQuery "Error
//! messages". rateLimitExceeded and userRateLimitExceeded are
//! retried although they come as 403; quotaExceeded and dailyLimitExceeded are final.

use super::Entry;
use crate::detect::evidence::Rank::Code;
use crate::provider::Provider::Gcs;
use crate::verdict::Kind::{
    Auth, Conflict, ExhaustedResource, Invalid, Network, NotFound, Permission, Precondition,
    Server, Throttle, Unsupported,
};

#[rustfmt::skip]
pub(super) const CODES: &[Entry] = &[
    Entry::retry(Code, Throttle, "google.rate_limit",
        &["rateLimitExceeded", "userRateLimitExceeded", "concurrentLimitExceeded", "jobRateLimitExceeded", "RATE_LIMIT_EXCEEDED",
          "rateLimitExceededUnreg", "tooManyConcurrentRequests"]).of(Gcs).answered().unprocessed(),
    Entry::retry(Code, Server, "google.backend_error",
        &["backendError", "backendNotConnected", "jobBackendError", "jobInternalError", "transientError"]).of(Gcs).answered(),
    Entry::retry(Code, Network, "google.broken_upload",
        &["uploadBrokenConnection"]).of(Gcs).answered(),
    Entry::retry(Code, Conflict, "google.in_progress",
        &["RESOURCE_NOT_READY", "OPERATION_IN_PROGRESS"]).of(Gcs).answered(),
    Entry::stop(Code, ExhaustedResource, "google.quota",
        &["dailyLimitExceeded", "dailyLimitExceededUnreg", "variableTermLimitExceeded", "QUOTA_LIMIT", "responseTooLarge", "resourcesExceeded",
          "billingTierLimitExceeded", "billingNotEnabled", "BILLING_DISABLED"]).of(Gcs),
    Entry::stop(Code, NotFound, "google.not_found",
        &["RESOURCE_NOT_FOUND", "domainNotFound"]).of(Gcs),
    Entry::stop(Code, Conflict, "google.exists",
        &["RESOURCE_ALREADY_EXISTS", "RESOURCE_IN_USE_BY_ANOTHER_RESOURCE", "resourceInUseByAnotherResource"]).of(Gcs),
    Entry::stop(Code, Permission, "google.permission",
        &["insufficientPermissions", "accessNotConfigured", "SERVICE_DISABLED", "IAM_PERMISSION_DENIED", "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
          "accountDisabled", "countryBlocked", "sslRequired", "userProjectMissing", "requesterPays", "CONSUMER_INVALID", "USER_PROJECT_DENIED",
          "ORG_RESTRICTION_VIOLATION", "lockedDomainForbidden"]).of(Gcs),
    Entry::stop(Code, Auth, "google.auth",
        &["keyInvalid", "keyExpired", "authError", "API_KEY_INVALID", "API_KEY_SERVICE_BLOCKED", "ACCESS_TOKEN_EXPIRED", "CREDENTIALS_MISSING",
          "invalid_rapt", "DefaultCredentialsError", "invalidCredentials"]).of(Gcs),
    Entry::stop(Code, Precondition, "google.precondition",
        &["retentionPolicyNotMet", "objectUnderActiveHold"]).of(Gcs),
    Entry::stop(Code, Invalid, "google.invalid",
        &["invalidQuery", "resumableUploadInvalid", "uploadTooLarge", "unsupportedMediaProtocol", "requestedRangeNotSatisfiable",
          "wrongUrlForUpload", "corsRequestWithXOrigin", "fieldNotWritable", "invalidSharingRequest", "INVALID_FIELD_VALUE"]).of(Gcs),
    Entry::stop(Code, Unsupported, "google.unsupported",
        &["unsupportedLargeObjectWithEncryption", "unsupportedOutputFormat"]).of(Gcs),
];
