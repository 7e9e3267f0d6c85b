//! Against real file systems.

#![cfg(unix)]

mod disks;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use bytes::Bytes;
use futures_util::TryStreamExt;
use tempfile::TempDir;

use super::*;
use crate::testing::{Driver, final_text, job};

struct Folder {
    folder: TempDir,
    store: Driver<LocalStore>,
}

impl std::ops::Deref for Folder {
    type Target = Driver<LocalStore>;

    fn deref(&self) -> &Self::Target {
        &self.store
    }
}

impl Folder {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), store: Driver(LocalStore::new()) }
    }

    fn key(&self, name: &str) -> String {
        format!("{}/{name}", self.folder.path().display())
    }

    fn with(&self, name: &str, bytes: &[u8]) -> String {
        let key = self.key(name);
        fs::create_dir_all(Path::new(&key).parent().unwrap()).unwrap();
        fs::write(&key, bytes).unwrap();
        key
    }

    fn names(&self) -> Vec<String> {
        let names = fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<_> =
            names.map(|child| child.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    async fn keys(&self, prefix: &str, recursive: bool) -> Vec<String> {
        let entries = self.list(prefix, recursive).await.unwrap();
        let root = format!("{}/", self.folder.path().display());
        entries.into_iter().map(|entry| entry.key.replace(&root, "")).collect()
    }
}

fn make(program: &str, path: &str) {
    assert!(Command::new(program).arg(path).status().unwrap().success(), "{program} {path}");
}

#[tokio::test]
async fn a_file_is_put_described_and_read() {
    let folder = Folder::new();
    for name in ["a", "sub/folder/b", "with space", "é", "%2e", "a?b#c+d"] {
        let key = folder.key(name);
        let stored = folder.put(&key, b"0123456789").await.unwrap();
        let info = folder.stat(&key).await.unwrap().unwrap();
        assert_eq!(info.size, 10);
        assert_eq!(info.version, stored.version);
        assert_eq!(folder.read(&key, 2..5).await.unwrap(), b"234");
    }
    assert_eq!(folder.stat(&folder.key("nothing")).await.unwrap(), None);
    assert_eq!(folder.stat(&folder.key("a/below")).await.unwrap(), None);
}

#[tokio::test]
async fn an_empty_file_is_a_file() {
    let folder = Folder::new();
    let key = folder.key("empty");
    folder.put(&key, b"").await.unwrap();
    assert_eq!(folder.stat(&key).await.unwrap().unwrap().size, 0);
}

#[tokio::test]
async fn parts_in_any_order_make_the_file() {
    let folder = Folder::new();
    let key = folder.key("disk.img");
    let id = folder.begin(&key, "one").await.unwrap();
    assert_eq!(id, "disk.img.part");
    let upload = Upload { key: &key, id: &id };
    folder.part(upload, 4, b"4567").await.unwrap();
    folder.part(upload, 8, b"89").await.unwrap();
    folder.part(upload, 0, b"wrong").await.unwrap();
    folder.part(upload, 0, b"0123").await.unwrap();
    folder.part(upload, 4, b"4567").await.unwrap();
    folder.0.sync_upload(upload).await.unwrap();
    assert_eq!(folder.0.list_parts(upload).await.unwrap(), []);
    assert!(!folder.0.knows_parts());
    assert_eq!(folder.names(), ["disk.img.part"]);
    let stored = folder.finish(upload, b"0123456789").await.unwrap();
    assert_eq!(folder.names(), ["disk.img"]);
    assert_eq!(fs::read(&key).unwrap(), b"0123456789");
    assert_eq!(folder.stat(&key).await.unwrap().unwrap().version, stored.version);

    let gone = folder.finish(upload, b"0123456789").await.unwrap_err();
    assert!(matches!(gone, StorageError::UploadGone { .. }), "{gone:?}");
}

#[tokio::test]
async fn a_file_of_the_wrong_size_takes_nobodys_place() {
    let folder = Folder::new();
    let key = folder.with("a", b"old");
    let id = folder.begin(&key, "one").await.unwrap();
    let upload = Upload { key: &key, id: &id };
    folder.part(upload, 0, b"0123").await.unwrap();
    for whole in [&b"012"[..], b"01234"] {
        let error = folder.finish(upload, whole).await.unwrap_err();
        assert!(matches!(error, StorageError::UploadGone { .. }), "{error:?}");
    }
    assert_eq!(fs::read(&key).unwrap(), b"old");
}

#[tokio::test]
async fn an_upload_that_is_gone_is_known_to_be() {
    let folder = Folder::new();
    let key = folder.key("a");
    let id = folder.begin(&key, "one").await.unwrap();
    let upload = Upload { key: &key, id: &id };
    folder.0.abort_upload(upload).await.unwrap();
    folder.0.abort_upload(upload).await.unwrap();
    assert!(folder.names().is_empty());
    let is_gone = |error| matches!(error, StorageError::UploadGone { .. });
    assert!(is_gone(folder.part(upload, 0, b"x").await.unwrap_err()));
    assert!(is_gone(folder.0.list_parts(upload).await.unwrap_err()));
    assert!(is_gone(folder.0.sync_upload(upload).await.unwrap_err()));
    assert!(folder.names().is_empty());
}

#[tokio::test]
async fn two_jobs_never_write_into_one_partial_file() {
    let folder = Folder::new();
    let key = folder.key("a");
    let mut ids = Vec::new();
    for of in ["one", "two", "two", "three"] {
        ids.push(folder.begin(&key, of).await.unwrap());
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 4);
    assert_eq!(folder.names(), ids);
}

#[tokio::test]
async fn orphans_are_the_empty_partial_files_of_exactly_this_key() {
    let folder = Folder::new();
    let key = folder.key("a");
    let ours = folder.begin(&key, "one").await.unwrap();
    let filled = folder.begin(&key, "two").await.unwrap();
    folder.part(Upload { key: &key, id: &filled }, 0, b"x").await.unwrap();
    folder.begin(&folder.key("a.old"), "three").await.unwrap();
    let uploads = folder.0.list_uploads(&key).await.unwrap();
    assert_eq!(uploads.iter().map(|upload| &upload.id).collect::<Vec<_>>(), [&ours]);
    assert!(uploads[0].begun.is_some());
    let nowhere = folder.key("no/folder");
    assert_eq!(folder.0.list_uploads(&nowhere).await.unwrap(), []);
}

#[tokio::test]
async fn an_id_of_a_journal_cannot_name_another_file() {
    let folder = Folder::new();
    let key = folder.key("a");
    let precious = folder.with("precious", b"x");
    for id in ["precious", "../precious", "a", "", "a.part/../precious"] {
        let upload = Upload { key: &key, id };
        assert!(folder.part(upload, 0, b"y").await.is_err(), "{id}");
        assert!(folder.0.abort_upload(upload).await.is_err(), "{id}");
    }
    assert_eq!(fs::read(precious).unwrap(), b"x");
}

#[tokio::test]
async fn links_in_the_place_of_a_partial_file_are_not_followed() {
    let folder = Folder::new();
    let key = folder.key("a");
    let precious = folder.with("precious", b"x");
    symlink(&precious, folder.key("a.part")).unwrap();
    symlink(&precious, folder.key("a.part-00000000")).unwrap();
    let id = folder.begin(&key, "one").await.unwrap();
    assert_ne!(id, "a.part");
    let planted = Upload { key: &key, id: "a.part-00000000" };
    let error = folder.part(planted, 0, b"y").await.unwrap_err();
    assert!(matches!(error, StorageError::UploadGone { .. }), "{error:?}");
    assert_eq!(fs::read(precious).unwrap(), b"x");
}

#[tokio::test]
async fn the_longest_name_has_a_partial_file_too() {
    let folder = Folder::new();
    for name in ["n".repeat(255), format!("{}x", "é".repeat(127))] {
        let key = folder.key(&name);
        let id = folder.begin(&key, "one").await.unwrap();
        let other = folder.begin(&key, "two").await.unwrap();
        assert_ne!(id, other);
        let upload = Upload { key: &key, id: &id };
        folder.part(upload, 0, b"x").await.unwrap();
        folder.finish(upload, b"x").await.unwrap();
        assert_eq!(fs::read(&key).unwrap(), b"x");
        assert_eq!(folder.0.list_uploads(&key).await.unwrap().len(), 1);
    }
    let text = final_text(folder.put(&folder.key(&"n".repeat(256)), b"").await.unwrap_err());
    assert!(text.contains("too long"), "{text}");
}

#[tokio::test]
async fn a_file_that_was_changed_is_noticed() {
    let folder = Folder::new();
    let key = folder.with("a", b"0123456789");
    let info = folder.stat(&key).await.unwrap().unwrap();
    let version = info.version.as_ref();
    assert_eq!(folder.read_version(&key, 0..10, version).await.unwrap(), b"0123456789");

    // The same size and the same time: a new file all the same.
    fs::write(folder.key("b"), b"9876543210").unwrap();
    let times = fs::FileTimes::new().set_modified(info.modified.unwrap());
    fs::File::options().write(true).open(folder.key("b")).unwrap().set_times(times).unwrap();
    fs::rename(folder.key("b"), &key).unwrap();
    let error = folder.read_version(&key, 0..10, version).await.unwrap_err();
    assert!(matches!(error, StorageError::Changed { .. }), "{error:?}");

    let error = folder.read(&key, 5..11).await.unwrap_err();
    assert!(matches!(error, StorageError::Changed { .. }), "{error:?}");
    let error = folder.read(&folder.key("nothing"), 0..1).await.unwrap_err();
    assert!(matches!(error, StorageError::NotFound { .. }), "{error:?}");
}

#[tokio::test]
async fn a_part_is_one_piece_and_a_long_range_is_several() {
    let folder = Folder::new();
    let key = folder.key("sparse");
    let size = 130 * 1024 * 1024;
    fs::File::create(&key).unwrap().set_len(size).unwrap();
    let part = folder.0.read(&key, 0..16 * 1024 * 1024, None).await.unwrap();
    let pieces: Vec<Bytes> = part.try_collect().await.unwrap();
    assert_eq!(pieces.iter().map(Bytes::len).collect::<Vec<_>>(), [16 * 1024 * 1024]);
    let whole = folder.0.read(&key, 0..size, None).await.unwrap();
    let pieces: Vec<Bytes> = whole.try_collect().await.unwrap();
    assert!(pieces.len() > 1);
    assert_eq!(pieces.iter().map(|piece| piece.len() as u64).sum::<u64>(), size);
}

#[tokio::test]
async fn what_is_no_file_is_refused_with_what_to_do() {
    let folder = Folder::new();
    make("mkfifo", &folder.key("fifo"));
    symlink("/dev/null", folder.key("null")).unwrap();
    let refused = |error: StorageError, hint: &str| {
        let text = final_text(error);
        assert!(text.contains(hint), "{text}");
    };
    for path in [folder.key("fifo"), "/dev/zero".into(), folder.key("null")] {
        refused(folder.read(&path, 0..1).await.unwrap_err(), "use `-`");
        refused(folder.stat(&path).await.unwrap_err(), "use `-`");
        refused(folder.put(&path, b"x").await.unwrap_err(), "use `-`");
        refused(folder.begin(&path, "one").await.unwrap_err(), "use `-`");
    }
    refused(folder.0.delete(&folder.key("fifo")).await.unwrap_err(), "no regular file");
    let this = folder.key("");
    refused(folder.read(&this, 0..1).await.unwrap_err(), "--recursive");
    refused(folder.0.delete(&this).await.unwrap_err(), "--recursive");
    refused(folder.put(&this, b"x").await.unwrap_err(), "must name a file");
    fs::create_dir(folder.key("sub")).unwrap();
    refused(folder.put(&folder.key("sub"), b"x").await.unwrap_err(), "is a folder");
    folder.with("file", b"");
    refused(folder.put(&folder.key("file/a"), b"x").await.unwrap_err(), "file");
    assert_eq!(folder.names(), ["fifo", "file", "null", "sub"]);
}

#[tokio::test]
async fn what_is_replaced_keeps_its_permissions() {
    let folder = Folder::new();
    let mode = |key: &str| fs::metadata(key).unwrap().permissions().mode() & 0o777;
    let key = folder.with("private", b"x");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o400)).unwrap();
    let id = folder.begin(&key, "one").await.unwrap();
    assert_eq!(mode(&folder.key("private.part")) & 0o077, 0, "the partial file is private too");
    let upload = Upload { key: &key, id: &id };
    folder.part(upload, 0, b"y").await.unwrap();
    folder.finish(upload, b"y").await.unwrap();
    assert_eq!(mode(&key), 0o400);
}

