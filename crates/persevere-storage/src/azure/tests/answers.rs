//! What Azurite never answers, from a server that says what it is told to.

use std::time::Duration;

use persevere::Kind;

use super::server::{Server, answer, error, serve};
use super::*;
use crate::azure::AzureOptions;
use crate::http::HttpOptions;

fn store_at(server: &Server) -> AzureStore {
    let mut options = AzureOptions::default().with_key("aGVsbG8=");
    options.endpoint = Some(format!("http://{}/dev", server.address));
    let mut store = AzureStore::new("c", &options, &HttpOptions::default()).unwrap();
    store.first_look = Duration::ZERO;
    store
}

async fn store_told(answer: impl Fn(usize, &str) -> String + Send + 'static) -> AzureStore {
    store_at(&serve(answer).await)
}

#[tokio::test]
async fn errors_keep_what_azure_said() {
    let busy = |_, _: &str| error("503 Busy", "ServerBusy", &["retry-after: 7"]);
    let failure = put(&store_told(busy).await, "a", b"x").await.unwrap_err();
    let verdict = failure.verdict();
    assert!(verdict.is_retryable());
    assert_eq!(verdict.hint(), Some(Duration::from_secs(7)));
    assert_eq!(
        failure.to_string(),
        "PUT az://c/a: Azure answered ServerBusy, HTTP status 503 Service Unavailable: It is so (request 7-7)"
    );
    for (status, expected, is_expected) in [
        ("500 Late", "OperationTimedOut", true),
        ("500 Broken", "InternalError", true),
        ("400 Damaged", "Md5Mismatch", true),
        ("409 Soon", "ContainerBeingDeleted", true),
        ("403 No", "AuthorizationPermissionMismatch", false),
        ("409 No", "SnapshotsPresent", false),
        ("409 No", "BlobImmutableDueToPolicy", false),
        ("400 No", "InvalidResourceName", false),
        ("403 No", "AuthenticationFailed", false),
    ] {
        let store = store_told(move |_, _| error(status, expected, &[])).await;
        let failure = put(&store, "a", b"x").await.unwrap_err();
        assert_eq!(code(&failure), expected);
        assert_eq!(is_retryable(&failure), is_expected, "{failure:?}");
    }
}

/// An answer to HEAD has no body, and a 404 that is not Azure's says nothing of a blob.
#[tokio::test]
async fn only_azure_says_that_a_blob_is_not_there() {
    let head = |code: &'static str| {
        let header = format!("x-ms-error-code: {code}");
        move |_: usize, _: &str| answer("404 Not Found", &[&header], "")
    };
    assert_eq!(store_told(head("BlobNotFound")).await.stat("a").await.unwrap(), None);
    let failure = store_told(head("ResourceNotFound")).await.stat("a").await.unwrap_err();
    assert!(failure.to_string().contains("the key came from the settings"), "{failure}");
    let proxy = |_, _: &str| answer("404 Not Found", &[], "");
    store_told(proxy).await.stat("a").await.unwrap_err();
    store_told(proxy).await.delete("a").await.unwrap_err();
}

#[tokio::test]
async fn a_range_that_was_dropped_on_the_way() {
    let store = store_told(|_, _| answer("200 OK", &["etag: \"1\""], "0123456789")).await;
    let failure = read(&store, "a", 2..4, None).await.unwrap_err();
    assert!(failure.to_string().contains("dropped the range"), "{failure}");
    assert!(!is_retryable(&failure));
    assert_eq!(read(&store, "a", 0..10, None).await.unwrap(), b"0123456789");
}

#[tokio::test]
async fn half_a_body_is_an_error() {
    let store = store_told(|_, _| answer("206 Partial", &["content-length: 10"], "01234")).await;
    let failure = read(&store, "a", 0..10, None).await.unwrap_err();
    assert!(is_retryable(&failure), "{failure:?}");
}

#[tokio::test]
async fn half_a_list_is_an_error() {
    let half = "\u{feff}<?xml version=\"1.0\"?><EnumerationResults><Blobs><Blob><Name>a</Name>";
    let store = store_told(move |_, _| answer("200 OK", &[], half)).await;
    let failure = store.list_page("", true, None).await.unwrap_err();
    assert!(is_retryable(&failure), "{failure:?}");
}

