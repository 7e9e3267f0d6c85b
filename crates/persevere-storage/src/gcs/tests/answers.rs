//! Google's own headers and answers, by the byte.

use bytes::Bytes;

use super::*;
use crate::digest::Digest;
use persevere_peers::{moto, or_skip};

use crate::script::{Reply, Script, reply};
use crate::xml_api::tests::{attributes, put, read};

const TOKEN: &str = "token-of-tests";

fn head(headers: &[(&str, &str)], length: u64) -> Reply {
    let mut text = format!("HTTP/1.1 200 x\r\ncontent-length: {length}\r\n");
    headers.iter().for_each(|(name, value)| text += &format!("{name}: {value}\r\n"));
    Reply::Bytes(format!("{text}\r\n").into_bytes())
}

/// `hello` has the CRC-32C 9a71bb4c.
const HELLO: &str = "crc32c=mnG7TA==";

#[tokio::test]
async fn generations_and_checksums() {
    let script = Script::start(|request, _| {
        let headers = [
            ("x-goog-generation", "1700000000000001"),
            ("x-goog-hash", HELLO),
            ("x-goog-hash", "md5=XUFAKrxLKna5cZ2REBfFkg=="),
            ("x-goog-meta-persevere-job", "job-1"),
            ("etag", "\"5d41402abc4b2a76b9719d911017c592\""),
            ("x-goog-stored-content-length", "5"),
        ];
        match request.line.starts_with("HEAD") {
            true => head(&headers, 999),
            false => {
                reply(206, &[&headers[..], &[("content-range", "bytes 0-4/5")]].concat(), "hello")
            }
        }
    })
    .await;
    let store = store(&script.url);
    let info = store.stat("a b").await.unwrap().unwrap();
    assert_eq!(info.size, 5);
    assert_eq!(info.version, Some(Version("1700000000000001".into())));
    assert_eq!(info.checksums.crc32c, Some(Digest::of(b"hello").crc32c));
    assert_eq!(info.job.as_deref(), Some("job-1"));
    let version = info.version.as_ref();
    assert_eq!(read(&store, "a b", 0..5, version).await.unwrap(), b"hello");
    let other = Version("17".into());
    assert!(matches!(
        read(&store, "a b", 0..5, Some(&other)).await,
        Err(StorageError::Changed { .. })
    ));
    put(&store, "a b", b"hello").await;

    let requests = script.received();
    assert_eq!(requests[0].line, "HEAD /test/a%20b");
    assert_eq!(requests[0].header("authorization"), Some("Bearer token-of-tests"));
    assert_eq!(requests[1].header("x-goog-if-generation-match"), Some("1700000000000001"));
    assert_eq!(requests[1].header("accept-encoding"), Some("gzip"));
    let put = requests.last().unwrap();
    assert_eq!(put.header("x-goog-hash"), Some(HELLO));
    assert_eq!(put.header("x-goog-meta-persevere-job"), Some("job-1"));
    assert_eq!(put.header("content-length"), Some("5"));
}

#[tokio::test]
async fn a_part_that_arrived_damaged_is_told() {
    let script =
        Script::start(|_, _| reply(200, &[("etag", "\"e\""), ("x-goog-hash", HELLO)], "")).await;
    let store = store(&script.url);
    let upload = Upload { key: "k", id: "u" };
    let place = PartPlace { number: 1, offset: 0 };
    let meter = Meter::default();
    let good = Payload::new(Bytes::from_static(b"hello"));
    assert_eq!(store.put_part(upload, place, &good, &meter).await.unwrap(), "e");
    let other = Payload::new(Bytes::from_static(b"other"));
    let error = store.put_part(upload, place, &other, &meter).await.unwrap_err();
    let StorageError::Damaged { found, .. } = &error else { panic!("{error:?}") };
    assert_eq!(found, "9a71bb4c");
    assert!(error.verdict().is_retryable());
}

#[tokio::test]
async fn uploads_begin_and_end() {
    let script = Script::start(|request, _| match request.line.as_str() {
        "POST /test/k?uploads" => reply(
            200,
            &[],
            "<?xml version='1.0' encoding='UTF-8'?><InitiateMultipartUploadResult \
             xmlns='http://s3.amazonaws.com/doc/2006-03-01/'><Bucket>test</Bucket><Key>k</Key>\
             <UploadId>ABPnz</UploadId></InitiateMultipartUploadResult>",
        ),
        _ => reply(
            200,
            &[("x-goog-generation", "17"), ("x-goog-hash", HELLO)],
            "<CompleteMultipartUploadResult><ETag>\"e-1\"</ETag></CompleteMultipartUploadResult>",
        ),
    })
    .await;
    let store = store(&script.url);
    let attributes = attributes("job");
    assert_eq!(store.begin_upload("k", &attributes).await.unwrap(), "ABPnz");
    let digest = Digest::of(b"hello");
    let parts = [SentPart { place: PartPlace { number: 1, offset: 0 }, digest, tag: "e".into() }];
    let whole = Whole { digest, attributes: &attributes };
    let stored =
        store.finish_upload(Upload { key: "k", id: "ABPnz" }, &parts, &whole).await.unwrap();
    assert_eq!(stored.version, Some(Version("17".into())));
    assert_eq!(stored.checksums.crc32c, Some(digest.crc32c));
    let requests = script.received();
    assert_eq!(requests[0].header("content-length"), Some("0"));
    assert_eq!(requests[0].header("content-type"), Some("text/x-test"));
    let body = String::from_utf8(requests[1].body.clone()).unwrap();
    assert!(!body.contains("Checksum"), "{body}");
}

