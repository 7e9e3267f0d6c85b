//! SSH, with OpenSSH's server, and with servers that are none.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use persevere::{Kind, Provider, detect};
use real_failures::skip::skip;
use real_failures::sshd::Sshd;
use real_failures::{expect, expect_final, expect_retry, peer};
use russh::client::{self, DisconnectReason, Handle};
use russh::keys::{PrivateKeyWithHashAlg, PublicKeyOrCertificate};

use crate::SHORT;

/// A client that trusts every server, or none.
#[derive(Debug, Clone)]
pub(crate) struct Trusting {
    every_server: bool,
    reasons: Arc<Mutex<Vec<u32>>>,
}

impl Trusting {
    fn new(every_server: bool) -> Self {
        Self { every_server, reasons: Arc::default() }
    }
}

impl client::Handler for Trusting {
    type Error = russh::Error;

    async fn check_server_key(&mut self, _: &PublicKeyOrCertificate) -> Result<bool, russh::Error> {
        Ok(self.every_server)
    }

    async fn disconnected(
        &mut self,
        reason: DisconnectReason<russh::Error>,
    ) -> Result<(), russh::Error> {
        match reason {
            DisconnectReason::ReceivedDisconnect(info) => {
                self.reasons.lock().unwrap().push(info.reason_code as u32);
                Ok(())
            }
            DisconnectReason::Error(error) => Err(error),
        }
    }
}

pub(crate) async fn connect(
    address: SocketAddr,
    every_server: bool,
) -> Result<Handle<Trusting>, russh::Error> {
    let config = client::Config { inactivity_timeout: Some(SHORT * 20), ..Default::default() };
    client::connect(Arc::new(config), address, Trusting::new(every_server)).await
}

async fn failure_at(address: SocketAddr) -> russh::Error {
    connect(address, true).await.err().unwrap()
}

#[tokio::test]
async fn refused() {
    let closed = peer::Closed::port().unwrap();
    let verdict = expect(&failure_at(closed.address()).await, true, Kind::Network);
    assert_eq!(verdict.rule(), "io.connection_refused");
    assert!(verdict.is_unprocessed());
}

#[tokio::test]
async fn reset() {
    expect_retry(&failure_at(peer::resets_at_once().unwrap()).await, Kind::Network);
}

/// As a server with too many connections does it.
#[tokio::test]
async fn closed_before_it_began() {
    let closes = peer::serve(|connection| connection.shutdown(std::net::Shutdown::Both));
    expect_retry(&failure_at(closes.unwrap()).await, Kind::Network);
}

#[tokio::test]
async fn stalled() {
    let connecting = connect(peer::stalls().unwrap(), true);
    expect_retry(&tokio::time::timeout(SHORT, connecting).await.err().unwrap(), Kind::Timeout);
}

#[tokio::test]
async fn unknown_host_key() {
    let Some(sshd) = Sshd::start() else {
        return skip("ssh::unknown_host_key", "OpenSSH's sshd is not installed");
    };
    let error = connect(sshd.address(), false).await.err().unwrap();
    let verdict = expect(&error, false, Kind::Tls);
    assert_eq!(verdict.provider(), Some(Provider::Ssh));
}

#[tokio::test]
async fn a_strangers_key() {
    let Some(sshd) = Sshd::start() else {
        return skip("ssh::a_strangers_key", "OpenSSH's sshd is not installed");
    };
    let mut session = connect(sshd.address(), true).await.unwrap();
    let key = PrivateKeyWithHashAlg::new(sshd.strangers_key(), None);
    let answer = session.authenticate_publickey(sshd.user(), key).await.unwrap();
    assert!(!answer.success());
    // An answer to russh, and no error. Who goes on all the same is cut off, without a word why, so
    // that the caller has to turn the answer into russh's own error.
    expect_final(&russh::Error::NotAuthenticated, Kind::Auth);
    expect_retry(&session.channel_open_session().await.err().unwrap(), Kind::Network);
}

/// The server gives up after six, and says so to the handler alone.
#[tokio::test]
async fn too_many_attempts_to_authenticate() {
    let Some(sshd) = Sshd::start() else {
        return skip("ssh::too_many_attempts", "OpenSSH's sshd is not installed");
    };
    let handler = Trusting::new(true);
    let config = Arc::new(client::Config::default());
    let mut session = client::connect(config, sshd.address(), handler.clone()).await.unwrap();
    let error = loop {
        let key = PrivateKeyWithHashAlg::new(sshd.strangers_key(), None);
        match session.authenticate_publickey(sshd.user(), key).await {
            Ok(answer) => assert!(!answer.success()),
            Err(error) => break error,
        }
    };
    let _ended = session.await;
    let reasons = handler.reasons.lock().unwrap().clone();
    assert_eq!(reasons, [2], "{error:?}");
    expect_retry(&error, Kind::Network);
    assert!(!detect::ssh_disconnect(reasons[0]).is_retryable());
}

#[tokio::test]
async fn not_ssh() {
    let error = failure_at(peer::greets("220 mail.invalid ESMTP ".repeat(99)).unwrap()).await;
    expect_final(&error, Kind::Unsupported);
}
