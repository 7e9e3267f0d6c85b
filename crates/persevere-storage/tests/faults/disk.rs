//! A disk that is full.

use std::fs;
use std::process::Command;

use persevere_storage::{StorageError, UnfinishedTransfer};

use crate::again::{inside, with_mounts};
use crate::place::{bytes, s3s_fs, text};

const NAME: &str = "disk::a_disk_that_is_full";
const MIB: u64 = 1024 * 1024;

#[test]
fn a_disk_that_is_full() {
    let Some(again) = with_mounts(NAME) else { return };
    inside(NAME, || again, async {
        let place = s3s_fs(NAME).unwrap().place(NAME).await;
        let size = 3 * place.part;
        place.have(size, 1).await;
        let disk = place.path("disk");
        fs::create_dir(&disk).unwrap();
        let mut mount = Command::new("mount");
        let mount = mount.args(["-t", "tmpfs", "-o", "size=20m", "tmpfs"]).arg(&disk);
        assert!(mount.status().unwrap().success());
        let filler = disk.join("filler");
        fs::write(&filler, vec![1; 11 * MIB as usize]).unwrap();

        let target = disk.join("target");
        let options = place.options().concurrency(1);
        let error = place.storage.download(&place.key, &target, &options).await.unwrap_err();
        assert!(matches!(error.last(), StorageError::Io { .. }), "{error:?}");
        let said = text(&error);
        assert!(said.contains("target.part") && said.contains("No space left"), "{said}");
        assert!(!target.exists() && disk.join("target.part").exists());
        let unfinished = &UnfinishedTransfer::all(Some(&place.path("jobs"))).unwrap()[0];
        assert_eq!(unfinished.confirmed, place.part);

        fs::remove_file(filler).unwrap();
        let fetched = place.storage.download(&place.key, &target, &options).await.unwrap();
        assert_eq!((fetched.resumed, fetched.moved), (place.part, size - place.part));
        assert!(fs::read(&target).unwrap() == bytes(size, 1));
        assert_eq!(fs::read_dir(&disk).unwrap().count(), 1);
        place.assert_tidy();
    });
}
