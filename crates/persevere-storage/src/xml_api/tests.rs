//! What every store behind this interface must keep, whoever the server is.

use bytes::Bytes;
use futures_util::TryStreamExt;

use super::address::{Address, Endpoint};
use super::documents::Names;
use crate::digest::Digest;
use crate::error::StorageError;
use crate::meter::Meter;
use crate::store::{
    Attributes, Entry, PartPlace, Payload, SentPart, Store, Stored, Upload, Version, Whole,
};

const PART: usize = 5 * 1024 * 1024;

/// What a server does otherwise than Amazon or Google.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Quirks {
    /// It keeps keys as paths, and so not all of them.
    pub(crate) keys_are_paths: bool,
    /// It forgets metadata.
    pub(crate) forgets_metadata: bool,
    /// It does not list unfinished uploads by key.
    pub(crate) lists_no_uploads: bool,
    /// It does not say the ETags of parts.
    pub(crate) lists_parts_without_tags: bool,
    /// It knows no conditions on what is copied.
    pub(crate) copies_blindly: bool,
    /// It cannot copy at all.
    pub(crate) copies_nothing: bool,
    /// It says yes to the same completion again, as Amazon's S3 does for a while.
    pub(crate) completes_twice: bool,
    /// It answers 500 to parts and the end of an upload that it does not know.
    pub(crate) breaks_at_unknown_uploads: bool,
    /// It checks CRC-64/NVME, and keeps that of the whole.
    pub(crate) keeps_checksums: bool,
    /// It says yes to the deletion of what is not there.
    pub(crate) finds_what_is_gone: bool,
}

pub(crate) fn bytes(length: usize) -> Bytes {
    // A prime, so that no two parts are alike.
    (0..length).map(|index| (index % 251) as u8).collect::<Vec<_>>().into()
}

pub(crate) fn attributes(job: &str) -> Attributes {
    Attributes { job: job.into(), content_type: Some("text/x-test".into()) }
}

pub(crate) async fn put(store: &dyn Store, key: &str, data: &[u8]) -> Stored {
    let data = Payload::new(Bytes::copy_from_slice(data));
    let meter = Meter::default();
    let stored = store.put(key, &data, &attributes("job-1"), &meter).await.unwrap();
    assert!(meter.moved() >= data.bytes.len() as u64);
    stored
}

pub(crate) async fn read(
    store: &dyn Store,
    key: &str,
    range: std::ops::Range<u64>,
    version: Option<&Version>,
) -> Result<Vec<u8>, StorageError> {
    let chunks: Vec<Bytes> = store.read(key, range, version).await?.try_collect().await?;
    Ok(chunks.concat())
}

async fn all_of(store: &dyn Store, prefix: &str, recursive: bool) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut page: Option<String> = None;
    loop {
        let next = store.list_page(prefix, recursive, page.as_deref()).await.unwrap();
        entries.extend(next.entries);
        match next.next {
            Some(next) => page = Some(next),
            None => return entries,
        }
    }
}

/// Everything, against one server.
pub(crate) async fn keeps_the_contract(store: &dyn Store, quirks: Quirks) {
    objects(store, quirks).await;
    ranges_and_versions(store).await;
    odd_keys(store, quirks).await;
    lists(store, quirks).await;
    uploads(store, quirks).await;
    uploads_gone(store, quirks).await;
    if !quirks.copies_nothing {
        copies(store, quirks).await;
    }
}

async fn objects(store: &dyn Store, quirks: Quirks) {
    assert_eq!(store.stat("none").await.unwrap(), None);
    let missing = read(store, "none", 0..1, None).await.unwrap_err();
    assert!(matches!(missing, StorageError::NotFound { .. }), "{missing:?}");
    assert!(missing.to_string().contains(&store.url("none")), "{missing}");

    let stored = put(store, "a/one", b"hello").await;
    let info = store.stat("a/one").await.unwrap().unwrap();
    assert_eq!(info.size, 5);
    if !quirks.forgets_metadata {
        assert_eq!(info.job.as_deref(), Some("job-1"));
        assert_eq!(info.checksums.crc64nvme, Some(Digest::of(b"hello").crc64nvme));
    }
    assert_eq!(info.content_type.as_deref(), Some("text/x-test"));
    assert!(info.modified.is_some());
    assert_eq!(info.version, stored.version);

    put(store, "a/empty", b"").await;
    assert_eq!(store.stat("a/empty").await.unwrap().unwrap().size, 0);

    put(store, "a/one", b"another").await;
    let second = store.stat("a/one").await.unwrap().unwrap();
    assert_eq!(second.size, 7);
    assert_ne!(second.version, info.version);
}

