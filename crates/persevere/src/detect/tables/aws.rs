//! AWS, and S3 and what speaks its protocol.
//!
//! Sources: throttling and transient codes are those of smithy-rs
//! `aws-runtime/src/retries/classifiers.rs` and botocore's
//! `_retry.json` and `standard.py`; final ones are listed on "Error responses" (Amazon S3 API
//! reference), "Common errors" (each service's API
//! reference), "Error codes for the Amazon EC2 API", "Error handling with DynamoDB". "Conditional
//! requests" (Amazon S3 user guide): 409
//! ConditionalRequestConflict is to be retried.

use super::Entry;
use crate::detect::evidence::Rank::{Code, Status};
use crate::provider::Provider::{Aws, S3};
use crate::verdict::Kind::{
    Auth, Conflict, ExhaustedResource, Invalid, NotFound, Permission, Precondition, Server,
    Throttle, Timeout, Unsupported,
};

#[rustfmt::skip]
pub(super) const CODES: &[Entry] = &[
    // Lambda says it of what exists already, too: then the words say so.
    Entry::retry(Status, Conflict, "aws.resource_conflict",
        &["ResourceConflictException"]).of(Aws).answered(),
    Entry::retry(Code, Throttle, "s3.throttling",
        &["SlowDown", "SlowDownRead", "SlowDownWrite", "XMinioServerNotInitialized"]).of(S3).answered().unprocessed(),
    Entry::retry(Code, Throttle, "aws.throttling",
        &["ThrottlingException", "ThrottledException", "ThrottlingError", "RequestThrottled", "RequestThrottledException",
          "TooManyRequestsException", "ProvisionedThroughputExceeded", "ProvisionedThroughputExceededException", "TransactionInProgressException",
          "RequestLimitExceeded", "BandwidthLimitExceeded", "LimitExceededException", "PriorRequestNotComplete", "EC2ThrottledException",
          "KMSThrottlingException", "OverLimit", "QueueDeletedRecently", "ReplicatedWriteConflictException"]).of(Aws).answered().unprocessed(),
    Entry::retry(Code, Timeout, "s3.request_timeout",
        &["RequestTimeout"]).of(S3).answered(),
    Entry::retry(Code, Server, "aws.transient",
        &["RequestTimeoutException", "InternalFailure", "InternalServerError", "InternalServerException", "InternalServiceError",
          "InternalServiceException", "ServiceUnavailable", "ServiceUnavailableException", "ServiceException", "DependencyTimeoutException",
          "DependencyUnavailableException", "IDPCommunicationError", "ModelNotReadyException", "EventualConsistencyException"]).of(Aws).answered(),
    Entry::retry(Code, Server, "s3.internal_error",
        &["InternalError"]).answered(),
    Entry::retry(Code, Conflict, "s3.conflict",
        &["OperationAborted", "ConditionalRequestConflict"]).of(S3).answered(),
    Entry::retry(Code, Conflict, "aws.conflict",
        &["ConcurrentModificationException", "TransactionConflictException", "ConflictingOperation", "ConcurrentModification"]).of(Aws).answered(),
    Entry::stop(Code, Permission, "aws.permission",
        &["AccessDeniedException", "UnauthorizedOperation", "UnauthorizedAccess", "OptInRequired", "NotSignedUp", "AllAccessDisabled",
          "AccountProblem", "CrossLocationLoggingProhibited", "InvalidPayer", "NotAuthorized", "NotAuthorizedException", "KMSAccessDeniedException",
          "OperationNotPermittedException"]).of(Aws),
    Entry::stop(Code, Auth, "aws.auth",
        &["InvalidAccessKeyId", "SignatureDoesNotMatch", "RequestTimeTooSkewed", "RequestExpired", "ExpiredToken", "ExpiredTokenException",
          "TokenRefreshRequired", "InvalidClientTokenId", "UnrecognizedClientException", "InvalidSignatureException", "IncompleteSignature",
          "IncompleteSignatureException", "MissingAuthenticationToken", "MissingAuthenticationTokenException", "MissingSecurityHeader",
          "AuthFailure", "AuthorizationHeaderMalformed", "InvalidSecurity", "CredentialsNotSupported", "InvalidToken", "InvalidIdentityToken",
          "IDPRejectedClaim", "NoCredentialProviders", "NoCredentialsError", "PartialCredentialsError", "UnauthorizedSSOTokenError",
          "SSOTokenLoadError", "ProfileNotFound", "CredentialRetrievalError", "InvalidGrantException"]).of(Aws),
    Entry::stop(Code, NotFound, "s3.not_found",
        &["NoSuchKey", "NoSuchBucket", "NoSuchUpload", "NoSuchVersion", "NoSuchBucketPolicy", "NoSuchLifecycleConfiguration", "NoSuchTagSet",
          "NoSuchCORSConfiguration", "NoSuchWebsiteConfiguration", "ReplicationConfigurationNotFoundError",
          "ServerSideEncryptionConfigurationNotFoundError", "ObjectLockConfigurationNotFoundError", "PermanentRedirect"]).of(S3),
    Entry::stop(Code, NotFound, "aws.not_found",
        &["ResourceNotFoundException", "ResourceNotFoundFault", "NoSuchEntity", "NoSuchEntityException", "NoSuchHostedZone", "NotFoundException",
          "QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue", "TableNotFoundException", "DBInstanceNotFound", "DBInstanceNotFoundFault",
          "ClusterNotFoundException", "RepositoryNotFoundException", "ImageNotFoundException", "StackNotFoundException", "ParameterNotFound",
          "NoSuchDistribution", "UnknownResourceFault", "InvalidInstanceID.NotFound"]).of(Aws),
    Entry::stop(Code, Conflict, "s3.exists",
        &["BucketAlreadyExists", "BucketAlreadyOwnedByYou", "BucketNotEmpty", "RestoreAlreadyInProgress", "InvalidBucketState"]).of(S3),
    Entry::stop(Code, Conflict, "aws.exists",
        &["EntityAlreadyExists", "EntityAlreadyExistsException", "ResourceAlreadyExistsException", "ResourceInUseException",
          "AlreadyExistsException", "DBInstanceAlreadyExists", "DependencyViolation", "VolumeInUse", "InvalidGroup.Duplicate",
          "InvalidKeyPair.Duplicate", "InvalidPermission.Duplicate", "DeleteConflict", "DeleteConflictException", "RepositoryAlreadyExistsException",
          "ImageAlreadyExistsException", "QueueNameExists", "HostedZoneAlreadyExists"]).of(Aws),
    Entry::stop(Code, Precondition, "s3.precondition",
        &["PreconditionFailed", "InvalidObjectState", "NotModified"]),
    Entry::stop(Code, Precondition, "aws.precondition",
        &["ConditionalCheckFailedException", "TransactionCanceledException", "IncorrectState", "IncorrectInstanceState", "InvalidState",
          "InvalidStateException", "InvalidDBInstanceState", "UnsupportedOperation", "OperationNotPermitted", "ScalingActivityInProgress"]).of(Aws),
    Entry::stop(Code, Invalid, "s3.invalid",
        &["BadDigest", "EntityTooSmall", "EntityTooLarge", "IllegalLocationConstraintException", "InvalidArgument", "InvalidBucketName",
          "InvalidDigest", "InvalidLocationConstraint", "InvalidPart", "InvalidPartOrder", "InvalidPolicyDocument", "InvalidRange", "InvalidRequest",
          "InvalidStorageClass", "InvalidTag", "InvalidTargetBucketForLogging", "InvalidURI", "KeyTooLongError", "MalformedACLError",
          "MalformedPOSTRequest", "MalformedXML", "MaxMessageLengthExceeded", "MaxPostPreDataLengthExceededError", "MetadataTooLarge",
          "MissingContentLength", "MissingRequestBodyError", "RequestIsNotMultiPartContent", "UnexpectedContent", "UnresolvableGrantByEmailAddress",
          "UserKeyMustBeSpecified", "XAmzContentSHA256Mismatch", "InvalidObjectName", "XMinioInvalidObjectName", "EncryptionTypeNotSupported",
          "InvalidEncryptionAlgorithmError", "InvalidSOAPRequest", "AmbiguousGrantByEmailAddress", "TooManyParts"]).of(S3),
    Entry::stop(Code, Invalid, "aws.invalid",
        &["TotalPartsExceeded", "ValidationException", "InvalidParameterValue", "InvalidParameterValueException", "InvalidParameterCombination",
          "InvalidParameterException", "InvalidParameters", "InvalidParameter", "InvalidQueryParameter", "InvalidAction", "MalformedQueryString",
          "MalformedPolicyDocument", "MissingAction", "MissingParameter", "UnknownParameter", "UnknownOperationException", "SerializationException",
          "ParamValidationError", "InvalidRequestException", "InvalidInputException", "InvalidInput", "InvalidAMIID.Malformed",
          "InvalidInstanceID.Malformed", "InvalidID", "ItemCollectionSizeLimitExceededException", "RequestEntityTooLarge",
          "RequestEntityTooLargeException", "RequestTooLargeException", "PolicyLengthExceededException", "InvalidDocument", "NoRegionError",
          "InvalidEndpoint", "MissingRegion", "InvalidUserID.Malformed"]).of(Aws),
    Entry::stop(Code, ExhaustedResource, "aws.quota",
        &["ServiceQuotaExceededException", "ServiceLimitExceeded", "LimitExceeded", "QuotaExceededException", "VcpuLimitExceeded",
          "InstanceLimitExceeded", "VolumeLimitExceeded", "AddressLimitExceeded", "SnapshotLimitExceeded", "MaxSpotInstanceCountExceeded",
          "TooManyBuckets", "VpcLimitExceeded", "SecurityGroupLimitExceeded", "RulesPerSecurityGroupLimitExceeded", "StorageQuotaExceeded",
          "XMinioStorageFull", "CodeStorageExceededException"]).of(Aws),
    Entry::stop(Code, Unsupported, "aws.unsupported",
        &["UnsupportedProtocol", "MethodNotAllowed", "UnsupportedOperationException"]).of(Aws),
];
