//! Transfers that are interrupted, and go on.
// Helpers are outside of `#[test]`, where clippy would know.
#![allow(clippy::unwrap_used)]
#![cfg(unix)]

mod common;

use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Stdio};

use common::{Finished, Folder, finished};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

const SIZE: u64 = 256 << 20;

/// A copy of a large file that has been interrupted, and what it said.
struct Interrupted {
    folder: Folder,
    run: Finished,
}

/// Enough parts that there is time to interrupt them.
const COPY: [&str; 8] =
    ["cp", "--json", "--part-size", "1MiB", "--concurrency", "1", "large", "copy"];

impl Interrupted {
    fn by(signal: Signal) -> Self {
        let folder = Folder::new();
        std::fs::File::create(folder.path("large")).unwrap().set_len(SIZE).unwrap();
        let child = start(&folder, &COPY);
        while remembered(&folder) < 5 {
            std::thread::yield_now();
        }
        kill_process(Pid::from_child(&child), signal).unwrap();
        let run = finished(child.wait_with_output().unwrap());
        assert_eq!(run.raw.status.signal(), Some(signal.as_raw()), "{}", run.stderr);
        assert!(!folder.exists("copy"));
        Self { folder, run }
    }

    fn go_on(&self) -> Value {
        let run = self.folder.finish(COPY);
        let summary: Value =
            serde_json::from_str(run.succeeds().stdout.lines().last().unwrap()).unwrap();
        assert_eq!(std::fs::metadata(self.folder.path("copy")).unwrap().len(), SIZE);
        summary
    }

    fn jobs(&self) -> Vec<Value> {
        let jobs = self.folder.finish(["jobs", "--json"]);
        jobs.succeeds().stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// What is left of the file that was being written.
    fn leftovers(&self) -> usize {
        let entries = std::fs::read_dir(self.folder.path("")).unwrap();
        entries
            .filter(|it| it.as_ref().unwrap().file_name().to_str().unwrap().contains(".part"))
            .count()
    }
}

fn start(folder: &Folder, arguments: &[&str]) -> Child {
    let mut command = folder.persevere(arguments.iter().copied());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Lines in the only journal.
fn remembered(folder: &Folder) -> usize {
    let Ok(mut jobs) = std::fs::read_dir(folder.path(".local/state/persevere/jobs")) else {
        return 0;
    };
    let Some(Ok(journal)) = jobs.next() else { return 0 };
    std::fs::read_to_string(journal.path()).map_or(0, |text| text.lines().count())
}

#[test]
fn what_was_interrupted_goes_on_where_it_was() {
    for signal in [Signal::INT, Signal::TERM, Signal::KILL] {
        let interrupted = Interrupted::by(signal);
        if signal != Signal::KILL {
            let stderr = &interrupted.run.stderr;
            assert!(stderr.ends_with("run the same command again to go on\n"), "{stderr}");
            assert!(stderr.contains("interrupted: "), "{stderr}");
            let last = interrupted.run.stdout.lines().last().unwrap();
            assert!(last.contains("\"status\":\"interrupted\""), "{last}");
        }
        let jobs = interrupted.jobs();
        assert_eq!(jobs.len(), 1);
        assert_eq!((&jobs[0]["size"], &jobs[0]["process"]), (&SIZE.into(), &Value::Null));
        let confirmed = jobs[0]["confirmed_bytes"].as_u64().unwrap();
        assert!(confirmed > 0);
        assert_eq!(interrupted.go_on()["resumed_bytes"], confirmed, "{signal:?}");
        assert!(interrupted.jobs().is_empty());
        assert_eq!(interrupted.leftovers(), 0);
    }
}

#[test]
fn a_fresh_start_can_be_asked_for() {
    let interrupted = Interrupted::by(Signal::INT);
    let run = interrupted.folder.finish(COPY.into_iter().chain(["--no-resume"]));
    assert!(run.succeeds().stdout.contains("\"resumed_bytes\":0"));
    assert_eq!(interrupted.leftovers(), 0);
}

#[test]
fn what_was_interrupted_can_be_given_up() {
    let interrupted = Interrupted::by(Signal::INT);
    let folder = &interrupted.folder;
    let table = folder.finish(["jobs"]);
    let mut rows = table.succeeds().stdout.lines();
    assert!(rows.next().unwrap().starts_with("ID "));
    let id = rows.next().unwrap().split(' ').next().unwrap().to_owned();
    let dry = folder.finish(["jobs", "clean", "--dry-run", &id]);
    assert!(dry.succeeds().stdout.starts_with(&id), "{}", dry.stdout);
    folder.finish(["jobs", "clean", "--older-than", "1h"]).succeeds();
    assert_eq!((interrupted.jobs().len(), interrupted.leftovers()), (1, 1));
    // From another folder, for paths are remembered as what they are.
    let mut command = folder.persevere(["jobs", "clean", &id]);
    common::finish(command.current_dir("/")).succeeds();
    assert_eq!((interrupted.jobs().len(), interrupted.leftovers()), (0, 0));
}

#[test]
fn a_job_that_is_worked_on_is_left_alone() {
    let folder = Folder::new();
    std::fs::File::create(folder.path("large")).unwrap().set_len(SIZE).unwrap();
    let mut child = start(&folder, &COPY);
    while remembered(&folder) < 5 {
        std::thread::yield_now();
    }
    kill_process(Pid::from_child(&child), Signal::STOP).unwrap();
    let jobs = folder.finish(["jobs", "--json"]);
    let job: Value = serde_json::from_str(jobs.succeeds().stdout.trim()).unwrap();
    assert_eq!(job["process"], child.id());
    let all = folder.finish(["jobs", "clean", "--all"]);
    assert_eq!(all.succeeds().stdout, "");
    let second = folder.finish(COPY);
    assert_eq!(second.code, Some(1));
    assert!(second.stderr.contains(&format!("process {}", child.id())), "{}", second.stderr);
    let cleaned = folder.finish(["jobs", "clean", job["id"].as_str().unwrap()]);
    assert_eq!(cleaned.code, Some(1));
    assert!(cleaned.stderr.contains(&format!("process {}", child.id())), "{}", cleaned.stderr);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn the_deadline_has_a_status_of_its_own() {
    let folder = Folder::new();
    std::fs::File::create(folder.path("large")).unwrap().set_len(16 * SIZE).unwrap();
    let late = folder.finish(["cp", "--deadline", "50ms", "large", "copy"]);
    assert_eq!(late.code, Some(124), "{}", late.stderr);
    assert!(
        late.stderr.contains("error: the deadline of 50ms has passed: what has arrived is kept"),
        "{}",
        late.stderr
    );
}

#[test]
fn an_interrupted_pipe_leaves_nothing_behind() {
    let folder = Folder::new();
    let mut child = start(&folder, &["cp", "--part-size", "1MiB", "-", "copy"]);
    let mut input = child.stdin.take().unwrap();
    std::io::Write::write_all(&mut input, &vec![7; 4 << 20]).unwrap();
    // It waits for more.
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let run = finished(child.wait_with_output().unwrap());
    drop(input);
    assert_eq!(run.raw.status.signal(), Some(2), "{}", run.stderr);
    assert_eq!(run.stderr, "interrupted\n");
    let left = std::fs::read_dir(folder.path("")).unwrap().count();
    assert_eq!(left, 0);
}
