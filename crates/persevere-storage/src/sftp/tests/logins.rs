//! How we get in.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use super::sshd::{Sshd, make_key, run};
use super::{Ask, SftpOptions, options, store};
use crate::testing::final_text;

async fn refusal(sshd: &Sshd, options: SftpOptions) -> String {
    final_text(store(sshd, options).stat("a").await.unwrap_err())
}

async fn gets_in(sshd: &Sshd, options: SftpOptions) {
    assert!(store(sshd, options).stat("a").await.unwrap().is_none());
}

fn with_key(sshd: &Sshd, key: &Path) -> SftpOptions {
    SftpOptions { identity_files: vec![key.to_owned()], ..options(sshd) }
}

/// Answers, and the questions that were asked.
fn asked(answers: &[&str]) -> (Ask, Arc<Mutex<Vec<String>>>) {
    let questions = Arc::new(Mutex::new(Vec::new()));
    let answers = Mutex::new(answers.iter().rev().map(|it| (*it).to_owned()).collect::<Vec<_>>());
    let ask = Ask::new({
        let questions = Arc::clone(&questions);
        move |question| {
            questions.lock().unwrap().push(question.to_owned());
            answers.lock().unwrap().pop()
        }
    });
    (ask, questions)
}

#[tokio::test]
async fn a_refusal_says_what_was_tried() {
    let Some(sshd) = Sshd::start() else { return };
    let text = refusal(&sshd, with_key(&sshd, &sshd.strangers_key)).await;
    assert!(text.contains("it refused"), "{text}");
    assert!(text.contains("strangers_key"), "{text}");
    assert!(text.contains("accepts publickey"), "{text}");
    let nothing = SftpOptions { identity_files: vec![], ..options(&sshd) };
    let text = refusal(&sshd, nothing).await;
    assert!(text.contains("nothing to try"), "{text}");
}

#[tokio::test]
async fn keys_of_every_kind_let_us_in() {
    let Some(sshd) = Sshd::start() else { return };
    for kind in ["ed25519", "ecdsa", "rsa"] {
        let key = sshd.beside(kind);
        make_key(&key, kind, "").unwrap();
        sshd.authorize(&sshd.beside(&format!("{kind}.pub")));
        gets_in(&sshd, with_key(&sshd, &key)).await;
    }
    let old = sshd.beside("old");
    run(Command::new("ssh-keygen")
        .args(["-q", "-t", "rsa", "-m", "PEM", "-N", "", "-f"])
        .arg(&old))
    .unwrap();
    sshd.authorize(&sshd.beside("old.pub"));
    gets_in(&sshd, with_key(&sshd, &old)).await;
}

