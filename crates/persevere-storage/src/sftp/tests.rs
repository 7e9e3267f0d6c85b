//! Against OpenSSH's sshd.

#![cfg(unix)]

mod files;
mod host_keys;
mod logins;
mod losses;
mod passwords;
mod speed;
mod sshd;

use self::sshd::Sshd;
use super::*;
use crate::testing::Driver;

/// Settings that look at nothing of who runs the tests.
fn options(sshd: &Sshd) -> SftpOptions {
    SftpOptions {
        identity_files: vec![sshd.key.clone()],
        known_hosts: vec![sshd.known_hosts.clone()],
        config_file: Some("none".into()),
        ..SftpOptions::default()
    }
}

fn store(sshd: &Sshd, options: SftpOptions) -> Driver<SftpStore> {
    let host = sshd.address.ip().to_string();
    let port = Some(sshd.address.port());
    let mut store = SftpStore::new(Some(&sshd.user), &host, port, options).unwrap();
    // Without a configuration ssh's usual keys are those of who runs the tests.
    store.target.usual_keys.clear();
    Driver(store)
}
