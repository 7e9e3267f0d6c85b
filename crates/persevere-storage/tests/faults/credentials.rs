//! Credentials that are wrong, or good no longer.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use persevere_faults::{Answer, Fault, Plan, Request, Rule};
use persevere_storage::{S3Options, Storage, StorageBuilder};

use crate::again::{inside, this};
use crate::place::{Peer, Place, retryer, s3s_fs, text};

/// This program with an environment in which the profile `test` is all there is.
fn alone(home: &Path) -> Command {
    let mut again = this();
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("AWS_") {
            again.env_remove(name);
        }
    }
    again.env("HOME", home).env("AWS_EC2_METADATA_DISABLED", "true");
    fs::create_dir(home.join(".aws")).unwrap();
    again
}

/// The credentials of the profile: those of the server, with a token that it does not look at.
fn write_profile(place: &Place, token: &str) {
    let Peer::S3sFs(peer) = place.peer else { panic!("no s3s-fs") };
    let text = format!(
        "[test]\naws_access_key_id = {}\naws_secret_access_key = {}\naws_session_token = {token}\n",
        peer.access_key, peer.secret_key
    );
    let home = std::env::home_dir().unwrap();
    fs::write(home.join(".aws/credentials"), text).unwrap();
}

/// With a single attempt for everything.
async fn by_profile(place: &Place) -> Storage {
    let mut options = S3Options::default();
    options.endpoint = Some(place.proxy.url());
    options.region = Some("us-east-1".into());
    options.profile = Some("test".into());
    let builder =
        StorageBuilder::new().s3(options).retryer(retryer(|policy| policy.max_attempts(1)));
    builder.open(&"s3://test/key".parse().unwrap()).await.unwrap().0
}

fn expired() -> Fault {
    Fault::Answer(Answer::s3_error(400, "ExpiredToken", "The provided token has expired."))
}

fn has_token(request: &Request, token: &str) -> bool {
    request.header("x-amz-security-token") == Some(token)
}

const IN_THE_MIDDLE: &str = "credentials::they_expire_in_the_middle";

#[test]
fn they_expire_in_the_middle() {
    let home = tempfile::tempdir().unwrap();
    inside(IN_THE_MIDDLE, || alone(home.path()), async {
        let place = s3s_fs(IN_THE_MIDDLE).unwrap().place(IN_THE_MIDDLE).await;
        let source = place.file("source", 4 * place.part, 1);
        write_profile(&place, "old");
        let storage = by_profile(&place).await;
        let refused = Arc::new(AtomicUsize::new(0));
        let (at, counted) = (place.clone(), refused.clone());
        // From the second part on the old token is good no longer, and a new one is there.
        place.faults(Plan::new().rule(Rule::new(expired()).when(move |request| {
            let is_late = counted.load(Ordering::Relaxed) > 0 || has(request, "partNumber=2");
            let is_refused = is_late && has_token(request, "old");
            if is_refused && counted.fetch_add(1, Ordering::Relaxed) == 0 {
                write_profile(&at, "new");
            }
            is_refused
        })));
        let sent = storage.upload(&source, &place.key, &place.options()).await;
        let sent = sent.unwrap_or_else(|error| panic!("{}", text(&error)));
        assert!(refused.load(Ordering::Relaxed) > 0);
        assert_eq!(sent.retries, refused.load(Ordering::Relaxed) as u64);
        place.assert_sent().await;

        // The same again, downwards, with an answer to HEAD that has no words.
        write_profile(&place, "newer");
        let newer = Rule::new(expired()).when(|request| has_token(request, "new"));
        place.faults(Plan::new().rule(newer));
        let target = place.path("target");
        storage.download(&place.key, &target, &place.options()).await.unwrap();
        assert!(fs::read(target).unwrap() == fs::read(source).unwrap());
        place.assert_tidy();
    });
}

fn has(request: &Request, text: &str) -> bool {
    request.target().contains(text)
}

const STAY: &str = "credentials::they_stay_expired";

#[test]
fn they_stay_expired() {
    let home = tempfile::tempdir().unwrap();
    inside(STAY, || alone(home.path()), async {
        let place = s3s_fs(STAY).unwrap().place(STAY).await;
        let source = place.file("source", 2 * place.part, 1);
        write_profile(&place, "old");
        place.faults(Plan::new().rule(Rule::new(expired())));
        let storage = by_profile(&place).await.with_retryer(retryer(|policy| policy));
        let error = storage.upload(&source, &place.key, &place.options()).await.unwrap_err();
        let said = text(&error);
        assert!(said.contains("expired") && said.contains("profile `test`"), "{said}");
        assert!(said.contains("/.aws/credentials"), "{said}");
        // Once more after they were loaded anew, and no more.
        assert_eq!(place.proxy.counters().requests, 2);
        place.assert_tidy();
    });
}

const WRONG: &str = "credentials::wrong_ones_of_the_environment";

#[test]
fn wrong_ones_of_the_environment() {
    let home = tempfile::tempdir().unwrap();
    let wrong = || {
        let mut again = alone(home.path());
        again.env("AWS_ACCESS_KEY_ID", "nobody").env("AWS_SECRET_ACCESS_KEY", "hidden secret");
        again
    };
    inside(WRONG, wrong, async {
        let place = s3s_fs(WRONG).unwrap().place(WRONG).await;
        let source = place.file("source", 2 * place.part, 1);
        let mut options = S3Options::from_environment();
        options.endpoint = Some(place.proxy.url());
        let builder = StorageBuilder::new().s3(options).retryer(retryer(|policy| policy));
        let (storage, key) = builder.open(&"s3://test/key".parse().unwrap()).await.unwrap();
        let error = storage.upload(&source, &key, &place.options()).await.unwrap_err();
        let said = format!("{} {error:?}", text(&error));
        assert!(said.contains("the environment (AWS_ACCESS_KEY_ID, "), "{said}");
        assert!(!said.contains("hidden secret"), "{said}");
        assert_eq!(place.proxy.counters().requests, 1);
        place.assert_tidy();
    });
}
