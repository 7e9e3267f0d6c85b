//! What messages say, as data. A later issue adds the providers' own tables.
//!
//! Sources: `strerror(3)` and `errno(3)` for the words of the operating system, `getaddrinfo(3)` for
//! name resolution, RFC 9110 and RFC 6585 for the reasons of HTTP statuses, RFC 5280 and OpenSSL's
//! `x509_txt.c` for certificates, and at each table of codes the provider's own page.

use crate::verdict::{Kind, Verdict};

/// How much a phrase says, from little to everything. The one that says most decides; among equals
/// the last one in the message, for that is where the cause stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// A single word of everyday language, which may stand in any sentence.
    Word,
    /// An HTTP status, or a code that covers many cases.
    Status,
    /// A phrase with one meaning.
    Phrase,
    /// A code that a provider or an operating system documents.
    Code,
    /// Whatever else is said around it, this cannot get better by itself.
    Decisive,
}

/// What a phrase means.
#[derive(Debug, Clone, Copy)]
pub(super) enum Meaning {
    Says(Rank, Verdict),
    /// An HTTP status by its reason.
    Reason(u16),
    /// A number that is an HTTP status, if one of [`BEFORE_A_STATUS`] stands before it.
    Number(u16),
}

use Kind::{
    Auth, Conflict, ExhaustedResource, Invalid, Network, NotFound, Other, Permission, Precondition,
    Server, Throttle, Timeout, Tls, TransientIo, Unsupported,
};
use Meaning::{Reason, Says};
use Rank::{Code, Decisive, Phrase, Status, Word};

const fn retry(rank: Rank, kind: Kind, rule: &'static str) -> Meaning {
    Says(rank, Verdict::retry(kind, rule))
}

const fn stop(rank: Rank, kind: Kind, rule: &'static str) -> Meaning {
    Says(rank, Verdict::stop(kind, rule))
}

const fn answered(rank: Rank, kind: Kind, rule: &'static str) -> Meaning {
    Says(rank, Verdict::retry(kind, rule).with_answer())
}

