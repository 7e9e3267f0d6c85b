//! Objects there and back.

use std::fs;

use futures_util::TryStreamExt;
use persevere_storage::{Entry, StorageError, TransferOptions};

use crate::place::{Place, bytes};

pub(crate) async fn any_size_goes_there_and_back(place: &Place) {
    let part = place.part;
    for size in [0, 1, part - 1, part, part + 1, 3 * part, 3 * part + 17] {
        let (storage, key) = place.open(&format!("size-{size}")).await;
        let source = place.file("source", size, size);
        let sent = storage.upload(&source, &key, &place.options()).await.unwrap();
        assert_eq!((sent.bytes, sent.retries, sent.resumed), (size, 0, 0), "{size}");
        let info = storage.stat(&key).await.unwrap().unwrap();
        assert_eq!(info.size, size);

        let target = place.path("target");
        let fetched = storage.download(&key, &target, &place.options()).await.unwrap();
        assert_eq!(fetched.crc64nvme, sent.crc64nvme);
        assert!(fs::read(&source).unwrap() == fs::read(&target).unwrap(), "{size}");
        fs::remove_file(target).unwrap();
    }
    assert_eq!(place.journals(), 0);
}

pub(crate) async fn what_was_there_is_replaced(place: &Place) {
    if place.is("s3s_fs") {
        // It keeps the checksum of what was there before.
        return;
    }
    let (storage, key) = place.open("object").await;
    let target = place.path("target");
    for (size, seed) in [(10, 1), (2 * place.part + 5, 2), (2 * place.part + 5, 3), (0, 4)] {
        let source = place.file("source", size, seed);
        storage.upload(&source, &key, &place.options()).await.unwrap();
        storage.download(&key, &target, &place.options()).await.unwrap();
        assert!(fs::read(&target).unwrap() == bytes(size, seed), "{size} {seed}");
    }
}

pub(crate) async fn names_are_kept_exactly(place: &Place) {
    let names = [
        "a b",
        "é",
        "e\u{301}",
        "100%",
        "%20",
        "a+b",
        "a?b#c",
        "a&b=c",
        "quote\"'`",
        "日本語/文件",
        "~tilde",
        "(paren)[bracket]{brace}",
        "semi;colon:at@",
        "a,b$!*",
        "UPPER/lower",
        "dots...",
    ];
    for name in names {
        let (storage, key) = place.open(name).await;
        let source = place.file("source", 20, 7);
        storage
            .upload(&source, &key, &place.options())
            .await
            .unwrap_or_else(|it| panic!("{name}: {it}"));
        assert!(storage.exists(&key).await.unwrap(), "{name}");
    }
    let (storage, prefix) = place.open("").await;
    let entries: Vec<Entry> = storage.list(&prefix, true).try_collect().await.unwrap();
    let mut found: Vec<_> =
        entries.iter().map(|it| it.key.strip_prefix(&prefix).unwrap()).collect();
    found.retain(|name| !matches!(*name, "source" | "target"));
    let mut names = names.to_vec();
    names.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, names);
}

pub(crate) async fn lists_have_all_of_it(place: &Place) {
    let (storage, prefix) = place.open("").await;
    let source = place.path("a file");
    fs::write(&source, "x").unwrap();
    for name in ["list/a", "list/b/1", "list/b/2", "list/c"] {
        let (storage, key) = place.open(name).await;
        storage.upload(&source, &key, &place.options()).await.unwrap();
    }
    let list = async |prefix: String, recursive| {
        let entries: Vec<Entry> = storage.list(&prefix, recursive).try_collect().await.unwrap();
        let mut names: Vec<_> =
            entries.into_iter().map(|entry| (entry.key, entry.is_folder)).collect();
        names.sort();
        names
    };
    let key = |name: &str| format!("{prefix}list/{name}");
    let all = ["a", "b/1", "b/2", "c"].map(|name| (key(name), false));
    assert_eq!(list(key(""), true).await, all);
    let level = [("a", false), ("b/", true), ("c", false)].map(|(name, is)| (key(name), is));
    assert_eq!(list(key(""), false).await, level);
}

pub(crate) async fn what_is_gone_is_gone(place: &Place) {
    let (storage, key) = place.open("gone").await;
    assert!(!storage.exists(&key).await.unwrap());
    storage.delete(&key).await.unwrap();
    let source = place.file("source", 10, 1);
    storage.upload(&source, &key, &place.options()).await.unwrap();
    assert!(storage.exists(&key).await.unwrap());
    storage.delete(&key).await.unwrap();
    assert!(!storage.exists(&key).await.unwrap());
    let target = place.path("target");
    let error = storage.download(&key, &target, &place.options()).await.unwrap_err();
    assert!(matches!(error, StorageError::NotFound { .. }), "{error}");
    assert!(error.to_string().contains("gone"), "{error}");
    assert!(!target.exists());
}

pub(crate) async fn pipes(place: &Place) {
    for size in [0, 9, place.part, 4 * place.part + 1] {
        let (storage, key) = place.open(&format!("pipe-{size}")).await;
        let source = bytes(size, 5);
        let sent = storage.upload_stream(&*source, &key, &place.options()).await.unwrap();
        assert_eq!(sent.bytes, size);
        let mut sink = Vec::new();
        storage.download_stream(&key, &mut sink, &place.options()).await.unwrap();
        assert!(sink == source, "{size}");
    }
}

pub(crate) async fn copies(place: &Place) {
    if place.is("gcs") {
        // The server is one of S3, and makes an empty object of Google's way to ask for it.
        return;
    }
    let (storage, from) = place.open("from").await;
    let source = place.file("source", 2 * place.part + 3, 5);
    storage.upload(&source, &from, &place.options()).await.unwrap();
    // By the provider, and through this machine.
    for other in [storage.clone(), place.open("to").await.0] {
        let (_, to) = place.open("to").await;
        storage.copy(&from, &other, &to, &place.options()).await.unwrap();
        let target = place.path("target");
        storage.download(&to, &target, &TransferOptions::new()).await.unwrap();
        assert!(fs::read(&source).unwrap() == fs::read(&target).unwrap());
        storage.delete(&to).await.unwrap();
    }
}

pub(crate) async fn a_bucket_that_is_not_there(place: &Place) {
    let Some((scheme, _)) = place.url.split_once("://") else { return };
    if scheme == "sftp" || place.is("s3s_fs") {
        // There are none, or they are made when something is put there.
        return;
    }
    let location = format!("{scheme}://no-such-bucket/key").parse().unwrap();
    let (storage, key) = place.builder.open(&location).await.unwrap();
    let source = place.file("source", 10, 1);
    let error = storage.upload(&source, &key, &place.options()).await.unwrap_err();
    assert!(error.to_string().contains("no-such-bucket"), "{error}");
    assert!(matches!(error, StorageError::NotFound { .. }), "stops at once: {error:?}");
}