#[tokio::test]
async fn a_copy_is_of_the_version_that_was_meant() {
    let folder = Folder::new();
    let from = folder.with("a", b"0123456789");
    let to = folder.key("sub/b");
    let version = folder.stat(&from).await.unwrap().unwrap().version;
    let copied = folder.0.copy(&from, version.as_ref(), &to, &job("one")).await.unwrap();
    assert_eq!(fs::read(&to).unwrap(), b"0123456789");
    assert_eq!(folder.stat(&to).await.unwrap().unwrap().version, copied.version);
    fs::write(&from, b"other").unwrap();
    let error = folder.0.copy(&from, version.as_ref(), &to, &job("one")).await.unwrap_err();
    assert!(matches!(error, StorageError::Changed { .. }), "{error:?}");
    assert_eq!(fs::read(&to).unwrap(), b"0123456789");
    assert_eq!(fs::read_dir(folder.key("sub")).unwrap().count(), 1);
}

#[tokio::test]
async fn deleting_says_whether_there_was_anything() {
    let folder = Folder::new();
    let key = folder.with("a", b"x");
    symlink(&key, folder.key("link")).unwrap();
    assert!(folder.0.delete(&folder.key("link")).await.unwrap());
    assert_eq!(folder.names(), ["a"]);
    assert!(folder.0.delete(&key).await.unwrap());
    assert!(!folder.0.delete(&key).await.unwrap());
}