/// Each meaning with its phrases, in lower case.
#[rustfmt::skip]
pub(super) const PHRASES: &[(Meaning, &[&str])] = &[
    // The network.
    (Says(Phrase, Verdict::retry(Network, "text.connection_refused").with_answer().with_unprocessed()),
        &["connection refused", "actively refused", "econnrefused", "connectionrefused"]),
    (retry(Phrase, Network, "text.connection_reset"),
        &["connection reset", "econnreset", "connectionreset", "reset by peer", "socket hang up", "forcibly closed"]),
    (retry(Phrase, Network, "text.connection_closed"),
        &["connection closed", "closed the connection", "connection was closed", "connection is closed", "connection lost", "lost connection",
          "connection aborted", "econnaborted", "connectionaborted", "connection terminated", "connection dropped", "connection was lost",
          "server closed", "remote end closed", "peer closed", "disconnected by remote", "server has gone away", "server disconnected",
          "connection to the server was lost", "not connected", "enotconn", "communications link failure"]),
    (retry(Phrase, Network, "text.broken_pipe"), &["broken pipe", "epipe", "brokenpipe"]),
    (retry(Phrase, Network, "text.cut_off"),
        &["unexpected eof", "unexpected end of file", "unexpected end of stream", "unexpectedeof", "premature eof", "premature end",
          "premature close", "incomplete read", "incompleteread", "incomplete message", "incomplete body", "outstanding read data",
          "bytes missing", "handshake eof", "eof occurred in violation", "connection unexpectedly closed", "response ended prematurely"]),
    (retry(Phrase, Network, "text.unreachable"),
        &["network is unreachable", "network unreachable", "host is unreachable", "host unreachable", "no route to host", "enetunreach",
          "ehostunreach", "network is down", "enetdown", "host is down", "ehostdown", "networkunreachable", "hostunreachable", "network error"]),
    (Says(Phrase, Verdict::retry(Network, "text.cannot_connect").with_unprocessed()),
        &["failed to connect", "couldn't connect", "could not connect", "can't connect", "cannot connect", "unable to connect",
          "connect call failed", "connection failed", "connecterror", "connectexception", "error while dialing", "failed to establish",
          "error connecting"]),
    (Says(Phrase, Verdict::retry(Network, "text.name_resolution").with_unprocessed()),
        &["temporary failure in name resolution", "name resolution", "could not resolve host", "couldn't resolve host", "no such host",
          "name or service not known", "nodename nor servname", "eai_again", "enotfound", "unknown host", "unknownhost", "server misbehaving",
          "failed to lookup address", "dns error", "resolve hostname", "no address associated with hostname", "host not found"]),
    (retry(Phrase, Timeout, "text.timed_out"),
        &["timed out", "etimedout", "i/o timeout", "timeout awaiting", "timeout expired", "timeout exceeded", "handshake timeout",
          "read timeout", "connect timeout", "connection timeout", "request timeout", "deadline exceeded", "deadlineexceeded",
          "deadline_exceeded", "time limit exceeded", "operation timeout", "sockettimeout", "readtimeout", "connecttimeout", "not responding"]),
    (retry(Word, Timeout, "text.timeout"), &["timeout", "timedout"]),
    (retry(Phrase, TransientIo, "text.temporarily_unavailable"),
        &["temporarily unavailable", "resource busy", "device or resource busy", "eagain", "ewouldblock", "interrupted system call", "eintr",
          "too many open files", "emfile", "enfile", "no buffer space", "enobufs", "operation would block", "blockingioerror"]),
    (retry(Word, TransientIo, "text.temporary"),
        &["try again", "temporary", "transient", "please retry", "retry your request", "try restarting"]),

    // Throttling, and servers that are not well.
    (Says(Phrase, Verdict::retry(Throttle, "text.throttled").with_answer().with_unprocessed()),
        &["too many requests", "toomanyrequests", "rate limit", "ratelimit", "rate exceeded", "rate limited", "throttled", "throttling",
          "reduce your request rate", "request limit exceeded", "slow down", "rpc limit exceeded", "requests per minute"]),
    (answered(Phrase, Server, "text.server_busy"),
        &["server is busy", "service unavailable", "server too busy", "is overloaded", "server overloaded", "service is unavailable",
          "currently unable to handle", "internal server error", "bad gateway", "backend error", "internal error", "is loading",
          "not initialized yet", "is starting up", "starting up", "shutting down", "leader not available", "in recovery mode"]),

    // Codes: AWS (smithy-rs `aws-runtime` retries/classifiers.rs, botocore `_retry.json`).
    (Says(Code, Verdict::retry(Throttle, "aws.throttling").with_answer().with_unprocessed()),
        &["throttlingexception", "throttledexception", "requestthrottled", "requestthrottledexception", "toomanyrequestsexception",
          "provisionedthroughputexceededexception", "transactioninprogressexception", "requestlimitexceeded", "bandwidthlimitexceeded",
          "limitexceededexception", "slowdown", "priorrequestnotcomplete", "ec2throttledexception"]),
    (answered(Code, Server, "aws.transient"),
        &["requesttimeout", "requesttimeoutexception", "internalerror", "serviceunavailable", "operationaborted", "idpcommunicationerror"]),
    // Azure Storage error codes.
    (answered(Code, Server, "azure.transient"), &["operationtimedout", "serverbusy"]),
    // Google Cloud Storage JSON API, "Status and error codes".
    (Says(Code, Verdict::retry(Throttle, "gcs.rate_limit").with_answer().with_unprocessed()),
        &["ratelimitexceeded", "userratelimitexceeded"]),
    (answered(Code, Server, "gcs.backend_error"), &["backenderror"]),
    // gRPC status codes; UNAVAILABLE alone is retried whatever the call.
    (retry(Status, Server, "grpc.unavailable"), &["code = unavailable", "status: unavailable", "statuscode.unavailable"]),
    (retry(Status, Throttle, "grpc.resource_exhausted"), &["resource_exhausted", "code = resourceexhausted", "status: resourceexhausted"]),
    (stop(Status, Unsupported, "grpc.unimplemented"), &["code = unimplemented", "status: unimplemented", "statuscode.unimplemented"]),
    // PostgreSQL appendix A (40001, 40P01), MySQL 1205 and 1213.
    (answered(Phrase, Conflict, "text.deadlock"),
        &["deadlock detected", "deadlock found", "deadlockdetected", "could not serialize access", "lock wait timeout", "serialization failure",
          "operation is currently in progress", "conflicting conditional operation", "another operation is in progress"]),
    // Redis.
    (answered(Code, Server, "redis.loading"), &["loading redis", "masterdown", "tryagain", "clusterdown", "link with master is down"]),

    // Certificates and other things that a repetition cannot mend.
    (stop(Decisive, Tls, "text.certificate"),
        &["certificate verify failed", "certificate_verify_failed", "certificate has expired", "certificate is valid for", "self-signed certificate",
          "self signed certificate", "unknown issuer", "unknownissuer", "unable to get local issuer", "x509:", "invalid peer certificate",
          "ssl certificate problem", "certificate is not valid", "not valid for", "certificate required", "bad certificate", "hostname mismatch",
          "does not match hostname", "certificate unknown", "unknown ca", "host key verification failed", "unknown server key", "tls ca certificate",
          "no alternative certificate", "wrong version number", "alert protocol version", "private key does not match", "certificate not trusted"]),
    (stop(Decisive, ExhaustedResource, "text.storage_full"),
        &["no space left", "enospc", "disk full", "diskfull", "disk quota exceeded", "insufficient storage", "insufficient disk space", "not enough space",
          "remaining disk space", "edquot", "out of disk space"]),
    (stop(Decisive, Invalid, "text.message_too_large"), &["message larger than max", "larger than max"]),
    (stop(Decisive, Other, "text.cancelled"),
        &["context canceled", "operation was aborted", "canceled by the user", "cancelled by the user", "due to user request", "killed by user"]),

    // Not found, and not allowed.
    (stop(Phrase, NotFound, "text.not_found"),
        &["no such file", "enoent", "nosuchkey", "nosuchbucket", "nosuchfile", "does not exist", "doesn't exist", "could not be found",
          "was not found", "couldn't find", "could not find", "cannot find", "can't find", "command not found", "blobnotfound", "containernotfound",
          "resourcenotfound", "unable to locate", "manifest unknown", "unknown service", "nosuchupload", "no such container", "no such table",
          "no such object", "no such module"]),
    (stop(Word, NotFound, "text.not_found"), &["not found", "notfound", "no such"]),
    (stop(Phrase, Permission, "text.permission_denied"),
        &["permission denied", "access denied", "accessdenied", "eacces", "eperm", "operation not permitted", "not permitted", "forbidden",
          "not authorized", "unauthorizedoperation", "read-only file system", "erofs", "insufficient permissions", "insufficient privileges",
          "permissiondenied", "permission_denied", "authorization failed", "permission was denied", "worm protected"]),
    (stop(Phrase, Auth, "text.authentication"),
        &["authentication failed", "authentication failure", "authentication failures", "authenticationexception", "authenticationerror", "not authenticated",
          "unauthorized", "unauthenticated", "invalid credentials", "invalid token", "expiredtoken", "invalidaccesskeyid", "signaturedoesnotmatch",
          "requesttimetooskewed", "incorrect user name", "incorrect username", "incorrect password", "invalid username", "invalid password",
          "login failed", "cannot complete login", "token has expired", "token is expired", "token expired", "expired token", "signature expired",
          "invalidsignature", "invalidclienttokenid", "could not load credentials", "unable to locate credentials", "no credentials", "logon failure",
          "credentials have expired", "request has expired", "must be refreshed", "access key id you provided", "az login", "wrong password"]),

    // Requests that make no sense.
    (stop(Phrase, Invalid, "text.invalid"),
        &["invalid argument", "einval", "invalid option", "unknown option", "unrecognized option", "unrecognised option", "illegal option",
          "invalid value", "invalid syntax", "syntax error", "invalid parameter", "invalidargument", "invalidparameter", "invalid_argument",
          "invalidrequest", "bad request", "badrequest", "must be", "missing required", "is required", "is not valid", "not a valid", "invalid type",
          "missing field", "validation error", "validationerror", "validationexception", "paramvalidation", "parse error", "failed to parse",
          "unable to parse", "malformed", "unexpected argument", "not a directory", "enotdir", "is a directory", "eisdir", "file name too long",
          "enametoolong", "too many levels of symbolic links", "eloop", "argument list too long", "cross-device link", "exdev", "unsupported protocol",
          "too many redirects", "bad configuration option", "entitytoolarge", "requestbodytoolarge", "too large", "message too long", "out of range",
          "usage:", "unexpected token", "unknown command", "expected a", "invalid header", "missing scheme", "unsupported scheme", "malformedxml",
          "nullpointerexception", "invalid url", "invalid uri", "invalid port", "range is not satisfiable"]),
    (stop(Word, Invalid, "text.invalid_word"), &["invalid", "illegal", "mismatch"]),
    (stop(Phrase, Unsupported, "text.unsupported"),
        &["not supported", "unsupported", "not implemented", "notimplemented", "enotsup", "eopnotsupp", "function not implemented", "enosys",
          "method not allowed"]),
    (stop(Phrase, Conflict, "text.already_exists"),
        &["already exists", "eexist", "file exists", "alreadyexists", "duplicate entry", "duplicate key", "violates unique", "directory not empty",
          "enotempty", "is already in use", "already in use", "name is not available"]),
    (stop(Phrase, Precondition, "text.precondition"),
        &["precondition failed", "preconditionfailed", "conditionnotmet", "condition not met", "conditional request failed", "conditionalcheckfailed",
          "precondition failure", "you specified did not hold", "invalid power state", "invalidpowerstate", "cannot be performed in the current state"]),
    (stop(Phrase, ExhaustedResource, "text.quota"),
        &["quota exceeded", "quotaexceeded", "exceeded quota", "exceeded your", "cannot allocate memory", "enomem", "out of memory", "file too large",
          "efbig", "limit exceeded for"]),

    // HTTP.
    (Reason(404), &["404 not found"]),
    (Reason(501), &["501 not implemented"]),
    (Reason(504), &["gateway timeout", "gateway time-out"]),
    (Reason(413), &["payload too large", "request entity too large", "content too large"]),
];

/// What stands before an HTTP status, perhaps with punctuation in between, in lower case.
pub(super) const BEFORE_A_STATUS: &[&str] = &[
    "http",
    "http/1.1",
    "http/1.0",
    "http/2",
    "http/2.0",
    "http/3",
    "status",
    "code",
    "error",
    "returned",
    "response",
    "responded with",
    "received",
    "got",
    "couldn't list files",
];
