//! SSH and SFTP.
//!
//! Sources: RFC 4253 section 11.1 (disconnect reasons; 7, 10 and 12 are retried),
//! draft-ietf-secsh-filexfer-13 section 9.1 (SFTP's status codes; 6 and 7 are
//! retried, 4 says nothing), OpenSSH's `sshconnect.c`, `kex.c`, `authfile.c`, paramiko, russh, Go's
//! `x/crypto/ssh`.

use super::Entry;
use crate::detect::evidence::Rank::{Code, Decisive, Phrase, Vague};
use crate::provider::Provider::Ssh;
use crate::verdict::Kind::{
    Auth, Conflict, ExhaustedResource, Invalid, Network, NotFound, Permission, Throttle, Tls,
    Unsupported,
};

#[rustfmt::skip]
pub(super) const PHRASES: &[Entry] = &[
    Entry::retry(Code, Network, "ssh.connection",
        &["SSH_FX_NO_CONNECTION", "SSH_FX_CONNECTION_LOST", "SSH_DISCONNECT_CONNECTION_LOST", "SSH_DISCONNECT_SERVICE_NOT_AVAILABLE",
          "kex_exchange_identification", "ssh_exchange_identification", "banner exchange", "ssh protocol banner", "ssh_dispatch_run_fatal",
          "packet_write_wait", "packet_write_poll", "no existing session", "novalidconnectionserror", "eof during negotiation",
          "client_loop: send disconnect", "mux_client"]).of(Ssh),
    Entry::retry(Code, Throttle, "ssh.limited",
        &["exceeded maxstartups", "not allowed at this time", "SSH_DISCONNECT_TOO_MANY_CONNECTIONS"]).of(Ssh).answered().unprocessed(),
    Entry::stop(Decisive, Tls, "ssh.host_key",
        &["host key verification failed", "unknown server key", "remote host identification has changed", "host key has changed",
          "host key is not trusted", "not found in known_hosts", "no hostkey alg", "server's host key", "host key for server", "badhostkeyexception",
          "SSH_DISCONNECT_HOST_KEY_NOT_VERIFIABLE", "no host key", "authenticity of host"]).of(Ssh),
    Entry::stop(Vague, Tls, "ssh.host_key",
        &["knownhosts", "known_hosts", "key mismatch"]).of(Ssh),
    Entry::stop(Decisive, Auth, "ssh.authentication",
        &["too many authentication failures", "no supported authentication methods", "no more authentication methods",
          "all authentication methods failed", "unable to authenticate", "no supported methods remain", "permission denied (publickey",
          "permission denied, please try again", "permission denied (password", "permission denied (keyboard", "ssh: unable to authenticate",
          "SSH_DISCONNECT_NO_MORE_AUTH_METHODS_AVAILABLE", "SSH_DISCONNECT_ILLEGAL_USER_NAME", "bad authentication type",
          "private key file is encrypted", "not a valid rsa private key", "partial_success", "remaining_methods", "agent refused operation",
          "sign_and_send_pubkey", "no passphrase", "incorrect passphrase supplied"]).of(Ssh),
    Entry::stop(Decisive, Invalid, "ssh.negotiation",
        &["no matching host key type", "no matching key exchange", "no matching cipher", "no matching mac", "unable to negotiate",
          "no common algorithm", "no common kex", "incompatible ssh peer", "incompatible ssh server", "no acceptable",
          "protocol major versions differ", "SSH_DISCONNECT_PROTOCOL_VERSION_NOT_SUPPORTED", "SSH_DISCONNECT_KEY_EXCHANGE_FAILED"]).of(Ssh),
    Entry::stop(Decisive, Permission, "ssh.key_file",
        &["unprotected private key file", "bad permissions", "bad owner or permissions", "are too open"]).of(Ssh),
    Entry::stop(Code, Invalid, "ssh.key_format",
        &["error in libcrypto", "invalid private key", "unable to load key", "encountered unknown private key"]).of(Ssh),
    Entry::stop(Code, Permission, "ssh.prohibited",
        &["administratively prohibited", "SSH_DISCONNECT_HOST_NOT_ALLOWED_TO_CONNECT", "this account is currently not available",
          "subsystem request failed", "SSH_FX_PERMISSION_DENIED", "SSH_FX_WRITE_PROTECT", "port forwarding failed"]).of(Ssh),
    Entry::stop(Code, NotFound, "sftp.not_found",
        &["SSH_FX_NO_SUCH_FILE", "SSH_FX_NO_SUCH_PATH", "SSH_FX_NO_MEDIA", "SSH_FX_EOF"]).of(Ssh).answered(),
    Entry::stop(Code, Conflict, "sftp.exists",
        &["SSH_FX_FILE_ALREADY_EXISTS", "SSH_FX_DIR_NOT_EMPTY", "SSH_FX_LOCK_CONFLICT"]).of(Ssh).answered(),
    Entry::stop(Code, Unsupported, "sftp.unsupported",
        &["SSH_FX_OP_UNSUPPORTED"]).of(Ssh).answered(),
    Entry::stop(Code, Invalid, "sftp.invalid",
        &["SSH_FX_BAD_MESSAGE", "SSH_FX_INVALID_HANDLE", "SSH_FX_INVALID_FILENAME", "SSH_FX_INVALID_PARAMETER", "SSH_FX_NOT_A_DIRECTORY",
          "SSH_FX_FILE_IS_A_DIRECTORY"]).of(Ssh).answered(),
    Entry::stop(Decisive, ExhaustedResource, "sftp.full",
        &["SSH_FX_NO_SPACE_ON_FILESYSTEM", "SSH_FX_QUOTA_EXCEEDED"]).of(Ssh).answered(),
    Entry::stop(Phrase, NotFound, "ssh.identity",
        &["no such identity", "identity file"]).of(Ssh),
];
