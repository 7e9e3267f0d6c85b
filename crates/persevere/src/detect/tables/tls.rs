//! Connections that cannot be trusted, and will not be the next time.
//!
//! Sources: RFC 5280, RFC 8446 section 6 (alerts), OpenSSL's `x509_txt.c` and `sslerr.txt`, webpki's
//! and rustls' `error.rs`,
//! Go's `crypto/x509`, the JDK's `sun.security`, Node's `tls` (from OpenSSL), Windows `SEC_E_…`.

use super::Entry;
use crate::detect::evidence::Rank::{Decisive, Phrase, Vague};
use crate::verdict::Kind::Tls;

#[rustfmt::skip]
pub(super) const PHRASES: &[Entry] = &[
    Entry::stop(Decisive, Tls, "text.certificate",
        &["certificate verify failed", "certificate_verify_failed", "certificate verification failed", "certificate verification error",
          "verify error", "certificate has expired", "cert_has_expired", "certificate expired", "certificate is expired", "expired certificate",
          "certificateexpired", "certificate is valid for", "certificate is not yet valid", "certificate not yet valid", "certificate is not valid",
          "certificate not valid", "certificate is not trusted", "certificate not trusted", "untrusted certificate", "certificate signed by unknown",
          "self-signed certificate", "self signed certificate", "selfsigned", "self_signed_cert_in_chain", "depth_zero_self_signed_cert",
          "unknown issuer", "unknownissuer", "unable to get local issuer", "unable to get issuer", "unable_to_get_issuer_cert",
          "unable_to_verify_leaf_signature", "unable to verify the first certificate", "unable to verify leaf", "x509:", "certificate is invalid",
          "invalid certificate", "invalidcertificate", "bad certificate", "badcertificate", "bad_certificate", "certificate required",
          "certificate_required", "certificate unknown", "certificate_unknown", "pkix path", "certificateexception", "no valid certificate",
          "err_tls_cert_altname_invalid", "hostname mismatch", "hostname/ip does not match", "does not match hostname", "doesn't match hostname",
          "hostname doesn't match", "hostname does not match", "host name does not match", "no alternative certificate", "no subject alternative",
          "notvalidforname", "unknown ca", "unknown_ca", "unknown authority", "wrong version number", "wrong_version_number",
          "alert protocol version", "unsupported protocol version", "no protocols available", "no shared cipher", "handshake failure",
          "handshake_failure", "sslv3_alert_handshake_failure", "no ciphers available", "ca md too weak", "private key does not match",
          "key values mismatch", "keys mismatch", "no start line", "bad decrypt", "bad signature", "invalid signature from server",
          "peer not authenticated", "sslpeerunverified", "unsafe legacy renegotiation", "not an ssl/tls", "unrecognized ssl message",
          "first record does not look like", "corrupt message", "http response to https client", "http request to an https", "sec_e_untrusted_root",
          "sec_e_wrong_principal", "cert verify", "cert_untrusted", "cert_authority_invalid", "cert_common_name_invalid", "gpg error", "no pubkey",
          "signature verification failed", "signatures couldn't be verified", "ssl certificate problem", "invalid peer certificate",
          "certificate verify locations", "certificate chain is not", "certificate chain validation", "no valid subject", "not a valid subject"]),
    Entry::stop(Vague, Tls, "text.certificate",
        &["peer certificate", "peercertificate", "ssl certificate", "certificate chain", "certificate path", "certification path",
          "certpathvalidator", "certpathbuilder", "certificate not found", "no certificate", "remote certificate", "server certificate",
          "client certificate", "ca certificate", "setting certificate", "certificate error", "issuer certificate", "certificate authority",
          "altnames", "subject alternative name", "not valid for", "trust anchor", "trustanchor", "trust anchors", "trust relationship",
          "root certificate", "tlsv1_alert_protocol_version", "no cipher", "key too small", "authority and subject key", "unsupported certificate",
          "certificate purpose", "received record with", "ssl/tls record", "plaintext connection", "record overflow", "revoked", "thumbprint",
          "tls configuration", "public key is not", "not signed"]),
    Entry::stop(Phrase, Tls, "text.tls",
        &["secure channel", "sslerror", "ssl error", "tls error", "sslhandshake", "ssl handshake", "tls handshake", "tls alert", "fatal alert",
          "sslexception", "certificate", "ssl routines", "ssl_error", "tlsv1", "err_ssl_protocol_error", "eproto", "sslcertverificationerror",
          "tls required", "requires tls", "ssl required", "ssl off", "ssl is not enabled"]),
];
