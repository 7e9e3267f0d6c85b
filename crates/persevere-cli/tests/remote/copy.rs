//! A copy that goes wrong in the middle, and what is left of it.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use persevere_faults::{Exchange, Plan};
pub(crate) use persevere_peers::bytes;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::common::{Finished, Folder, finish, finished};
use crate::place::Place;

/// Whole parts of the file that is copied; a short one comes after them.
pub(crate) const WHOLE_PARTS: u64 = 4;
const SHORT_PART: u64 = 1000;

/// Parts under way at once.
const CONCURRENCY: u64 = 2;

/// Heads, lists and documents, or packets around what is sent. More than that is a part.
const OVERHEAD: u64 = 100 * 1024;

/// A copy of a file to or from a server.
pub(crate) struct Copy<'a> {
    pub(crate) place: &'a Place,
    pub(crate) folder: Folder,
    pub(crate) key: String,
    is_upload: bool,
    bytes: Vec<u8>,
}

/// A copy under way.
pub(crate) struct Running<'a> {
    copy: &'a Copy<'a>,
    child: Child,
    /// How many exchanges the proxy had seen before.
    first: usize,
}

impl<'a> Copy<'a> {
    pub(crate) fn upload(place: &'a Place, name: &str) -> Self {
        let folder = Folder::new();
        let bytes = bytes(WHOLE_PARTS * place.part + SHORT_PART, name.len() as u64);
        fs::write(folder.path("source"), &bytes).unwrap();
        let key = name.replace(' ', "-");
        Self { place, folder, key, is_upload: true, bytes }
    }

    /// What is to be downloaded is there.
    pub(crate) fn download(place: &'a Place, name: &str) -> Self {
        let upload = Self::upload(place, name);
        upload.run().succeeds();
        place.age(&upload.key);
        Self { is_upload: false, ..upload }
    }

    pub(crate) fn size(&self) -> u64 {
        self.bytes.len() as u64
    }

    pub(crate) fn url(&self) -> String {
        format!("{}{}", self.place.url, self.key)
    }

    /// The command, always the same.
    pub(crate) fn command(&self) -> Command {
        let (url, part) = (self.url(), self.place.part.to_string());
        let (from, to) = if self.is_upload { ("source", &*url) } else { (&*url, "target") };
        let concurrency = CONCURRENCY.to_string();
        let options = ["--json", "--part-size", &part, "--concurrency", &concurrency];
        let policy = ["--initial-delay", "1ms", "--max-delay", "10ms"];
        let mut command = self.program(&["cp"]);
        command.args(options).args(policy).args([from, to]);
        command
    }

    /// Another command for the same server.
    pub(crate) fn program(&self, arguments: &[&str]) -> Command {
        let mut command = self.folder.persevere(arguments.iter().copied());
        self.place.environ(&mut command);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub(crate) fn run(&self) -> Finished {
        finish(&mut self.command())
    }

    /// Starts it, with this to go wrong.
    pub(crate) fn start(&self, plan: Plan) -> Running<'_> {
        self.start_by(plan, |mut command| command.spawn().unwrap())
    }

    pub(crate) fn start_by(&self, plan: Plan, spawn: impl FnOnce(Command) -> Child) -> Running<'_> {
        let first = self.place.proxy.exchanges().len();
        self.place.proxy.set_plan(plan).unwrap();
        Running { copy: self, child: spawn(self.command()), first }
    }

    pub(crate) fn calm_down(&self) {
        self.place.proxy.set_plan(Plan::new()).unwrap();
        self.place.proxy.reset_connections();
        self.place.proxy.end_outage();
    }

    /// What a process has left behind.
    pub(crate) fn dead(&self) -> Killed<'_> {
        let exchanges = self.place.proxy.exchanges().len();
        let confirmed = self.jobs().into_iter().map(|job| job["confirmed_bytes"].as_u64().unwrap());
        Killed { copy: self, exchanges, confirmed: confirmed.sum() }
    }

    pub(crate) fn jobs(&self) -> Vec<Value> {
        let jobs = finish(&mut self.program(&["jobs", "--json"]));
        jobs.succeeds().stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    pub(crate) fn journals(&self) -> Vec<PathBuf> {
        let folder = fs::read_dir(self.folder.path(".local/state/persevere/jobs"));
        folder.into_iter().flatten().map(|entry| entry.unwrap().path()).collect()
    }

    /// Takes the journal back to before the last line that is this record.
    pub(crate) fn forget(&self, record: &str) {
        let [journal] = &self.journals()[..] else { panic!("{}: no single journal", self.key) };
        let text = fs::read_to_string(journal).unwrap();
        let lines: Vec<_> = text.split_inclusive('\n').collect();
        let last = lines.iter().rposition(|line| line.contains(&format!("\"{record}\""))).unwrap();
        fs::write(journal, lines[..last].concat()).unwrap();
    }
}

