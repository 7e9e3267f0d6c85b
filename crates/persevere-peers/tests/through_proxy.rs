//! A real peer behind the proxy that makes faults.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

use std::process::{Command, Output};

use persevere_faults::{At, Fault, FaultProxy, Plan, Rule};
use persevere_peers::{Sshd, or_skip, sshd};

/// Copies a file of the server's by SFTP, through the proxy.
fn fetch(peer: &Sshd, proxy: &FaultProxy, name: &str) -> Output {
    Command::new("sftp")
        .args(["-q", "-F", "none", "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes"])
        // Its host key stands there under another port.
        .args(["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-i"])
        .arg(&peer.key)
        .arg("-P")
        .arg(proxy.address().port().to_string())
        .arg(format!("{}@127.0.0.1:{}/{name}", peer.user, peer.folder.display()))
        .arg(peer.folder.join(format!("{name}.copy")))
        .output()
        .unwrap()
}

#[test]
fn ssh_is_reset_in_a_transfer_and_works_again() {
    let test = "ssh_is_reset_in_a_transfer_and_works_again";
    let Some(peer) = or_skip(test, sshd()) else { return };
    let data = vec![b'x'; 3_000_000];
    std::fs::write(peer.folder.join("file"), &data).unwrap();
    let plan = Plan::new().rule(Rule::new(Fault::ResetAnswer(At::Byte(1_000_000))).nth(1));
    let proxy = FaultProxy::tcp(peer.address, plan).unwrap();

    let broken = fetch(&peer, &proxy, "file");
    assert!(!broken.status.success(), "{broken:?}");
    assert_eq!(proxy.exchanges()[0].answer_bytes, 1_000_000);

    let whole = fetch(&peer, &proxy, "file");
    assert!(whole.status.success(), "{whole:?}");
    assert!(std::fs::read(peer.folder.join("file.copy")).unwrap() == data);
}
