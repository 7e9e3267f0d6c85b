//! russh and russh-sftp.
//!
//! A server's reason for a disconnect is not in russh's errors: it goes to the caller's
//! `Handler::disconnected`, and [`ssh_disconnect`](crate::detect::ssh_disconnect) judges it. That
//! authentication failed is no error to russh either, but an answer.

use std::error::Error;

use russh::{AgentAuthError, ChannelOpenFailure, Error as SshError, keys};
use russh_sftp::client::error::Error as SftpError;
use russh_sftp::protocol::StatusCode;

use super::hidden_io;
use crate::detect::evidence::{Evidence, Rank};
use crate::detect::ssh::of_sftp_status;
use crate::provider::Provider;
use crate::verdict::Kind::{
    self, Auth, Invalid, Network, NotFound, Permission, Throttle, Timeout, Tls, Unsupported,
};

pub(super) fn judge(error: &(dyn Error + 'static)) -> Option<Evidence> {
    if let Some(error) = error.downcast_ref::<SshError>() {
        of_ssh(error)
    } else if let Some(error) = error.downcast_ref::<SftpError>() {
        of_sftp(error)
    } else if let Some(status) = error.downcast_ref::<StatusCode>() {
        Some(of_sftp_status(*status as u32))
    } else if let Some(error) = error.downcast_ref::<keys::Error>() {
        of_keys(error)
    } else if let Some(AgentAuthError::Key(error)) = error.downcast_ref() {
        of_keys(error)
    } else {
        None
    }
}

const fn retry(rank: Rank, kind: Kind, rule: &'static str, words: &'static str) -> Evidence {
    Evidence::retry(rank, kind, rule, words).of(Provider::Ssh)
}

const fn stop(rank: Rank, kind: Kind, rule: &'static str, words: &'static str) -> Evidence {
    Evidence::stop(rank, kind, rule, words).of(Provider::Ssh)
}

/// Left out: what says no more than that something went wrong.
fn of_ssh(error: &SshError) -> Option<Evidence> {
    let distrust =
        |rule, words| Some(stop(Rank::Decisive, Tls, rule, words).answered().unprocessed());
    // The connection is gone, and why was told to the handler.
    let gone = |rule, words| Some(retry(Rank::Vague, Network, rule, words));
    let retry = |kind, rule, words| Some(retry(Rank::Phrase, kind, rule, words));
    let stop = |kind, rule, words| Some(stop(Rank::Phrase, kind, rule, words));
    match error {
        // Transparent, so that no chain of causes shows them.
        SshError::IO(error) => hidden_io(error),
        SshError::Keys(error) => of_keys(error),
        SshError::Elapsed(_) => retry(Timeout, "tokio.elapsed", "deadline has elapsed"),

        SshError::HUP => retry(Network, "ssh.hang_up", "connection closed by the remote side"),
        SshError::ConnectionTimeout => {
            retry(Timeout, "ssh.connection_timeout", "connection timeout")
                .map(Evidence::unprocessed)
        }
        SshError::KeepaliveTimeout => retry(Timeout, "ssh.keepalive_timeout", "keepalive timeout"),
        SshError::InactivityTimeout => {
            retry(Timeout, "ssh.inactivity_timeout", "inactivity timeout")
        }
        SshError::Disconnect => gone("ssh.disconnected", "disconnected"),
        SshError::SendError | SshError::RecvError | SshError::WrongChannel => {
            gone("ssh.session_ended", "session has ended")
        }

        SshError::UnknownKey => distrust("ssh.unknown_host_key", "unknown server key"),
        SshError::KeyChanged { .. } => distrust("ssh.host_key_changed", "server key changed"),
        SshError::WrongServerSig => distrust("ssh.wrong_signature", "wrong server signature"),

        SshError::NotAuthenticated => stop(Auth, "ssh.not_authenticated", "not yet authenticated"),
        SshError::UnsupportedAuthMethod | SshError::NoAuthMethod => {
            stop(Auth, "ssh.authentication_method", "no authentication method")
        }
        SshError::CouldNotReadKey | SshError::NoHomeDir => {
            stop(Auth, "ssh.key_unreadable", "could not read key")
        }

        SshError::NoCommonAlgo { .. } | SshError::UnknownAlgo => {
            stop(Unsupported, "ssh.no_common_algorithm", "no common algorithm")
                .map(Evidence::answered)
        }
        SshError::Version => {
            stop(Unsupported, "ssh.version", "invalid SSH version string").map(Evidence::answered)
        }
        SshError::KexInit | SshError::Kex => {
            stop(Invalid, "ssh.key_exchange", "key exchange failed").map(Evidence::answered)
        }
        SshError::PacketAuth
        | SshError::DecryptionError
        | SshError::PacketSize(_)
        | SshError::Inconsistent
        | SshError::IndexOutOfBounds
        | SshError::StrictKeyExchangeViolation { .. }
        | SshError::Utf8(_)
        | SshError::Signature(_)
        | SshError::SshKey(_)
        | SshError::SshEncoding(_) => {
            stop(Invalid, "ssh.protocol", "protocol violated").map(Evidence::answered)
        }

        SshError::ChannelOpenFailure(reason) => of_channel(reason).map(Evidence::answered),
        SshError::RequestDenied => {
            stop(Permission, "ssh.request_denied", "request rejected by the other party")
                .map(Evidence::answered)
        }
        SshError::InvalidConfig(_) => stop(Invalid, "ssh.configuration", "invalid config"),
        _ => None,
    }
}

/// RFC 4254 section 5.1.
fn of_channel(reason: &ChannelOpenFailure) -> Option<Evidence> {
    let retry = |kind, rule, name| retry(Rank::Code, kind, rule, name).unprocessed();
    let stop = |kind, rule, name| stop(Rank::Code, kind, rule, name);
    Some(match reason {
        ChannelOpenFailure::AdministrativelyProhibited => {
            stop(Permission, "ssh.channel_prohibited", "SSH_OPEN_ADMINISTRATIVELY_PROHIBITED")
        }
        ChannelOpenFailure::ConnectFailed => {
            retry(Network, "ssh.channel_connect_failed", "SSH_OPEN_CONNECT_FAILED")
        }
        ChannelOpenFailure::UnknownChannelType => {
            stop(Unsupported, "ssh.channel_type", "SSH_OPEN_UNKNOWN_CHANNEL_TYPE")
        }
        ChannelOpenFailure::ResourceShortage => {
            retry(Throttle, "ssh.channel_resources", "SSH_OPEN_RESOURCE_SHORTAGE")
        }
        ChannelOpenFailure::Other { .. } => return None,
    })
}

/// Reading a key, asking an agent: the next time is no different, but where a file or a socket says so.
fn of_keys(error: &keys::Error) -> Option<Evidence> {
    let stop = |rank, kind, rule, words| Some(stop(rank, kind, rule, words));
    match error {
        keys::Error::IO(error) => hidden_io(error),
        keys::Error::KeyChanged { .. } => {
            stop(Rank::Decisive, Tls, "ssh.host_key_changed", "server key changed")
                .map(|evidence| evidence.answered().unprocessed())
        }
        keys::Error::BadAuthSock | keys::Error::EnvVar(_) | keys::Error::NoHomeDir => {
            stop(Rank::Phrase, NotFound, "ssh.agent_not_found", "ssh-agent not found")
        }
        _ => stop(Rank::Phrase, Auth, "ssh.key_unusable", "key cannot be used"),
    }
}

/// Left out: errors of input and output, of which only the text is left.
fn of_sftp(error: &SftpError) -> Option<Evidence> {
    match error {
        SftpError::Status(status) => Some(of_sftp_status(status.status_code as u32)),
        SftpError::Timeout => {
            Some(retry(Rank::Phrase, Timeout, "sftp.timeout", "no answer in time"))
        }
        SftpError::Limited(_) => Some(stop(Rank::Phrase, Invalid, "sftp.limit", "limit exceeded")),
        SftpError::UnexpectedPacket => {
            Some(stop(Rank::Phrase, Invalid, "sftp.protocol", "unexpected packet"))
        }
        // What a session says that has lost its connection.
        SftpError::UnexpectedBehavior(_) => {
            Some(retry(Rank::Vague, Network, "sftp.session_ended", "session has ended"))
        }
        SftpError::IO(_) => None,
    }
}