async fn ranges_and_versions(store: &dyn Store) {
    put(store, "ranges", b"0123456789").await;
    let old = store.stat("ranges").await.unwrap().unwrap().version;
    assert_eq!(read(store, "ranges", 0..10, old.as_ref()).await.unwrap(), b"0123456789");
    assert_eq!(read(store, "ranges", 3..5, old.as_ref()).await.unwrap(), b"34");
    assert_eq!(read(store, "ranges", 9..10, None).await.unwrap(), b"9");
    // More than there is, and beyond the end.
    assert!(read(store, "ranges", 5..20, old.as_ref()).await.is_err());
    match read(store, "ranges", 100..101, old.as_ref()).await.unwrap_err() {
        StorageError::Provider(error) => assert_eq!(error.status, 416),
        other => panic!("{other:?}"),
    }
    put(store, "ranges", b"9876543210").await;
    let error = read(store, "ranges", 0..10, old.as_ref()).await.unwrap_err();
    assert!(matches!(error, StorageError::Changed { .. }), "{error:?}");
}

/// Keys that tools get wrong.
async fn odd_keys(store: &dyn Store, quirks: Quirks) {
    let any =
        ["odd/a b", "odd/é", "odd/100%", "odd/%20", "odd/a+b", "odd/a?b", "odd/a#b", "odd/a&b=c"];
    let more =
        ["odd/quote\"'<>", "odd/ü/~_-.!*()", "odd/a\\b", "odd/..a", "odd/a:b;c,d@e$f|g^h`i{j}"];
    let not_paths = ["odd//double", "/leading", "odd/trailing/", "//"];
    let mut keys: Vec<&str> = [any.as_slice(), more.as_slice()].concat();
    if !quirks.keys_are_paths {
        keys.extend(not_paths);
    }
    for key in &keys {
        put(store, key, key.as_bytes()).await;
    }
    for key in &keys {
        let length = key.len() as u64;
        assert_eq!(read(store, key, 0..length, None).await.unwrap(), key.as_bytes(), "{key}");
        assert!(store.stat(key).await.unwrap().is_some(), "{key}");
    }
    let mut expected: Vec<&str> =
        keys.iter().copied().filter(|key| key.starts_with("odd/")).collect();
    expected.sort_unstable();
    let mut listed: Vec<String> =
        all_of(store, "odd/", true).await.into_iter().map(|entry| entry.key).collect();
    listed.sort_unstable();
    assert_eq!(listed, expected);
    for key in &keys {
        store.delete(key).await.unwrap();
        assert_eq!(store.stat(key).await.unwrap(), None, "{key}");
    }
    for key in ["..", "a/../b", "./a", "a/."] {
        let error = store.stat(key).await.unwrap_err();
        assert!(matches!(error, StorageError::Unsupported { .. }), "{error:?}");
        assert!(error.to_string().contains("`..`"), "{error}");
    }
    let error = store.delete("").await.unwrap_err();
    assert!(error.to_string().contains("must name an object"), "{error}");
}

async fn lists(store: &dyn Store, quirks: Quirks) {
    for key in ["list/a", "list/b/1", "list/b/2", "list/c", "list/d e/x", "listing"] {
        put(store, key, b"x").await;
    }
    let keys = |entries: Vec<Entry>| -> Vec<(String, bool)> {
        let mut keys: Vec<_> =
            entries.into_iter().map(|entry| (entry.key, entry.is_folder)).collect();
        keys.sort();
        keys
    };
    let object = |key: &str| (key.to_owned(), false);
    let folder = |key: &str| (key.to_owned(), true);
    assert_eq!(
        keys(all_of(store, "list/", false).await),
        [object("list/a"), folder("list/b/"), object("list/c"), folder("list/d e/")]
    );
    assert_eq!(
        keys(all_of(store, "list/", true).await),
        ["list/a", "list/b/1", "list/b/2", "list/c", "list/d e/x"].map(object)
    );
    assert_eq!(keys(all_of(store, "nothing/", true).await), []);
    let entries = all_of(store, "list/a", true).await;
    assert_eq!(entries[0].size, 1);
    assert!(entries[0].modified.is_some());
    let info = store.stat("list/a").await.unwrap().unwrap();
    if entries[0].version.is_some() {
        assert_eq!(entries[0].version, info.version);
    }

    assert!(store.delete("list/a").await.unwrap());
    assert_eq!(store.delete("list/a").await.unwrap(), quirks.finds_what_is_gone);
    assert_eq!(store.stat("list/a").await.unwrap(), None);
}

