//! Real servers, as far as they go.

use super::*;
use crate::test_peers::{fake_gcs, moto, or_skip};
use crate::xml_api::tests::{Quirks, keeps_the_contract, put, read};

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

#[tokio::test(flavor = "multi_thread")]
async fn fake_gcs_server_keeps_generations() {
    let Some(peer) = or_skip("fake-gcs-server", fake_gcs()) else { return };
    let store = store(&peer.url);
    let stored = put(&store, "a/b c", b"0123456789").await;
    println!("{stored:?}");
    println!("{:?}", store.stat("a/b c").await);
    println!("{:?}", read(&store, "a/b c", 2..4, stored.version.as_ref()).await);
    println!("{:?}", store.list_page("a/", false, None).await);
    println!("{:?}", store.stat("none").await);
    println!("{:?}", store.delete("a/b c").await);
    println!("{:?}", store.delete("a/b c").await);
    panic!();
}
