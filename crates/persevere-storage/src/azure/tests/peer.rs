//! Azurite, and what its tests ask of it.

use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use http::Method;
use persevere_peers::or_skip;
use reqsign_core::hash::{base64_decode, base64_hmac_sha256};

use crate::azure::call::Call;
use crate::azure::connection_string::{EMULATOR_ACCOUNT, EMULATOR_KEY};
use crate::azure::{AzureOptions, AzureStore};
use crate::http::HttpOptions;

pub(super) struct Azurite {
    /// `http://127.0.0.1:PORT/devstoreaccount1`
    pub(super) url: String,
    _peer: persevere_peers::Azurite,
}

/// One for all tests of this process, or a loud skip.
pub(super) fn azurite() -> Option<&'static Azurite> {
    static PEER: OnceLock<Option<Azurite>> = OnceLock::new();
    let start = || or_skip("Azure", persevere_peers::azurite()).map(Azurite::from);
    PEER.get_or_init(start).as_ref()
}

/// One with TLS, which takes tokens, or a loud skip.
pub(super) fn azurite_with_tokens(certificate: &Path, key: &Path) -> Option<Azurite> {
    let peer = persevere_peers::azurite_with_tokens(certificate, key);
    or_skip("Azure with tokens", peer).map(Azurite::from)
}

impl From<persevere_peers::Azurite> for Azurite {
    fn from(peer: persevere_peers::Azurite) -> Self {
        Self { url: peer.url.clone(), _peer: peer }
    }
}

impl Azurite {
    pub(super) fn options(&self) -> AzureOptions {
        let mut options = AzureOptions::default().with_key(EMULATOR_KEY);
        options.endpoint = Some(self.url.clone());
        options
    }

    pub(super) fn store(&self, container: &str, options: &AzureOptions) -> AzureStore {
        AzureStore::new(container, options, &HttpOptions::default()).unwrap()
    }

    /// A container that no other test has.
    pub(super) async fn container(&self) -> AzureStore {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("test-{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let store = self.store(&name, &self.options());
        store.send(Call::container(Method::PUT).query("restype", "container")).await.unwrap();
        store
    }

    /// A shared access signature of the account,
    /// <https://learn.microsoft.com/rest/api/storageservices/create-account-sas>.
    pub(super) fn sas(&self, permissions: &str, expiry: &str) -> String {
        let fields =
            [EMULATOR_ACCOUNT, permissions, "b", "sco", "", expiry, "", "", "2021-12-02", "", ""];
        let key = base64_decode(EMULATOR_KEY).unwrap();
        let signature = base64_hmac_sha256(&key, fields.join("\n").as_bytes());
        let signature = signature.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
        let expiry = expiry.replace(':', "%3A");
        format!("sv=2021-12-02&ss=b&srt=sco&sp={permissions}&se={expiry}&sig={signature}")
    }
}
