//! Transfers between local files, one side of which fails on demand.

mod faults;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use persevere::{CancellationToken, RetryPolicy, Retryer};
use proptest::prelude::*;

use self::faults::{Fault, Faulty, Operation};
use super::{Summary, transfer};
use crate::error::StorageError;
use crate::journal::Jobs;
use crate::local::LocalStore;
use crate::options::TransferOptions;
use crate::side::Side;

const PART: u64 = 64 * 1024;

/// A folder with a file to read, a place to write to, and a place to remember in.
struct Scene {
    folder: tempfile::TempDir,
    faults: Arc<Faulty>,
}

impl Scene {
    fn new(size: usize) -> Self {
        let scene = Self { folder: tempfile::tempdir().unwrap(), faults: Arc::new(Faulty::new()) };
        fs::write(scene.source(), bytes(size, 1)).unwrap();
        scene
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn source(&self) -> PathBuf {
        self.path("source")
    }

    fn target(&self) -> PathBuf {
        self.path("target")
    }

    fn options(&self) -> TransferOptions {
        TransferOptions::new().part_size(PART).concurrency(2).state_folder(self.path("jobs"))
    }

    async fn transfer(&self) -> Result<Summary, StorageError> {
        self.transfer_with(&self.options()).await
    }

    /// From a plain file to the store with faults.
    async fn transfer_with(&self, options: &TransferOptions) -> Result<Summary, StorageError> {
        let from = side(Arc::new(LocalStore::new()), &self.source());
        transfer(from, side(self.faults.clone(), &self.target()), options).await
    }

    async fn fetch(&self) -> Result<Summary, StorageError> {
        self.fetch_with(&self.options()).await
    }

    /// From the store with faults to a plain file.
    async fn fetch_with(&self, options: &TransferOptions) -> Result<Summary, StorageError> {
        let to = side(Arc::new(LocalStore::new()), &self.target());
        transfer(side(self.faults.clone(), &self.source()), to, options).await
    }

    /// Ends a transfer, as a signal would, when `parts` are confirmed.
    async fn interrupted_after(&self, parts: u64) {
        let options = self.options_until(parts);
        self.transfer_with(&options).await.unwrap_err();
    }

    fn options_until(&self, parts: u64) -> TransferOptions {
        let token = CancellationToken::new();
        let cancel = token.clone();
        let stop = move |progress: &crate::Progress| {
            if progress.confirmed() >= parts * PART {
                cancel.cancel();
            }
        };
        self.options().cancel_on(token).on_progress(stop)
    }

    fn jobs(&self) -> Jobs {
        Jobs::at(self.path("jobs"))
    }

    fn assert_equal_and_tidy(&self) {
        assert!(fs::read(self.source()).unwrap() == fs::read(self.target()).unwrap());
        self.assert_names(&["source", "target"]);
    }

    fn assert_names(&self, expected: &[&str]) {
        let names = fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<_> =
            names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.retain(|name| name != "jobs");
        names.sort();
        assert_eq!(names, expected);
        assert!(self.jobs().all().unwrap().is_empty(), "a journal is left");
    }
}

fn side(store: Arc<dyn crate::store::Store>, path: &Path) -> Side {
    let policy =
        RetryPolicy::builder().max_attempts(3).initial_delay(Duration::ZERO).build().unwrap();
    let key = path.to_str().unwrap().to_owned();
    Side { store, retryer: Retryer::new(policy), buffers: Default::default(), key }
}

fn bytes(size: usize, seed: u64) -> Vec<u8> {
    persevere_peers::bytes(size as u64, seed)
}

fn parts(count: f64) -> usize {
    (PART as f64 * count) as usize
}

#[tokio::test]
async fn any_size_arrives() {
    for size in [0, 1, parts(1.0) - 1, parts(1.0), parts(1.0) + 1, parts(5.0), parts(5.5)] {
        let scene = Scene::new(size);
        let summary = scene.transfer().await.unwrap();
        assert_eq!((summary.bytes, summary.retries, summary.resumed), (size as u64, 0, 0));
        scene.assert_equal_and_tidy();
    }
}

#[tokio::test]
async fn what_was_there_is_replaced() {
    let scene = Scene::new(parts(2.5));
    fs::write(scene.target(), "something else").unwrap();
    scene.transfer().await.unwrap();
    scene.assert_equal_and_tidy();
}

#[tokio::test]
async fn a_source_that_is_not_there() {
    let scene = Scene::new(0);
    fs::remove_file(scene.source()).unwrap();
    let error = scene.transfer().await.unwrap_err();
    assert!(matches!(error, StorageError::NotFound { .. }), "{error}");
    scene.assert_names(&[]);
}

#[tokio::test]
async fn an_interrupted_transfer_goes_on_and_sends_no_confirmed_part_again() {
    let scene = Scene::new(parts(10.0));
    scene.interrupted_after(5).await;
    let confirmed = scene.jobs().all().unwrap()[0].memory.confirmed();
    assert!(confirmed >= 5 * PART);
    assert!(!scene.target().exists(), "nobody sees a half");
    let sent_before = scene.faults.count(Operation::PutPart);

    let summary = scene.transfer().await.unwrap();
    assert_eq!(summary.resumed, confirmed);
    let sent = (scene.faults.count(Operation::PutPart) - sent_before) as u64;
    assert_eq!(sent * PART, 10 * PART - confirmed);
    scene.assert_equal_and_tidy();
}

#[tokio::test]
async fn with_resume_off_all_is_sent_again() {
    let scene = Scene::new(parts(6.0));
    scene.interrupted_after(2).await;
    let summary = scene.transfer_with(&scene.options().resume(false)).await.unwrap();
    assert_eq!(summary.resumed, 0);
    scene.assert_equal_and_tidy();
}

#[tokio::test]
async fn a_part_size_that_was_changed_changes_nothing_for_what_was_begun() {
    let scene = Scene::new(parts(8.0));
    scene.interrupted_after(3).await;
    let summary = scene.transfer_with(&scene.options().part_size(PART / 2)).await.unwrap();
    assert!(summary.resumed >= 3 * PART);
    scene.assert_equal_and_tidy();
}

#[tokio::test]
async fn failures_are_retried_part_by_part() {
    let scene = Scene::new(parts(6.0));
    // Fewer than one part has attempts, should they all hit the same.
    for call in [1, 4] {
        scene.faults.at(Operation::PutPart, call, Fault::Before);
    }
    let summary = scene.transfer().await.unwrap();
    assert_eq!(summary.retries, 2);
    scene.assert_equal_and_tidy();
}

#[tokio::test]
async fn a_read_that_breaks_off_goes_on_in_the_middle() {
    let scene = Scene::new(parts(3.0));
    scene.faults.break_reads_after(10_000);
    let summary = scene.fetch().await.unwrap();
    scene.assert_equal_and_tidy();
    // Each part takes seven reads, though three attempts are all there is without progress.
    assert_eq!(summary.moved, 3 * PART, "nothing was read twice");
    assert_eq!(scene.faults.count(Operation::Read), 21);
}

#[tokio::test]
async fn the_lost_answer_to_the_end_is_no_failure() {
    let scene = Scene::new(parts(4.0));
    scene.faults.at(Operation::Finish, 1, Fault::After);
    scene.transfer().await.unwrap();
    assert_eq!(scene.faults.count(Operation::Finish), 2);
    scene.assert_equal_and_tidy();
}

/// Not every server says of an upload that it has finished that it is gone.
#[tokio::test]
async fn a_refusal_to_finish_what_is_finished_is_no_failure() {
    let scene = Scene::new(parts(4.0));
    scene.faults.at(Operation::Finish, 1, Fault::After);
    scene.faults.at(Operation::Finish, 2, Fault::Denied);
    scene.transfer().await.unwrap();
    scene.assert_equal_and_tidy();

    // The first refusal is one.
    let scene = Scene::new(parts(4.0));
    scene.faults.at(Operation::Finish, 1, Fault::Denied);
    let error = scene.transfer().await.unwrap_err();
    assert_eq!(error.verdict().kind(), persevere::Kind::Permission, "{error}");
}

#[tokio::test]
async fn the_end_of_a_pipe_is_tried_again() {
    let scene = Scene::new(0);
    scene.faults.at(Operation::Finish, 1, Fault::Before);
    let to = side(scene.faults.clone(), &scene.target());
    let source = bytes(parts(4.0), 1);
    super::write_stream(&*source, to, &scene.options()).await.unwrap();
    assert!(fs::read(scene.target()).unwrap() == source);
    assert_eq!(scene.faults.count(Operation::Finish), 2);
}

#[tokio::test]
async fn an_object_that_is_only_as_long_is_not_taken_for_ours() {
    let scene = Scene::new(parts(4.0));
    // The upload vanishes, and something of the same length is there.
    fs::write(scene.target(), bytes(parts(4.0), 2)).unwrap();
    scene.faults.at(Operation::Finish, 1, Fault::UploadGone);
    scene.transfer().await.unwrap();
    scene.assert_equal_and_tidy();
}

#[tokio::test]
async fn an_upload_that_is_gone_is_begun_anew_once() {
    let scene = Scene::new(parts(4.0));
    scene.faults.at(Operation::PutPart, 3, Fault::UploadGone);
    scene.transfer().await.unwrap();
    assert_eq!(scene.faults.count(Operation::Begin), 2);
    scene.assert_equal_and_tidy();

    let scene = Scene::new(parts(4.0));
    scene.faults.always(Operation::PutPart, Fault::UploadGone);
    let error = scene.transfer().await.unwrap_err();
    assert!(matches!(error, StorageError::UploadGone { .. }), "{error}");
    assert_eq!(scene.faults.count(Operation::Begin), 2);
    scene.assert_names(&["source"]);
}

#[tokio::test]
async fn killed_between_the_last_rename_and_the_end() {
    let scene = Scene::new(parts(4.0));
    scene.faults.at(Operation::Finish, 1, Fault::AfterForGood);
    scene.transfer().await.unwrap_err();
    assert_eq!(scene.jobs().all().unwrap().len(), 1, "it is remembered");
    let sent = scene.faults.count(Operation::PutPart);
    let summary = scene.transfer().await.unwrap();
    assert_eq!(scene.faults.count(Operation::PutPart), sent, "no part goes again");
    assert_eq!(summary.resumed, 4 * PART);
    scene.assert_equal_and_tidy();
}

#[tokio::test]
async fn a_source_that_changes_in_the_middle_is_read_anew() {
    let scene = Scene::new(parts(6.0));
    let source = scene.source();
    scene
        .faults
        .when(Operation::PutPart, 4, move || fs::write(&source, bytes(parts(5.0), 3)).unwrap());
    let summary = scene.transfer().await.unwrap();
    assert_eq!(summary.bytes, 5 * PART);
    scene.assert_equal_and_tidy();
}

#[tokio::test]
async fn a_source_that_keeps_changing_is_said_to() {
    let scene = Scene::new(parts(6.0));
    for call in [3, 6, 9, 12, 15] {
        let source = scene.source();
        scene.faults.when(Operation::PutPart, call, move || {
            fs::write(&source, bytes(parts(6.0), call as u64)).unwrap();
        });
    }
    let error = scene.transfer().await.unwrap_err();
    assert!(matches!(error.last(), StorageError::Changed { .. }), "{error}");
}

#[tokio::test]
async fn after_a_change_only_parts_that_differ_go_again() {
    let scene = Scene::new(parts(8.0));
    scene.interrupted_after(6).await;
    let confirmed = scene.jobs().all().unwrap()[0].memory.parts.clone();
    // One byte of the first part that arrived is another now.
    let first = *confirmed.keys().next().unwrap();
    let mut changed = fs::read(scene.source()).unwrap();
    changed[(u64::from(first - 1) * PART) as usize] ^= 1;
    fs::write(scene.source(), changed).unwrap();

    let summary = scene.transfer().await.unwrap();
    assert_eq!(summary.resumed, (confirmed.len() as u64 - 1) * PART);
    scene.assert_equal_and_tidy();
}

#[tokio::test]
async fn a_source_that_is_again_what_it_was_is_not_mixed_with_what_it_was_in_between() {
    let scene = Scene::new(parts(8.0));
    let (first, begun) = (fs::read(scene.source()).unwrap(), modified(&scene.source()));
    scene.interrupted_after(2).await;
    fs::write(scene.source(), bytes(parts(8.0), 2)).unwrap();
    scene.interrupted_after(5).await;
    fs::write(scene.source(), first).unwrap();
    let source = fs::File::options().write(true).open(scene.source()).unwrap();
    source.set_modified(begun).unwrap();
    drop(source);
    scene.transfer().await.unwrap();
    scene.assert_equal_and_tidy();
}

fn modified(path: &Path) -> std::time::SystemTime {
    fs::metadata(path).unwrap().modified().unwrap()
}

#[tokio::test]
async fn after_a_crash_of_the_machine_parts_are_read_before_they_are_believed() {
    let scene = Scene::new(parts(6.0));
    scene.interrupted_after(4).await;
    let found = &scene.jobs().all().unwrap()[0];
    let confirmed = found.memory.parts.clone();
    // Another start of the machine, and a part that never reached the disk.
    let boot = crate::journal::this_boot().unwrap();
    let before = "0".repeat(boot.len());
    rewrite(&found.path, &boot, &before);
    let first = *confirmed.keys().next().unwrap();
    let partial = scene.path(&found.memory.upload.clone().unwrap());
    let mut lost = fs::read(&partial).unwrap();
    let offset = (u64::from(first - 1) * PART) as usize;
    lost[offset..offset + PART as usize].fill(0);
    fs::write(&partial, lost).unwrap();

    let summary = scene.transfer().await.unwrap();
    assert_eq!(summary.resumed, (confirmed.len() as u64 - 1) * PART);
    scene.assert_equal_and_tidy();
}

/// Changes a text in a journal, and the checksums of its lines.
fn rewrite(journal: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(journal).unwrap().replace(from, to);
    let line = |line: &str| {
        let json = &line[9..];
        format!("{:08x} {json}\n", crate::digest::Digest::of(json.as_bytes()).crc32c)
    };
    fs::write(journal, text.lines().map(line).collect::<String>()).unwrap();
}

#[tokio::test]
async fn a_partial_file_that_somebody_removed_is_begun_anew() {
    let scene = Scene::new(parts(6.0));
    scene.interrupted_after(3).await;
    let partial = scene.jobs().all().unwrap()[0].memory.upload.clone().unwrap();
    fs::remove_file(scene.path(&partial)).unwrap();
    let summary = scene.transfer().await.unwrap();
    assert_eq!(summary.resumed, 0);
    scene.assert_equal_and_tidy();
}

#[tokio::test]
async fn two_at_once_do_not_disturb_each_other() {
    let scene = Scene::new(parts(4.0));
    let from = side(Arc::new(LocalStore::new()), &scene.source());
    let to = side(scene.faults.clone(), &scene.target());
    let held = scene.jobs().open(&from.identity(), &to.identity()).unwrap();
    let error = scene.transfer().await.unwrap_err();
    assert!(matches!(error, StorageError::Busy { .. }), "{error}");
    drop(held);
    scene.transfer().await.unwrap();
    scene.assert_equal_and_tidy();
}

#[tokio::test]
async fn what_cannot_go_on_leaves_nothing() {
    let scene = Scene::new(parts(4.0));
    scene.faults.always(Operation::PutPart, Fault::Denied);
    let error = scene.transfer().await.unwrap_err();
    assert!(error.to_string().contains("target"), "{error}");
    scene.assert_names(&["source"]);
}

#[tokio::test]
async fn what_can_go_on_is_kept() {
    let scene = Scene::new(parts(4.0));
    scene.faults.from(Operation::PutPart, 3, Fault::Before);
    let error = scene.transfer().await.unwrap_err();
    assert!(matches!(&error, StorageError::GaveUp(error) if error.attempts() == 3), "{error}");
    assert!(scene.jobs().all().unwrap()[0].memory.confirmed() > 0);
    scene.faults.clear();
    assert!(scene.transfer().await.unwrap().resumed > 0);
    scene.assert_equal_and_tidy();
}

#[tokio::test]
async fn what_could_not_be_looked_at_after_a_failure_to_begin_is_looked_at_later() {
    let scene = Scene::new(parts(4.0));
    scene.faults.at(Operation::Begin, 1, Fault::AfterForGood);
    scene.faults.always(Operation::Stat, Fault::Denied);
    scene.transfer().await.unwrap_err();
    scene.faults.clear();
    scene.transfer().await.unwrap();
    scene.assert_equal_and_tidy();
}

#[tokio::test]
async fn what_was_cut_short_meanwhile_is_sent_again() {
    let scene = Scene::new(parts(6.0));
    scene.interrupted_after(3).await;
    fs::File::options().write(true).open(scene.path("target.part")).unwrap().set_len(PART).unwrap();
    scene.transfer().await.unwrap();
    scene.assert_equal_and_tidy();
}

#[tokio::test]
async fn a_source_without_a_version_is_read_anew() {
    let scene = Scene::new(parts(6.0));
    scene.faults.hide_versions();
    scene.fetch_with(&scene.options_until(3)).await.unwrap_err();
    fs::write(scene.source(), bytes(parts(6.0), 2)).unwrap();
    assert_eq!(scene.fetch().await.unwrap().resumed, 0);
    scene.assert_equal_and_tidy();
}

#[tokio::test]
async fn a_transfer_that_is_given_up_leaves_nothing() {
    let scene = Scene::new(parts(6.0));
    scene.interrupted_after(2).await;
    let unfinished = crate::UnfinishedTransfer::all(Some(&scene.path("jobs"))).unwrap();
    assert_eq!(unfinished[0].size, Some(6 * PART));
    assert_eq!(unfinished[0].process, None);
    let storage = crate::Storage::new(scene.faults.clone(), Retryer::default());
    storage.give_up(&unfinished[0]).await.unwrap();
    scene.assert_names(&["source"]);
}

#[tokio::test]
async fn what_was_begun_elsewhere_is_given_up_there_and_what_was_not_begun_anywhere() {
    let scene = Scene::new(parts(6.0));
    scene.interrupted_after(2).await;
    let found = || crate::UnfinishedTransfer::all(Some(&scene.path("jobs"))).unwrap();
    let mut unfinished = found().remove(0);
    unfinished.endpoint = Some("elsewhere:443".into());
    let storage = crate::Storage::new(scene.faults.clone(), Retryer::default());
    let error = storage.give_up(&unfinished).await.unwrap_err();
    assert!(error.to_string().contains("elsewhere:443"), "{error}");
    assert_eq!(found().len(), 1);

    let journal = fs::read_to_string(&unfinished.journal).unwrap();
    let header = journal.split_inclusive('\n').next().unwrap();
    fs::write(&unfinished.journal, header).unwrap();
    storage.give_up(&unfinished).await.unwrap();
    assert!(found().is_empty());
}

#[tokio::test]
async fn pipes() {
    for size in [0, 10, parts(1.0), parts(7.5)] {
        let scene = Scene::new(size);
        let source = fs::read(scene.source()).unwrap();
        let to = side(scene.faults.clone(), &scene.target());
        scene.faults.at(Operation::PutPart, 2, Fault::Before);
        let summary = super::write_stream(&*source, to, &scene.options()).await.unwrap();
        assert_eq!(summary.bytes, size as u64);
        scene.assert_equal_and_tidy();

        scene.faults.break_reads_after(10_000);
        let mut sink = Vec::new();
        let from = side(scene.faults.clone(), &scene.source());
        super::read_stream(from, &mut sink, &scene.options()).await.unwrap();
        assert!(sink == source);
    }
}

#[tokio::test]
async fn a_pipe_that_breaks_leaves_nothing() {
    let scene = Scene::new(0);
    let reader = tokio::io::AsyncReadExt::chain(&[7; 200_000][..], faults::BrokenPipe);
    let to = side(scene.faults.clone(), &scene.target());
    super::write_stream(reader, to, &scene.options()).await.unwrap_err();
    scene.assert_names(&["source"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// However often it is interrupted, and whatever fails in between: it arrives.
    #[test]
    fn whatever_happens_it_arrives(
        size in 0..parts(9.0),
        failures in prop::collection::vec((0..faults::KINDS, 1..30_usize), 0..12),
        interruptions in prop::collection::vec(1..9_u64, 0..4),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let scene = Scene::new(size);
            for (kind, call) in failures {
                scene.faults.random(kind, call);
            }
            for parts in interruptions {
                let _ = scene.transfer_with(&scene.options_until(parts)).await;
            }
            let mut tries = 0;
            while scene.transfer().await.is_err() {
                tries += 1;
                assert!(tries < 20);
            }
            scene.assert_equal_and_tidy();
        });
    }
}
