use std::fs;

use proptest::prelude::*;

use super::*;
use crate::digest::Digest;
use crate::error::StorageError;

fn header() -> Header {
    let end = |url: &str| End {
        url: url.into(),
        key: url.into(),
        endpoint: None,
        size: None,
        version: None,
    };
    Header {
        version: 1,
        job: "0123".into(),
        begun: 1,
        part_size: 16,
        source: end("/a"),
        destination: end("s3://b/a"),
    }
}

fn part(number: u32) -> Record {
    Record::Part { number, digest: Digest::of(&[number as u8; 16]), tag: format!("\"{number}\"") }
}

fn folder() -> (tempfile::TempDir, Jobs) {
    let folder = tempfile::tempdir().unwrap();
    let jobs = Jobs::at(folder.path().join("jobs"));
    (folder, jobs)
}

fn written(jobs: &Jobs) -> Opened {
    let mut opened = jobs.open("/a", "s3://b/a").unwrap();
    opened.journal.begin(Record::Header(header().into())).unwrap();
    opened.journal.append(&[Record::Upload { id: "u".into() }, part(1), part(2)]).unwrap();
    opened
}

#[test]
fn what_was_written_is_remembered() {
    let (_folder, jobs) = folder();
    drop(written(&jobs));
    let memory = jobs.open("/a", "s3://b/a").unwrap().memory;
    assert_eq!(memory.header, Some(header()));
    assert_eq!(memory.upload.as_deref(), Some("u"));
    assert_eq!(memory.parts.keys().copied().collect::<Vec<_>>(), [1, 2]);
    assert_eq!(memory.confirmed(), 32);
    assert_eq!(memory.process, Some(std::process::id()));
}

#[test]
fn other_transfers_are_other_journals() {
    let (_folder, jobs) = folder();
    let first = written(&jobs);
    // Neither direction nor where one name ends and the next begins may be mixed up.
    for (from, to) in [("s3://b/a", "/a"), ("/as3://b/", "a"), ("/a", "s3://b/b")] {
        assert_eq!(jobs.open(from, to).unwrap().memory, Memory::default(), "{from} {to}");
    }
    drop(first);
}

#[test]
fn a_torn_last_line_is_dropped_wherever_it_was_torn() {
    let (_folder, jobs) = folder();
    drop(written(&jobs));
    let path = jobs.all().unwrap()[0].path.clone();
    let whole = fs::read(&path).unwrap();
    for length in 0..=whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        let opened = jobs.open("/a", "s3://b/a").unwrap();
        let lines = whole[..length].iter().filter(|&&byte| byte == b'\n').count();
        // The header, the process and the upload come before the parts.
        assert_eq!(opened.memory.parts.len(), lines.saturating_sub(3), "{length} bytes");
        assert_eq!(opened.memory.header.is_some(), lines > 0, "{length} bytes");
    }
}

#[test]
fn after_a_torn_line_new_ones_are_read() {
    let (_folder, jobs) = folder();
    drop(written(&jobs));
    let path = jobs.all().unwrap()[0].path.clone();
    let mut torn = fs::read(&path).unwrap();
    torn.truncate(torn.len() - 3);
    fs::write(&path, torn).unwrap();
    let mut opened = jobs.open("/a", "s3://b/a").unwrap();
    opened.journal.append(&[part(7)]).unwrap();
    drop(opened);
    let memory = jobs.open("/a", "s3://b/a").unwrap().memory;
    assert_eq!(memory.parts.keys().copied().collect::<Vec<_>>(), [1, 7]);
}

#[test]
fn a_damaged_line_ends_what_is_believed() {
    let (_folder, jobs) = folder();
    drop(written(&jobs));
    let path = jobs.all().unwrap()[0].path.clone();
    let damaged = fs::read_to_string(&path).unwrap().replace("\"number\":1", "\"number\":3");
    fs::write(&path, damaged).unwrap();
    assert!(jobs.open("/a", "s3://b/a").unwrap().memory.parts.is_empty());
}

#[test]
fn the_second_process_is_told_who_the_first_is() {
    let (_folder, jobs) = folder();
    let first = written(&jobs);
    let error = jobs.open("/a", "s3://b/a").unwrap_err();
    assert!(matches!(error, StorageError::Busy { process } if process == std::process::id()));
    drop(first);
    jobs.open("/a", "s3://b/a").unwrap();
}

#[test]
fn a_journal_that_is_removed_is_gone() {
    let (_folder, jobs) = folder();
    written(&jobs).journal.remove().unwrap();
    assert!(jobs.all().unwrap().is_empty());
    assert_eq!(jobs.open("/a", "s3://b/a").unwrap().memory, Memory::default());
}

#[cfg(unix)]
#[test]
fn nobody_else_may_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let (_folder, jobs) = folder();
    drop(written(&jobs));
    let path = &jobs.all().unwrap()[0].path;
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(path), 0o600);
    assert_eq!(mode(path.parent().unwrap()), 0o700);
}

proptest! {
    #[test]
    fn what_follows_on_damage_is_not_believed(
        parts in 0_u32..6,
        position in any::<prop::sample::Index>(),
        damage in prop::collection::vec(any::<u8>(), 1..40),
    ) {
        let records = [Record::Header(Box::new(header()))].into_iter().chain((0..parts).map(part));
        let lines: Vec<String> = records.map(|record| record::line(&record)).collect();
        let whole = lines.concat().into_bytes();
        let mut damaged = whole.clone();
        let position = position.index(whole.len() + 1);
        damaged.splice(position..(position + damage.len()).min(whole.len()), damage);

        let (memory, good) = record::read(&damaged);
        let intact = whole.iter().zip(&damaged).take_while(|(one, other)| one == other).count();
        prop_assert!(good <= intact);
        let ends = lines.iter().scan(0, |end, line| {
            *end += line.len();
            Some(*end)
        });
        prop_assert_eq!(good, ends.filter(|end| *end <= intact).max().unwrap_or(0));
        prop_assert_eq!(memory, record::read(&whole[..good]).0);
    }
}
