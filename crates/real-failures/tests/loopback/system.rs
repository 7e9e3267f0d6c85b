//! The local system: full disks, and too many files.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};

use persevere::Kind;
use real_failures::child::{expect_passed, run_test};
use real_failures::skip::skip;
use real_failures::{expect, expect_final};

#[test]
fn a_device_that_is_always_full() {
    let Ok(mut full) = OpenOptions::new().write(true).open("/dev/full") else {
        return skip("system::a_device_that_is_always_full", "this system has no /dev/full");
    };
    expect_final(&full.write_all(b"x").unwrap_err(), Kind::ExhaustedResource);
}

/// In a mount namespace of its own, so that nothing is left behind.
#[test]
fn a_full_disk() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().display();
    let script = format!("mount -t tmpfs -o size=64k tmpfs {folder} || exit 77\ncd {folder}");
    let root = &["unshare", "-m", "sh", "-c"];
    let user = &["unshare", "-rm", "sh", "-c"];
    for shell in [&root[..], &user[..]] {
        match run_test("system::fill_the_disk", shell, &script) {
            Ok(output) if output.stdout.is_empty() => {}
            Ok(output) => return expect_passed(&output),
            Err(_) => {}
        }
    }
    skip("system::a_full_disk", "no file system may be mounted here");
}

#[test]
#[ignore = "run by a_full_disk, on a disk of its own"]
fn fill_the_disk() {
    let mut file = File::create("filling").unwrap();
    let error = loop {
        if let Err(error) = file.write_all(&[0; 4096]) {
            break error;
        }
    };
    assert_eq!(expect(&error, false, Kind::ExhaustedResource).rule(), "io.storage_full");
}

#[test]
fn too_many_open_files() {
    let shell = ["sh", "-c"];
    let output = run_test("system::open_too_many_files", &shell, "ulimit -n 32").unwrap();
    expect_passed(&output);
}

#[test]
#[ignore = "run by too_many_open_files, with a limit of its own"]
fn open_too_many_files() {
    let mut files = Vec::new();
    let error = loop {
        match File::open("/dev/null") {
            Ok(file) => files.push(file),
            Err(error) => break error,
        }
    };
    let socket = std::net::UdpSocket::bind(("127.0.0.1", 0)).unwrap_err();
    drop(files);
    assert_eq!(expect(&error, true, Kind::TransientIo).rule(), "io.too_many_open_files");
    assert_eq!(expect(&socket, true, Kind::TransientIo).rule(), "io.too_many_open_files");
}

#[test]
fn absent_and_forbidden() {
    let folder = tempfile::tempdir().unwrap();
    let absent = File::open(folder.path().join("timeout/503")).unwrap_err();
    expect_final(&absent, Kind::NotFound);
    let is_folder = std::fs::write(folder.path(), "x").unwrap_err();
    expect_final(&is_folder, Kind::Invalid);
    let error: io::Error = std::fs::create_dir(folder.path()).unwrap_err();
    expect_final(&error, Kind::Conflict);
}
