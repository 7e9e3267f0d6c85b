//! Credentials: wrong, missing, expired, and where they come from.

use std::fs;

use super::*;
use persevere_peers::{or_skip, s3s_fs, versitygw};

use crate::script::{Reply, Script, reply};
use crate::xml_api::tests::{put, read};

const SECRET: &str = "this-is-the-secret";

fn nothing_secret(error: &StorageError) {
    for text in [error.to_string(), format!("{error:?}")] {
        assert!(!text.contains(SECRET), "{text}");
    }
}

fn provider(error: StorageError) -> ProviderError {
    nothing_secret(&error);
    match error {
        StorageError::Provider(error) => *error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret_says_where_it_comes_from() {
    let here = or_skip("s3s-fs", s3s_fs()).unwrap();
    let gateway = or_skip("versitygw", versitygw());
    for peer in [Some(here), gateway].into_iter().flatten() {
        let wrong = Some(S3AccessKey::new(peer.access_key, SECRET));
        let store = with(&S3Options { access_key: wrong, ..options(&peer.url) });
        let error = provider(read(&store, "a", 0..1, None).await.unwrap_err());
        assert_eq!(error.code.as_deref(), Some("SignatureDoesNotMatch"));
        assert!(!error.verdict.is_retryable());
        assert!(error.to_string().contains("the credentials are from the settings"), "{error}");
        // HEAD says it without words.
        let error = provider(store.stat("a").await.unwrap_err());
        assert!(!error.verdict.is_retryable());
        assert!(error.to_string().contains("the credentials are from the settings"), "{error}");

        let wrong = Some(S3AccessKey::new("nobody", SECRET));
        let store = with(&S3Options { access_key: wrong, ..options(&peer.url) });
        assert!(!provider(read(&store, "a", 0..1, None).await.unwrap_err()).verdict.is_retryable());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_bucket_is_named() {
    let here = or_skip("s3s-fs", s3s_fs()).unwrap();
    let gateway = or_skip("versitygw", versitygw());
    for peer in [Some(here), gateway].into_iter().flatten() {
        let mut store = of(&peer);
        store.bucket = "nowhere".into();
        *store.place.write().unwrap() =
            Place::new("nowhere", &options(&peer.url), &Profile::default(), true).unwrap();
        let errors =
            [store.stat("a").await.map(drop), store.list_page("", true, None).await.map(drop)];
        for error in errors.map(Result::unwrap_err) {
            let StorageError::NotFound { what, .. } = &error else { panic!("{error:?}") };
            assert_eq!(what, "s3://nowhere/");
            assert!(!error.verdict().is_retryable());
        }
    }
}

/// A home with these files, and nothing of this machine's environment.
fn at_home(
    files: &[(&str, String)],
) -> (tempfile::TempDir, impl Fn(&str) -> Option<String> + use<>) {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join(".aws")).unwrap();
    for (name, text) in files {
        fs::write(home.path().join(".aws").join(name), text).unwrap();
    }
    let path = home.path().to_owned();
    let variable = move |name: &str| match name {
        "HOME" => Some(path.display().to_string()),
        "AWS_SHARED_CREDENTIALS_FILE" => Some(path.join(".aws/credentials").display().to_string()),
        "AWS_CONFIG_FILE" => Some(path.join(".aws/config").display().to_string()),
        "AWS_EC2_METADATA_DISABLED" => Some("true".into()),
        _ => None,
    };
    (home, variable)
}

fn from_profile(url: &str, profile: &str, variable: Variables<'_>) -> Result<S3, StorageError> {
    let options = S3Options { access_key: None, profile: Some(profile.into()), ..options(url) };
    let environment = reqsign_core::StaticEnv {
        home_dir: variable("HOME").map(Into::into),
        envs: [
            "HOME",
            "AWS_SHARED_CREDENTIALS_FILE",
            "AWS_CONFIG_FILE",
            "AWS_EC2_METADATA_DISABLED",
        ]
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), variable(name)?)))
        .collect(),
    };
    let mut store = S3::with_variables("test", &options, &http(), variable)?;
    let profile = Profile::load(Some(profile), variable)?;
    let context = context(&http())?.with_env(environment);
    store.credentials = Some(sign::credentials(&options, &profile, context, variable));
    Ok(store)
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_a_profile() {
    let peer = or_skip("s3s-fs", s3s_fs()).unwrap();
    let keys = format!(
        "[mine]\naws_access_key_id = {}\naws_secret_access_key = {}\n[wrong]\naws_access_key_id = \
         {}\naws_secret_access_key = {SECRET}\n",
        peer.access_key, peer.secret_key, peer.access_key
    );
    let (home, variable) = at_home(&[("credentials", keys)]);
    put(&from_profile(&peer.url, "mine", &variable).unwrap(), "a", b"x").await;

    let store = from_profile(&peer.url, "wrong", &variable).unwrap();
    let error = provider(read(&store, "a", 0..1, None).await.unwrap_err());
    let file = home.path().join(".aws/credentials").display().to_string();
    assert!(error.to_string().contains(&format!("profile `wrong` in {file}")), "{error}");

    let message = from_profile(&peer.url, "none", &variable).unwrap_err().to_string();
    assert!(message.contains("the profile is `none` (from the settings)"), "{message}");
}

