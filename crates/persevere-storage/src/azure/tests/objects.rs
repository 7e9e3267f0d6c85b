use super::peer::azurite;
use super::*;
use crate::store::Checksums;

/// Each differs from the next one in how some program would get it wrong.
const ODD_KEYS: [&str; 28] = [
    "plain",
    "a b",
    " begins and ends with spaces ",
    "a+b",
    "a%20b",
    "a%2Fb",
    "a%",
    "%zz",
    "é",
    "e\u{301}",
    "日本語",
    "🦀",
    "what?",
    "c#",
    "a&b=c;d",
    "a<b>&amp;\"'",
    "a//b",
    "/leading",
    "//two",
    "trailing/",
    "a/.../b",
    "~tilde*(!)$@,:[]{}|^`",
    "comp=list",
    "a\u{7f}b",
    "dot.",
    "  ",
    "tab\tand\nline",
    "]]>",
];

#[tokio::test]
async fn odd_keys_are_exact() {
    let Some(azurite) = azurite() else { return };
    let store = azurite.container().await;
    for key in ODD_KEYS {
        put(&store, key, key.as_bytes()).await.unwrap();
    }
    for key in ODD_KEYS {
        let length = key.len() as u64;
        let info = store.stat(key).await.unwrap().unwrap_or_else(|| panic!("{key} is not there"));
        assert_eq!(info.size, length, "{key}");
        assert_eq!(read(&store, key, 0..length, None).await.unwrap(), key.as_bytes());
    }
    let mut expected = ODD_KEYS.map(str::to_owned).to_vec();
    let mut found = listed(&store, "", true).await;
    expected.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, expected);
    for key in ODD_KEYS {
        let to = format!("copy of {key}");
        store.copy(key, None, &to, &attributes("copy")).await.unwrap();
        assert_eq!(read(&store, &to, 0..key.len() as u64, None).await.unwrap(), key.as_bytes());
        assert!(store.delete(key).await.unwrap(), "{key}");
        assert_eq!(store.stat(key).await.unwrap(), None, "{key}");
    }
}

#[tokio::test]
async fn a_connection_string_is_enough() {
    let Some(azurite) = azurite() else { return };
    let container = azurite.container().await;
    let key = crate::azure::connection_string::EMULATOR_KEY;
    let text =
        format!("AccountName=devstoreaccount1;AccountKey={key};BlobEndpoint={}/", azurite.url);
    let options = crate::azure::AzureOptions::from_variables(|name| {
        (name == "AZURE_STORAGE_CONNECTION_STRING").then(|| text.clone())
    });
    let store = azurite.store(&container.container, &options.unwrap());
    put(&store, "a", b"abc").await.unwrap();
    assert_eq!(read(&store, "a", 0..3, None).await.unwrap(), b"abc");
}

#[tokio::test]
async fn keys_that_would_become_others_are_refused() {
    let Some(azurite) = azurite() else { return };
    let store = azurite.container().await;
    for key in ["", "..", "a/../b", "./a", "a/.", "a\\b", &"x".repeat(1025)] {
        let error = put(&store, key, b"x").await.unwrap_err();
        assert!(matches!(error, StorageError::Unsupported { .. }), "{key}: {error:?}");
        let error = store.delete(key).await.unwrap_err();
        assert!(matches!(error, StorageError::Unsupported { .. }), "{key}: {error:?}");
        let error = store.begin_upload(key, &attributes("job")).await.unwrap_err();
        assert!(matches!(error, StorageError::Unsupported { .. }), "{key}: {error:?}");
    }
    put(&store, &"é".repeat(1024), b"x").await.unwrap();
}

#[tokio::test]
async fn what_was_put_is_described() {
    let Some(azurite) = azurite() else { return };
    let store = azurite.container().await;
    let attributes =
        Attributes { job: "j0b".into(), content_type: Some("text/plain; charset=utf-8".into()) };
    let data = payload("hello");
    let meter = Meter::default();
    let stored = store.put("a", &data, &attributes, &meter).await.unwrap();
    assert_eq!(meter.moved(), 5);
    let info = store.stat("a").await.unwrap().unwrap();
    assert_eq!(info.size, 5);
    assert_eq!(info.version, stored.version);
    assert!(info.version.is_some());
    assert_eq!(info.content_type.as_deref(), Some("text/plain; charset=utf-8"));
    assert_eq!(info.job.as_deref(), Some("j0b"));
    let crc64nvme = Some(data.digest.crc64nvme);
    assert_eq!(info.checksums, Checksums { crc64nvme, crc32c: None });
    let age = info.modified.unwrap().elapsed().unwrap_or_default();
    assert!(age.as_secs() < 600, "{age:?}");
}

#[tokio::test]
async fn an_empty_blob() {
    let Some(azurite) = azurite() else { return };
    let store = azurite.container().await;
    put(&store, "empty", b"").await.unwrap();
    let info = store.stat("empty").await.unwrap().unwrap();
    assert_eq!(info.size, 0);
    assert_eq!(info.checksums.crc64nvme, Some(0));
    store.copy("empty", info.version.as_ref(), "too", &attributes("job")).await.unwrap();
    assert_eq!(store.stat("too").await.unwrap().unwrap().size, 0);
    assert_eq!(listed(&store, "", true).await, ["empty", "too"]);
}

