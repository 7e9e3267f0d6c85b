//! Certificates that nobody signed.

use std::sync::Arc;

use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};

/// A certificate that signs itself, for one name.
#[derive(Debug)]
pub struct SelfSigned {
    certificate: CertificateDer<'static>,
    key: Vec<u8>,
    pem: String,
}

impl SelfSigned {
    /// Makes one for a name, or for an address.
    ///
    /// # Panics
    ///
    /// If the name is no name.
    pub fn new(name: &str) -> Self {
        let made = rcgen::generate_simple_self_signed([name.to_owned()]).expect("a valid name");
        Self {
            certificate: made.cert.der().clone(),
            key: made.signing_key.serialize_der(),
            pem: made.cert.pem(),
        }
    }

    /// As text, for clients that want it so.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// What a server with this certificate needs.
    ///
    /// # Panics
    ///
    /// If rustls rejects its own defaults.
    pub fn server(&self) -> Arc<ServerConfig> {
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(self.key.clone()));
        let config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .expect("ring has the default versions")
            .with_no_client_auth()
            .with_single_cert(vec![self.certificate.clone()], key);
        Arc::new(config.expect("the key is that of the certificate"))
    }

    /// A client that trusts this certificate, and no other.
    ///
    /// # Panics
    ///
    /// If rustls rejects its own defaults.
    pub fn trusting_client(&self) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).expect("a certificate");
        ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .expect("ring has the default versions")
            .with_root_certificates(roots)
            .with_no_client_auth()
    }
}

/// Makes ring the library for clients that have no choice of their own. May be called by every test.
pub fn use_ring() {
    let _another_test_was_first = rustls::crypto::ring::default_provider().install_default();
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}
