//! Requests: progress, stalls, answers that break off, errors.

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

use super::*;
use crate::meter::Meter;
use crate::script::{Reply, Script, reply};

/// Impatient, since these wait for it.
fn impatient() -> HttpOptions {
    HttpOptions { stalled_after: Duration::from_millis(300), ..HttpOptions::default() }
}

fn assert_stalled(error: &StorageError) {
    assert!(matches!(error, StorageError::Stalled { .. }), "{error:?}");
    assert!(is_retryable(error));
}

#[tokio::test]
async fn an_upload_that_nobody_reads_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut some = [0; 1000];
        stream.read_exact(&mut some).await.unwrap();
        std::future::pending::<()>().await;
    });
    let meter = Meter::default();
    // More than the system's buffers hold.
    let length = 64 * 1024 * 1024;
    let body = Outgoing::metered(Bytes::from(vec![0; length]), &meter);
    let sent = client(&impatient()).send(request(Method::PUT, &url, body), "PUT x").await;
    assert_stalled(&sent.err().unwrap());
    assert!((1..length as u64).contains(&meter.moved()), "{}", meter.moved());
    server.abort();
}

#[tokio::test]
async fn an_upload_that_is_never_answered_is_given_up() {
    let script = Script::start(|_, _| Reply::Stall(Vec::new())).await;
    let meter = Meter::default();
    let body = Outgoing::metered(Bytes::from(vec![0; 300_000]), &meter);
    let sent = client(&impatient()).send(request(Method::PUT, &script.url, body), "PUT x").await;
    assert_stalled(&sent.err().unwrap());
    assert_eq!(script.received()[0].body.len(), 300_000);
    assert_eq!(meter.moved(), 300_000);
}

#[tokio::test]
async fn a_download_that_stops_is_given_up() {
    for head in ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n01234"] {
        let script = Script::start(move |_, _| Reply::Stall(head.into())).await;
        let client = client(&impatient());
        let error = match get(&client, &script.url).await {
            Err(error) => error,
            Ok(answer) => answer.counted(10, None).try_collect::<Vec<_>>().await.unwrap_err(),
        };
        assert_stalled(&error);
    }
}

#[tokio::test]
async fn an_early_error_ends_an_upload() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        use tokio::io::AsyncWriteExt;
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut some = [0; 1000];
        stream.read_exact(&mut some).await.unwrap();
        stream.write_all(b"HTTP/1.1 403 No\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        std::future::pending::<()>().await;
    });
    let body = Outgoing { bytes: Bytes::from(vec![0; 64 * 1024 * 1024]), meter: None };
    let answer = client(&options()).send(request(Method::PUT, &url, body), "PUT x").await.unwrap();
    assert_eq!(answer.status, 403);
}

/// Every way to break off, and one to say too much.
#[tokio::test]
async fn a_body_of_another_length_is_no_answer() {
    let answers = [
        "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n01234",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n01234\r\n",
        "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n01234",
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n01234",
        "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n0123456789AB",
    ];
    for text in answers {
        let script = Script::start(move |_, _| Reply::Close(text.into())).await;
        let client = client(&options());
        let answer = get(&client, &script.url).await.unwrap();
        let mut body = answer.counted(10, None);
        let mut last = None;
        while let Some(item) = body.next().await {
            last = Some(item);
        }
        let error = last.unwrap().unwrap_err();
        assert!(matches!(error, StorageError::Transport { .. }), "{text}: {error:?}");
        assert!(is_retryable(&error), "{text}: {error:?}");
        // It is over, however often it is asked.
        assert!(body.next().await.is_none());
        assert!(body.next().await.is_none());
    }
}

/// S3 and Google answer 411 to a body of a length that is not said.
#[tokio::test]
async fn an_empty_body_has_a_length_too() {
    let script = Script::start(|_, _| reply(200, &[], "")).await;
    let client = client(&options());
    for method in [Method::PUT, Method::POST, Method::GET, Method::DELETE] {
        client.send(request(method, &script.url, Outgoing::default()), "x").await.unwrap();
    }
    let lengths: Vec<_> =
        script.received().iter().map(|it| it.header("content-length").map(str::to_owned)).collect();
    assert_eq!(lengths, [Some("0".into()), Some("0".into()), None, None]);
}

