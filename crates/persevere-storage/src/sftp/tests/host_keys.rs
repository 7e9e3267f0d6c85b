//! Whom we trust.

use std::fs;
use std::process::Command;

use super::sshd::{Sshd, known_host, make_key, run};
use super::{options, store};
use crate::testing::final_text;

/// What happens with such a file of known hosts.
async fn refusal(sshd: &Sshd, known_hosts: &str) -> Option<String> {
    let file = sshd.beside("known");
    fs::write(&file, known_hosts).unwrap();
    let mut options = options(sshd);
    options.known_hosts = vec![file];
    store(sshd, options).stat("a").await.err().map(final_text)
}

#[tokio::test]
async fn an_unknown_host_is_refused_with_the_command_that_adds_it() {
    let Some(sshd) = Sshd::start() else { return };
    let text = refusal(&sshd, "").await.unwrap();
    assert!(text.contains("is not known"), "{text}");
    assert!(text.contains("SHA256:"), "{text}");
    // As it says.
    let command = text.split('`').nth(1).unwrap();
    assert!(
        Command::new("sh").args(["-c", command]).output().unwrap().status.success(),
        "{command}"
    );
    let known = fs::read_to_string(sshd.beside("known")).unwrap();
    assert_eq!(refusal(&sshd, &known).await, None);
}

#[tokio::test]
async fn a_changed_key_is_refused_loudly_even_where_new_ones_are_accepted() {
    let Some(sshd) = Sshd::start() else { return };
    let mut options = options(&sshd);
    options.known_hosts = vec![sshd.wrong_known_hosts.clone()];
    options.accept_new_host_keys = true;
    let text = final_text(store(&sshd, options.clone()).stat("a").await.unwrap_err());
    assert!(text.contains("HAS CHANGED"), "{text}");
    assert!(text.contains("wrong_known_hosts line 1"), "{text}");
    // As it says.
    let command = text.split('`').nth(1).unwrap();
    run(Command::new("sh").args(["-c", command])).unwrap();
    assert!(store(&sshd, options).stat("a").await.unwrap().is_none());
}

#[tokio::test]
async fn a_new_host_is_added_when_that_is_wanted() {
    let Some(sshd) = Sshd::start() else { return };
    let file = sshd.beside("new/folder/known_hosts");
    let mut options = options(&sshd);
    options.known_hosts = vec![file.clone()];
    options.accept_new_host_keys = true;
    assert!(store(&sshd, options.clone()).stat("a").await.unwrap().is_none());
    let text = fs::read_to_string(&file).unwrap();
    let right = fs::read_to_string(&sshd.known_hosts).unwrap();
    assert_eq!(text.split(' ').collect::<Vec<_>>()[..2], right.split(' ').collect::<Vec<_>>()[..2]);
    options.accept_new_host_keys = false;
    assert!(store(&sshd, options).stat("a").await.unwrap().is_none());
    // ssh itself can read it.
    let port = sshd.address.port();
    run(Command::new("ssh-keygen").args(["-F", &format!("[127.0.0.1]:{port}"), "-f"]).arg(&file))
        .unwrap();
}

#[tokio::test]
async fn hashed_names_and_patterns_are_understood() {
    let Some(sshd) = Sshd::start() else { return };
    let hashed = sshd.beside("hashed");
    fs::copy(&sshd.known_hosts, &hashed).unwrap();
    run(Command::new("ssh-keygen").arg("-H").arg("-f").arg(&hashed)).unwrap();
    let hashed = fs::read_to_string(hashed).unwrap();
    assert!(hashed.starts_with("|1|"));
    assert_eq!(refusal(&sshd, &hashed).await, None);

    let line = fs::read_to_string(&sshd.known_hosts).unwrap();
    let (name, key) = line.split_once(' ').unwrap();
    for names in ["[127.0.0.*]:*", "other,[127.0.0.?]:*", "127.0.0.1", "*"] {
        assert_eq!(
            refusal(&sshd, &format!("# x\n\nrubbish\n{names}\t{key}")).await,
            None,
            "{names}"
        );
    }
    for names in [
        "[127.0.0.1]:1",
        "[127.0.0.??]:*",
        "128.*",
        &format!("*,!{name},!127.0.0.1"),
        "*.127.0.0.1",
    ] {
        let text = refusal(&sshd, &format!("{names} {key}")).await;
        assert!(text.is_some_and(|text| text.contains("is not known")), "{names}");
    }
}

#[tokio::test]
async fn marked_lines_are_never_taken_for_plain_ones() {
    let Some(sshd) = Sshd::start() else { return };
    let line = fs::read_to_string(&sshd.known_hosts).unwrap();
    let text =
        refusal(&sshd, &format!("{line}@revoked * {}", line.split_once(' ').unwrap().1)).await;
    assert!(text.is_some_and(|text| text.contains("IS REVOKED")));
    let text = refusal(&sshd, &format!("@cert-authority {line}")).await;
    assert!(text.is_some_and(|text| text.contains("certificates are not supported")));
}

#[tokio::test]
async fn a_server_shows_the_key_that_is_known() {
    // Ed25519 would be preferred.
    let folder = tempfile::tempdir().unwrap();
    let ecdsa = folder.path().join("ecdsa");
    make_key(&ecdsa, "ecdsa", "").unwrap();
    let rsa = folder.path().join("rsa");
    make_key(&rsa, "rsa", "").unwrap();
    let settings = format!("HostKey {}\nHostKey {}", ecdsa.display(), rsa.display());
    let Some(sshd) = Sshd::start_with(&settings) else { return };
    for key in ["ecdsa.pub", "rsa.pub"] {
        let known = known_host(sshd.address, &folder.path().join(key)).unwrap();
        assert_eq!(refusal(&sshd, &known).await, None, "{key}");
    }
}

#[tokio::test]
async fn a_key_of_another_kind_is_no_new_host() {
    let Some(sshd) = Sshd::start() else { return };
    let other = sshd.beside("other");
    make_key(&other, "ecdsa", "").unwrap();
    let known = known_host(sshd.address, &sshd.beside("other.pub")).unwrap();
    fs::write(sshd.beside("known"), known).unwrap();
    let mut options = options(&sshd);
    options.known_hosts = vec![sshd.beside("known")];
    options.accept_new_host_keys = true;
    let text = final_text(store(&sshd, options).stat("a").await.unwrap_err());
    assert!(text.contains("HAS CHANGED"), "{text}");
}

#[tokio::test]
async fn a_file_of_known_hosts_that_cannot_be_read_is_an_error() {
    let Some(sshd) = Sshd::start() else { return };
    let mut options = options(&sshd);
    options.known_hosts = vec![sshd.folder.clone()];
    let text = final_text(store(&sshd, options).stat("a").await.unwrap_err());
    assert!(text.contains("files"), "{text}");
}