#[tokio::test]
async fn no_credentials_say_where_was_looked() {
    let (_home, variable) = at_home(&[("config", "[profile empty]\nregion = eu-west-1\n".into())]);
    let store = from_profile("http://127.0.0.1:1", "empty", &variable).unwrap();
    assert_eq!(store.place().region, "eu-west-1");
    let error = store.stat("a").await.unwrap_err();
    assert!(!error.verdict().is_retryable());
    let message = error.to_string();
    for part in ["no credentials for s3://test/", "profile `empty` in", "AWS_ACCESS_KEY_ID"] {
        assert!(message.contains(part), "{message}");
    }
    assert!(!message.contains("metadata service"), "{message}");

    let role = "[profile role]\nrole_arn = arn:x\nsource_profile = empty\n";
    let (_home, variable) = at_home(&[("config", role.into())]);
    let store = from_profile("http://127.0.0.1:1", "role", &variable).unwrap();
    let message = store.stat("a").await.unwrap_err().to_string();
    assert!(message.contains("`role_arn`") && message.contains("credential_process"), "{message}");
}

fn answers_once_expired() -> impl Fn(&crate::script::Received, usize) -> Reply {
    |request, index| {
        let expired = "<Error><Code>ExpiredToken</Code><Message>The provided token has expired.\
                       </Message></Error>";
        match index {
            0 => reply(400, &[], expired),
            _ if request.header("authorization").unwrap().contains("OLD") => {
                reply(400, &[], expired)
            }
            _ => reply(200, &[("etag", "\"e\"")], ""),
        }
    }
}

fn keys(id: &str) -> String {
    format!(
        "[p]\naws_access_key_id = {id}\naws_secret_access_key = {SECRET}\naws_session_token = t\n"
    )
}

#[tokio::test]
async fn expired_credentials_are_loaded_afresh() {
    let script = Script::start(answers_once_expired()).await;
    let (home, variable) = at_home(&[("credentials", keys("OLD"))]);
    let store = from_profile(&script.url, "p", &variable).unwrap();
    let error = provider(read(&store, "a", 0..1, None).await.unwrap_err());
    assert!(error.verdict.is_retryable());
    fs::write(home.path().join(".aws/credentials"), keys("NEW")).unwrap();
    put(&store, "a", b"x").await;
    assert!(script.received()[1].header("authorization").unwrap().contains("NEW"));
    assert_eq!(script.received()[1].header("x-amz-security-token"), Some("t"));
}

#[tokio::test]
async fn credentials_that_stay_expired_are_an_end() {
    let script = Script::start(answers_once_expired()).await;
    let (_home, variable) = at_home(&[("credentials", keys("OLD"))]);
    let store = from_profile(&script.url, "p", &variable).unwrap();
    // All that are under way at once are told so, and may each try again.
    let ranges = (0..4).map(|_| read(&store, "a", 0..1, None));
    for error in futures_util::future::join_all(ranges).await {
        assert!(provider(error.unwrap_err()).verdict.is_retryable());
    }
    let error = provider(read(&store, "a", 0..1, None).await.unwrap_err());
    assert!(!error.verdict.is_retryable());
    assert!(error.to_string().contains("profile `p`"), "{error}");
}

#[test]
fn nothing_secret_is_shown() {
    let options = S3Options {
        access_key: Some(S3AccessKey::new("id", SECRET).with_session_token(SECRET)),
        ..S3Options::default()
    };
    assert!(!format!("{options:?}").contains(SECRET));
    assert!(!format!("{:?}", with(&options)).contains(SECRET));
}

#[test]
fn what_the_environment_says() {
    let options = |variables: &[(&str, &str)]| {
        S3Options::from_variables(&|name| {
            variables.iter().find(|(it, _)| *it == name).map(|(_, value)| (*value).to_owned())
        })
    };
    let both = options(&[
        ("AWS_ENDPOINT_URL", "http://a"),
        ("AWS_ENDPOINT_URL_S3", "http://b"),
        ("AWS_DEFAULT_REGION", "c"),
        ("AWS_REGION", "d"),
    ]);
    assert_eq!(both.endpoint.as_deref(), Some("http://b"));
    assert_eq!(both.region.as_deref(), Some("d"));
    let ignored = options(&[
        ("AWS_ENDPOINT_URL", "http://a"),
        ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"),
    ]);
    assert_eq!(ignored.endpoint, None);
}