#[tokio::test]
async fn what_arrives_is_counted() {
    let script = Script::start(|_, _| reply(200, &[], "0123456789")).await;
    let meter = Meter::default();
    let client = client(&options());
    let answer = get(&client, &script.url).await.unwrap();
    let body: Vec<Bytes> = answer.counted(10, Some(meter.clone())).try_collect().await.unwrap();
    assert_eq!(body.concat(), b"0123456789");
    assert_eq!(meter.moved(), 10);
}

async fn failed(answer: impl Fn() -> Reply + Send + Sync + 'static) -> crate::ProviderError {
    let script = Script::start(move |_, _| answer()).await;
    let client = client(&options());
    let answer = get(&client, &script.url).await.unwrap();
    match answer.checked(&client).await.err().unwrap() {
        StorageError::Provider(error) => *error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn all_that_an_error_says() {
    let error = failed(|| {
        let body = "\u{feff} <?xml version=\"1.0\"?>\n<Error><Code>SlowDown</Code><Message>Reduce your \
                    request rate.</Message><Resource>/x</Resource></Error>";
        reply(503, &[("retry-after", "7"), ("x-amz-request-id", "ID")], body)
    })
    .await;
    assert_eq!(
        error.to_string(),
        "GET x: S3 answered SlowDown, HTTP status 503 Service Unavailable: Reduce your request rate (request ID)"
    );
    assert!(error.verdict.is_retryable());
    assert_eq!(error.verdict.hint(), Some(Duration::from_secs(7)));
    assert_eq!(error.verdict.http_status(), Some(503));

    let plain = failed(|| reply(500, &[], "<html>oops</html>")).await;
    assert_eq!(plain.to_string(), "GET x: S3 answered HTTP status 500 Internal Server Error");
    assert!(plain.verdict.is_retryable());

    let json = failed(|| reply(403, &[], "{\"error\":{\"message\":\"no access\"}}")).await;
    assert_eq!(json.to_string(), "GET x: S3 answered HTTP status 403 Forbidden: no access");

    // One that goes on for ever, or breaks off.
    let long = failed(|| reply(400, &[], &"x".repeat(1_000_000))).await;
    assert_eq!(long.status, 400);
    let cut =
        failed(|| Reply::Close(b"HTTP/1.1 503 x\r\ncontent-length: 100\r\n\r\n<Error>".to_vec()));
    assert_eq!(cut.await.status, 503);
}

#[tokio::test]
async fn nothing_of_the_url_is_in_errors() {
    let client = client(&impatient());
    // A port that nobody listens at.
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let refused = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let reset = Script::start(|_, _| Reply::Close(Vec::new())).await;
    let garbage = Script::start(|_, _| Reply::Close(b"SSH-2.0-OpenSSH\r\n".to_vec())).await;
    let cut = Script::start(|_, _| {
        Reply::Close(b"HTTP/1.1 200 x\r\ncontent-length: 9\r\n\r\n1".to_vec())
    })
    .await;
    let urls = [refused.as_str(), &reset.url, &garbage.url, &cut.url, "http://host.invalid"];
    for url in urls {
        let error = match get(&client, url).await {
            Err(error) => error,
            Ok(answer) => answer.document(&client).await.unwrap_err(),
        };
        let text = all_text(&error);
        assert!(!text.contains("secret") && !text.contains("Signature"), "{text}");
        assert!(!text.contains("/path"), "{text}");
    }
}

#[tokio::test]
async fn an_error_document_with_a_good_status_is_an_error() {
    let answers = [
        "<Error><Code>InternalError</Code></Error>",
        "\n\n<Error xmlns=\"x\"><Code>a</Code></Error>",
    ];
    for body in answers {
        let script = Script::start(move |_, _| reply(200, &[], body)).await;
        let client = client(&options());
        let answer = get(&client, &script.url).await.unwrap();
        let error = answer.document(&client).await.unwrap_err();
        assert!(matches!(error, StorageError::Provider(_)), "{error:?}");
    }
    let script = Script::start(|_, _| reply(200, &[], "<Errors/>")).await;
    let client = client(&options());
    let answer = get(&client, &script.url).await.unwrap();
    assert_eq!(answer.document(&client).await.unwrap(), "<Errors/>");
}
