//! Answers that no real server gives on demand.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use bytes::Bytes;

use super::*;
use crate::script::{Received, Reply, Script, reply};
use crate::store::{PartPlace, Payload};
use crate::xml_api::tests::{attributes, put, read};

fn error(status: u16, code: &str, message: &str) -> Reply {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message>\
         <RequestId>REQ1</RequestId></Error>"
    );
    reply(status, &[("content-type", "application/xml")], &body)
}

fn finish<'a>(store: &'a S3, parts: &'a [SentPart], whole: &'a Whole<'a>) -> Answer<'a, Stored> {
    store.finish_upload(Upload { key: "k", id: "id" }, parts, whole)
}

fn one_part() -> (Attributes, Vec<SentPart>, crate::digest::Digest) {
    let data = Payload::new(Bytes::from_static(b"data"));
    let place = PartPlace { number: 1, offset: 0 };
    let part = SentPart { place, digest: data.digest, tag: "abc\"<".into() };
    (attributes("job"), vec![part], data.digest)
}

async fn finished(
    answer: impl Fn() -> Reply + Send + Sync + 'static,
) -> Result<Stored, StorageError> {
    let script = Script::start(move |_, _| answer()).await;
    let (attributes, parts, digest) = one_part();
    let whole = Whole { digest, attributes: &attributes };
    finish(&store(&script.url), &parts, &whole).await
}

#[tokio::test]
async fn an_error_document_with_a_good_status_is_an_error() {
    let slow = finished(|| error(200, "SlowDown", "Please reduce your request rate.")).await;
    let Err(StorageError::Provider(slow)) = slow else { panic!("{slow:?}") };
    assert!(slow.verdict.is_retryable());
    assert_eq!(slow.code.as_deref(), Some("SlowDown"));
    assert_eq!(slow.request_id.as_deref(), Some("REQ1"));

    // White space keeps the connection awake while the server works.
    let internal = finished(|| {
        let body = "\n \n<?xml version=\"1.0\"?>\n<Error><Code>InternalError</Code></Error>";
        reply(200, &[], body)
    });
    let internal = internal.await.unwrap_err();
    assert!(internal.verdict().is_retryable(), "{internal:?}");

    let gone = finished(|| error(200, "NoSuchUpload", "x")).await.unwrap_err();
    assert!(matches!(gone, StorageError::UploadGone { .. }), "{gone:?}");
}

#[tokio::test]
async fn an_answer_that_is_cut_off_is_none() {
    for answer in ["", "<CompleteMultipartUploadResult><ETag>a", "<html>"] {
        let error = finished(move || reply(200, &[], answer)).await.unwrap_err();
        assert!(matches!(error, StorageError::Transport { .. }), "{answer}: {error:?}");
        let verdict = persevere::detect::Detector::new().error(&error);
        assert!(verdict.is_retryable(), "{answer}: {verdict:?}");
    }
}

#[tokio::test]
async fn what_a_completion_says() {
    let script = Script::start(|_, _| {
        let body = "<CompleteMultipartUploadResult><ETag>&quot;e-1&quot;</ETag>\
                    <ChecksumCRC64NVME>AAAAAAAAAAE=</ChecksumCRC64NVME>\
                    <ChecksumType>FULL_OBJECT</ChecksumType></CompleteMultipartUploadResult>";
        reply(200, &[], body)
    })
    .await;
    let (attributes, parts, digest) = one_part();
    let whole = Whole { digest, attributes: &attributes };
    let stored = finish(&store(&script.url), &parts, &whole).await.unwrap();
    assert_eq!(stored.version, Some(Version("e-1".into())));
    assert_eq!(stored.checksums.crc64nvme, Some(1));
    let request = &script.received()[0];
    assert_eq!(request.line, "POST /test/k?uploadId=id");
    assert_eq!(
        request.header("x-amz-checksum-crc64nvme"),
        Some(checksum::written(digest.crc64nvme).as_str())
    );
    assert_eq!(request.header("x-amz-checksum-type"), Some("FULL_OBJECT"));
    let body = String::from_utf8(request.body.clone()).unwrap();
    assert!(body.contains("<ETag>&quot;abc&quot;&lt;&quot;</ETag><ChecksumCRC64NVME>"), "{body}");
}