const SOURCE: [&str; 4] = [
    "etag: \"1\"",
    "content-type: text/plain",
    "x-ms-meta-owner: me",
    "x-ms-meta-persevere_job: old",
];

fn copying(status: &str) -> Vec<String> {
    ["x-ms-copy-id: 42", "etag: \"2\"", "x-ms-meta-persevere_job: mine"]
        .into_iter()
        .map(str::to_owned)
        .chain([format!("x-ms-copy-status: {status}")])
        .collect()
}

fn answer_copying(code: &str, status: &str) -> String {
    let headers = copying(status);
    answer(code, &headers.iter().map(String::as_str).collect::<Vec<_>>(), "")
}

#[tokio::test]
async fn a_copy_is_waited_for() {
    let server = serve(|number, _| match number {
        0 => answer("200 OK", &SOURCE, ""),
        1 => answer_copying("202 Accepted", "pending"),
        2 | 3 => answer_copying("200 OK", "pending"),
        _ => answer_copying("200 OK", "success"),
    })
    .await;
    let store = store_at(&server);
    let stored = store.copy("a b", None, "to", &attributes("mine")).await.unwrap();
    assert_eq!(stored.version, Some(Version("\"2\"".into())));
    let asked = server.asked.lock().unwrap();
    assert_eq!(asked.len(), 5);
    let copy = &asked[1];
    for line in [
        &format!("x-ms-copy-source: http://{}/dev/c/a%20b\r\n", server.address),
        "x-ms-source-if-match: \"1\"\r\n",
        "x-ms-meta-owner: me\r\n",
        "x-ms-meta-persevere_job: mine\r\n",
    ] {
        assert!(copy.contains(line), "{line} is not in {copy}");
    }
    assert!(!copy.contains("persevere_job: old"), "{copy}");
}

/// The first attempt lost its connection while the service went on.
#[tokio::test]
async fn the_next_attempt_waits_for_the_copy_of_the_first() {
    let server = |job: &'static str| {
        serve(move |number, _| match number {
            0 => answer("200 OK", &SOURCE, ""),
            1 => error("409 Conflict", "PendingCopyOperation", &[]),
            2 => answer_copying("200 OK", "pending"),
            _ => answer_copying("200 OK", if job == "mine" { "success" } else { "aborted" }),
        })
    };
    let ours = store_at(&server("mine").await);
    ours.copy("a", None, "to", &attributes("mine")).await.unwrap();
    let theirs = store_at(&server("theirs").await);
    let failure = theirs.copy("a", None, "to", &attributes("theirs")).await.unwrap_err();
    assert_eq!(code(&failure), "PendingCopyOperation");
    assert!(!is_retryable(&failure));
}

#[tokio::test]
async fn a_copy_that_failed_or_was_replaced() {
    let after = |status: &'static str, id: &'static str| {
        store_told(move |number, _| match number {
            0 => answer("200 OK", &SOURCE, ""),
            1 => answer_copying("202 Accepted", "pending"),
            _ => answer_copying("200 OK", status).replace("42", id),
        })
    };
    let failure = after("failed", "42").await.copy("a", None, "to", &attributes("mine")).await;
    let failure = failure.unwrap_err();
    assert!(failure.to_string().contains("copy to az://c/to"), "{failure}");
    let replaced = after("success", "43").await.copy("a", None, "to", &attributes("mine")).await;
    assert!(matches!(replaced, Err(StorageError::Changed { what }) if what == "az://c/to"));
}

/// An answer about authentication that is not final would be tried for ever.
#[tokio::test]
async fn a_key_that_was_good_is_not_tried_for_ever() {
    let store = store_told(|number, _| match number {
        0 => answer("200 OK", &SOURCE, ""),
        _ => error("403 No", "AuthenticationFailed", &[]),
    })
    .await;
    store.stat("a").await.unwrap();
    let failure = put(&store, "a", b"x").await.unwrap_err();
    assert_eq!(failure.verdict().kind(), Kind::Auth);
    assert!(!is_retryable(&failure));
}
