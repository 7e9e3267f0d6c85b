//! Passwords. sshd takes them from the system's own users, which no test should make: so these are for a
//! server of russh's, which knows one and has no SFTP.

use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;

use russh::keys::{Algorithm, PrivateKey};
use russh::server::{Auth, Config, Handler, Response, Server as _};
use russh::{MethodKind, MethodSet};
use tokio::net::TcpListener;

use super::{Ask, SftpOptions, SftpStore};
use crate::store::Store;
use crate::testing::final_text;

const PASSWORD: &str = "correct horse";

#[derive(Clone)]
struct Server;

impl russh::server::Server for Server {
    type Handler = Self;

    fn new_client(&mut self, _: Option<SocketAddr>) -> Self {
        Self
    }
}

impl Handler for Server {
    type Error = russh::Error;

    async fn auth_password(&mut self, _: &str, password: &str) -> Result<Auth, russh::Error> {
        Ok(if password == PASSWORD { Auth::Accept } else { Auth::reject() })
    }

    async fn auth_keyboard_interactive<'a>(
        &'a mut self,
        _: &str,
        _: &str,
        response: Option<Response<'a>>,
    ) -> Result<Auth, russh::Error> {
        let Some(mut response) = response else {
            return Ok(Auth::Partial {
                name: "".into(),
                instructions: "".into(),
                prompts: vec![("Password: ".into(), false)].into(),
            });
        };
        let is_right = response.next().is_some_and(|answer| &*answer == PASSWORD.as_bytes());
        Ok(if is_right { Auth::Accept } else { Auth::reject() })
    }
}

async fn serve(methods: &[MethodKind]) -> SocketAddr {
    let random = &mut russh::keys::key::safe_rng();
    let config = Config {
        keys: vec![PrivateKey::random(random, Algorithm::Ed25519).unwrap()],
        methods: MethodSet::from(methods),
        auth_rejection_time: std::time::Duration::ZERO,
        ..Config::default()
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { Server.run_on_socket(Arc::new(config), &listener).await });
    address
}

/// What is said, which is about SFTP once we are in.
async fn said(address: SocketAddr, options: SftpOptions) -> String {
    let folder = tempfile::tempdir().unwrap();
    let options = SftpOptions {
        known_hosts: vec![folder.path().join("known_hosts")],
        accept_new_host_keys: true,
        config_file: Some("none".into()),
        ..options
    };
    let mut store = SftpStore::new(Some("me"), "127.0.0.1", Some(address.port()), options).unwrap();
    store.target.usual_keys.clear();
    let answer = store.stat("a").await;
    final_text(answer.unwrap_err())
}

#[tokio::test]
async fn a_password_lets_us_in_by_either_method() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    fs::write(&file, format!("{PASSWORD}\n")).unwrap();
    let by_file = SftpOptions { password_file: Some(file), ..SftpOptions::default() };
    let ask = Ask::new(|_| Some(PASSWORD.to_owned()));
    let by_asking = SftpOptions { ask: Some(ask), ..SftpOptions::default() };
    for method in [MethodKind::Password, MethodKind::KeyboardInteractive] {
        let address = serve(&[method]).await;
        for options in [by_file.clone(), by_asking.clone()] {
            let said = said(address, options).await;
            assert!(said.contains("start SFTP"), "{method:?}: {said}");
        }
    }
}

#[tokio::test]
async fn a_wrong_password_is_final_by_either_method() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    fs::write(&file, "hunter2").unwrap();
    let options = SftpOptions { password_file: Some(file), ..SftpOptions::default() };
    for method in [MethodKind::Password, MethodKind::KeyboardInteractive] {
        let said = said(serve(&[method]).await, options.clone()).await;
        assert!(said.contains("could not log in as me@127.0.0.1"), "{said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
}