impl<'a> Running<'a> {
    /// Waits until what has gone through the proxy in this run is as it should be.
    pub(crate) fn wait(mut self, mut ready: impl FnMut(&[Exchange]) -> bool) -> Self {
        let begun = Instant::now();
        let name = &self.copy.key;
        loop {
            let exchanges = self.copy.place.proxy.exchanges().split_off(self.first);
            if ready(&exchanges) {
                return self;
            }
            if self.child.try_wait().unwrap().is_some() {
                let run = finished(self.child.wait_with_output().unwrap());
                panic!(
                    "{name}: it has ended with {}: {}\n{exchanges:#?}",
                    run.raw.status, run.stderr
                );
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "{name}: {exchanges:#?}");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Waits until so many requests have been stopped on their way.
    pub(crate) fn wait_for_faults(self, name: &str, count: usize) -> Self {
        self.wait(|seen| seen.iter().filter(|it| it.fault == Some(name)).count() >= count)
    }

    /// Kills it at once. Its connections and what was to happen to them are gone.
    pub(crate) fn kill(mut self) -> Killed<'a> {
        self.child.kill().unwrap();
        self.ends_by(Signal::KILL)
    }

    pub(crate) fn signal(self, signal: Signal) -> Self {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
        self
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for its end, which is that by a signal.
    pub(crate) fn ends_by(self, signal: Signal) -> Killed<'a> {
        let name = self.copy.key.clone();
        let (killed, run) = self.end();
        assert_eq!(run.raw.status.signal(), Some(signal.as_raw()), "{name}: {}", run.stderr);
        killed
    }

    /// Waits for its end, after which nothing goes wrong any more.
    pub(crate) fn end(self) -> (Killed<'a>, Finished) {
        let Self { copy, child, first } = self;
        let run = finished(child.wait_with_output().unwrap());
        copy.calm_down();
        let killed = copy.dead();
        let moved = copy.moved_since(first);
        // All that was moved is known to have arrived, but for what was under way.
        let most = killed.confirmed + CONCURRENCY * copy.place.part + OVERHEAD;
        assert!(moved <= most, "{}: {moved} bytes for {}", copy.key, killed.confirmed);
        (killed, run)
    }
}

/// A copy that was killed.
pub(crate) struct Killed<'a> {
    copy: &'a Copy<'a>,
    /// How many the proxy had seen by then.
    exchanges: usize,
    /// Bytes that `persevere jobs` says have arrived.
    pub(crate) confirmed: u64,
}

impl Killed<'_> {
    /// Parts that have been confirmed, and no more.
    pub(crate) fn has_confirmed(self, parts: u64) -> Self {
        assert_eq!(self.confirmed / self.copy.place.part, parts, "{}", self.copy.key);
        self
    }

    /// The same command again does what is left to do, and no more.
    pub(crate) fn goes_on(self) {
        let left = self.copy.size() - self.confirmed;
        self.goes_on_with(left);
    }

    /// The same, and at most so many bytes of the file go over the line.
    pub(crate) fn goes_on_with(self, bytes: u64) {
        let Copy { key, folder, .. } = self.copy;
        let again = self.copy.run();
        again.succeeds();
        let moved = self.copy.moved_since(self.exchanges);
        assert!(
            moved <= bytes + OVERHEAD,
            "{key}: {moved} bytes in place of {bytes}: {}{}",
            again.stdout,
            again.stderr
        );
        // Nor is anything sent twice within the run.
        let summary: Value = serde_json::from_str(again.stdout.lines().last().unwrap()).unwrap();
        assert_eq!(summary["sent_again_bytes"], 0, "{key}: {summary}");
        assert_eq!(summary["status"], "succeeded", "{key}: {summary}");
        self.copy.is_done();
        let left = crate::place::files(&folder.path(""));
        assert!(!left.iter().any(|it| it.contains(".part")), "{key}: {left:?}");
    }
}

impl Copy<'_> {
    /// Bytes of the file, and what is around them, that went over the line after so many exchanges.
    fn moved_since(&self, first: usize) -> u64 {
        let exchanges = self.place.proxy.exchanges().split_off(first);
        let moved = exchanges.iter().map(|it| match self.is_upload {
            true => it.request_bytes,
            false => it.answer_bytes,
        });
        moved.sum()
    }

    /// It is there, whole, and nothing else is left.
    pub(crate) fn is_done(&self) {
        let arrived = match self.is_upload {
            true => {
                let mut fetch = self.program(&["cp", &self.url(), "fetched"]);
                finish(fetch.env("PERSEVERE_STATE_DIR", self.folder.path("other"))).succeeds();
                fs::read(self.folder.path("fetched")).unwrap()
            }
            false => fs::read(self.folder.path("target")).unwrap(),
        };
        assert!(arrived == self.bytes, "{}: other bytes have arrived", self.key);
        assert_eq!(self.jobs(), [] as [Value; 0], "{}", self.key);
        assert_eq!(self.journals(), [] as [PathBuf; 0], "{}", self.key);
        assert_eq!(self.place.unfinished(&self.key), [] as [String; 0], "{}", self.key);
    }
}
