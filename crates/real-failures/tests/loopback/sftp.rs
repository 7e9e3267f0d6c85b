//! SFTP, with OpenSSH's server.

use persevere::{Kind, Provider};
use real_failures::skip::skip;
use real_failures::sshd::Sshd;
use real_failures::{expect, expect_retry};
use russh::keys::PrivateKeyWithHashAlg;
use russh_sftp::client::SftpSession;

use crate::ssh::connect;

const NO_SSHD: &str = "OpenSSH's sshd is not installed";

async fn session(sshd: &Sshd) -> (SftpSession, russh::client::Handle<crate::ssh::Trusting>) {
    let mut session = connect(sshd.address(), true).await.unwrap();
    let key = PrivateKeyWithHashAlg::new(sshd.user_key(), None);
    let answer = session.authenticate_publickey(sshd.user(), key).await.unwrap();
    assert!(answer.success(), "{answer:?}");
    let channel = session.channel_open_session().await.unwrap();
    channel.request_subsystem(true, "sftp").await.unwrap();
    (SftpSession::new(channel.into_stream()).await.unwrap(), session)
}

#[tokio::test]
async fn no_such_file() {
    let Some(sshd) = Sshd::start() else { return skip("sftp::no_such_file", NO_SSHD) };
    let (sftp, _session) = session(&sshd).await;
    let error = sftp.open("/absent/timeout/503").await.err().unwrap();
    let verdict = expect(&error, false, Kind::NotFound);
    assert_eq!((verdict.provider(), verdict.has_answer()), (Some(Provider::Ssh), true));
}

#[tokio::test]
async fn failure_says_nothing() {
    let Some(sshd) = Sshd::start() else { return skip("sftp::failure_says_nothing", NO_SSHD) };
    let (sftp, _session) = session(&sshd).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    // There already; OpenSSH has one number for that and for much else.
    let verdict = expect(&sftp.create_dir(path).await.unwrap_err(), true, Kind::Unknown);
    assert!(verdict.has_answer());
}

#[tokio::test]
async fn connection_lost() {
    let Some(sshd) = Sshd::start() else { return skip("sftp::connection_lost", NO_SSHD) };
    let (sftp, session) = session(&sshd).await;
    session.disconnect(russh::Disconnect::ByApplication, "", "en").await.unwrap();
    let _ended = session.await;
    expect_retry(&sftp.metadata("/").await.unwrap_err(), Kind::Network);
}
