//! rustls. Nearly all that it reports is final: the same two sides will disagree again.
//!
//! Meanings from the documentation of `rustls::Error`, and of alerts from RFC 8446 section 6.2.

use std::error::Error;

use rustls::{AlertDescription, Error as TlsError};

use crate::detect::evidence::{Evidence, Rank};
use crate::verdict::Kind::{Invalid, Network, Server, Tls, TransientIo};

pub(super) fn judge(error: &(dyn Error + 'static)) -> Option<Evidence> {
    let stop = |rule, words| Evidence::stop(Rank::Decisive, Tls, rule, words).answered();
    Some(match error.downcast_ref::<TlsError>()? {
        TlsError::InvalidCertificate(_) => stop("tls.invalid_certificate", "invalid certificate"),
        TlsError::InvalidCertRevocationList(_) => {
            stop("tls.invalid_revocation_list", "invalid revocation list")
        }
        TlsError::NoCertificatesPresented => stop("tls.no_certificate", "no certificate"),
        TlsError::PeerIncompatible(_) => stop("tls.incompatible", "peer is incompatible"),
        TlsError::NoApplicationProtocol => {
            stop("tls.no_application_protocol", "no common application protocol")
        }
        // Mostly a server that speaks something else on this port.
        TlsError::InvalidMessage(_) => stop("tls.invalid_message", "message is not TLS"),
        TlsError::PeerSentOversizedRecord => stop("tls.oversized_record", "message is not TLS"),
        TlsError::InappropriateMessage { .. }
        | TlsError::InappropriateHandshakeMessage { .. }
        | TlsError::PeerMisbehaved(_) => stop("tls.misbehaved", "peer misbehaved"),
        TlsError::AlertReceived(alert) => return by_alert(*alert),
        // Damaged on the way: a new connection is undamaged.
        TlsError::DecryptError => {
            Evidence::retry(Rank::Phrase, Network, "tls.decrypt", "cannot decrypt message")
        }
        TlsError::FailedToGetRandomBytes => {
            Evidence::retry(Rank::Phrase, TransientIo, "tls.no_random_bytes", "no random bytes")
        }
        TlsError::UnsupportedNameType
        | TlsError::InconsistentKeys(_)
        | TlsError::BadMaxFragmentSize => {
            Evidence::stop(Rank::Decisive, Invalid, "tls.configuration", "TLS is set up wrongly")
        }
        _ => return None,
    })
}

/// What the other side told. Left out: the alerts that say goodbye rather than what is wrong.
fn by_alert(alert: AlertDescription) -> Option<Evidence> {
    use AlertDescription as Alert;
    let evidence = match alert {
        // "A MAC that is wrong", and "an internal error unrelated to the peer or the correctness of the
        // protocol (such as a memory allocation failure)".
        Alert::BadRecordMac => {
            Evidence::retry(Rank::Phrase, Network, "tls.alert_bad_record_mac", "bad record MAC")
        }
        Alert::InternalError => {
            Evidence::retry(Rank::Phrase, Server, "tls.alert_internal_error", "internal error")
        }
        Alert::CloseNotify | Alert::UserCanceled | Alert::NoRenegotiation => return None,
        // Certificates, keys, versions, ciphers, names: a matter of how either side is set up.
        _ => Evidence::stop(Rank::Decisive, Tls, "tls.alert", "fatal alert received"),
    };
    Some(evidence.answered())
}