async fn send(store: &dyn Store, upload: Upload<'_>, number: u32, data: Bytes) -> SentPart {
    let place = PartPlace { number, offset: u64::from(number - 1) * PART as u64 };
    let data = Payload::new(data);
    let meter = Meter::default();
    let tag = store.put_part(upload, place, &data, &meter).await.unwrap();
    assert_eq!(meter.moved(), data.bytes.len() as u64);
    SentPart { place, digest: data.digest, tag }
}

async fn uploads(store: &dyn Store, quirks: Quirks) {
    let key = "up/é big file";
    let attributes = attributes("job-2");
    let id = store.begin_upload(key, &attributes).await.unwrap();
    let other = store.begin_upload("up/é big file2", &attributes).await.unwrap();
    let upload = Upload { key, id: &id };
    if !quirks.lists_no_uploads {
        let seen = store.list_uploads(key).await.unwrap();
        assert_eq!(seen.iter().map(|it| it.id.as_str()).collect::<Vec<_>>(), [id.as_str()]);
    }
    assert_eq!(store.list_parts(upload).await.unwrap(), []);

    let data = bytes(2 * PART + 1000);
    let mut parts = Vec::new();
    // Not in order, and one of them twice.
    send(store, upload, 2, bytes(PART)).await;
    for number in [3, 1, 2] {
        let from = (number as usize - 1) * PART;
        let part = data.slice(from..(from + PART).min(data.len()));
        parts.push(send(store, upload, number, part).await);
    }
    parts.sort_by_key(|part| part.place.number);
    let seen = store.list_parts(upload).await.unwrap();
    assert_eq!(seen.len(), 3);
    for (seen, sent) in seen.iter().zip(&parts) {
        assert_eq!(seen.number, sent.place.number);
        assert_eq!(seen.size, sent.digest.length);
        assert!(seen.tag == sent.tag || quirks.lists_parts_without_tags && seen.tag.is_empty());
    }
    assert_eq!(store.stat(key).await.unwrap(), None);

    let whole = Whole { digest: Digest::of(&data), attributes: &attributes };
    let stored = store.finish_upload(upload, &parts, &whole).await.unwrap();
    let info = store.stat(key).await.unwrap().unwrap();
    assert_eq!(info.size, data.len() as u64);
    if stored.version.is_some() {
        assert_eq!(stored.version, info.version);
    }
    for crc in [stored.checksums.crc64nvme, info.checksums.crc64nvme].into_iter().flatten() {
        assert_eq!(crc, whole.digest.crc64nvme);
    }
    if quirks.keeps_checksums {
        assert!(info.checksums.crc64nvme.is_some());
        assert!(stored.checksums.crc64nvme.is_some());
    }
    if !quirks.forgets_metadata {
        assert_eq!(info.job.as_deref(), Some("job-2"));
        assert_eq!(info.content_type.as_deref(), Some("text/x-test"));
    }
    let range = PART as u64 - 10..PART as u64 + 10;
    let across = read(store, key, range, info.version.as_ref()).await.unwrap();
    assert_eq!(across, data.slice(PART - 10..PART + 10));

    // A second time.
    match store.finish_upload(upload, &parts, &whole).await {
        Err(StorageError::UploadGone { .. }) => {}
        Ok(_) if quirks.completes_twice => {}
        other => panic!("{other:?}"),
    }
    store.abort_upload(Upload { key: "up/é big file2", id: &other }).await.unwrap();
}

async fn uploads_gone(store: &dyn Store, quirks: Quirks) {
    let key = "up/aborted";
    let id = store.begin_upload(key, &attributes("job-3")).await.unwrap();
    let upload = Upload { key, id: &id };
    send(store, upload, 1, bytes(10)).await;
    store.abort_upload(upload).await.unwrap();
    store.abort_upload(upload).await.unwrap();
    if !quirks.lists_no_uploads {
        assert_eq!(store.list_uploads(key).await.unwrap(), []);
    }
    let gone = |error: StorageError| match error {
        StorageError::UploadGone { what } => assert_eq!(what, store.url(key)),
        other => panic!("{other:?}"),
    };
    gone(store.list_parts(upload).await.unwrap_err());
    let place = PartPlace { number: 1, offset: 0 };
    let data = Payload::new(bytes(10));
    if !quirks.breaks_at_unknown_uploads {
        gone(store.put_part(upload, place, &data, &Meter::default()).await.unwrap_err());
    }
    let parts = [SentPart { place, digest: data.digest, tag: "0".repeat(32) }];
    let attributes = attributes("job-3");
    let whole = Whole { digest: data.digest, attributes: &attributes };
    let finished = store.finish_upload(upload, &parts, &whole).await.unwrap_err();
    if !quirks.breaks_at_unknown_uploads {
        gone(finished);
    }
}