#[tokio::test]
async fn ranges_of_one_version() {
    let Some(azurite) = azurite() else { return };
    let store = azurite.container().await;
    let first = put(&store, "a", b"0123456789").await.unwrap().version;
    assert_eq!(read(&store, "a", 0..10, first.as_ref()).await.unwrap(), b"0123456789");
    assert_eq!(read(&store, "a", 3..4, first.as_ref()).await.unwrap(), b"3");
    assert_eq!(read(&store, "a", 9..10, None).await.unwrap(), b"9");
    put(&store, "a", b"abc").await.unwrap();
    let changed = |result: Result<Vec<u8>, _>| match result {
        Err(StorageError::Changed { what }) => assert!(what.ends_with("/a"), "{what}"),
        other => panic!("{other:?}"),
    };
    changed(read(&store, "a", 0..3, first.as_ref()).await);
    // It is shorter than it was thought to be.
    changed(read(&store, "a", 2..5, None).await);
    changed(read(&store, "a", 5..9, None).await);
    assert_eq!(read(&store, "a", 0..3, None).await.unwrap(), b"abc");
}

#[tokio::test]
async fn what_is_not_there() {
    let Some(azurite) = azurite() else { return };
    let store = azurite.container().await;
    assert_eq!(store.stat("none").await.unwrap(), None);
    assert!(!store.delete("none").await.unwrap());
    let not_found = |error: StorageError| match &error {
        StorageError::NotFound { what, source } => {
            assert_eq!(*what, store.url("none"));
            assert!(source.is_some());
        }
        other => panic!("{other:?}"),
    };
    not_found(read(&store, "none", 0..1, None).await.unwrap_err());
    not_found(store.copy("none", None, "b", &attributes("job")).await.unwrap_err());
    assert!(listed(&store, "none", true).await.is_empty());
}

#[tokio::test]
async fn levels_and_pages() {
    let Some(azurite) = azurite() else { return };
    let mut store = azurite.container().await;
    for key in ["a", "b/c", "b/d", "b//e", "b/f/g", "bb", "é/x"] {
        put(&store, key, key.as_bytes()).await.unwrap();
    }
    assert_eq!(listed(&store, "", false).await.sorted(), ["a", "b/", "bb", "é/"]);
    assert_eq!(listed(&store, "b", false).await.sorted(), ["b/", "bb"]);
    assert_eq!(listed(&store, "b/", false).await.sorted(), ["b//", "b/c", "b/d", "b/f/"]);
    assert_eq!(listed(&store, "b/", true).await, ["b//e", "b/c", "b/d", "b/f/g"]);
    assert_eq!(listed(&store, "..", true).await, [""; 0]);

    store.page_size = Some(2);
    let (mut page, mut keys, mut pages) = (None, Vec::new(), 0);
    loop {
        let found = store.list_page("", true, page.as_deref()).await.unwrap();
        assert!(found.entries.len() <= 2);
        keys.extend(found.entries.into_iter().map(|entry| (entry.key, entry.size)));
        pages += 1;
        page = found.next;
        if page.is_none() {
            break;
        }
    }
    assert!(pages >= 4);
    let expected = ["a", "b//e", "b/c", "b/d", "b/f/g", "bb", "é/x"];
    assert_eq!(keys, expected.map(|key| (key.to_owned(), key.len() as u64)));
}

#[tokio::test]
async fn a_list_names_versions_as_stat_does() {
    let Some(azurite) = azurite() else { return };
    let store = azurite.container().await;
    put(&store, "a", b"abc").await.unwrap();
    let info = store.stat("a").await.unwrap().unwrap();
    let entry = store.list_page("", true, None).await.unwrap().entries.remove(0);
    assert_eq!((entry.version, entry.modified), (info.version, info.modified));
    assert!(!entry.is_folder);
}

#[tokio::test]
async fn a_copy_is_of_one_version_and_says_whose_it_is() {
    let Some(azurite) = azurite() else { return };
    let store = azurite.container().await;
    let text = Attributes { job: "first".into(), content_type: Some("text/plain".into()) };
    let data = payload("abc");
    let old = store.put("a", &data, &text, &Meter::default()).await.unwrap().version;
    let stored = store.copy("a", old.as_ref(), "b", &attributes("second")).await.unwrap();
    let info = store.stat("b").await.unwrap().unwrap();
    assert_eq!(info.version, stored.version);
    assert_eq!(info.job.as_deref(), Some("second"));
    assert_eq!(info.content_type.as_deref(), Some("text/plain"));
    assert_eq!(info.checksums.crc64nvme, Some(data.digest.crc64nvme));
    put(&store, "a", b"changed").await.unwrap();
    match store.copy("a", old.as_ref(), "b", &attributes("third")).await.unwrap_err() {
        StorageError::Changed { what } => assert_eq!(what, store.url("a")),
        other => panic!("{other:?}"),
    }
    assert_eq!(read(&store, "b", 0..3, None).await.unwrap(), b"abc");
}

#[tokio::test]
async fn a_copy_with_another_media_type() {
    let Some(azurite) = azurite() else { return };
    let store = azurite.container().await;
    put(&store, "a", b"abc").await.unwrap();
    let text = Attributes { job: "job".into(), content_type: Some("text/html".into()) };
    let stored = store.copy("a", None, "b", &text).await.unwrap();
    let info = store.stat("b").await.unwrap().unwrap();
    assert_eq!(info.content_type.as_deref(), Some("text/html"));
    assert_eq!((info.job.as_deref(), info.version), (Some("job"), stored.version));
}

/// For what a test compares without order: the service and its emulator differ in it.
trait Sorted {
    fn sorted(self) -> Vec<String>;
}

impl<T: IntoIterator<Item: Into<String>>> Sorted for T {
    fn sorted(self) -> Vec<String> {
        let mut all: Vec<String> = self.into_iter().map(Into::into).collect();
        all.sort_unstable();
        all
    }
}