#[tokio::test]
async fn folders_are_listed_in_the_order_of_keys() {
    let folder = Folder::new();
    for name in ["b", "a/x", "a-b", "a/y/z"] {
        folder.with(name, b"123");
    }
    let root = folder.key("");
    assert_eq!(folder.keys(&root, false).await, ["a-b", "a/", "b"]);
    assert_eq!(folder.keys(&root, true).await, ["a-b", "a/x", "a/y/z", "b"]);
    assert_eq!(folder.keys(root.trim_end_matches('/'), true).await.len(), 4);
    assert_eq!(folder.keys(&folder.key("a"), false).await, ["a/x", "a/y/"]);
    let file = folder.list(&folder.key("b"), true).await.unwrap();
    assert_eq!((file[0].size, file[0].is_folder), (3, false));
    assert_eq!(file[0].version, folder.stat(&file[0].key).await.unwrap().unwrap().version);
    let error = folder.list(&folder.key("nothing"), true).await.unwrap_err();
    assert!(matches!(error, StorageError::NotFound { .. }), "{error:?}");
}

#[tokio::test]
async fn links_are_followed_but_not_in_circles() {
    let folder = Folder::new();
    folder.with("a/x", b"");
    folder.with("elsewhere/y", b"");
    symlink("..", folder.key("a/up")).unwrap();
    symlink("self", folder.key("a/self")).unwrap();
    symlink("nowhere", folder.key("a/dangling")).unwrap();
    symlink(folder.key("elsewhere"), folder.key("a/in")).unwrap();
    symlink(folder.key("a/x"), folder.key("a/file")).unwrap();
    symlink(folder.key("a"), folder.key("elsewhere/back")).unwrap();
    make("mkfifo", &folder.key("a/fifo"));
    assert_eq!(folder.keys(&folder.key("a"), true).await[..2], ["a/file", "a/in/y"]);
    let names = folder.keys(&folder.key("a"), false).await;
    assert_eq!(names, ["a/file", "a/in/", "a/up/", "a/x"]);
}