async fn copies(store: &dyn Store, quirks: Quirks) {
    put(store, "copy/from é+%", b"contents").await;
    let old = store.stat("copy/from é+%").await.unwrap().unwrap().version;
    let no_type = Attributes { job: "job-4".into(), content_type: None };
    let from = "copy/from é+%";
    let stored = store.copy(from, old.as_ref(), "copy/to é", &no_type).await.unwrap();
    let info = store.stat("copy/to é").await.unwrap().unwrap();
    assert_eq!(info.size, 8);
    assert_eq!(info.job.as_deref(), Some("job-4"));
    assert_eq!(info.content_type.as_deref(), Some("text/x-test"));
    if stored.version.is_some() {
        assert_eq!(stored.version, info.version);
    }
    assert_eq!(read(store, "copy/to é", 0..8, None).await.unwrap(), b"contents");

    let missing = store.copy("copy/none", None, "copy/x", &no_type).await.unwrap_err();
    assert!(matches!(missing, StorageError::NotFound { .. }), "{missing:?}");
    assert!(missing.to_string().contains("copy/none"), "{missing}");
    if !quirks.copies_blindly {
        put(store, from, b"other").await;
        let error = store.copy(from, old.as_ref(), "copy/x", &no_type).await.unwrap_err();
        assert!(matches!(error, StorageError::Changed { .. }), "{error:?}");
    }
}

/// With two entries on a page.
pub(crate) async fn pages(store: &dyn Store, quirks: Quirks) {
    let expected: Vec<String> = (0..5).map(|index| format!("pages/{index} é")).collect();
    for key in &expected {
        put(store, key, b"x").await;
    }
    let listed: Vec<_> =
        all_of(store, "pages/", true).await.into_iter().map(|entry| entry.key).collect();
    assert_eq!(listed, expected);

    let key = "pages of uploads";
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(store.begin_upload(key, &attributes("job")).await.unwrap());
    }
    let upload = Upload { key, id: &ids[0] };
    for number in 1..=5 {
        send(store, upload, number, bytes(number as usize)).await;
    }
    let parts = store.list_parts(upload).await.unwrap();
    let sizes: Vec<_> = parts.iter().map(|part| (part.number, part.size)).collect();
    assert_eq!(sizes, [(1, 1), (2, 2), (3, 3), (4, 4), (5, 5)]);
    if quirks.lists_no_uploads {
        return;
    }
    let mut seen: Vec<_> =
        store.list_uploads(key).await.unwrap().into_iter().map(|it| it.id).collect();
    seen.sort_unstable();
    ids.sort_unstable();
    assert_eq!(seen, ids);
}

#[test]
fn addresses() {
    let uri = |endpoint: &str, hosted: bool, key: &str| {
        let endpoint = Endpoint::parse(endpoint, "x").unwrap();
        let address = match hosted {
            true => Address::virtual_hosted(&endpoint, "bucket"),
            false => Address::path_style(&endpoint, "bucket"),
        };
        address.uri(key, &[("uploads", ""), ("a", "b c/+é")]).unwrap().to_string()
    };
    let query = "?uploads&a=b%20c%2F%2B%C3%A9";
    assert_eq!(
        uri("https://h", false, "/a b//é%+"),
        format!("https://h/bucket//a%20b//%C3%A9%25%2B{query}")
    );
    assert_eq!(uri("http://h:1/s3/", false, ""), format!("http://h:1/s3/bucket{query}"));
    assert_eq!(uri("https://h", true, "k"), format!("https://bucket.h/k{query}"));
    assert_eq!(uri("https://h", true, ""), format!("https://bucket.h/{query}"));
    assert_eq!(uri("http://[::1]:9000", false, "k"), format!("http://[::1]:9000/bucket/k{query}"));
}

#[test]
fn endpoints_that_are_none() {
    let refused =
        |written: &str| Endpoint::parse(written, "AWS_ENDPOINT_URL").unwrap_err().to_string();
    for written in ["localhost:9000", "ftp://host", "", "https://", "http://h/?a=b", "h"] {
        let message = refused(written);
        assert!(message.starts_with(&format!("AWS_ENDPOINT_URL is `{written}`")), "{message}");
    }
    let message = refused("https://user:hunter2@host");
    assert!(!message.contains("hunter2") && message.contains("credentials"), "{message}");
}

#[test]
fn names_in_lists() {
    let read = |encoding, name: &str| Names::of(encoding, [name].into_iter()).decoded(name.into());
    assert_eq!(read(Some("url"), "a+b%2Bc%C3%A9"), "a b+cé");
    assert_eq!(read(None, "a+b%2B"), "a+b%2B");
    // It says so, but it is not.
    for name in ["a b+c", "100%", "é%20", "a?b%20"] {
        assert_eq!(read(Some("url"), name), name);
    }
}
