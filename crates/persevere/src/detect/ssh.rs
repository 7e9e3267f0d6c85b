//! SSH's and SFTP's numbers, whichever library tells them.

use Meaning::{Nothing, Retry, Stop};

use super::evidence::{Evidence, Rank};
use crate::provider::Provider;
use crate::verdict::Kind::{
    Auth, Conflict, ExhaustedResource, Invalid, Network, NotFound, Other, Permission, Server,
    Throttle, Tls, Unsupported,
};
use crate::verdict::{Kind, Verdict};

/// What the reason of an `SSH_MSG_DISCONNECT` says (RFC 4253 section 11.1): 7, 10 and 12 are retried,
/// 1 to 3, 5, 6, 8, 9 and 13 to 15 never; 11, "by application", says nothing.
///
/// Libraries hand it to a callback rather than with an error; return it from a rule of the call.
///
/// ```
/// use persevere::detect;
///
/// assert!(detect::ssh_disconnect(12).is_retryable());
/// assert_eq!(detect::ssh_disconnect(12).evidence(), "SSH_DISCONNECT_TOO_MANY_CONNECTIONS");
/// assert!(!detect::ssh_disconnect(14).is_retryable());
/// ```
pub fn ssh_disconnect(reason: u32) -> Verdict {
    let verdict = look_up(&DISCONNECT_REASONS, reason).answered().verdict;
    // One connection too many has been asked nothing yet.
    if reason == TOO_MANY_CONNECTIONS { verdict.with_unprocessed() } else { verdict }
}

/// What a status of SFTP says (draft-ietf-secsh-filexfer-13 section 9.1): 6 and 7 are retried, 4, the
/// failure of everything that has no number of its own, says nothing, the others are final.
///
/// ```
/// use persevere::{Kind, detect};
///
/// assert_eq!(detect::sftp_status(2).kind(), Kind::NotFound);
/// assert!(detect::sftp_status(7).is_retryable());
/// assert_eq!(detect::sftp_status(4).kind(), Kind::Unknown);
/// ```
pub fn sftp_status(status: u32) -> Verdict {
    of_sftp_status(status).verdict
}

/// The same, with how much it says.
pub(super) fn of_sftp_status(status: u32) -> Evidence {
    let evidence = look_up(&SFTP_STATUSES, status);
    // "It can only be generated locally by the client, and MUST NOT be returned by servers."
    let is_local = matches!(status, NO_CONNECTION | CONNECTION_LOST);
    if is_local { evidence } else { evidence.answered() }
}

fn look_up(table: &[Entry], number: u32) -> Evidence {
    let known = table.iter().find(|entry| entry.0 == number);
    let evidence = match known {
        Some((_, Retry(kind), rule, name)) => Evidence::retry(Rank::Code, *kind, rule, name),
        Some((_, Stop(kind), rule, name)) => Evidence::stop(Rank::Code, *kind, rule, name),
        // A text beside it may say more.
        Some((_, Nothing, _, name)) => {
            Evidence::new(Rank::Word, Verdict::unknown().with_evidence(name))
        }
        None => Evidence::new(Rank::Word, Verdict::unknown()),
    };
    evidence.of(Provider::Ssh)
}

const TOO_MANY_CONNECTIONS: u32 = 12;
const NO_CONNECTION: u32 = 6;
const CONNECTION_LOST: u32 = 7;

/// Number, meaning, rule and name.
type Entry = (u32, Meaning, &'static str, &'static str);

enum Meaning {
    Retry(Kind),
    Stop(Kind),
    Nothing,
}

#[rustfmt::skip]
const DISCONNECT_REASONS: [Entry; 14] = [
    (1, Stop(Permission), "ssh.host_not_allowed", "SSH_DISCONNECT_HOST_NOT_ALLOWED_TO_CONNECT"),
    // OpenSSH sends this one after too many attempts to authenticate, too.
    (2, Stop(Invalid), "ssh.protocol_error", "SSH_DISCONNECT_PROTOCOL_ERROR"),
    (3, Stop(Invalid), "ssh.key_exchange_failed", "SSH_DISCONNECT_KEY_EXCHANGE_FAILED"),
    (5, Stop(Tls), "ssh.mac_error", "SSH_DISCONNECT_MAC_ERROR"),
    (6, Stop(Invalid), "ssh.compression_error", "SSH_DISCONNECT_COMPRESSION_ERROR"),
    (7, Retry(Server), "ssh.service_not_available", "SSH_DISCONNECT_SERVICE_NOT_AVAILABLE"),
    (8, Stop(Unsupported), "ssh.version_not_supported", "SSH_DISCONNECT_PROTOCOL_VERSION_NOT_SUPPORTED"),
    (9, Stop(Tls), "ssh.host_key_not_verifiable", "SSH_DISCONNECT_HOST_KEY_NOT_VERIFIABLE"),
    (10, Retry(Network), "ssh.connection_lost", "SSH_DISCONNECT_CONNECTION_LOST"),
    (11, Nothing, "", "SSH_DISCONNECT_BY_APPLICATION"),
    (12, Retry(Throttle), "ssh.too_many_connections", "SSH_DISCONNECT_TOO_MANY_CONNECTIONS"),
    (13, Stop(Auth), "ssh.auth_cancelled", "SSH_DISCONNECT_AUTH_CANCELLED_BY_USER"),
    (14, Stop(Auth), "ssh.no_more_auth_methods", "SSH_DISCONNECT_NO_MORE_AUTH_METHODS_AVAILABLE"),
    (15, Stop(Auth), "ssh.illegal_user_name", "SSH_DISCONNECT_ILLEGAL_USER_NAME"),
];

