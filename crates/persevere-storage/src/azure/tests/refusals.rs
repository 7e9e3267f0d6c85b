use http::Method;

use super::peer::azurite;
use super::*;
use crate::azure::AzureOptions;
use crate::azure::call::Call;
use crate::http::HttpOptions;

const WRONG_KEY: &str = "aHVudGVyMi1odW50ZXIyLWh1bnRlcjItaHVudGVyMg==";

/// Its text, in which there is no secret.
fn told(error: &StorageError, secrets: &[&str]) -> String {
    let (text, debug) = (error.to_string(), format!("{error:?}"));
    for secret in secrets {
        assert!(!text.contains(secret) && !debug.contains(secret), "{text}\n{debug}");
    }
    text
}

#[tokio::test]
async fn a_wrong_key_says_where_it_came_from() {
    let Some(azurite) = azurite() else { return };
    let options = AzureOptions::from_variables(|name| match name {
        "AZURE_STORAGE_ENDPOINT" => Some(azurite.url.clone()),
        "AZURE_STORAGE_ACCOUNT_KEY" => Some(WRONG_KEY.to_owned()),
        _ => None,
    });
    let store = azurite.store("any", &options.unwrap());
    let errors = [
        put(&store, "a", b"x").await.unwrap_err(),
        store.stat("a").await.unwrap_err(),
        store.list_page("", true, None).await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!(code(&error), "AuthorizationFailure");
        assert!(!is_retryable(&error), "{error:?}");
        let text = told(&error, &[WRONG_KEY]);
        assert!(text.contains("the key came from AZURE_STORAGE_ACCOUNT_KEY"), "{text}");
        assert!(text.contains("az://any"), "{text}");
    }
    assert!(!format!("{store:?}").contains(WRONG_KEY));
}

#[tokio::test]
async fn shared_access_signatures() {
    let Some(azurite) = azurite() else { return };
    let container = azurite.container().await;
    put(&container, "a b", b"abc").await.unwrap();
    let with = |token: &str| {
        let mut options = AzureOptions::default().with_sas_token(token);
        options.endpoint = Some(azurite.url.clone());
        azurite.store(&container.container, &options)
    };

    let all = azurite.sas("rwdlac", "2999-01-01T00:00:00Z");
    let store = with(&format!("?{all}\n"));
    put(&store, "b", b"b").await.unwrap();
    assert_eq!(listed(&store, "", true).await, ["a b", "b"]);
    store.copy("a b", None, "c", &attributes("job")).await.unwrap();
    assert_eq!(read(&store, "c", 0..3, None).await.unwrap(), b"abc");
    let id = store.begin_upload("d", &attributes("job")).await.unwrap();
    let upload = Upload { key: "d", id: &id };
    let sent = send_parts(&store, upload, &[b"d"]).await;
    finish(&store, upload, &sent, &attributes("job")).await.unwrap();

    let store = with(&azurite.sas("rl", "2999-01-01T00:00:00Z"));
    assert_eq!(read(&store, "a b", 0..3, None).await.unwrap(), b"abc");
    let error = put(&store, "b", b"b").await.unwrap_err();
    let text = told(&error, &["sig="]);
    assert!(text.contains("the SAS token came from the settings"), "{text}");
    assert!(!is_retryable(&error));

    let expired = azurite.sas("rl", "2020-01-01T00:00:00Z");
    let error = store_error(&with(&expired)).await;
    let text = told(&error, &["sig="]);
    assert!(text.contains("and expired at 2020-01-01T00:00:00Z"), "{text}");
    assert!(!is_retryable(&error));

    let forged = all.replace("sig=", "sig=hunter2");
    let error = store_error(&with(&forged)).await;
    told(&error, &["hunter2"]);
    assert!(!is_retryable(&error));
}

async fn store_error(store: &AzureStore) -> StorageError {
    read(store, "a b", 0..3, None).await.unwrap_err()
}

#[tokio::test]
async fn nobody() {
    let Some(azurite) = azurite() else { return };
    let container = azurite.container().await;
    put(&container, "a", b"abc").await.unwrap();
    let options = AzureOptions { anonymous: true, ..azurite.options() };
    let store = azurite.store(&container.container, &options);
    for error in [store.stat("a").await.unwrap_err(), put(&store, "a", b"x").await.unwrap_err()] {
        let text = error.to_string();
        assert!(text.contains("no credentials were sent"), "{text}");
        assert!(!is_retryable(&error));
    }
    let public = Call::container(Method::PUT)
        .query("restype", "container")
        .query("comp", "acl")
        .static_header("x-ms-blob-public-access", "container");
    container.send(public).await.unwrap();
    assert_eq!(read(&store, "a", 0..3, None).await.unwrap(), b"abc");
    assert_eq!(listed(&store, "", true).await, ["a"]);
    assert_eq!(store.stat("b").await.unwrap(), None);
}

