//! Signals to the program, and what a command's output costs.
// Helpers are outside of `#[test]`, where clippy would know.
#![allow(clippy::unwrap_used)]
#![cfg(unix)]

mod common;

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use common::{Finished, Folder, finished};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};

/// The program under way, both outputs piped.
struct Started {
    child: Child,
    stdout: BufReader<std::process::ChildStdout>,
    stderr: BufReader<std::process::ChildStderr>,
}

impl Started {
    fn new(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let stderr = BufReader::new(child.stderr.take().unwrap());
        Self { child, stdout, stderr }
    }

    /// Waits until the command has said so.
    fn ready(&mut self) {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n");
    }

    /// Waits until a line of the logs contains this.
    fn logged(&mut self, part: &str) {
        let mut line = Vec::new();
        while !String::from_utf8_lossy(&line).contains(part) {
            line.clear();
            assert_ne!(self.stderr.read_until(b'\n', &mut line).unwrap(), 0);
        }
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    fn send(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    fn finish(mut self) -> Finished {
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        self.stdout.read_to_end(&mut stdout).unwrap();
        self.stderr.read_to_end(&mut stderr).unwrap();
        let status = self.child.wait().unwrap();
        finished(std::process::Output { status, stdout, stderr })
    }
}

#[test]
fn sigterm_reaches_the_command_and_ends_the_attempts() {
    let folder = Folder::new();
    for (signal, name) in
        [(Signal::TERM, "TERM"), (Signal::HUP, "HUP"), (Signal::INT, "INT"), (Signal::QUIT, "QUIT")]
    {
        let script = format!(
            "echo >> attempts-{name}; trap 'echo got {name}; exit 3' {name}; echo ready; \
             while :; do sleep 0.01; done"
        );
        let mut run = Started::new(&mut folder.sh(&["--retry-on", "3"], &script));
        run.ready();
        run.send(signal);
        let run = run.finish();
        assert_eq!(run.raw.status.signal(), Some(signal.as_raw()));
        assert!(!run.raw.status.core_dumped());
        assert_eq!(run.stdout, format!("got {name}\n"));
        // Before it, some shells say how the sleep in their loop ended.
        let last = run.stderr.lines().last().unwrap();
        let told = "[WARN] operation cancelled | operation=sh, attempts=1, error=";
        assert!(last.starts_with(told) && last.contains("exit status 3"), "{}", run.stderr);
        assert_eq!(folder.read(&format!("attempts-{name}")).lines().count(), 1);
    }
}

#[test]
fn user_signals_reach_the_command_and_end_nothing() {
    let folder = Folder::new();
    let script = "trap 'echo got it; exit 3' USR1; echo ready; while :; do sleep 0.01; done";
    let mut run = Started::new(&mut folder.sh(&["--retry-on", "3", "--attempts", "2"], script));
    for _ in 0..2 {
        run.ready();
        run.send(Signal::USR1);
        let mut line = String::new();
        run.stdout.read_line(&mut line).unwrap();
        assert_eq!(line, "got it\n");
    }
    assert_eq!(run.finish().code, Some(3));
}

#[test]
fn a_command_that_dies_of_the_signal_gives_its_status() {
    let folder = Folder::new();
    let mut run = Started::new(
        &mut folder.sh(&["--until-success", "--deadline", "1h"], "echo ready; exec sleep 60"),
    );
    run.ready();
    run.send(Signal::TERM);
    let run = run.finish();
    assert_eq!(run.raw.status.signal(), Some(15));
    assert!(run.stderr.contains("killed by signal 15 (SIGTERM)"), "{}", run.stderr);
}

#[test]
fn a_command_that_ends_well_in_spite_of_the_signal_is_a_success() {
    let folder = Folder::new();
    let script = "trap 'exit 0' TERM; echo ready; while :; do sleep 0.01; done";
    let mut run = Started::new(&mut folder.sh(&[], script));
    run.ready();
    run.send(Signal::TERM);
    assert_eq!(run.finish().code, Some(0));
}

#[test]
fn a_signal_ends_a_wait_at_once() {
    for signal in [Signal::INT, Signal::TERM] {
        let folder = Folder::new();
        let options = ["--initial-delay", "1h", "--max-delay", "1h", "--report", "report.json"];
        let mut run = Started::new(&mut folder.sh(&options, "echo >> attempts; exit 9"));
        run.logged("operation failed, retrying");
        run.send(signal);
        let run = run.finish();
        assert_eq!(run.raw.status.signal(), Some(signal.as_raw()));
        assert_eq!(
            run.stderr,
            "[WARN] operation cancelled | operation=sh, attempts=1, error=exit status 9\n"
        );
        assert_eq!(folder.read("attempts").lines().count(), 1);
        let report = folder.read("report.json");
        assert!(report.contains("\"outcome\": \"cancelled\""), "{report}");
        assert!(report.contains(&format!("\"exit_code\": {}", 128 + signal.as_raw())), "{report}");
    }
}

#[test]
fn an_interrupt_ends_a_shell_loop() {
    let folder = Folder::new();
    let script = "for round in 1 2 3; do \"$0\" run -- sh -c 'echo ready; exec sleep 60'; done";
    let mut command = folder.program("bash");
    command.args(["-c", script, env!("CARGO_BIN_EXE_persevere")]).process_group(0);
    let mut run = Started::new(&mut command);
    run.ready();
    // As a key press does it.
    kill_process_group(run.pid(), Signal::INT).unwrap();
    let run = run.finish();
    assert_eq!(run.raw.status.signal(), Some(2), "{}", run.stderr);
    assert_eq!(run.stdout, "");
}

#[test]
fn what_was_held_back_is_shown_after_a_signal() {
    let folder = Folder::new();
    let options = ["--initial-delay", "1h", "--max-delay", "1h", "--quiet-failures"];
    let mut run = Started::new(&mut folder.sh(&options, "echo out; exit 9"));
    run.logged("operation failed, retrying");
    run.send(Signal::INT);
    assert_eq!(run.finish().stdout, "out\n");
}

#[cfg(target_os = "linux")]
#[test]
fn signals_that_were_ignored_stay_ignored() {
    let folder = Folder::new();
    // As `nohup` does it.
    let script = "trap '' HUP; exec \"$0\" run -- sh -c 'echo ready; cat'";
    let mut command = folder.program("sh");
    command.args(["-c", script, env!("CARGO_BIN_EXE_persevere")]).stdin(Stdio::piped());
    let mut run = Started::new(&mut command);
    run.ready();
    run.send(Signal::HUP);
    drop(run.child.stdin.take());
    assert_eq!(run.finish().code, Some(0));
}

#[cfg(target_os = "linux")]
#[test]
fn a_flood_on_standard_error_neither_blocks_nor_stays_in_memory() {
    let folder = Folder::new();
    let options = ["--initial-delay", "1h", "--max-delay", "1h"];
    let script = "yes 'a line of no interest' | head -c 40000000 >&2; exit 9";
    let mut run = Started::new(&mut folder.sh(&options, script));
    let mut forwarded = 0;
    let mut line = Vec::new();
    while !line.starts_with(b"[WARN]") {
        forwarded += line.len();
        line.clear();
        assert_ne!(run.stderr.read_until(b'\n', &mut line).unwrap(), 0);
    }
    // One line end of our own, because the last line was cut.
    assert!((40_000_000..=40_000_001).contains(&forwarded), "{forwarded}");
    let status = std::fs::read_to_string(format!("/proc/{}/status", run.child.id())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak: u64 = peak.unwrap().trim().trim_end_matches(" kB").parse().unwrap();
    run.send(Signal::INT);
    assert_eq!(run.finish().raw.status.signal(), Some(2));
    // The program by itself has some 24 MB, most of it read from its own file.
    assert!(peak < 32_000, "{peak} kB at the peak for 40 MB of output");
}

/// Ends though nobody reads what it says.
fn ends(mut run: Started) -> std::process::ExitStatus {
    for _ in 0..6_000 {
        if let Some(status) = run.child.try_wait().unwrap() {
            return status;
        }
        sleep(Duration::from_millis(5));
    }
    run.child.kill().unwrap();
    panic!("it has not ended");
}

#[test]
fn a_reader_who_has_stalled_does_not_break_the_deadline() {
    let folder = Folder::new();
    for (option, script, code) in [
        // The reader stalls while the command writes, and at our own line.
        ("-q", "exec yes >&2", 124),
        ("--log-level=info", "yes | head -c 65536 >&2; exit 9", 124),
        ("--quiet-failures", "yes | head -c 200000; exit 9", 9),
    ] {
        let run = Started::new(&mut folder.sh(&[option, "--deadline", "500ms"], script));
        assert_eq!(ends(run).code(), Some(code), "{script}");
    }
}

#[test]
fn a_reader_who_has_stalled_does_not_keep_a_signal_from_ending_us() {
    let folder = Folder::new();
    for script in
        ["echo ready; exec yes >&2", "echo ready; yes 2>/dev/null | head -c 65536 >&2; exit 9"]
    {
        let mut run = Started::new(&mut folder.sh(&[], script));
        run.ready();
        run.send(Signal::TERM);
        assert_eq!(ends(run).signal(), Some(15), "{script}");
    }
}
