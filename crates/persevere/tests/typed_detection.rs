//! Detection by the types of libraries, with errors that can be made by hand. Those that only a
//! connection makes are met in the crate `real-failures`.

#![cfg(all(
    feature = "h2",
    feature = "object_store",
    feature = "reqwest",
    feature = "russh",
    feature = "rustls",
    feature = "tokio",
    feature = "tonic"
))]

use std::error::Error;
use std::io;
use std::time::Duration;

use persevere::{Kind, Provider, Verdict, detect};

/// Asserts, and hands the verdict back for more.
#[track_caller]
fn retry_of(error: &(dyn Error + 'static), kind: Kind, rule: &str) -> Verdict {
    verdict_of(error, true, kind, rule)
}

#[track_caller]
fn stop_of(error: &(dyn Error + 'static), kind: Kind, rule: &str) -> Verdict {
    verdict_of(error, false, kind, rule)
}

#[track_caller]
fn is_retried(error: &(dyn Error + 'static), kind: Kind, rule: &str) {
    let _ = verdict_of(error, true, kind, rule);
}

#[track_caller]
fn is_final(error: &(dyn Error + 'static), kind: Kind, rule: &str) {
    let _ = verdict_of(error, false, kind, rule);
}

#[track_caller]
fn verdict_of(error: &(dyn Error + 'static), retryable: bool, kind: Kind, rule: &str) -> Verdict {
    let verdict = detect::error(error);
    let said = (verdict.is_retryable(), verdict.kind(), verdict.rule());
    assert_eq!(said, (retryable, kind, rule), "{error:?}");
    verdict
}

mod grpc {
    use super::*;
    use tonic::metadata::{MetadataMap, MetadataValue};
    use tonic::{Code, Status};
    use tonic_types::{ErrorDetails, StatusExt};

    fn with_pushback(value: &'static str) -> Status {
        let mut metadata = MetadataMap::new();
        metadata.insert("grpc-retry-pushback-ms", MetadataValue::from_static(value));
        Status::with_metadata(Code::Unavailable, "down for a moment", metadata)
    }

    fn with_retry_info(code: Code, wait: Option<Duration>) -> Status {
        Status::with_error_details(code, "slow down", ErrorDetails::with_retry_info(wait))
    }

    #[test]
    fn codes() {
        let verdict = retry_of(&Status::unavailable("down"), Kind::Server, "grpc.unavailable");
        assert!(verdict.has_answer() && !verdict.is_unprocessed());
        assert_eq!(verdict.provider(), Some(Provider::Grpc));
        assert_eq!(verdict.evidence(), "UNAVAILABLE");
        is_retried(&Status::aborted("lost the race"), Kind::Conflict, "grpc.aborted");
        is_final(&Status::cancelled("stop"), Kind::Other, "grpc.cancelled");
        is_final(&Status::not_found("x"), Kind::NotFound, "grpc.not_found");
        is_final(&Status::unauthenticated("who"), Kind::Auth, "grpc.unauthenticated");
    }

    #[test]
    fn what_may_have_been_done_is_not_unprocessed() {
        for status in [Status::deadline_exceeded("late"), Status::internal("bug")] {
            let verdict = detect::error(&status);
            assert!(verdict.is_retryable() && !verdict.is_unprocessed(), "{status:?}");
        }
    }

    #[test]
    fn unknown_says_nothing() {
        let verdict = detect::error(&Status::unknown("the gears grind"));
        assert_eq!((verdict.kind(), verdict.has_answer()), (Kind::Unknown, true), "{verdict}");
    }

    #[test]
    fn a_message_does_not_overrule_a_code() {
        let status = Status::permission_denied("connection reset by peer");
        is_final(&status, Kind::Permission, "grpc.permission_denied");
    }

    #[test]
    fn resource_exhausted_needs_retry_info() {
        let rule = "grpc.resource_exhausted.no_retry_info";
        is_final(&Status::resource_exhausted("quota"), Kind::ExhaustedResource, rule);
        let status = with_retry_info(Code::ResourceExhausted, Some(Duration::from_secs(7)));
        let verdict = retry_of(&status, Kind::Throttle, "grpc.resource_exhausted");
        assert_eq!(verdict.hint(), Some(Duration::from_secs(7)));
        assert!(verdict.is_unprocessed());
    }

    #[test]
    fn retry_info_does_not_make_a_final_code_retryable() {
        let status = with_retry_info(Code::InvalidArgument, Some(Duration::from_secs(7)));
        let verdict = stop_of(&status, Kind::Invalid, "grpc.invalid_argument");
        assert_eq!(verdict.hint(), None);
    }

    #[test]
    fn pushback() {
        let verdict = retry_of(&with_pushback("250"), Kind::Server, "grpc.unavailable");
        assert_eq!(verdict.hint(), Some(Duration::from_millis(250)));
        assert!(verdict.is_unprocessed());
        for never in ["-1", "soon", ""] {
            is_final(&with_pushback(never), Kind::Server, "grpc.pushback");
        }
    }

    #[test]
    fn garbage_in_the_details_is_no_retry_info() {
        let details = vec![0xff; 9].into();
        let status = Status::with_details(Code::ResourceExhausted, "quota", details);
        assert!(!detect::error(&status).is_retryable());
    }

    #[test]
    fn a_status_that_tonic_made_of_a_cause_is_worth_its_cause() {
        let mut status = Status::unavailable("tls handshake");
        let certificate = rustls::Error::InvalidCertificate(rustls::CertificateError::Expired);
        status.set_source(std::sync::Arc::new(io::Error::other(certificate)));
        is_final(&status, Kind::Tls, "tls.invalid_certificate");

        let mut status = Status::cancelled("stream gone");
        status.set_source(std::sync::Arc::new(h2::Error::from(h2::Reason::REFUSED_STREAM)));
        assert!(retry_of(&status, Kind::Network, "h2.refused_stream").is_unprocessed());
    }

    #[test]
    fn out_of_time() {
        is_retried(&tonic::TimeoutExpired(()), Kind::Timeout, "tonic.timeout_expired");
    }
}

#[test]
fn reasons_of_http2() {
    let of = |reason: h2::Reason| h2::Error::from(reason);
    is_retried(&of(h2::Reason::ENHANCE_YOUR_CALM), Kind::Throttle, "h2.enhance_your_calm");
    is_retried(&of(h2::Reason::NO_ERROR), Kind::Network, "h2.no_error");
    is_final(&of(h2::Reason::HTTP_1_1_REQUIRED), Kind::Unsupported, "h2.http_1_1_required");
    let verdict = retry_of(&of(h2::Reason::REFUSED_STREAM), Kind::Network, "h2.refused_stream");
    assert!(verdict.is_unprocessed());
}

#[test]
fn tls() {
    use rustls::{AlertDescription as Alert, CertificateError, PeerIncompatible};

    let certificate = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
    is_final(&certificate, Kind::Tls, "tls.invalid_certificate");
    let version = rustls::Error::PeerIncompatible(PeerIncompatible::ServerDoesNotSupportTls12Or13);
    is_final(&version, Kind::Tls, "tls.incompatible");
    for alert in [Alert::HandshakeFailure, Alert::ProtocolVersion, Alert::UnknownCA] {
        is_final(&rustls::Error::AlertReceived(alert), Kind::Tls, "tls.alert");
    }
    let internal = rustls::Error::AlertReceived(Alert::InternalError);
    is_retried(&internal, Kind::Server, "tls.alert_internal_error");
}

/// As it comes out of tokio-rustls.
#[test]
fn a_certificate_decides_over_what_is_wrapped_around_it() {
    let certificate = rustls::Error::InvalidCertificate(rustls::CertificateError::Expired);
    let error = io::Error::new(io::ErrorKind::ConnectionReset, certificate);
    is_final(&error, Kind::Tls, "tls.invalid_certificate");
}

#[tokio::test(start_paused = true)]
async fn tokio_time_and_tasks() {
    let elapsed = tokio::time::timeout(Duration::from_secs(1), std::future::pending::<()>());
    is_retried(&elapsed.await.unwrap_err(), Kind::Timeout, "tokio.elapsed");

    let task = tokio::spawn(std::future::pending::<()>());
    task.abort();
    is_final(&task.await.unwrap_err(), Kind::Other, "tokio.cancelled");

    let task = tokio::spawn(async { panic!("a timeout that is none") });
    is_final(&task.await.unwrap_err(), Kind::Other, "tokio.panic");
}

mod object_stores {
    use super::*;
    use object_store::client::{HttpError, HttpErrorKind};
    use object_store::{Error as StoreError, path};

    fn cause(text: &str) -> Box<dyn Error + Send + Sync> {
        text.into()
    }

    #[test]
    fn kinds() {
        let path = || "disks/timeout/503".to_owned();
        let absent = StoreError::NotFound { path: path(), source: cause("404 Not Found") };
        is_final(&absent, Kind::NotFound, "object_store.not_found");
        let denied = StoreError::PermissionDenied { path: path(), source: cause("403") };
        is_final(&denied, Kind::Permission, "object_store.permission_denied");
        let segment = path::Error::EmptySegment { path: path() };
        is_final(&StoreError::from(segment), Kind::Invalid, "object_store.invalid_path");
        let todo = StoreError::NotImplemented { operation: path(), implementer: path() };
        is_final(&todo, Kind::Unsupported, "object_store.not_supported");
    }

    /// The kind stands for a status, and a documented code says more than that.
    #[test]
    fn a_code_turns_a_status_into_its_contrary() {
        let body = "<Error><Code>OperationAborted</Code><Message>A conflicting conditional operation \
                    is currently in progress against this resource.</Message></Error>";
        let error = StoreError::AlreadyExists { path: "a".into(), source: cause(body) };
        assert!(detect::error(&error).is_retryable());
    }

    #[test]
    fn generic_says_what_its_cause_says() {
        let of = |kind| StoreError::Generic {
            store: "S3",
            source: Box::new(HttpError::new(kind, io::Error::other("?"))),
        };
        is_retried(&of(HttpErrorKind::Timeout), Kind::Timeout, "object_store.timeout");
        let verdict = retry_of(&of(HttpErrorKind::Connect), Kind::Network, "object_store.connect");
        assert!(verdict.is_unprocessed());
        assert_eq!(detect::error(&of(HttpErrorKind::Decode)).kind(), Kind::Unknown);
        let reset = io::Error::from(io::ErrorKind::ConnectionReset);
        let error = HttpError::new(HttpErrorKind::Connect, reset);
        // Still unsent, though the cause decides.
        assert!(retry_of(&error, Kind::Network, "io.connection_reset").is_unprocessed());
    }
}

mod ssh {
    use super::*;
    use russh_sftp::client::error::Error as SftpError;
    use russh_sftp::protocol::{Status, StatusCode};

    fn sftp(status_code: StatusCode, message: &str) -> SftpError {
        let (error_message, language_tag) = (message.to_owned(), String::new());
        SftpError::Status(Status { id: 1, status_code, error_message, language_tag })
    }

    #[test]
    fn connections() {
        is_retried(&russh::Error::HUP, Kind::Network, "ssh.hang_up");
        is_retried(&russh::Error::KeepaliveTimeout, Kind::Timeout, "ssh.keepalive_timeout");
        let reset = russh::Error::IO(io::ErrorKind::ConnectionReset.into());
        is_retried(&reset, Kind::Network, "io.connection_reset");
    }

    #[test]
    fn keys_are_final() {
        let verdict = stop_of(&russh::Error::UnknownKey, Kind::Tls, "ssh.unknown_host_key");
        assert_eq!(verdict.provider(), Some(Provider::Ssh));
        let changed = russh::Error::KeyChanged { line: 3 };
        is_final(&changed, Kind::Tls, "ssh.host_key_changed");
        let absent = russh::keys::Error::IO(io::ErrorKind::NotFound.into());
        is_final(&russh::Error::Keys(absent), Kind::NotFound, "io.not_found");
        is_final(&russh::keys::Error::KeyIsEncrypted, Kind::Auth, "ssh.key_unusable");
    }

    #[test]
    fn channels() {
        use russh::ChannelOpenFailure::{AdministrativelyProhibited, ResourceShortage};
        let denied = russh::Error::ChannelOpenFailure(AdministrativelyProhibited);
        is_final(&denied, Kind::Permission, "ssh.channel_prohibited");
        let full = russh::Error::ChannelOpenFailure(ResourceShortage);
        assert!(retry_of(&full, Kind::Throttle, "ssh.channel_resources").is_unprocessed());
    }

    #[test]
    fn statuses_of_sftp() {
        let absent = sftp(StatusCode::NoSuchFile, "No such file");
        is_final(&absent, Kind::NotFound, "sftp.no_such_file");
        let lost = sftp(StatusCode::ConnectionLost, "");
        assert!(!retry_of(&lost, Kind::Network, "sftp.connection_lost").has_answer());
        let verdict = detect::error(&sftp(StatusCode::Failure, "Failure"));
        assert_eq!(verdict.kind(), Kind::Unknown);
        assert!(verdict.has_answer());
    }

    /// OpenSSH has one number for everything, and sometimes says more in words.
    #[test]
    fn the_words_beside_a_failure_count() {
        let full = sftp(StatusCode::Failure, "No space left on device");
        assert_eq!(detect::error(&full).kind(), Kind::ExhaustedResource);
    }

    #[test]
    fn reasons_of_a_disconnect() {
        for reason in [7, 10, 12] {
            assert!(detect::ssh_disconnect(reason).is_retryable(), "{reason}");
        }
        for reason in [1, 2, 3, 5, 6, 8, 9, 13, 14, 15] {
            assert!(!detect::ssh_disconnect(reason).is_retryable(), "{reason}");
        }
        for reason in [4, 11, 99] {
            assert_eq!(detect::ssh_disconnect(reason).kind(), Kind::Unknown, "{reason}");
        }
    }
}

#[test]
fn a_status_from_reqwest() {
    let answered = |status: u16| {
        let answer = http::Response::builder().status(status).body("timeout").unwrap();
        reqwest::Response::from(answer).error_for_status().unwrap_err()
    };
    let verdict = retry_of(&answered(503), Kind::Server, "http.503");
    assert_eq!((verdict.http_status(), verdict.has_answer()), (Some(503), true));
    is_final(&answered(404), Kind::NotFound, "http.404");
    let azure = detect::Detector::new().provider(Provider::Azure);
    assert!(!detect::error(&answered(408)).is_retryable());
    assert!(azure.error(&answered(408)).is_retryable());
}
