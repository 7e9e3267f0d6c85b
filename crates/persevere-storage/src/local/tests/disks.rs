//! Disks that are full, or may not be written to; and how fast a good one is.

use std::fs;

use bytes::Bytes;
use futures_util::TryStreamExt;

use super::Folder;
use crate::meter::Meter;
use crate::store::{PartPlace, Payload, Store, Upload};
use crate::testing::{Small, final_text};

#[tokio::test]
async fn a_full_disk_ends_the_upload_and_keeps_what_is_there() {
    let folder = Folder::new();
    let Some(_small) = Small::mount(folder.folder.path(), "size=1m") else { return };
    let key = folder.key("a");
    let id = folder.begin(&key, "one").await.unwrap();
    let upload = Upload { key: &key, id: &id };
    folder.part(upload, 0, b"0123").await.unwrap();
    let error = folder.part(upload, 4, &vec![1; 2 * 1024 * 1024]).await.unwrap_err();
    let text = final_text(error);
    assert!(text.contains("a.part: No space left on device"), "{text}");
    assert_eq!(fs::read(folder.key("a.part")).unwrap()[..4], *b"0123");

    fs::remove_file(folder.key("a.part")).unwrap();
    let text = final_text(folder.put(&key, &vec![1; 2 * 1024 * 1024]).await.unwrap_err());
    assert!(text.contains("No space left"), "{text}");
    assert!(folder.names().is_empty(), "a put leaves nothing behind");
}

#[tokio::test]
async fn a_read_only_disk_is_said_to_be_one() {
    let folder = Folder::new();
    let Some(_small) = Small::mount(folder.folder.path(), "size=1m,ro") else { return };
    let text = final_text(folder.begin(&folder.key("a"), "one").await.unwrap_err());
    assert!(text.contains("Read-only file system"), "{text}");
    let text = final_text(folder.begin(&folder.key("sub/a"), "one").await.unwrap_err());
    assert!(text.contains("Read-only file system"), "{text}");
}

#[tokio::test]
#[ignore = "measures, and says nothing of right or wrong"]
async fn how_fast_parts_are_read_and_written() {
    const PART: usize = 16 * 1024 * 1024;
    let folder = Folder::new();
    let key = folder.with("a", &vec![1; 32 * PART]);
    let shown = |what: &str, begun: std::time::Instant| {
        let speed = 32.0 * PART as f64 / 1e6 / begun.elapsed().as_secs_f64();
        println!("{what} {speed:.0} MB/s");
    };
    for _ in 0..3 {
        let begun = std::time::Instant::now();
        for part in 0..32 {
            let start = part * PART as u64;
            let stream = folder.0.read(&key, start..start + PART as u64, None).await.unwrap();
            let pieces: Vec<Bytes> = stream.try_collect().await.unwrap();
            assert_eq!(pieces.len(), 1);
        }
        shown("read by parts", begun);
        let begun = std::time::Instant::now();
        assert_eq!(fs::read(&key).unwrap().len(), 32 * PART);
        shown("fs::read", begun);
        let to = folder.key("b");
        let payload = Payload { bytes: vec![1; PART].into(), digest: Default::default() };
        let id = folder.begin(&to, "one").await.unwrap();
        let begun = std::time::Instant::now();
        for part in 0..32 {
            let place = PartPlace { number: 1, offset: part * PART as u64 };
            let upload = Upload { key: &to, id: &id };
            folder.0.put_part(upload, place, &payload, &Meter::default()).await.unwrap();
        }
        shown("written by parts", begun);
        folder.0.abort_upload(Upload { key: &to, id: &id }).await.unwrap();
    }
}