#[rustfmt::skip]
const SFTP_STATUSES: [Entry; 31] = [
    (1, Stop(Other), "sftp.end_of_file", "SSH_FX_EOF"),
    (2, Stop(NotFound), "sftp.no_such_file", "SSH_FX_NO_SUCH_FILE"),
    (3, Stop(Permission), "sftp.permission_denied", "SSH_FX_PERMISSION_DENIED"),
    (4, Nothing, "", "SSH_FX_FAILURE"),
    (5, Stop(Invalid), "sftp.bad_message", "SSH_FX_BAD_MESSAGE"),
    (6, Retry(Network), "sftp.no_connection", "SSH_FX_NO_CONNECTION"),
    (7, Retry(Network), "sftp.connection_lost", "SSH_FX_CONNECTION_LOST"),
    (8, Stop(Unsupported), "sftp.op_unsupported", "SSH_FX_OP_UNSUPPORTED"),
    (9, Stop(Invalid), "sftp.invalid_handle", "SSH_FX_INVALID_HANDLE"),
    (10, Stop(NotFound), "sftp.no_such_path", "SSH_FX_NO_SUCH_PATH"),
    (11, Stop(Conflict), "sftp.file_already_exists", "SSH_FX_FILE_ALREADY_EXISTS"),
    (12, Stop(Permission), "sftp.write_protect", "SSH_FX_WRITE_PROTECT"),
    (13, Stop(NotFound), "sftp.no_media", "SSH_FX_NO_MEDIA"),
    (14, Stop(ExhaustedResource), "sftp.no_space", "SSH_FX_NO_SPACE_ON_FILESYSTEM"),
    (15, Stop(ExhaustedResource), "sftp.quota_exceeded", "SSH_FX_QUOTA_EXCEEDED"),
    (16, Stop(Invalid), "sftp.unknown_principal", "SSH_FX_UNKNOWN_PRINCIPAL"),
    (17, Stop(Conflict), "sftp.lock_conflict", "SSH_FX_LOCK_CONFLICT"),
    (18, Stop(Conflict), "sftp.dir_not_empty", "SSH_FX_DIR_NOT_EMPTY"),
    (19, Stop(Invalid), "sftp.not_a_directory", "SSH_FX_NOT_A_DIRECTORY"),
    (20, Stop(Invalid), "sftp.invalid_filename", "SSH_FX_INVALID_FILENAME"),
    (21, Stop(Invalid), "sftp.link_loop", "SSH_FX_LINK_LOOP"),
    (22, Stop(Permission), "sftp.cannot_delete", "SSH_FX_CANNOT_DELETE"),
    (23, Stop(Invalid), "sftp.invalid_parameter", "SSH_FX_INVALID_PARAMETER"),
    (24, Stop(Invalid), "sftp.file_is_a_directory", "SSH_FX_FILE_IS_A_DIRECTORY"),
    (25, Stop(Conflict), "sftp.byte_range_lock_conflict", "SSH_FX_BYTE_RANGE_LOCK_CONFLICT"),
    (26, Stop(Conflict), "sftp.byte_range_lock_refused", "SSH_FX_BYTE_RANGE_LOCK_REFUSED"),
    (27, Stop(Conflict), "sftp.delete_pending", "SSH_FX_DELETE_PENDING"),
    (28, Stop(Invalid), "sftp.file_corrupt", "SSH_FX_FILE_CORRUPT"),
    (29, Stop(Invalid), "sftp.owner_invalid", "SSH_FX_OWNER_INVALID"),
    (30, Stop(Invalid), "sftp.group_invalid", "SSH_FX_GROUP_INVALID"),
    (31, Stop(Conflict), "sftp.no_matching_lock", "SSH_FX_NO_MATCHING_BYTE_RANGE_LOCK"),
];
