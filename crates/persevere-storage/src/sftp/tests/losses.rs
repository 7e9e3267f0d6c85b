//! Connections that are lost, or never made.

use std::fs;
use std::net::TcpListener;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::join_all;
use persevere::{Kind, detect};

use super::sshd::Sshd;
use super::{SftpOptions, SftpStore, options, store};
use crate::error::StorageError;
use crate::store::{Store, Upload};
use crate::testing::{final_text, is_retryable, text};

const MIB: usize = 1024 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_killed_in_mid_upload_is_replaced() {
    let Some(sshd) = Sshd::start() else { return };
    let store = store(&sshd, options(&sshd));
    let id = store.begin("a", "one").await.unwrap();
    let upload = Upload { key: "a", id: &id };
    let whole = vec![5; 200 * MIB];
    let part = store.part(upload, 0, &whole);
    let kill = async {
        // As soon as something has arrived.
        let partial = sshd.folder.join("a.part");
        while fs::metadata(&partial).unwrap().len() == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        sshd.signal("-KILL");
    };
    let (result, ()) = tokio::join!(part, kill);
    let error = result.unwrap_err();
    assert!(is_retryable(&error), "{error:?}");
    assert!(matches!(error, StorageError::Transport { .. }), "{error:?}");
    store.part(upload, 0, &whole).await.unwrap();
    store.finish(upload, &whole).await.unwrap();
    assert!(fs::read(sshd.folder.join("a")).unwrap() == whole);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_killed_in_mid_download_is_replaced() {
    let Some(sshd) = Sshd::start() else { return };
    let store = store(&sshd, options(&sshd));
    let size = 300 * MIB as u64;
    fs::File::create(sshd.folder.join("a")).unwrap().set_len(size).unwrap();
    let mut stream = store.0.read("a", 0..size, None).await.unwrap();
    stream.next().await.unwrap().unwrap();
    sshd.signal("-KILL");
    let error = loop {
        match stream.next().await {
            Some(Ok(_)) => {}
            Some(Err(error)) => break error,
            None => panic!("it ended well"),
        }
    };
    assert!(is_retryable(&error), "{error:?}");
    assert_eq!(detect::error(&error).kind(), Kind::Network, "{}", text(&error));
    assert_eq!(store.read("a", 0..size).await.unwrap().len() as u64, size);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stands_still_is_given_up() {
    let Some(sshd) = Sshd::start() else { return };
    let mut options = options(&sshd);
    options.stalled_after = Duration::from_secs(2);
    let store = store(&sshd, options);
    let size = 300 * MIB as u64;
    fs::File::create(sshd.folder.join("a")).unwrap().set_len(size).unwrap();
    let id = store.begin("b", "one").await.unwrap();
    let mut stream = store.0.read("a", 0..size, None).await.unwrap();
    stream.next().await.unwrap().unwrap();
    sshd.signal("-STOP");
    let error = loop {
        match stream.next().await {
            Some(Ok(_)) => {}
            Some(Err(error)) => break error,
            None => panic!("it ended well"),
        }
    };
    assert!(matches!(error, StorageError::Stalled { .. }), "{error:?}");
    drop(stream);

    // By a new process, which does not stand still yet.
    let upload = Upload { key: "b", id: &id };
    let whole = vec![5; 100 * MIB];
    let part = store.part(upload, 0, &whole);
    let stop = async {
        let partial = sshd.folder.join("b.part");
        while fs::metadata(&partial).unwrap().len() == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        sshd.signal("-STOP");
    };
    let (result, ()) = tokio::join!(part, stop);
    let error = result.unwrap_err();
    assert!(matches!(error, StorageError::Stalled { .. }), "{error:?}");
    assert!(is_retryable(&error));
    store.part(upload, 0, &whole).await.unwrap();
}

#[tokio::test]
async fn keys_are_exchanged_anew_in_mid_transfer() {
    let Some(sshd) = Sshd::start_with("RekeyLimit 8M") else { return };
    let store = store(&sshd, options(&sshd));
    let whole: Vec<u8> = (0..100 * MIB).map(|index| (index / 1000) as u8).collect();
    let id = store.begin("a", "one").await.unwrap();
    let upload = Upload { key: "a", id: &id };
    let half = whole.len() / 2;
    let first = store.part(upload, 0, &whole[..half]);
    let second = store.part(upload, half as u64, &whole[half..]);
    let (first, second) = tokio::join!(first, second);
    first.and(second).unwrap();
    store.finish(upload, &whole).await.unwrap();
    let read = store.read("a", 0..whole.len() as u64).await.unwrap();
    assert!(read == whole);
}

#[tokio::test]
async fn a_slow_reader_is_not_a_stalled_server() {
    let Some(sshd) = Sshd::start() else { return };
    let mut options = options(&sshd);
    options.stalled_after = Duration::from_secs(1);
    let store = store(&sshd, options);
    let size = 100 * MIB as u64;
    fs::File::create(sshd.folder.join("a")).unwrap().set_len(size).unwrap();
    let mut stream = store.0.read("a", 0..size, None).await.unwrap();
    stream.next().await.unwrap().unwrap();
    tokio::time::sleep(Duration::from_secs(3)).await;
    let mut read = 0;
    while let Some(piece) = stream.next().await {
        read += piece.unwrap().len();
    }
    assert!(read > 99 * MIB);
    assert!(store.stat("nothing").await.unwrap().is_none());
}

fn nobody(port: u16, options: SftpOptions) -> SftpStore {
    SftpStore::new(Some("me"), "127.0.0.1", Some(port), options).unwrap()
}

fn alone() -> SftpOptions {
    SftpOptions { config_file: Some("none".into()), ..SftpOptions::default() }
}

#[tokio::test]
async fn nobody_listens() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let store = nobody(port, alone());
    let error = store.stat("a").await.unwrap_err();
    let verdict = detect::error(&error);
    assert_eq!(verdict.rule(), "io.connection_refused", "{error:?}");
    assert!(text(&error).contains(&format!("127.0.0.1 port {port}")), "{}", text(&error));
    // All who waited for it are told, and see it as what it was.
    let errors = join_all((0..8).map(|_| store.stat("a"))).await;
    for error in errors {
        let error = error.unwrap_err();
        assert!(is_retryable(&error));
        assert!(text(&error).contains("refused"), "{}", text(&error));
    }
}

#[tokio::test]
async fn a_server_that_never_greets_is_given_up() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut options = alone();
    options.stalled_after = Duration::from_millis(200);
    let store = nobody(silent.local_addr().unwrap().port(), options);
    let error = store.stat("a").await.unwrap_err();
    assert!(matches!(error, StorageError::Stalled { .. }), "{error:?}");
}

#[tokio::test]
async fn a_server_that_hangs_up_at_once_may_have_time_later() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        while let Ok((connection, _)) = listener.accept() {
            drop(connection);
        }
    });
    let error = nobody(port, alone()).stat("a").await.unwrap_err();
    assert!(is_retryable(&error), "{error:?}");
}

#[tokio::test]
async fn a_server_without_sftp_is_said_to_be_one() {
    let Some(sshd) = Sshd::start_with("# No Subsystem") else { return };
    let said = final_text(store(&sshd, options(&sshd)).stat("a").await.unwrap_err());
    assert!(said.contains("the server has no SFTP"), "{said}");
    let Some(sshd) = Sshd::start_with("Subsystem sftp /nothing/sftp-server") else { return };
    let error = store(&sshd, options(&sshd)).stat("a").await.unwrap_err();
    assert!(text(&error).contains("ended the SFTP session"), "{}", text(&error));
}

#[tokio::test]
async fn a_name_that_is_nobodys() {
    let store = SftpStore::new(Some("me"), "nobody.invalid", None, alone()).unwrap();
    let error = store.stat("a").await.unwrap_err();
    assert!(text(&error).contains("nobody.invalid port 22"), "{}", text(&error));
}
