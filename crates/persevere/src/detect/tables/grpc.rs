//! gRPC's status codes, in the forms in which its libraries print them.
//!
//! Sources: "Status codes and their use in gRPC" and gRFC A6; Go's `status.Error`, grpc-java's and
//! grpc-node's `Status`, Python's `StatusCode`, tonic's
//! `Code::description`. UNAVAILABLE is retried; DEADLINE_EXCEEDED and INTERNAL for calls that may be
//! repeated, ABORTED by the caller's choice.

use super::Entry;
use crate::detect::evidence::Rank::{Code, Status};
use crate::provider::Provider::Grpc;
use crate::verdict::Kind::{
    Auth, Conflict, ExhaustedResource, Invalid, NotFound, Other, Permission, Precondition, Server,
    Throttle, Timeout, Unsupported,
};

#[rustfmt::skip]
pub(super) const CODES: &[Entry] = &[
    Entry::retry(Status, Server, "grpc.unavailable",
        &["code = unavailable", "status: unavailable", "statuscode.unavailable", "code=unavailable", "14 unavailable",
          "the service is currently unavailable"]).of(Grpc),
    Entry::retry(Status, Timeout, "grpc.deadline_exceeded",
        &["code = deadlineexceeded", "status: deadlineexceeded", "statuscode.deadline_exceeded", "4 deadline_exceeded", "code=deadline_exceeded"]).of(Grpc),
    Entry::retry(Status, Throttle, "grpc.resource_exhausted",
        &["resource_exhausted", "code = resourceexhausted", "status: resourceexhausted", "8 resource_exhausted", "resourceexhausted",
          "resource exhausted"]).of(Grpc).answered(),
    Entry::retry(Status, Server, "grpc.internal",
        &["code = internal", "status: internal", "statuscode.internal", "13 internal", "code=internal"]).of(Grpc),
    Entry::retry(Status, Conflict, "grpc.aborted",
        &["code = aborted", "status: aborted", "statuscode.aborted", "10 aborted", "code=aborted"]).of(Grpc).answered(),
    Entry::stop(Status, Other, "grpc.cancelled",
        &["code = canceled", "status: cancelled", "statuscode.cancelled", "1 cancelled", "code=cancelled"]).of(Grpc),
    Entry::stop(Status, Invalid, "grpc.invalid_argument",
        &["code = invalidargument", "status: invalidargument", "statuscode.invalid_argument", "3 invalid_argument", "code=invalid_argument"]).of(Grpc).answered(),
    Entry::stop(Status, NotFound, "grpc.not_found",
        &["code = notfound", "status: notfound", "statuscode.not_found", "5 not_found", "code=not_found"]).of(Grpc).answered(),
    Entry::stop(Status, Conflict, "grpc.already_exists",
        &["code = alreadyexists", "status: alreadyexists", "statuscode.already_exists", "6 already_exists", "code=already_exists"]).of(Grpc).answered(),
    Entry::stop(Status, Permission, "grpc.permission_denied",
        &["code = permissiondenied", "status: permissiondenied", "statuscode.permission_denied", "7 permission_denied", "code=permission_denied"]).of(Grpc).answered(),
    Entry::stop(Status, Precondition, "grpc.failed_precondition",
        &["code = failedprecondition", "status: failedprecondition", "statuscode.failed_precondition", "9 failed_precondition",
          "code=failed_precondition"]).of(Grpc).answered(),
    Entry::stop(Status, Invalid, "grpc.out_of_range",
        &["code = outofrange", "status: outofrange", "statuscode.out_of_range", "11 out_of_range", "out_of_range", "code=out_of_range"]).of(Grpc).answered(),
    Entry::stop(Status, Unsupported, "grpc.unimplemented",
        &["code = unimplemented", "status: unimplemented", "statuscode.unimplemented", "12 unimplemented", "code=unimplemented"]).of(Grpc).answered(),
    Entry::stop(Status, Other, "grpc.data_loss",
        &["code = dataloss", "status: dataloss", "statuscode.data_loss", "15 data_loss", "data_loss", "code=data_loss"]).of(Grpc).answered(),
    Entry::stop(Status, Auth, "grpc.unauthenticated",
        &["code = unauthenticated", "status: unauthenticated", "statuscode.unauthenticated", "16 unauthenticated", "code=unauthenticated"]).of(Grpc).answered(),
    Entry::stop(Code, ExhaustedResource, "grpc.message_too_large",
        &["received message larger", "message exceeds maximum size", "trying to send message larger"]).of(Grpc),
];