/// As Cloudflare R2, Backblaze B2 and others say it.
#[tokio::test]
async fn a_store_that_knows_no_checksums_is_asked_without() {
    let refusals: [fn() -> Reply; 3] = [
        || error(501, "NotImplemented", "Header 'x-amz-checksum-crc64nvme' not implemented"),
        || error(400, "InvalidArgument", "Unsupported header 'x-amz-checksum-crc64nvme'"),
        || error(400, "InvalidRequest", "Checksum algorithm provided is unsupported."),
    ];
    for refusal in refusals {
        let script = Script::start(move |request, _| {
            let asks = request.headers.iter().any(|(name, _)| {
                name.starts_with("x-amz-checksum-") && name != "x-amz-checksum-mode"
            });
            if asks { refusal() } else { reply(200, &[("etag", "\"e\"")], "") }
        })
        .await;
        let store = store(&script.url);
        put(&store, "a", b"x").await;
        assert_eq!(script.received().len(), 2);
        put(&store, "b", b"x").await;
        assert_eq!(script.received().len(), 3, "it is remembered");
    }
}

/// By a process that knew of none, or before the store did.
#[tokio::test]
async fn an_upload_that_was_begun_without_checksums_is_completed_without() {
    let script = Script::start(|request, _| {
        let in_document = String::from_utf8_lossy(&request.body).contains("ChecksumCRC64NVME");
        match request.header("x-amz-checksum-crc64nvme") {
            Some(_) => error(400, "InvalidRequest", "It was begun with another checksum mode"),
            None if in_document => error(400, "InvalidPart", "That part has no such checksum"),
            None => {
                let body = "<CompleteMultipartUploadResult><ETag>\"e\"</ETag>\
                            </CompleteMultipartUploadResult>";
                reply(200, &[], body)
            }
        }
    });
    let script = script.await;
    let (attributes, parts, digest) = one_part();
    let whole = Whole { digest, attributes: &attributes };
    let store = store(&script.url);
    finish(&store, &parts, &whole).await.unwrap();
    assert_eq!(script.received().len(), 2);
    assert!(store.checksums.load(Ordering::Relaxed), "the store may know them all the same");
}

#[tokio::test]
async fn all_parts_under_way_survive_that_a_store_knows_no_checksums() {
    let script = Script::start(|request, _| match request.header("x-amz-checksum-crc64nvme") {
        Some(_) => error(501, "NotImplemented", "x"),
        None => reply(200, &[("etag", "\"e\"")], ""),
    })
    .await;
    let store = store(&script.url);
    let puts = (0..8).map(|_| put(&store, "a", b"x"));
    futures_util::future::join_all(puts).await;
}

#[tokio::test]
async fn bytes_that_were_damaged_on_the_way_are_sent_again() {
    let script = Script::start(|_, _| error(400, "BadDigest", "did not match")).await;
    let data = Payload::new(Bytes::from_static(b"x"));
    let store = store(&script.url);
    let error = store.put("a", &data, &attributes("j"), &Meter::default()).await.unwrap_err();
    assert!(error.verdict().is_retryable(), "{error:?}");
    assert_eq!(script.received().len(), 1, "that is no refusal of checksums");
}

fn region_of(request: &Received) -> String {
    let authorization = request.header("authorization").unwrap();
    authorization.split('/').nth(2).unwrap().to_owned()
}

#[tokio::test]
async fn a_bucket_elsewhere_is_followed_once_and_remembered() {
    type Wrong = fn() -> Reply;
    let redirects: [Wrong; 4] = [
        || {
            reply(
                301,
                &[("x-amz-bucket-region", "eu-west-1")],
                "<Error><Code>PermanentRedirect</Code></Error>",
            )
        },
        || reply(307, &[("x-amz-bucket-region", "eu-west-1")], ""),
        || {
            error(
                400,
                "AuthorizationHeaderMalformed",
                "The authorization header is malformed; the region 'us-east-1' is wrong; expecting 'eu-west-1'",
            )
        },
        || {
            reply(
                400,
                &[],
                "<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-1</Region></Error>",
            )
        },
    ];
    for redirect in redirects {
        let script = Script::start(move |request, _| match region_of(request).as_str() {
            "eu-west-1" => reply(200, &[("etag", "\"e\"")], ""),
            _ => redirect(),
        })
        .await;
        let store = store(&script.url);
        put(&store, "a", b"x").await;
        put(&store, "b", b"x").await;
        let regions: Vec<_> = script.received().iter().map(region_of).collect();
        assert_eq!(regions, ["us-east-1", "eu-west-1", "eu-west-1"]);
    }
}

