//! Real servers.

use super::*;
use crate::test_peers::{moto, or_skip, s3s_fs, versitygw};
use crate::xml_api::tests::{Quirks, attributes, bytes, keeps_the_contract, put, read};

#[tokio::test(flavor = "multi_thread")]
async fn s3s_fs_keeps_the_contract() {
    let peer = s3s_fs().await;
    let quirks = Quirks { keys_are_paths: true, finds_what_is_gone: true, lists_no_uploads: true, lists_parts_without_tags: true, denies_unknown_uploads: true, ..Quirks::default() };
    keeps_the_contract(&of(&peer), quirks).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn moto_keeps_the_contract() {
    let Some(peer) = or_skip("moto", moto()) else { return };
    let quirks = Quirks { finds_what_is_gone: true, completes_twice: true, breaks_at_unknown_uploads: true, ..Quirks::default() };
    keeps_the_contract(&of(&peer), quirks).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn versitygw_keeps_the_contract() {
    let Some(peer) = or_skip("versitygw", versitygw()) else { return };
    let quirks = Quirks { keys_are_paths: true, finds_what_is_gone: true, completes_twice: true, keeps_checksums: true, ..Quirks::default() };
    keeps_the_contract(&of(&peer), quirks).await;
}
