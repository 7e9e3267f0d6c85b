//! OpenStack, and other clouds that are less common.
//!
//! Sources: OpenStack API guide "Faults" and nova's `exception.py`; Alibaba OSS "Error codes";
//! Oracle Cloud Infrastructure "API errors".

use super::Entry;
use crate::detect::evidence::Rank::Code;
use crate::provider::Provider::Openstack;
use crate::verdict::Kind::{
    Conflict, ExhaustedResource, Invalid, NotFound, Permission, Server, Throttle,
};

#[rustfmt::skip]
pub(super) const CODES: &[Entry] = &[
    Entry::retry(Code, Server, "openstack.fault",
        &["computeFault", "serviceUnavailableFault", "messagingtimeout", "\"computeFault\""]).of(Openstack).answered(),
    Entry::retry(Code, Throttle, "openstack.over_limit",
        &["\"overLimit\"", "rate limit has been reached"]).of(Openstack).answered().unprocessed(),
    Entry::stop(Code, NotFound, "openstack.not_found",
        &["\"itemNotFound\"", "itemNotFound", "instancenotfound", "volumenotfound", "networknotfound", "flavornotfound"]).of(Openstack).answered(),
    Entry::stop(Code, Invalid, "openstack.bad_request",
        &["\"badRequest\"", "\"badMethod\"", "flavordisktoosmall", "flavormemorytoosmall"]).of(Openstack).answered(),
    Entry::stop(Code, Permission, "openstack.forbidden",
        &["\"forbidden\"", "policynotauthorized"]).of(Openstack).answered(),
    Entry::stop(Code, Conflict, "openstack.conflict",
        &["\"conflictingRequest\"", "volumeattached", "portinuse", "ipaddressinuse", "networkinuse", "securitygroupinuse"]).of(Openstack).answered(),
    Entry::stop(Code, ExhaustedResource, "openstack.quota",
        &["overquota", "quotaexceeded for resources", "novalidhost", "no valid host was found", "volumesizeexceedsavailablequota",
          "ipaddressgenerationfailure", "externalipaddressexhausted"]).of(Openstack).answered(),
    // Alibaba OSS and Oracle Cloud.
    Entry::retry(Code, Throttle, "oss.throttling",
        &["Throttling.User", "Throttling.Api", "QpsLimitExceeded", "DownloadTrafficRateLimitExceeded", "UploadTrafficRateLimitExceeded"]).answered().unprocessed(),
    Entry::retry(Code, Server, "oss.server",
        &["ServiceBusy", "ExternalServerIncorrectState"]).answered(),
    Entry::stop(Code, Permission, "oss.permission",
        &["SecurityTokenExpired", "InvalidSecurityToken", "NotAuthorizedOrNotFound", "NotAuthorizedOrResourceAlreadyExists",
          "SecondLevelDomainForbidden", "UserDisable"]),
    Entry::stop(Code, Invalid, "oss.invalid",
        &["FilePartNotExist", "FilePartStale", "InvalidTargetType", "CannotParseRequest", "RelatedResourceNotAuthorizedOrNotFound",
          "InvalidatedRetryToken"]),
];
