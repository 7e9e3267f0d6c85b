//! Where credentials come from, and what is said when there are none.

use bytes::Bytes;
use reqsign_core::{Context, ProvideCredential, SignRequest, SigningCredential};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::script::{Script, reply};

#[derive(Debug, Clone)]
struct Token(String);

impl SigningCredential for Token {
    fn is_valid(&self) -> bool {
        true
    }
}

/// Asks this URL, as a token service is asked.
#[derive(Debug)]
struct Service(String);

impl ProvideCredential for Service {
    type Credential = Token;

    async fn provide_credential(&self, context: &Context) -> reqsign_core::Result<Option<Token>> {
        let request = Request::get(&self.0).body(Bytes::new()).unwrap();
        // As in several libraries, the cause is lost.
        let lost = |_| reqsign_core::Error::unexpected("the service failed");
        let response = context.http_send(request).await.map_err(lost)?;
        match response.status().as_u16() {
            200 => Ok(Some(Token(String::from_utf8(response.body().to_vec()).unwrap()))),
            404 => Ok(None),
            _ => Err(reqsign_core::Error::unexpected("the service says no")),
        }
    }
}

#[derive(Debug, Clone)]
struct Bearer;

impl SignRequest for Bearer {
    type Credential = Token;

    async fn sign_request(
        &self,
        _: &Context,
        request: &mut http::request::Parts,
        credential: Option<&Token>,
        _: Option<Duration>,
    ) -> reqsign_core::Result<()> {
        request.headers.insert("authorization", credential.unwrap().0.parse().unwrap());
        Ok(())
    }
}

fn credentials(sources: Vec<Source<Token>>) -> Credentials<Token> {
    let options = HttpOptions { connect_timeout: Duration::from_secs(2), ..options() };
    let chain = Chain::new(sources, |token| token.0.len() as u64);
    Credentials::of_chain(context(&options).unwrap(), chain, Bearer)
}

async fn sign(credentials: &Credentials<Token>) -> Result<String, StorageError> {
    let (mut parts, ()) = Request::get("http://x/").body(()).unwrap().into_parts();
    credentials.sign(&mut parts, "nothing was found").await?;
    Ok(parts.headers["authorization"].to_str().unwrap().to_owned())
}

async fn nobody_there() -> String {
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}/?token=secret", free.local_addr().unwrap())
}

#[tokio::test]
async fn the_first_that_has_some_is_remembered() {
    let script = Script::start(|request, _| match request.line.as_str() {
        "GET /yes" => reply(200, &[], "token"),
        _ => reply(404, &[], ""),
    })
    .await;
    let credentials = credentials(vec![
        Source::named("no", Service(format!("{}/no", script.url))),
        Source::named("yes", Service(format!("{}/yes", script.url))),
    ]);
    assert_eq!(credentials.origin(), None);
    assert_eq!(sign(&credentials).await.unwrap(), "token");
    assert_eq!(sign(&credentials).await.unwrap(), "token");
    assert_eq!(credentials.origin(), Some("yes"));
    assert_eq!(credentials.places(), "no; yes");
    assert_eq!(script.received().len(), 2, "they are kept");
    credentials.forget().await;
    sign(&credentials).await.unwrap();
    assert_eq!(script.received().len(), 4);
}

#[tokio::test]
async fn a_service_that_cannot_be_reached_is_an_outage() {
    let other = Script::start(|_, _| reply(200, &[], "somebody else's")).await;
    let url = nobody_there().await;
    let credentials = credentials(vec![
        Source::named("the service", Service(url)),
        Source::named("other", Service(other.url.clone())),
    ]);
    let error = sign(&credentials).await.unwrap_err();
    assert!(matches!(error, StorageError::Transport { .. }), "{error:?}");
    assert!(is_retryable(&error), "{error:?}");
    let text = all_text(&error);
    assert!(text.contains("the service"), "{text}");
    assert!(!text.contains("secret"), "{text}");
    assert!(other.received().is_empty());
}

#[tokio::test]
async fn a_service_that_is_busy_is_one_too() {
    let script = Script::start(|_, _| reply(503, &[("retry-after", "3")], "")).await;
    let credentials =
        credentials(vec![Source::perhaps("the service", Service(script.url.clone()))]);
    let error = sign(&credentials).await.unwrap_err();
    assert!(matches!(error, StorageError::Transport { .. }), "{error:?}");
    let verdict = Detector::new().error(&error);
    assert!(verdict.is_retryable());
    assert_eq!(verdict.hint(), Some(Duration::from_secs(3)));
}

#[tokio::test]
async fn one_that_need_not_be_there_is_not_missed() {
    let credentials = credentials(vec![Source::perhaps("metadata", Service(nobody_there().await))]);
    let error = sign(&credentials).await.unwrap_err();
    assert_eq!(error.to_string(), "nothing was found");
    assert!(!is_retryable(&error));
}

#[tokio::test]
async fn but_it_is_once_it_was_there() {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    let script = Script::start(move |_, _| match counted.fetch_add(1, Ordering::Relaxed) {
        0 => reply(200, &[], "token"),
        _ => crate::script::Reply::Close(Vec::new()),
    })
    .await;
    let credentials = credentials(vec![Source::perhaps("metadata", Service(script.url.clone()))]);
    sign(&credentials).await.unwrap();
    credentials.forget().await;
    let error = sign(&credentials).await.unwrap_err();
    assert!(matches!(error, StorageError::Transport { .. }), "{error:?}");
}

#[tokio::test]
async fn a_service_that_says_no_is_quoted() {
    let script = Script::start(|_, _| reply(403, &[], "")).await;
    let credentials = credentials(vec![Source::named("the service", Service(script.url.clone()))]);
    let error = sign(&credentials).await.unwrap_err();
    assert_eq!(error.to_string(), "nothing was found (the service: the service says no)");
    assert!(!is_retryable(&error));
}

#[tokio::test]
async fn what_is_refused_is_loaded_once_more() {
    let script =
        Script::start(|_, index| reply(200, &[], if index < 2 { "old" } else { "newer" })).await;
    let credentials = credentials(vec![Source::named("it", Service(script.url.clone()))]);
    let (mut parts, ()) = Request::get("http://x/").body(()).unwrap().into_parts();
    let first = credentials.sign(&mut parts, "").await.unwrap();
    assert!(credentials.refused(first).await);
    // Another request under way at the same time.
    assert!(credentials.refused(first).await);
    let second = credentials.sign(&mut parts, "").await.unwrap();
    assert!(!credentials.refused(second).await, "the same again");
    let third = credentials.sign(&mut parts, "").await.unwrap();
    assert!(credentials.refused(third).await);
    assert_eq!(script.received().len(), 3);
}
