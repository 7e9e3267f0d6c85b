//! Files: read, written, listed.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;

use futures_util::future::try_join_all;

use super::sshd::Sshd;
use super::{options, store};
use crate::error::StorageError;
use crate::store::{Store, Upload};
use crate::testing::{Small, final_text, job};

const MIB: usize = 1024 * 1024;

#[tokio::test]
async fn a_file_is_put_described_and_read() {
    let Some(sshd) = Sshd::start() else { return };
    let store = store(&sshd, options(&sshd));
    let absolute = format!("{}/absolute", sshd.folder.display());
    for key in ["a", "sub/folder/b", "with space", "é", "%2e", "a?b#c+d", "it's", &absolute] {
        let stored = store.put(key, b"0123456789").await.unwrap();
        let info = store.stat(key).await.unwrap().unwrap();
        assert_eq!(info.size, 10);
        assert_eq!(info.version, stored.version);
        assert!(info.modified.is_some());
        assert_eq!(store.read(key, 2..5).await.unwrap(), b"234");
        assert_eq!(fs::read(sshd.folder.join(key)).unwrap(), b"0123456789");
    }
    store.put("a", b"replaced").await.unwrap();
    assert_eq!(fs::read(sshd.folder.join("a")).unwrap(), b"replaced");
    store.put("empty", b"").await.unwrap();
    assert_eq!(store.stat("empty").await.unwrap().unwrap().size, 0);
    assert_eq!(store.stat("nothing").await.unwrap(), None);
    let error = store.read("nothing", 0..1).await.unwrap_err();
    assert!(matches!(error, StorageError::NotFound { .. }), "{error:?}");
}

#[tokio::test]
async fn parts_in_any_order_make_the_file() {
    let Some(sshd) = Sshd::start() else { return };
    let store = store(&sshd, options(&sshd));
    let whole: Vec<u8> = (0..5 * MIB + 3).map(|index| (index / 1000) as u8).collect();
    let id = store.begin("disk.img", "one").await.unwrap();
    assert_eq!(id, "disk.img.part");
    let upload = Upload { key: "disk.img", id: &id };
    let parts = [4, 0, 2, 1, 3, 5, 2].map(|number| {
        let start = number * MIB;
        let end = whole.len().min(start + MIB);
        store.part(upload, start as u64, &whole[start..end])
    });
    try_join_all(parts).await.unwrap();
    store.0.sync_upload(upload).await.unwrap();
    assert_eq!(store.0.list_parts(upload).await.unwrap(), []);
    let error = store.finish(upload, &whole[1..]).await.unwrap_err();
    assert!(matches!(error, StorageError::UploadGone { .. }), "{error:?}");
    let stored = store.finish(upload, &whole).await.unwrap();
    assert!(fs::read(sshd.folder.join("disk.img")).unwrap() == whole);
    assert!(!sshd.folder.join("disk.img.part").exists());

    let size = whole.len() as u64;
    let read = store.read_version("disk.img", 0..size, stored.version.as_ref()).await.unwrap();
    assert!(read == whole);
    let error = store.finish(upload, &whole).await.unwrap_err();
    assert!(matches!(error, StorageError::UploadGone { .. }), "{error:?}");
    store.0.abort_upload(upload).await.unwrap();
}

#[tokio::test]
async fn servers_without_openssh_extensions_do_as_well() {
    let settings = "Subsystem sftp internal-sftp -P posix-rename,fsync,statvfs,limits,copy-data";
    let Some(sshd) = Sshd::start_with(settings) else { return };
    let store = store(&sshd, options(&sshd));
    let key = |name: &str| format!("{}/{name}", sshd.folder.display());
    let whole = vec![7; MIB];
    let (a, b) = (key("a"), key("b"));
    for _ in 0..2 {
        let id = store.begin(&a, "one").await.unwrap();
        let upload = Upload { key: &a, id: &id };
        store.part(upload, 0, &whole).await.unwrap();
        store.0.sync_upload(upload).await.unwrap();
        store.finish(upload, &whole).await.unwrap();
    }
    assert!(store.read(&a, 0..MIB as u64).await.unwrap() == whole);
    let error = store.0.copy(&a, None, &b, &job("one")).await.unwrap_err();
    assert!(matches!(error, StorageError::Unsupported { .. }), "{error:?}");
}

#[tokio::test]
async fn a_partial_file_is_never_anothers() {
    let Some(sshd) = Sshd::start() else { return };
    let store = store(&sshd, options(&sshd));
    fs::write(sshd.folder.join("precious"), b"x").unwrap();
    symlink("precious", sshd.folder.join("a.part")).unwrap();
    symlink("precious", sshd.folder.join("a.part-00000000")).unwrap();
    let first = store.begin("a", "one").await.unwrap();
    let second = store.begin("a", "two").await.unwrap();
    assert_ne!(first, "a.part");
    assert_ne!(first, second);
    for id in ["precious", "../precious", "a", "", "a.part", "a.part-00000000"] {
        let upload = Upload { key: "a", id };
        let error = store.part(upload, 0, b"y").await.unwrap_err();
        assert!(matches!(error, StorageError::UploadGone { .. }), "{error:?}");
    }
    assert_eq!(fs::read(sshd.folder.join("precious")).unwrap(), b"x");

    store.part(Upload { key: "a", id: &first }, 0, b"x").await.unwrap();
    let uploads = store.0.list_uploads("a").await.unwrap();
    assert_eq!(uploads.iter().map(|upload| &upload.id).collect::<Vec<_>>(), [&second]);
}

