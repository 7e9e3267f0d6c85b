//! Looks like S3 to whoever uploads in parts, and throws everything away: for measuring the client alone. It
//! prints where it is, and ends with its standard input.
#![allow(clippy::unwrap_used)]

use std::convert::Infallible;
use std::io::Read;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(|| {
        std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
        std::process::exit(0);
    });
    let sizes = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
    loop {
        let (connection, _) = listener.accept().await.unwrap();
        let sizes = sizes.clone();
        tokio::spawn(async move {
            let answer = |request| answer(request, &sizes);
            let server = hyper::server::conn::http1::Builder::new();
            let _gone = server.serve_connection(TokioIo::new(connection), service_fn(answer)).await;
        });
    }
}

async fn answer(
    request: Request<Incoming>,
    received: &std::sync::atomic::AtomicU64,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, mut body) = request.into_parts();
    let query = head.uri.query().unwrap_or("");
    let is_part = query.contains("partNumber=");
    while let Some(Ok(frame)) = body.frame().await {
        if let Some(bytes) = frame.data_ref().filter(|_| is_part) {
            received.fetch_add(bytes.len() as u64, std::sync::atomic::Ordering::Relaxed);
        }
    }
    let size = received.load(std::sync::atomic::Ordering::Relaxed);
    let answer = Response::builder().header("ETag", "\"sink\"");
    let answer = match head.method {
        Method::POST if query.starts_with("uploads") => answer.body(
            "<InitiateMultipartUploadResult><UploadId>sink</UploadId></InitiateMultipartUploadResult>"
                .into(),
        ),
        Method::POST => {
            answer.body("<CompleteMultipartUploadResult><ETag>\"sink\"</ETag></CompleteMultipartUploadResult>".into())
        }
        // The answer to HEAD has the length of what was sent, and nothing of it.
        Method::HEAD if size > 0 => {
            received.store(0, std::sync::atomic::Ordering::Relaxed);
            answer.header("Content-Length", size).body(Full::default())
        }
        Method::HEAD => answer.status(StatusCode::NOT_FOUND).body(Full::default()),
        _ => answer.body(Full::default()),
    };
    Ok(answer.unwrap())
}