#[tokio::test]
async fn a_passphrase_comes_from_a_file() {
    let Some(sshd) = Sshd::start() else { return };
    let mut options = with_key(&sshd, &sshd.encrypted_key);
    let text = refusal(&sshd, options.clone()).await;
    assert!(text.contains("PERSEVERE_SFTP_PASSPHRASE_FILE"), "{text}");

    let file = sshd.beside("passphrase");
    options.passphrase_file = Some(file.clone());
    let text = refusal(&sshd, options.clone()).await;
    assert!(text.contains("cannot be read"), "{text}");
    fs::write(&file, "hunter2\n").unwrap();
    let text = refusal(&sshd, options.clone()).await;
    assert!(text.contains("not by the passphrase in"), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
    fs::write(&file, format!("{}\n", Sshd::PASSPHRASE)).unwrap();
    gets_in(&sshd, options.clone()).await;
    assert!(!format!("{options:?}").contains(Sshd::PASSPHRASE));
}

#[tokio::test]
async fn a_passphrase_is_asked_for_once_and_only_if_the_key_is_wanted() {
    let Some(sshd) = Sshd::start() else { return };
    let unwanted = sshd.beside("unwanted");
    make_key(&unwanted, "ed25519", "other").unwrap();
    let (ask, questions) = asked(&["mistyped", Sshd::PASSPHRASE]);
    let mut options = with_key(&sshd, &unwanted);
    options.identity_files.push(sshd.encrypted_key.clone());
    options.ask = Some(ask);
    let store = store(&sshd, options);
    assert!(store.stat("a").await.unwrap().is_none());
    sshd.signal("-KILL");
    assert!(store.stat("a").await.is_err());
    assert!(store.stat("a").await.unwrap().is_none());
    let questions = questions.lock().unwrap();
    assert_eq!(questions.len(), 2, "{questions:?}");
    assert!(questions[0].contains("encrypted_key"), "{questions:?}");
}

#[tokio::test]
async fn an_old_encrypted_key_does_as_well() {
    let Some(sshd) = Sshd::start() else { return };
    for kind in ["PKCS8", "PEM"] {
        let key = sshd.beside(kind);
        let mut keygen = Command::new("ssh-keygen");
        keygen.args(["-q", "-t", "rsa", "-m", kind, "-N", Sshd::PASSPHRASE, "-f"]);
        run(keygen.arg(&key)).unwrap();
        sshd.authorize(&sshd.beside(&format!("{kind}.pub")));
        let (ask, _) = asked(&[Sshd::PASSPHRASE]);
        gets_in(&sshd, SftpOptions { ask: Some(ask), ..with_key(&sshd, &key) }).await;
    }
}

#[tokio::test]
async fn a_key_that_is_of_no_use_is_said_to_be() {
    let Some(sshd) = Sshd::start() else { return };
    let text = refusal(&sshd, with_key(&sshd, Path::new("/nothing/id"))).await;
    assert!(text.contains("/nothing/id"), "{text}");
    let rubbish = sshd.beside("rubbish");
    fs::write(&rubbish, "rubbish").unwrap();
    fs::set_permissions(&rubbish, fs::Permissions::from_mode(0o600)).unwrap();
    let text = refusal(&sshd, with_key(&sshd, &rubbish)).await;
    assert!(text.contains("is no private key"), "{text}");
    fs::set_permissions(&sshd.key, fs::Permissions::from_mode(0o644)).unwrap();
    let text = refusal(&sshd, options(&sshd)).await;
    assert!(text.contains("chmod 600"), "{text}");
}

/// ssh-agent, with a key in it.
struct Agent {
    socket: std::path::PathBuf,
    child: std::process::Child,
}

impl Agent {
    fn start(sshd: &Sshd) -> Self {
        let socket = sshd.beside("agent");
        let child = Command::new("ssh-agent")
            .args(["-D", "-a"])
            .arg(&socket)
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        while !socket.exists() {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        Self { socket, child }
    }

    fn add(&self, key: &Path) {
        run(Command::new("ssh-add").arg("-q").arg(key).env("SSH_AUTH_SOCK", &self.socket)).unwrap();
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn the_agent_signs() {
    let Some(sshd) = Sshd::start() else { return };
    let agent = Agent::start(&sshd);
    let options =
        SftpOptions { identity_files: vec![], agent: Some(agent.socket.clone()), ..options(&sshd) };
    agent.add(&sshd.strangers_key);
    let text = refusal(&sshd, options.clone()).await;
    assert!(text.contains("the agent's key SHA256:"), "{text}");
    let rsa = sshd.beside("rsa");
    make_key(&rsa, "rsa", "").unwrap();
    sshd.authorize(&sshd.beside("rsa.pub"));
    agent.add(&rsa);
    gets_in(&sshd, options.clone()).await;

    // A named key with a passphrase that the agent has.
    run(Command::new("ssh-keygen").args(["-q", "-p", "-P", "", "-N", "secret", "-f"]).arg(&rsa))
        .unwrap();
    gets_in(&sshd, SftpOptions { identity_files: vec![rsa], ..options.clone() }).await;

    drop(agent);
    let text = refusal(&sshd, options.clone()).await;
    assert!(text.contains("the agent at"), "{text}");
    gets_in(&sshd, SftpOptions { agent: options.agent, ..self::options(&sshd) }).await;
}

#[tokio::test]
async fn a_named_key_comes_before_the_many_of_an_agent() {
    let Some(sshd) = Sshd::start_with("MaxAuthTries 3") else { return };
    let agent = Agent::start(&sshd);
    for number in 0..5 {
        let key = sshd.beside(&format!("key{number}"));
        make_key(&key, "ed25519", "").unwrap();
        agent.add(&key);
    }
    let options = SftpOptions { agent: Some(agent.socket.clone()), ..options(&sshd) };
    gets_in(&sshd, options.clone()).await;
    let text = refusal(&sshd, SftpOptions { identity_files: vec![], ..options }).await;
    assert!(text.contains("Too many authentication failures"), "{text}");
    assert!(text.contains("--identity"), "{text}");
}

#[tokio::test]
async fn a_password_that_is_refused_is_said_to_be() {
    let Some(sshd) = Sshd::start_with("PasswordAuthentication yes") else { return };
    let mut options = with_key(&sshd, &sshd.strangers_key);
    let text = refusal(&sshd, options.clone()).await;
    assert!(text.contains("set PERSEVERE_SFTP_PASSWORD_FILE"), "{text}");
    let file = sshd.beside("password");
    fs::write(&file, "hunter2").unwrap();
    options.password_file = Some(file);
    let text = refusal(&sshd, options.clone()).await;
    assert!(text.contains("the password in"), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
    let (ask, questions) = asked(&["a", "b", "c", "d"]);
    options.password_file = None;
    options.ask = Some(ask);
    refusal(&sshd, options).await;
    assert_eq!(questions.lock().unwrap().len(), 3);
    assert!(questions.lock().unwrap()[0].starts_with("Password of "));
}
