//! Certificates and proxies.

use std::fs;

use http::Uri;
use hyper_util::client::proxy::matcher::Matcher;

use super::*;
use crate::http::peer::Peers;

fn refused(text: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    fs::write(&file, text).unwrap();
    let options = HttpOptions { ca_files: vec![file.clone()], ..options() };
    let error = HttpClient::new(Provider::S3, "S3", &options).unwrap_err();
    assert!(!is_retryable(&error));
    let message = error.to_string();
    assert!(message.contains(&file.display().to_string()), "{message}");
    message
}

#[test]
fn ca_files_that_are_none() {
    assert!(refused(b"").contains("holds no certificate"));
    assert!(
        refused(b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
            .contains("holds no certificate")
    );
    assert!(
        refused(b"-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n")
            .contains("is no PEM file")
    );
    assert!(
        refused(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
            .contains("certificate 1 is unusable")
    );
    let options = HttpOptions { ca_files: vec!["/none.pem".into()], ..options() };
    let message = HttpClient::new(Provider::S3, "S3", &options).unwrap_err().to_string();
    assert!(message.starts_with("CA file /none.pem: No such file"), "{message}");
}

/// A server with a certificate of an authority that nobody knows but for its file.
#[tokio::test]
async fn a_ca_file_is_trusted_besides_the_systems() {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    fs::write(&file, made.cert.pem()).unwrap();
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let acceptor = std::sync::Arc::new(config);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        use std::io::{Read, Write};
        for stream in listener.incoming().take(2) {
            let mut connection = rustls::ServerConnection::new(acceptor.clone()).unwrap();
            let mut stream = stream.unwrap();
            let mut tls = rustls::Stream::new(&mut connection, &mut stream);
            let mut some = [0; 1000];
            if tls.read(&mut some).is_ok() {
                tls.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
            }
        }
    });
    let url = format!("https://localhost:{port}");
    let error = get(&client(&options()), &url).await.err().unwrap();
    assert!(!is_retryable(&error), "{error:?}");
    let trusting = HttpOptions { ca_files: vec![file], ..options() };
    assert_eq!(get(&client(&trusting), &url).await.unwrap().status, 200);
}

#[test]
fn whom_a_request_goes_to() {
    let peer = |matcher: Matcher, url: &str| {
        Peers::from(matcher).of(&Uri::try_from(url).unwrap()).unwrap()
    };
    let none = || Matcher::builder().build();
    assert_eq!(peer(none(), "https://h/x"), ("h".into(), 443));
    assert_eq!(peer(none(), "http://h/x"), ("h".into(), 80));
    assert_eq!(peer(none(), "http://[::1]:9000/x"), ("::1".into(), 9000));
    let proxies = || {
        let builder =
            Matcher::builder().https("http://me:secret@proxy:3128").http("socks5h://socks");
        builder.no("localhost,.internal").build()
    };
    assert_eq!(peer(proxies(), "https://h/x"), ("proxy".into(), 3128));
    assert_eq!(peer(proxies(), "http://h/x"), ("socks".into(), 1080));
    assert_eq!(peer(proxies(), "https://localhost:1/x"), ("localhost".into(), 1));
    assert_eq!(peer(proxies(), "https://a.internal/x"), ("a.internal".into(), 443));
    assert!(!format!("{:?}", Peers::from(proxies())).contains("secret"));
}
