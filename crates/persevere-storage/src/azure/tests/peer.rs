//! Azurite, which `npm install azurite` brings.

use std::env;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use http::Method;
use reqsign_core::hash::{base64_decode, base64_hmac_sha256};

use crate::azure::call::Call;
use crate::azure::connection_string::{EMULATOR_ACCOUNT, EMULATOR_KEY};
use crate::azure::{AzureOptions, AzureStore};
use crate::http::HttpOptions;

/// Ends with the test's process: its standard input is closed then.
const GUARD: &str = r#""$@" </dev/null & peer=$!; cat >/dev/null; kill -KILL "$peer""#;

pub(super) struct Azurite {
    /// `http://127.0.0.1:PORT/devstoreaccount1`
    pub(super) url: String,
    _process: Child,
}

/// One for all tests of this process, or a loud skip.
pub(super) fn azurite() -> Option<&'static Azurite> {
    static PEER: OnceLock<Option<Azurite>> = OnceLock::new();
    PEER.get_or_init(|| program().map(|program| start(&program, "http", &[]))).as_ref()
}

/// One with TLS, which takes tokens, or a loud skip.
pub(super) fn azurite_with_tokens(certificate: &Path, key: &Path) -> Option<Azurite> {
    let files = [certificate, key].map(|path| path.to_str().unwrap());
    let arguments = ["--oauth", "basic", "--cert", files[0], "--key", files[1]];
    program().map(|program| start(&program, "https", &arguments))
}

fn program() -> Option<PathBuf> {
    persevere_peers::or_skip("a test of Azure", persevere_peers::program("azurite-blob"))
}

fn start(program: &Path, scheme: &str, arguments: &[&str]) -> Azurite {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let process = Command::new("sh")
        .args(["-c", GUARD, "sh"])
        .arg(program)
        .args(["--blobHost", "127.0.0.1", "--blobPort", &address.port().to_string()])
        .args(["--silent", "--disableTelemetry", "--inMemoryPersistence"])
        .args(arguments)
        .current_dir(env::temp_dir())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let end = Instant::now() + Duration::from_secs(60);
    while TcpStream::connect(address).is_err() {
        assert!(Instant::now() < end, "azurite-blob does not listen");
        sleep(Duration::from_millis(50));
    }
    let url = format!("{scheme}://{address}/{EMULATOR_ACCOUNT}");
    Azurite { url, _process: process }
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
