//! Tokens of Microsoft Entra, from a server that gives them out as Entra does, for an Azurite that takes them.

use std::collections::HashMap;
use std::error::Error;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Method;
use reqsign_core::{Context, StaticEnv};

use super::peer::azurite_with_tokens;
use super::server::{answer, error, serve};
use super::*;
use crate::azure::access::{Access, Origin};
use crate::azure::call::Call;
use crate::azure::entra::{Entra, Found};
use crate::azure::{AzureOptions, context};
use crate::http::HttpOptions;

/// What Azurite wants to see. It does not check the signature.
fn token(seconds: i64) -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() as i64;
    let claims = serde_json::json!({
        "aud": "https://storage.azure.com", "iss": "https://sts.windows.net/tenant/",
        "iat": now - 9000, "nbf": now - 9000, "exp": now + seconds,
    });
    let header = r#"{"alg":"RS256","typ":"JWT"}"#;
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}.{}", part(header), part(&claims.to_string()), part("signature"))
}

fn given(token: &str) -> String {
    answer("200 OK", &[], &format!(r#"{{"access_token":"{token}","expires_in":3599}}"#))
}

/// An environment with a client secret, for Entra at this address.
fn with_secret(authority: SocketAddr, http: &HttpOptions) -> Context {
    with_variables(
        http,
        &[
            ("AZURE_TENANT_ID", "tenant"),
            ("AZURE_CLIENT_ID", "client"),
            ("AZURE_CLIENT_SECRET", "hunter2"),
            ("AZURE_AUTHORITY_HOST", &format!("http://{authority}/")),
        ],
    )
}

fn with_variables(http: &HttpOptions, variables: &[(&str, &str)]) -> Context {
    let envs: HashMap<String, String> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    context(http).unwrap().with_env(StaticEnv { home_dir: None, envs })
}

fn public_store(context: Context) -> AzureStore {
    let options = AzureOptions { account: Some("acme".into()), ..AzureOptions::default() };
    AzureStore::in_context("c", &options, &HttpOptions::default(), context).unwrap()
}

/// A text with all that is below it.
fn chain(error: &StorageError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    assert!(!text.contains("hunter2") && !format!("{error:?}").contains("hunter2"), "{text}");
    text
}

#[tokio::test]
async fn azure_takes_a_token_and_refuses_an_old_one() {
    let folder = tempfile::tempdir().unwrap();
    let files = ["certificate.pem", "key.pem"].map(|name| folder.path().join(name));
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    std::fs::write(&files[0], made.cert.pem()).unwrap();
    std::fs::write(&files[1], made.signing_key.serialize_pem()).unwrap();
    let Some(azurite) = azurite_with_tokens(&files[0], &files[1]) else { return };
    let http = HttpOptions { ca_files: vec![files[0].clone()], ..HttpOptions::default() };
    let options = AzureOptions { endpoint: Some(azurite.url.clone()), ..AzureOptions::default() };

    let entra = serve(|_, _| given(&token(3600))).await;
    let good = with_secret(entra.address, &http);
    let store = AzureStore::in_context("c-1", &options, &http, good).unwrap();
    store.send(Call::container(Method::PUT).query("restype", "container")).await.unwrap();
    put(&store, "a b", b"abc").await.unwrap();
    store.copy("a b", None, "é", &attributes("job")).await.unwrap();
    assert_eq!(listed(&store, "", true).await, ["a b", "é"]);
    assert_eq!(entra.asked.lock().unwrap().len(), 1, "one token does for all");

    let entra = serve(|_, _| given(&token(-60))).await;
    let old = with_secret(entra.address, &http);
    let store = AzureStore::in_context("c-1", &options, &http, old).unwrap();
    let failure = store.stat("a b").await.unwrap_err();
    assert_eq!(code(&failure), "AuthenticationFailed");
    assert!(!is_retryable(&failure), "a token that was never good");
    let text = chain(&failure);
    assert!(
        text.contains("the token came from the client secret in AZURE_CLIENT_SECRET"),
        "{text}"
    );
}

/// Entra and Azure in one, by the path.
#[tokio::test]
async fn a_token_that_expires_on_the_way_is_fetched_anew() {
    let server = serve(|number, request| match request {
        token if token.starts_with("POST /tenant/") => given(&format!("token-{number}")),
        first if first.contains("Bearer token-0") && number == 1 => {
            answer("200 OK", &["etag: \"1\""], "")
        }
        old if old.contains("Bearer token-0") => {
            error("401 Unauthorized", "InvalidAuthenticationInfo", &[])
        }
        _ => answer("201 Created", &["etag: \"2\""], ""),
    })
    .await;
    let http = HttpOptions::default();
    let options = AzureOptions {
        anonymous: true,
        endpoint: Some(format!("http://{}/dev", server.address)),
        ..AzureOptions::default()
    };
    let mut store = AzureStore::new("c", &options, &http).unwrap();
    let found = Found::new(Mutex::new(""));
    let provider = Arc::new(Entra::new(found.clone()));
    let context = with_secret(server.address, &http);
    store.access = Access::signed(Origin::Entra(found), context, move || provider.clone());

    assert!(store.stat("a").await.unwrap().is_some());
    // Two parts are on their way when it expires.
    let (one, two) = tokio::join!(put(&store, "a", b"1"), put(&store, "b", b"2"));
    for failure in [one.unwrap_err(), two.unwrap_err()] {
        assert!(is_retryable(&failure), "{failure:?}");
    }
    put(&store, "a", b"1").await.unwrap();
    put(&store, "b", b"2").await.unwrap();
    let asked = server.asked.lock().unwrap();
    let tokens = asked.iter().filter(|request| request.starts_with("POST")).count();
    assert_eq!(tokens, 2, "one for each time that one was needed");
}

#[tokio::test]
async fn a_wrong_client_secret_is_not_passed_over() {
    let refusal = r#"{"error":"invalid_client","error_description":"AADSTS7000215"}"#;
    let entra = serve(move |_, _| answer("401 Unauthorized", &[], refusal)).await;
    let store = public_store(with_secret(entra.address, &HttpOptions::default()));
    let failure = store.stat("a").await.unwrap_err();
    let text = chain(&failure);
    assert!(text.contains("the client secret in AZURE_CLIENT_SECRET"), "{text}");
    assert!(text.contains("401"), "{text}");
    assert!(!is_retryable(&failure), "{failure:?}");
    assert_eq!(entra.asked.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn entra_that_cannot_be_reached_is_tried_again() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let store = public_store(with_secret(closed, &HttpOptions::default()));
    let failure = store.stat("a").await.unwrap_err();
    assert!(is_retryable(&failure), "{failure:?}");
}

#[tokio::test]
async fn without_any_credentials_it_says_where_it_has_looked() {
    let metadata = serve(|_, _| answer("400 Bad Request", &[], "{}")).await;
    let endpoint = format!("http://{}/token", metadata.address);
    let http = HttpOptions::default();
    let variables =
        [("AZURE_IMDS_ENDPOINT", endpoint.as_str()), ("AZBLOB_ENDPOINT", "http://x.invalid")];
    let store = public_store(with_variables(&http, &variables));
    let failure = store.stat("a").await.unwrap_err();
    let text = chain(&failure);
    for place in [
        "AZURE_STORAGE_KEY",
        "AZURE_STORAGE_SAS_TOKEN",
        "the machine's managed identity",
        "the login of the Azure CLI",
    ] {
        assert!(text.contains(place), "{text}");
    }
    assert!(!is_retryable(&failure), "{failure:?}");
    assert_eq!(metadata.asked.lock().unwrap().len(), 1);
}
