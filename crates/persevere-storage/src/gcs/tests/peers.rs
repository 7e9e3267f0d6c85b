//! Real servers, as far as they go.

use super::*;
use crate::digest::Digest;
use persevere_peers::{fake_gcs, moto, or_skip};

use crate::script::request;
use crate::xml_api::tests::{Quirks, keeps_the_contract, read};

/// It takes a bearer token, and knows nothing of Google's own headers.
#[tokio::test(flavor = "multi_thread")]
async fn moto_keeps_the_contract() {
    let Some(peer) = or_skip("moto", moto()) else { return };
    let quirks = Quirks {
        finds_what_is_gone: true,
        completes_twice: true,
        breaks_at_unknown_uploads: true,
        forgets_metadata: true,
        copies_nothing: true,
        ..Quirks::default()
    };
    keeps_the_contract(&store(&peer.url), quirks).await;
}

/// It takes objects by the other interface alone.
#[tokio::test(flavor = "multi_thread")]
async fn fake_gcs_server_keeps_generations() {
    let Some(peer) = or_skip("fake-gcs-server", fake_gcs()) else { return };
    let store = store(&peer.url);
    let put = |name: &str, text: &str| {
        let target = format!("/upload/storage/v1/b/test/o?uploadType=media&name={name}");
        let length = text.len();
        let head = format!("POST {target} HTTP/1.0\r\ncontent-length: {length}\r\n");
        request(&peer.url, &format!("{head}content-type: text/plain\r\n\r\n{text}"));
    };
    put("a%2Fb%20c", "0123456789");
    let info = store.stat("a/b c").await.unwrap().unwrap();
    assert_eq!(info.size, 10);
    assert_eq!(info.content_type.as_deref(), Some("text/plain"));
    assert_eq!(info.checksums.crc32c, Some(Digest::of(b"0123456789").crc32c));
    let version = info.version.clone().unwrap();
    assert!(version.0.parse::<u64>().is_ok(), "{version}");
    assert_eq!(read(&store, "a/b c", 2..4, Some(&version)).await.unwrap(), b"23");

    put("a%2Fb%20c", "9876543210");
    let error = read(&store, "a/b c", 2..4, Some(&version)).await.unwrap_err();
    assert!(matches!(error, StorageError::Changed { .. }), "{error:?}");

    let page = store.list_page("a/", false, None).await.unwrap();
    assert_eq!(page.entries.len(), 1);
    assert_eq!(page.entries[0].key, "a/b c");
    assert_eq!(store.stat("none").await.unwrap(), None);
    assert!(store.delete("a/b c").await.unwrap());
    assert!(!store.delete("a/b c").await.unwrap());
}
