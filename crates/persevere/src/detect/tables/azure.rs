//! Azure: Storage, and the Resource Manager.
//!
//! Sources: "Common REST API error codes", "Blob service error codes", "Table service error codes"
//! (Azure Storage),
//! "Troubleshoot common Azure deployment errors" and "Throttling Resource Manager requests" (Azure
//! Resource Manager), Microsoft Entra
//! "Authentication and authorization error codes" (AADSTS).

use super::Entry;
use crate::detect::evidence::Rank::{Code, Decisive, Status};
use crate::provider::Provider::Azure;
use crate::verdict::Kind::{
    Auth, Conflict, ExhaustedResource, Invalid, NotFound, Permission, Precondition, Server,
    Throttle, Timeout,
};

#[rustfmt::skip]
pub(super) const CODES: &[Entry] = &[
    Entry::retry(Code, Timeout, "azure.timed_out",
        &["OperationTimedOut", "ServerTimeout", "GatewayTimeout"]).of(Azure).answered(),
    Entry::retry(Code, Server, "azure.busy",
        &["ServerBusy", "RetryableError", "InternalExecutionError", "InternalOperationError", "StorageInternalError", "BadGatewayConnection"]).of(Azure).answered(),
    Entry::retry(Code, Throttle, "azure.throttling",
        &["ResourceRequestsThrottled", "SubscriptionRequestsThrottled", "TenantRequestsThrottled", "ResourceCollectionRequestsThrottled",
          "RequestsThrottled"]).of(Azure).answered().unprocessed(),
    Entry::retry(Code, Conflict, "azure.in_progress",
        &["ContainerBeingDeleted", "QueueBeingDeleted", "TableBeingDeleted", "ShareBeingDeleted", "AccountBeingCreated",
          "AnotherOperationInProgress", "OperationInProgress", "ResourceGroupBeingDeleted", "DeploymentActive", "ReferencedResourceNotProvisioned",
          "ResourceNotReady", "ConcurrentUpdateError"]).of(Azure).answered(),
    Entry::stop(Code, NotFound, "azure.not_found",
        &["BlobNotFound", "ContainerNotFound", "ResourceNotFound", "ResourceNotFoundError", "ResourceGroupNotFound", "ParentResourceNotFound",
          "SubscriptionNotFound", "ShareNotFound", "QueueNotFound", "TableNotFound", "EntityNotFound", "MessageNotFound", "FilesystemNotFound",
          "PathNotFound", "ManagedIdentityNotFound", "VaultNotFound", "SecretNotFound", "StorageAccountNotFound", "InvalidResourceReference",
          "ImageNotFound", "SourcePathNotFound"]).of(Azure),
    Entry::stop(Code, Conflict, "azure.exists",
        &["currently a lease", "no lease id was specified", "BlobAlreadyExists", "ContainerAlreadyExists", "ResourceAlreadyExists",
          "AccountAlreadyExists", "StorageAccountAlreadyExists", "StorageAccountAlreadyTaken", "ResourceExistsError", "PathAlreadyExists",
          "QueueAlreadyExists", "TableAlreadyExists", "EntityAlreadyExist", "LeaseAlreadyPresent", "LeaseAlreadyBroken", "LeaseIdMissing",
          "LeaseIdMismatchWithBlobOperation", "LeaseIdMismatchWithLeaseOperation", "LeaseLost", "LeaseNotPresentWithBlobOperation",
          "PendingCopyOperation", "NoPendingCopyOperation", "SnapshotsPresent", "InvalidBlobType", "BlobOverwritten", "BlobArchived",
          "BlobBeingRehydrated", "UnauthorizedBlobOverwrite", "RoleAssignmentExists", "ScopeLocked", "InUseSubnetCannotBeDeleted", "NicInUse",
          "PublicIPAddressInUse"]).of(Azure),
    Entry::stop(Code, Permission, "azure.permission",
        &["AuthorizationFailure", "AuthorizationFailed", "AuthorizationPermissionMismatch", "AuthorizationSourceIPMismatch",
          "AuthorizationProtocolMismatch", "AuthorizationServiceMismatch", "AuthorizationResourceTypeMismatch", "InsufficientAccountPermissions",
          "LinkedAuthorizationFailed", "LinkedAccessCheckFailed", "AccountIsDisabled", "ContainerDisabled", "PublicAccessNotPermitted",
          "KeyBasedAuthenticationNotPermitted", "RequestDisallowedByPolicy", "RequestDisallowedByAzure", "ReadOnlyDisabledSubscription",
          "BlobImmutableDueToPolicy", "DisallowedOperation"]).of(Azure),
    Entry::stop(Code, Auth, "azure.auth",
        &["AuthenticationFailed", "InvalidAuthenticationInfo", "NoAuthenticationInformation", "InvalidAuthenticationToken",
          "ExpiredAuthenticationToken", "InvalidAuthenticationTokenTenant", "InvalidAuthenticationTokenAudience",
          "AuthenticationFailedInvalidHeader", "ClientAuthenticationError", "CredentialUnavailableError", "CredentialUnavailableException",
          "InvalidClientSecret", "AADSTS50034", "AADSTS50126", "AADSTS7000215", "AADSTS7000222", "AADSTS700016", "AADSTS70043", "AADSTS700082",
          "AADSTS90002", "AADSTS50076", "AADSTS65001", "AADSTS50079", "AADSTS53003"]).of(Azure),
    Entry::stop(Code, Precondition, "azure.precondition",
        &["ConditionNotMet", "SourceConditionNotMet", "TargetConditionNotMet", "AppendPositionConditionNotMet", "MaxBlobSizeConditionNotMet",
          "SequenceNumberConditionNotMet", "ConditionHeadersNotSupported", "OperationNotAllowedOnDisk", "OperationPreempted"]).of(Azure),
    Entry::stop(Code, Invalid, "azure.invalid",
        &["EmptyMetadataKey", "InvalidHeaderValue", "InvalidHttpVerb", "InvalidMd5", "InvalidMetadata", "InvalidQueryParameterValue",
          "InvalidResourceName", "InvalidXmlDocument", "InvalidXmlNodeValue", "InvalidOperation", "InvalidBlockId", "InvalidBlockList",
          "InvalidBlobOrBlock", "InvalidPageRange", "InvalidVersionForPageBlobOperation", "Md5Mismatch", "Crc64Mismatch",
          "MissingContentLengthHeader", "MissingRequiredHeader", "MissingRequiredQueryParameter", "MissingRequiredXmlNode",
          "MultipleConditionHeadersNotSupported", "OutOfRangeInput", "OutOfRangeQueryParameterValue", "RequestBodyTooLarge",
          "RequestUrlFailedToParse", "ResourceTypeMismatch", "UnsupportedHeader", "UnsupportedXmlNode", "UnsupportedQueryParameter",
          "UnsupportedHttpVerb", "FeatureVersionMismatch", "BlockCountExceedsLimit", "BlockListTooLong", "CannotVerifyCopySource",
          "CopyAcrossAccountsNotSupported", "CopyIdMismatch", "InvalidTemplate", "InvalidTemplateDeployment", "InvalidRequestContent",
          "InvalidRequestFormat", "InvalidResourceNamespace", "InvalidResourceType", "InvalidApiVersionParameter", "NoRegisteredProviderFound",
          "MissingSubscriptionRegistration", "ReservedResourceName", "PropertyChangeNotAllowed", "SkuNotAvailable", "AccountNameInvalid",
          "InvalidContentType", "InvalidRequestPropertyName"]).of(Azure),
    Entry::stop(Decisive, ExhaustedResource, "azure.quota",
        &["StorageAccountQuotaExceeded", "ResourceQuotaExceeded", "ResourceCountExceedsLimitDueToTemplate", "DeploymentQuotaExceeded",
          "InsufficientQuota", "ShareSizeLimitReached", "MaxStorageAccountsCountPerSubscriptionExceeded"]).of(Azure),
    // With this code the message tells whether it is a quota.
    Entry::stop(Status, ExhaustedResource, "azure.not_allowed",
        &["OperationNotAllowed", "SubscriptionIsOverQuotaForSku", "PublicIPCountLimitReached", "NetworkCountLimitReached"]).of(Azure),
];