#[tokio::test]
async fn the_longest_name_has_a_partial_file_too() {
    let Some(sshd) = Sshd::start() else { return };
    let store = store(&sshd, options(&sshd));
    let name = "n".repeat(255);
    let id = store.begin(&name, "one").await.unwrap();
    let upload = Upload { key: &name, id: &id };
    store.part(upload, 0, b"x").await.unwrap();
    store.finish(upload, b"x").await.unwrap();
    assert_eq!(fs::read(sshd.folder.join(&name)).unwrap(), b"x");
}

#[tokio::test]
async fn a_file_that_was_changed_is_noticed() {
    let Some(sshd) = Sshd::start() else { return };
    let store = store(&sshd, options(&sshd));
    store.put("a", b"0123456789").await.unwrap();
    let version = store.stat("a").await.unwrap().unwrap().version;
    fs::write(sshd.folder.join("a"), b"0123456789X").unwrap();
    for range in [0..10, 5..12] {
        let error = store.read_version("a", range, version.as_ref()).await.unwrap_err();
        assert!(matches!(error, StorageError::Changed { .. }), "{error:?}");
    }
    let error = store.read("a", 5..12).await.unwrap_err();
    assert!(matches!(error, StorageError::Changed { .. }), "{error:?}");
}

#[tokio::test]
async fn what_is_no_file_is_refused() {
    let Some(sshd) = Sshd::start() else { return };
    let store = store(&sshd, options(&sshd));
    fs::create_dir(sshd.folder.join("sub")).unwrap();
    let fifo = sshd.folder.join("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    for (key, hint) in
        [("sub", "--recursive"), ("fifo", "device or a pipe"), ("/dev/null", "device")]
    {
        for error in [
            store.read(key, 0..1).await.unwrap_err(),
            store.stat(key).await.unwrap_err(),
            store.put(key, b"x").await.unwrap_err(),
            store.begin(key, "one").await.unwrap_err(),
            store.0.delete(key).await.unwrap_err(),
        ] {
            let text = final_text(error);
            assert!(text.contains(hint), "{text}");
        }
    }
    let text = final_text(store.put("sub/", b"x").await.unwrap_err());
    assert!(text.contains("names a folder"), "{text}");
    let text = final_text(store.put("a\0b", b"x").await.unwrap_err());
    assert!(text.contains("zero byte"), "{text}");
    assert!(store.stat("still there").await.unwrap().is_none());
}

#[tokio::test]
async fn what_is_replaced_keeps_its_permissions() {
    let Some(sshd) = Sshd::start() else { return };
    let store = store(&sshd, options(&sshd));
    let mode =
        |name: &str| fs::metadata(sshd.folder.join(name)).unwrap().permissions().mode() & 0o777;
    store.put("private", b"x").await.unwrap();
    fs::set_permissions(sshd.folder.join("private"), fs::Permissions::from_mode(0o400)).unwrap();
    let id = store.begin("private", "one").await.unwrap();
    assert_eq!(mode("private.part") & 0o077, 0);
    let upload = Upload { key: "private", id: &id };
    store.part(upload, 0, b"y").await.unwrap();
    store.finish(upload, b"y").await.unwrap();
    assert_eq!(mode("private"), 0o400);
}

#[tokio::test]
async fn the_server_copies_the_version_that_was_meant() {
    let Some(sshd) = Sshd::start() else { return };
    let store = store(&sshd, options(&sshd));
    let whole = vec![3; 3 * MIB];
    store.put("a", &whole).await.unwrap();
    let version = store.stat("a").await.unwrap().unwrap().version;
    match store.0.copy("a", version.as_ref(), "sub/b", &job("one")).await {
        // Before OpenSSH 9.0.
        Err(StorageError::Unsupported { .. }) => return,
        result => drop(result.unwrap()),
    }
    assert!(fs::read(sshd.folder.join("sub/b")).unwrap() == whole);
    fs::write(sshd.folder.join("a"), b"other").unwrap();
    let error = store.0.copy("a", version.as_ref(), "c", &job("one")).await.unwrap_err();
    assert!(matches!(error, StorageError::Changed { .. }), "{error:?}");
    assert!(!sshd.folder.join("c").exists() && !sshd.folder.join("c.part").exists());
}

#[tokio::test]
async fn deleting_says_whether_there_was_anything() {
    let Some(sshd) = Sshd::start() else { return };
    let store = store(&sshd, options(&sshd));
    store.put("a", b"x").await.unwrap();
    symlink("a", sshd.folder.join("link")).unwrap();
    assert!(store.0.delete("link").await.unwrap());
    assert!(sshd.folder.join("a").exists());
    assert!(store.0.delete("a").await.unwrap());
    assert!(!store.0.delete("a").await.unwrap());
}

#[tokio::test]
async fn folders_are_listed_in_the_order_of_keys_and_in_pages() {
    let Some(sshd) = Sshd::start() else { return };
    let store = store(&sshd, options(&sshd));
    for number in 0..2500 {
        let path = sshd.folder.join(format!("many/{}/{number:04}", number % 3));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, b"").unwrap();
    }
    let all = store.list("many", true).await.unwrap();
    assert_eq!(all.len(), 2500);
    assert!(all.is_sorted_by(|a, b| a.key < b.key));
    let first = store.0.list_page("many", true, None).await.unwrap();
    let other = super::store(&sshd, options(&sshd));
    let second = other.0.list_page("many", true, first.next.as_deref()).await.unwrap();
    assert_eq!(second.entries, all[1000..2000]);

    for name in ["b", "a/x", "a-b"] {
        store.put(name, b"123").await.unwrap();
    }
    let keys = |entries: Vec<crate::store::Entry>| -> Vec<String> {
        entries.into_iter().map(|entry| entry.key).collect()
    };
    assert_eq!(keys(store.list("", false).await.unwrap()), ["a-b", "a/", "b", "many/"]);
    let file = store.list("b", true).await.unwrap();
    assert_eq!((&*file[0].key, file[0].size), ("b", 3));
    assert_eq!(file[0].version, store.stat("b").await.unwrap().unwrap().version);
    let error = store.list("nothing", true).await.unwrap_err();
    assert!(matches!(error, StorageError::NotFound { .. }), "{error:?}");
}