#[tokio::test]
async fn a_bucket_that_is_nowhere_is_a_clear_error() {
    let script = Script::start(|_, _| {
        let body =
            "<Error><Code>PermanentRedirect</Code><Endpoint>other.example.com</Endpoint></Error>";
        reply(301, &[], body)
    })
    .await;
    let error = read(&store(&script.url), "a", 0..1, None).await.unwrap_err();
    assert!(error.to_string().contains("`other.example.com`"), "{error}");
    assert!(!error.verdict().is_retryable());
    assert_eq!(script.received().len(), 1);

    // Each answer refers to yet another region.
    let count = Arc::new(AtomicUsize::new(0));
    let script = Script::start(move |_, _| {
        let region = format!("region-{}", count.fetch_add(1, Ordering::Relaxed));
        reply(301, &[("x-amz-bucket-region", &region)], "")
    })
    .await;
    assert!(read(&store(&script.url), "a", 0..1, None).await.is_err());
    assert_eq!(script.received().len(), 2);
}

#[tokio::test]
async fn servers_that_ignore_ranges_or_conditions_are_found_out() {
    let script = Script::start(|_, _| reply(200, &[("etag", "\"e\"")], "0123456789")).await;
    let store_of = store(&script.url);
    let error = read(&store_of, "a", 2..4, None).await.unwrap_err();
    assert!(matches!(error, StorageError::Unsupported { .. }), "{error:?}");
    assert_eq!(read(&store_of, "a", 0..10, None).await.unwrap(), b"0123456789");
    let other = Version("f".into());
    let error = read(&store_of, "a", 0..10, Some(&other)).await.unwrap_err();
    assert!(matches!(error, StorageError::Changed { .. }), "{error:?}");

    let script = Script::start(|_, _| reply(206, &[("content-range", "bytes 2-3/4")], "23")).await;
    let error = read(&store(&script.url), "a", 2..6, None).await.unwrap_err();
    assert!(matches!(error, StorageError::Changed { .. }), "{error:?}");
}

#[tokio::test]
async fn a_list_that_never_ends_is_found_out() {
    let script = Script::start(|request, _| {
        let body = match request.line.contains("uploads") {
            true => "<R><IsTruncated>true</IsTruncated><NextKeyMarker>k</NextKeyMarker></R>",
            false if request.line.contains("uploadId") => {
                "<R><IsTruncated>true</IsTruncated><NextPartNumberMarker>7</NextPartNumberMarker></R>"
            }
            false => {
                "<R><IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken></R>"
            }
        };
        reply(200, &[], body)
    })
    .await;
    let store = store(&script.url);
    let again = |error: StorageError| {
        assert!(error.to_string().contains("again and again"), "{error}");
    };
    again(store.list_parts(Upload { key: "k", id: "i" }).await.unwrap_err());
    again(store.list_uploads("k").await.unwrap_err());
    again(store.list_page("", true, Some("t")).await.unwrap_err());
}

#[tokio::test]
async fn the_addresses_that_are_asked() {
    let asked = |bucket: &str, endpoint: Option<&str>, addressing| {
        let options = S3Options {
            endpoint: endpoint.map(str::to_owned),
            region: Some("eu-west-1".into()),
            addressing,
            anonymous: true,
            ..S3Options::default()
        };
        let store = S3::with_variables(bucket, &options, &http(), &|_| None)?;
        let query: [(&str, &str); 0] = [];
        Ok::<_, StorageError>(store.place().address.uri("k", &query).unwrap().to_string())
    };
    let hosted = Some(S3Addressing::VirtualHosted);
    let path = Some(S3Addressing::Path);
    let s3 = "s3.eu-west-1.amazonaws.com";
    assert_eq!(asked("my-bucket", None, None).unwrap(), format!("https://my-bucket.{s3}/k"));
    assert_eq!(asked("my.bucket", None, None).unwrap(), format!("https://{s3}/my.bucket/k"));
    assert_eq!(asked("My_Bucket", None, None).unwrap(), format!("https://{s3}/My_Bucket/k"));
    assert_eq!(asked("my-bucket", None, path).unwrap(), format!("https://{s3}/my-bucket/k"));
    let own = Some("http://localhost:9000");
    assert_eq!(asked("my-bucket", own, None).unwrap(), "http://localhost:9000/my-bucket/k");
    assert_eq!(asked("my-bucket", own, hosted).unwrap(), "http://my-bucket.localhost:9000/k");
    let message =
        asked("my-bucket", Some("http://127.0.0.1:9000"), hosted).unwrap_err().to_string();
    assert!(message.contains("path-style"), "{message}");
    assert!(asked("a_b", own, hosted).is_err());
    assert!(asked("..", None, None).is_err());
}