#[tokio::test]
async fn a_long_list_comes_in_pages_that_can_be_asked_for_again() {
    let folder = Folder::new();
    for number in 0..2500 {
        folder.with(&format!("{}/{number:04}", number % 3), b"");
    }
    let root = folder.key("");
    let all = folder.list(&root, true).await.unwrap();
    assert_eq!(all.len(), 2500);
    assert!(all.is_sorted_by(|a, b| a.key < b.key));
    let first = folder.0.list_page(&root, true, None).await.unwrap();
    assert_eq!(first.entries, all[..1000]);
    // By another process, and twice.
    for store in [LocalStore::new(), LocalStore::new()] {
        let second = store.list_page(&root, true, first.next.as_deref()).await.unwrap();
        assert_eq!(second.entries, all[1000..2000]);
    }
}

#[tokio::test]
async fn names_that_are_no_utf8_are_refused() {
    use std::os::unix::ffi::OsStringExt;
    let folder = Folder::new();
    let name = std::ffi::OsString::from_vec(b"caf\xe9".to_vec());
    let path = folder.folder.path().join(name);
    fs::write(&path, b"").unwrap();
    assert!(final_text(LocalStore::key(&path).unwrap_err()).contains("rename the file"));
    let text = final_text(folder.list(&folder.key(""), false).await.unwrap_err());
    assert!(text.contains(r"caf\xE9"), "{text}");
}

#[tokio::test]
async fn what_nobody_waits_for_any_more_is_not_written() {
    let folder = Folder::new();
    let key = folder.key("a");
    let id = folder.begin(&key, "one").await.unwrap();
    let place = write::path(Upload { key: &key, id: &id }).unwrap();
    let dropped = Wanted(Weak::new());
    assert!(write::part(&place, 0, b"x", &Meter::default(), &dropped).is_err());
    assert!(write::finish(&place, 0, &dropped).is_err());
    assert_eq!(folder.names(), ["a.part"]);
    assert_eq!(fs::read(folder.key("a.part")).unwrap(), b"");
}