#[tokio::test]
async fn links_are_followed_but_not_in_circles() {
    let Some(sshd) = Sshd::start() else { return };
    let store = store(&sshd, options(&sshd));
    for name in ["a/x", "elsewhere/y"] {
        store.put(name, b"").await.unwrap();
    }
    for (to, from) in [
        ("..", "a/up"),
        ("self", "a/self"),
        ("nowhere", "a/dangling"),
        ("../elsewhere", "a/in"),
        ("x", "a/file"),
        ("../a", "elsewhere/back"),
    ] {
        symlink(to, sshd.folder.join(from)).unwrap();
    }
    let keys = |recursive| {
        let store = &store;
        async move {
            let entries = store.list("a", recursive).await.unwrap();
            entries.into_iter().map(|entry| entry.key).collect::<Vec<_>>()
        }
    };
    assert_eq!(keys(false).await, ["a/file", "a/in/", "a/up/", "a/x"]);
    assert_eq!(keys(true).await[..2], ["a/file", "a/in/y"]);
}

#[tokio::test]
async fn names_that_are_no_utf8_are_refused() {
    use std::os::unix::ffi::OsStringExt;
    let Some(sshd) = Sshd::start() else { return };
    let store = store(&sshd, options(&sshd));
    let name = std::ffi::OsString::from_vec(b"caf\xe9".to_vec());
    fs::write(sshd.folder.join(name), b"").unwrap();
    let text = final_text(store.list("", false).await.unwrap_err());
    assert!(text.contains("not UTF-8"), "{text}");
}

#[tokio::test]
async fn a_full_disk_ends_the_upload_and_keeps_what_is_there() {
    let Some(sshd) = Sshd::start() else { return };
    let Some(_small) = Small::mount(&sshd.folder, "size=2m") else { return };
    let store = store(&sshd, options(&sshd));
    let key = format!("{}/a", sshd.folder.display());
    let id = store.begin(&key, "one").await.unwrap();
    let upload = Upload { key: &key, id: &id };
    store.part(upload, 0, b"0123").await.unwrap();
    let text = final_text(store.part(upload, 4, &vec![1; 3 * MIB]).await.unwrap_err());
    assert!(text.contains("no space left"), "{text}");
    assert_eq!(fs::read(sshd.folder.join("a.part")).unwrap()[..4], *b"0123");
}

#[tokio::test]
async fn more_files_than_handles_are_open_in_turn() {
    let Some(sshd) = Sshd::start() else { return };
    let store = store(&sshd, options(&sshd));
    store.put("a", b"0123456789").await.unwrap();
    let reads = (0..300).map(|_| store.read("a", 0..10));
    let read = try_join_all(reads).await.unwrap();
    assert!(read.iter().all(|bytes| bytes == b"0123456789"));
    let uploads: Vec<_> = (0..300).map(|number| format!("up/{number}")).collect();
    try_join_all(uploads.iter().map(|key| store.put(key, b"x"))).await.unwrap();
    assert_eq!(fs::read_dir(sshd.folder.join("up")).unwrap().count(), 300);
}