#[tokio::test]
async fn copies_are_of_one_generation() {
    let script = Script::start(|request, _| match request.line.starts_with("HEAD") {
        true => head(&[("x-goog-generation", "17"), ("x-goog-meta-mine", "1")], 5),
        false => reply(200, &[("x-goog-generation", "18")], "<CopyObjectResult/>"),
    })
    .await;
    let store = store(&script.url);
    let version = Version("17".into());
    let stored = store.copy("fr om", Some(&version), "to", &attributes("job")).await.unwrap();
    assert_eq!(stored.version, Some(Version("18".into())));
    let copy = &script.received()[1];
    assert_eq!(copy.header("x-goog-copy-source"), Some("test/fr%20om"));
    assert_eq!(copy.header("x-goog-copy-source-if-generation-match"), Some("17"));
    assert_eq!(copy.header("x-goog-metadata-directive"), Some("REPLACE"));
    assert_eq!(copy.header("x-goog-meta-mine"), Some("1"));
    let other = Version("16".into());
    let error = store.copy("fr om", Some(&other), "to", &attributes("job")).await.unwrap_err();
    assert!(matches!(error, StorageError::Changed { .. }), "{error:?}");
}

#[tokio::test]
async fn a_token_that_is_refused_twice_is_an_end() {
    let script = Script::start(|_, _| {
        let body = "<Error><Code>AuthenticationRequired</Code><Message>Authentication required.\
                    </Message><Details>The token is no good.</Details></Error>";
        reply(401, &[], body)
    })
    .await;
    let store = store(&script.url);
    let mut verdicts = Vec::new();
    for _ in 0..2 {
        let StorageError::Provider(error) = read(&store, "a", 0..1, None).await.unwrap_err() else {
            panic!("no answer");
        };
        let text = format!("{error} {error:?}");
        assert!(text.contains("The token is no good"), "{text}");
        assert!(text.contains("the credentials are from the settings"), "{text}");
        assert!(!text.contains(TOKEN), "{text}");
        verdicts.push(error.verdict.is_retryable());
    }
    assert_eq!(verdicts, [true, false]);
}

#[tokio::test]
async fn what_the_environment_says() {
    let options = |variables: &[(&str, &str)]| {
        GcsOptions::from_variables(&|name| {
            variables.iter().find(|(it, _)| *it == name).map(|(_, value)| (*value).to_owned())
        })
    };
    let emulator = options(&[("STORAGE_EMULATOR_HOST", "localhost:4443")]);
    assert_eq!(emulator.endpoint.as_deref(), Some("http://localhost:4443"));
    assert!(emulator.anonymous);
    let token =
        options(&[("STORAGE_EMULATOR_HOST", "https://h"), ("GOOGLE_OAUTH_ACCESS_TOKEN", TOKEN)]);
    assert!(!token.anonymous);
    assert!(!format!("{token:?} {:?}", with(&token)).contains(TOKEN));
}

#[tokio::test]
async fn no_credentials_say_where_was_looked() {
    let home = tempfile::tempdir().unwrap();
    let looked = async |variables: &[(&str, &str)]| {
        let variable = |name: &str| match name {
            "HOME" => Some(home.path().display().to_string()),
            "NO_GCE_CHECK" => Some("true".into()),
            _ => variables.iter().find(|(it, _)| *it == name).map(|it| it.1.to_owned()),
        };
        let options = GcsOptions { access_token: None, ..options("http://127.0.0.1:1") };
        let store = Gcs::with_variables("test", &options, &http(), &variable).unwrap();
        let error = store.stat("a").await.unwrap_err();
        assert!(!error.verdict().is_retryable());
        error.to_string()
    };
    let message = looked(&[]).await;
    assert!(message.contains("application_default_credentials.json"), "{message}");
    assert!(message.contains("no credentials for gs://test/"), "{message}");
    let message = looked(&[("GOOGLE_APPLICATION_CREDENTIALS", "/none.json")]).await;
    assert!(message.contains("/none.json (GOOGLE_APPLICATION_CREDENTIALS)"), "{message}");
    assert!(message.contains("o such file"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_bucket_is_named() {
    let Some(peer) = or_skip("moto", moto()) else { return };
    let mut store = store(&peer.url);
    let endpoint = Endpoint::parse(&peer.url, "x").unwrap();
    store.bucket = "nowhere".into();
    store.address = Address::path_style(&endpoint, "nowhere");
    let StorageError::NotFound { what, .. } = store.stat("a").await.unwrap_err() else { panic!() };
    assert_eq!(what, "gs://nowhere/");
}