#[tokio::test]
async fn copies_of_large_objects_go_in_parts() {
    let script = Script::start(|request, _| {
        let text = |body: &str| reply(200, &[], body);
        if request.line.starts_with("HEAD") {
            let headers = [("etag", "\"v1\""), ("x-amz-meta-mine", "1"), ("cache-control", "no-store")];
            let mut head = String::from("HTTP/1.1 200 x\r\ncontent-length: 25\r\n");
            headers.iter().for_each(|(name, value)| head += &format!("{name}: {value}\r\n"));
            return Reply::Bytes(format!("{head}\r\n").into_bytes());
        }
        match request.line.as_str() {
            "POST /test/to?uploads" => text("<R><UploadId>u</UploadId></R>"),
            line if line.contains("partNumber=") => {
                text("<R><ETag>&quot;p&quot;</ETag><ChecksumCRC64NVME>AAAAAAAAAAE=</ChecksumCRC64NVME></R>")
            }
            _ => text("<R><ETag>&quot;whole-3&quot;</ETag></R>"),
        }
    })
    .await;
    let mut store = store(&script.url);
    store.largest_copy = 10;
    let stored = store.copy("fr om", None, "to", &attributes("job")).await.unwrap();
    assert_eq!(stored.version, Some(Version("whole-3".into())));
    let requests = script.received();
    let begin = requests.iter().find(|it| it.line == "POST /test/to?uploads").unwrap();
    assert_eq!(begin.header("x-amz-meta-mine"), Some("1"));
    assert_eq!(begin.header("cache-control"), Some("no-store"));
    assert_eq!(begin.header("x-amz-meta-persevere-job"), Some("job"));
    let mut ranges: Vec<_> =
        requests.iter().filter_map(|it| it.header("x-amz-copy-source-range")).collect();
    ranges.sort_unstable();
    assert_eq!(ranges, ["bytes=0-9", "bytes=10-19", "bytes=20-24"]);
    let parts = requests.iter().filter(|it| it.header("x-amz-copy-source-range").is_some());
    for part in parts {
        assert_eq!(part.header("x-amz-copy-source"), Some("test/fr%20om"));
        assert_eq!(part.header("x-amz-copy-source-if-match"), Some("\"v1\""));
    }
    let body = String::from_utf8(requests.last().unwrap().body.clone()).unwrap();
    assert_eq!(body.matches("<ChecksumCRC64NVME>AAAAAAAAAAE=").count(), 3, "{body}");
}

#[tokio::test]
async fn a_copy_in_parts_that_fails_leaves_nothing_behind() {
    let script = Script::start(|request, _| {
        let line = request.line.as_str();
        if line.starts_with("HEAD") {
            return Reply::Bytes(
                b"HTTP/1.1 200 x\r\ncontent-length: 25\r\netag: \"v\"\r\n\r\n".to_vec(),
            );
        }
        match line {
            "POST /test/to?uploads" => reply(200, &[], "<R><UploadId>u</UploadId></R>"),
            line if line.starts_with("PUT") => error(412, "PreconditionFailed", "x"),
            _ => reply(204, &[], ""),
        }
    })
    .await;
    let mut store = store(&script.url);
    store.largest_copy = 10;
    let error = store.copy("from", None, "to", &attributes("job")).await.unwrap_err();
    let StorageError::Changed { what } = error else { panic!("{error:?}") };
    assert_eq!(what, "s3://test/from");
    assert_eq!(script.received().last().unwrap().line, "DELETE /test/to?uploadId=u");
}

#[tokio::test]
async fn whoever_asks_pays_and_nobody_signs() {
    let script = Script::start(|_, _| reply(200, &[], "<R/>")).await;
    let options = S3Options {
        anonymous: true,
        requester_pays: true,
        access_key: None,
        ..options(&script.url)
    };
    with(&options).list_page("", true, None).await.unwrap();
    let request = &script.received()[0];
    assert_eq!(request.header("x-amz-request-payer"), Some("requester"));
    assert_eq!(request.header("authorization"), None);
}