#[tokio::test]
async fn a_missing_container_is_said_to_be_missing() {
    let Some(azurite) = azurite() else { return };
    let store = azurite.store("no-such-container", &azurite.options());
    let id = store.begin_upload("a", &attributes("job")).await.unwrap();
    let (upload, place) = (Upload { key: "a", id: &id }, PartPlace { number: 1, offset: 0 });
    let errors = [
        store.stat("a").await.unwrap_err(),
        store.delete("a").await.unwrap_err(),
        put(&store, "a", b"x").await.unwrap_err(),
        read(&store, "a", 0..1, None).await.unwrap_err(),
        store.list_page("", true, None).await.unwrap_err(),
        store.list_parts(upload).await.unwrap_err(),
        store.list_uploads("a").await.unwrap_err(),
        store.copy("a", None, "b", &attributes("job")).await.unwrap_err(),
        store.put_part(upload, place, &payload("x"), &Meter::default()).await.unwrap_err(),
    ];
    for error in errors {
        let text = error.to_string();
        assert_eq!(text, "the container az://no-such-container does not exist", "{error:?}");
        assert!(!is_retryable(&error));
    }
}

#[tokio::test]
async fn a_lease_stops_at_once() {
    let Some(azurite) = azurite() else { return };
    let store = azurite.container().await;
    put(&store, "a", b"x").await.unwrap();
    let lease = Call::of(Method::PUT, "a")
        .query("comp", "lease")
        .static_header("x-ms-lease-action", "acquire")
        .static_header("x-ms-lease-duration", "-1");
    store.send(lease).await.unwrap();
    for error in [put(&store, "a", b"y").await.unwrap_err(), store.delete("a").await.unwrap_err()] {
        assert_eq!(code(&error), "LeaseIdMissing");
        assert!(!is_retryable(&error));
        assert!(error.to_string().contains("lease"), "{error}");
    }
}

#[tokio::test]
async fn blobs_of_another_type_are_not_replaced_block_by_block() {
    let Some(azurite) = azurite() else { return };
    let store = azurite.container().await;
    let append = Call::of(Method::PUT, "a").static_header("x-ms-blob-type", "AppendBlob");
    store.send(append).await.unwrap();
    let id = store.begin_upload("a", &attributes("job")).await.unwrap();
    let (upload, place) = (Upload { key: "a", id: &id }, PartPlace { number: 1, offset: 0 });
    let sent = store.put_part(upload, place, &payload("x"), &Meter::default()).await;
    let error = sent.unwrap_err();
    assert_eq!(code(&error), "InvalidBlobType");
    assert!(!is_retryable(&error));
}

#[tokio::test]
async fn the_service_checks_what_it_gets() {
    let Some(azurite) = azurite() else { return };
    let store = azurite.container().await;
    let sent = |method: Call<'static>| {
        let call = method.header("content-md5", "1B2M2Y8AsgTpgAmY7PhCfg==").unwrap();
        store.send(call.body("not empty".to_owned().into()))
    };
    let whole = Call::of(Method::PUT, "a").static_header("x-ms-blob-type", "BlockBlob");
    let block = Call::of(Method::PUT, "a").query("comp", "block").query("blockid", "AAAA");
    for error in [sent(whole).await.err().unwrap(), sent(block).await.err().unwrap()] {
        assert!(error.to_string().contains("MD5"), "{error}");
    }
    assert_eq!(store.stat("a").await.unwrap(), None);
}

/// Nobody listens there, and a name that no resolver knows.
#[tokio::test]
async fn an_endpoint_that_is_none_is_named() {
    let mut options = AzureOptions::default().with_key(WRONG_KEY);
    options.account = Some("acme".into());
    for endpoint in ["http://127.0.0.1:1", "http://acme.blob.persevere.invalid"] {
        options.endpoint = Some(endpoint.into());
        let store = AzureStore::new("c", &options, &HttpOptions::default()).unwrap();
        let error = store.stat("a").await.unwrap_err();
        assert!(is_retryable(&error), "{error:?}");
        assert!(error.to_string().contains(endpoint), "{error}");
    }
}

#[test]
fn settings_that_cannot_work() {
    let refused = |container: &str, options: &AzureOptions| {
        let made = AzureStore::new(container, options, &HttpOptions::default());
        told(&made.unwrap_err(), &["hunter2"])
    };
    let mut options = AzureOptions { account: Some("acme".into()), ..AzureOptions::default() };
    assert!(refused("..", &options).contains("`..`"));
    let text = refused("c", &options.clone().with_key("hunter2!"));
    assert!(text.contains("no base64") && text.contains("the settings"), "{text}");
    let text = refused("c", &options.clone().with_sas_token("hunter2"));
    assert!(text.contains("no `sig=`"), "{text}");
    options.endpoint = Some("http://blobs.acme.org".into());
    assert!(refused("c", &options).contains("clear text"));
    options.account = None;
    let text = refused("c", &options.with_key("aGVsbG8="));
    assert!(text.contains("set AZURE_STORAGE_ACCOUNT"), "{text}");
}

#[test]
fn whom_it_talks_to() {
    let options =
        AzureOptions { anonymous: true, account: Some("acme".into()), ..AzureOptions::default() };
    let store = AzureStore::new("c", &options, &HttpOptions::default()).unwrap();
    assert_eq!(store.peer(), Some(("acme.blob.core.windows.net".into(), 443)));
    assert_eq!(store.url("a b"), "az://c/a b");
}
