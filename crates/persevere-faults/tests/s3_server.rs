//! The S3 server in this process.
#![cfg(feature = "s3-server")]
#![allow(clippy::unwrap_used)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use persevere_faults::S3Server;

fn answer(address: SocketAddr, request: &str) -> String {
    let mut connection = TcpStream::connect(address).unwrap();
    write!(connection, "{request} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: 4\r\n\r\nbody")
        .unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn it_wants_signatures_and_its_buckets_are_folders() {
    let folder = tempfile::tempdir().unwrap();
    let server = S3Server::start(folder.path(), "access", "secret").unwrap();
    server.create_bucket("test").unwrap();
    server.create_bucket("test").unwrap();
    assert!(folder.path().join("test").is_dir());
    let unsigned = answer(server.address(), "GET /test");
    assert!(unsigned.starts_with("HTTP/1.1 403 "), "{unsigned}");
    assert!(unsigned.contains("<Code>AccessDenied</Code>"), "{unsigned}");
}

#[test]
fn an_upload_that_is_not_there_is_named_so() {
    let folder = tempfile::tempdir().unwrap();
    let server = S3Server::start(folder.path(), "access", "secret").unwrap();
    let upload = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";
    for request in [
        "POST /test/key?uploadId=",
        "GET /test/key?uploadId=",
        "PUT /test/key?partNumber=1&uploadId=",
    ] {
        let gone = answer(server.address(), &format!("{request}{upload}"));
        assert!(gone.starts_with("HTTP/1.1 404 "), "{gone}");
        assert!(gone.contains("<Code>NoSuchUpload</Code>"), "{gone}");
    }
    // One that is there is left to s3s-fs.
    std::fs::write(folder.path().join(format!(".upload-{upload}.json")), "null").unwrap();
    let there = answer(server.address(), &format!("POST /test/key?uploadId={upload}"));
    assert!(there.contains("<Code>AccessDenied</Code>"), "{there}");
}

#[test]
fn a_folder_that_is_not_there_is_an_error() {
    let error = S3Server::start("/no/such/folder", "access", "secret").unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
}
