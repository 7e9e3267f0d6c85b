//! Each peer starts, answers, and is gone afterwards.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use persevere_peers::{
    S3Peer, azurite, fake_gcs, moto, or_skip, s3s_fs, sshd, sshd_with, versitygw,
};

fn answer(address: SocketAddr, target: &str) -> String {
    let mut connection = TcpStream::connect(address).unwrap();
    let request = format!("GET {target} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    connection.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    answer
}

#[track_caller]
fn assert_gone(address: SocketAddr) {
    let error = TcpStream::connect(address).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
}

/// Without a signature the answer is that this is forbidden, and not that there is no such bucket.
fn assert_guards_its_bucket(peer: S3Peer) {
    let answer = answer(peer.address, "/test");
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    assert!(answer.contains("AccessDenied"), "{answer}");
    let address = peer.address;
    drop(peer);
    assert_gone(address);
}

#[test]
fn s3s_fs_answers() {
    let Some(peer) = or_skip("s3s_fs_answers", s3s_fs()) else { return };
    assert_guards_its_bucket(peer);
}

#[test]
fn versitygw_answers() {
    let Some(peer) = or_skip("versitygw_answers", versitygw()) else { return };
    assert_guards_its_bucket(peer);
}

#[test]
fn moto_answers() {
    let Some(peer) = or_skip("moto_answers", moto()) else { return };
    let found = answer(peer.address, "/test");
    assert!(found.starts_with("HTTP/1.1 200"), "{found}");
    assert!(found.contains("ListBucketResult"), "{found}");
    let lacking = answer(peer.address, "/another");
    assert!(lacking.contains("NoSuchBucket"), "{lacking}");
    peer.create_bucket("another").unwrap();
    assert!(answer(peer.address, "/another").contains("ListBucketResult"));
    let address = peer.address;
    drop(peer);
    assert_gone(address);
}

#[test]
fn azurite_answers() {
    let Some(peer) = or_skip("azurite_answers", azurite()) else { return };
    peer.create_container("another").unwrap();
    let again = peer.create_container("another").unwrap_err();
    assert!(again.to_string().contains("409"), "{again}");
    let unsigned = answer(peer.address, "/devstoreaccount1/test?restype=container&comp=list");
    assert!(unsigned.starts_with("HTTP/1.1 403"), "{unsigned}");
    let address = peer.address;
    drop(peer);
    assert_gone(address);
}

#[test]
fn fake_gcs_answers() {
    let Some(peer) = or_skip("fake_gcs_answers", fake_gcs()) else { return };
    let bucket = answer(peer.address, "/storage/v1/b/test");
    assert!(bucket.starts_with("HTTP/1.1 200"), "{bucket}");
    let address = peer.address;
    drop(peer);
    assert_gone(address);
}

#[test]
fn sshd_lets_in_who_has_the_key() {
    let Some(peer) = or_skip("sshd_lets_in_who_has_the_key", sshd()) else { return };
    let ssh = |key: &std::path::Path, hosts: &std::path::Path| {
        std::process::Command::new("ssh")
            .args(["-F", "none", "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-i"])
            .arg(key)
            .arg("-o")
            .arg(format!("UserKnownHostsFile={}", hosts.display()))
            .args(["-o", "StrictHostKeyChecking=yes", "-p", &peer.address.port().to_string()])
            .arg(format!("{}@{}", peer.user, peer.address.ip()))
            .args(["echo", "here"])
            .output()
            .unwrap()
    };
    let accepted = ssh(&peer.key, &peer.known_hosts);
    assert_eq!(accepted.stdout, b"here\n", "{accepted:?}");
    assert!(!ssh(&peer.strangers_key, &peer.known_hosts).status.success());
    assert!(!ssh(&peer.key, &peer.wrong_known_hosts).status.success());
    let address = peer.address;
    drop(peer);
    assert_gone(address);
}

#[test]
fn a_setting_that_sshd_does_not_know_is_told() {
    if or_skip("a_setting_that_sshd_does_not_know_is_told", sshd()).is_none() {
        return;
    }
    let error = sshd_with(&["NoSuchSetting yes"]).unwrap_err();
    assert!(error.to_string().contains("NoSuchSetting"), "{error}");
}

/// Started by the test below, in a process that a signal ends.
#[test]
#[ignore = "it kills its own process"]
fn a_process_with_a_peer_is_killed() {
    static PEER: std::sync::OnceLock<persevere_peers::Sshd> = std::sync::OnceLock::new();
    let peer = PEER.get_or_init(|| sshd().unwrap());
    println!("\nport {}", peer.address.port());
    std::process::abort();
}

#[test]
fn no_peer_outlives_its_process() {
    if or_skip("no_peer_outlives_its_process", sshd()).is_none() {
        return;
    }
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_process_with_a_peer_is_killed", "--ignored", "--nocapture"])
        .output()
        .unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let port = printed.lines().find_map(|line| line.strip_prefix("port ")).expect(&printed);
    let address = SocketAddr::from(([127, 0, 0, 1], port.parse().unwrap()));
    let start = std::time::Instant::now();
    while TcpStream::connect(address).is_ok() {
        assert!(start.elapsed().as_secs() < 30, "sshd outlived the process that started it");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}
