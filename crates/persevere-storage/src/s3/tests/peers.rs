//! Real servers.

use super::*;
use crate::xml_api::tests::{Quirks, attributes, bytes, keeps_the_contract, pages, put, read};
use persevere_peers::{moto, or_skip, s3s_fs, versitygw};

#[tokio::test(flavor = "multi_thread")]
async fn s3s_fs_keeps_the_contract() {
    let peer = or_skip("s3s-fs", s3s_fs()).unwrap();
    let quirks = Quirks {
        keys_are_paths: true,
        finds_what_is_gone: true,
        lists_no_uploads: true,
        lists_parts_without_tags: true,
        ..Quirks::default()
    };
    keeps_the_contract(&of(&peer), quirks).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn moto_keeps_the_contract() {
    let Some(peer) = or_skip("moto", moto()) else { return };
    let quirks = Quirks {
        finds_what_is_gone: true,
        completes_twice: true,
        breaks_at_unknown_uploads: true,
        ..Quirks::default()
    };
    keeps_the_contract(&of(&peer), quirks).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn versitygw_keeps_the_contract() {
    let Some(peer) = or_skip("versitygw", versitygw()) else { return };
    let quirks = Quirks {
        keys_are_paths: true,
        finds_what_is_gone: true,
        completes_twice: true,
        keeps_checksums: true,
        ..Quirks::default()
    };
    keeps_the_contract(&of(&peer), quirks).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_list_goes_on_to_its_last_page() {
    // versitygw 1.8 refuses the marker of uploads that it has given itself.
    let quirks = Quirks { lists_no_uploads: true, ..Quirks::default() };
    let moto = or_skip("moto", moto()).map(|peer| (peer, Quirks::default()));
    let gateway = or_skip("versitygw", versitygw()).map(|peer| (peer, quirks));
    for (peer, quirks) in [moto, gateway].into_iter().flatten() {
        let mut store = of(&peer);
        store.page_size = Some(2);
        pages(&store, quirks).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_copy_in_parts() {
    let Some(peer) = or_skip("versitygw", versitygw()) else { return };
    let mut store = of(&peer);
    store.largest_copy = 5 * 1024 * 1024;
    let data = bytes(11 * 1024 * 1024);
    put(&store, "from", &data).await;
    let stored = store.copy("from", None, "to", &attributes("job-9")).await.unwrap();
    let info = store.stat("to").await.unwrap().unwrap();
    assert_eq!(info.version, stored.version);
    assert_eq!(info.job.as_deref(), Some("job-9"));
    assert_eq!(info.checksums, store.stat("from").await.unwrap().unwrap().checksums);
    assert_eq!(read(&store, "to", 0..data.len() as u64, None).await.unwrap(), data);
}
