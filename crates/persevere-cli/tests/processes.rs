//! What the command has started: it ends with the command when its time is up.
// Helpers are outside of `#[test]`, where clippy would know.
#![allow(clippy::unwrap_used)]
#![cfg(target_os = "linux")]

mod common;

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use common::Folder;
use common::terminal::Terminal;

/// A process that the shell has started, and that does not end by itself, nor when its terminal goes;
/// the shell waits for it.
const STARTED: &str = "sh -c 'trap \"\" HUP; echo $$ >> started; exec sleep 60'; exit 9";
/// The same, and it takes no hint.
const STUBBORN: &str =
    "sh -c 'trap \"\" HUP TERM; echo $$ >> started; while :; do sleep 60; done'; exit 9";

/// Each attempt has started one process more, and none of them has outlived it.
#[track_caller]
fn all_have_ended(folder: &Folder, expected: usize) {
    let started = folder.read("started");
    assert_eq!(started.lines().count(), expected, "{started}");
    for number in started.lines() {
        assert!(has_ended(number), "{number} of {started:?}");
    }
}

fn has_ended(number: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{number}/stat")).unwrap_or_default();
    let state = stat.rsplit_once(") ").map(|(_, rest)| rest.chars().next());
    matches!(state, None | Some(Some('Z' | 'X')))
}

#[test]
fn attempts_do_not_overlap_after_a_timeout() {
    let folder = Folder::new();
    let run = folder.run_sh(&["--attempts", "3", "--attempt-timeout", "300ms"], STARTED);
    assert_eq!(run.code, Some(124), "{}", run.stderr);
    all_have_ended(&folder, 3);
}

#[test]
fn a_process_that_ignores_sigterm_is_killed_though_the_command_has_ended() {
    let folder = Folder::new();
    let options = ["--attempts", "2", "--attempt-timeout", "300ms", "--kill-after", "100ms"];
    let run = folder.run_sh(&options, STUBBORN);
    assert_eq!(run.code, Some(124), "{}", run.stderr);
    all_have_ended(&folder, 2);
}

#[test]
fn a_process_may_clean_up_though_the_command_has_ended() {
    let folder = Folder::new();
    let script = "sh -c 'trap \"sleep 0.3; echo cleaned >> cleaned; exit\" TERM; \
                  echo >> started; while :; do sleep 0.01; done'; exit 9";
    let options = ["--attempts", "1", "--attempt-timeout", "300ms", "--kill-after", "60s"];
    folder.run_sh(&options, script);
    assert_eq!(folder.read("cleaned"), "cleaned\n");
}

#[test]
fn on_a_terminal_attempts_do_not_overlap_either() {
    for script in [STARTED, STUBBORN] {
        let folder = Folder::new();
        let options =
            "run --attempts 2 --initial-delay 1ms --attempt-timeout 300ms --kill-after 100ms";
        let mut arguments: Vec<_> = options.split(' ').collect();
        arguments.extend(["--", "sh", "-c", script]);
        let (status, screen) = Terminal::start(&folder, &arguments).finish();
        assert_eq!(status.code(), Some(124), "{screen}");
        all_have_ended(&folder, 2);
    }
}

#[test]
fn on_a_terminal_the_command_can_read_from_it() {
    let folder = Folder::new();
    let arguments = ["run", "--", "sh", "-c", "read line < /dev/tty; echo got $line"];
    let mut terminal = Terminal::start(&folder, &arguments);
    terminal.press(b"something\n");
    let (status, screen) = terminal.finish();
    assert!(status.success() && screen.contains("got something\n"), "{screen}");
}

/// Waits for a file that the command writes when it is ready.
fn wait_for(folder: &Folder, name: &str) {
    while !folder.exists(name) {
        sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_key_press_reaches_a_command_in_a_session_of_its_own() {
    let folder = Folder::new();
    let script = "trap 'echo got it; exit 3' INT; echo > ready; while :; do sleep 0.01; done";
    let mut terminal = Terminal::start(&folder, &["run", "--", "setsid", "sh", "-c", script]);
    wait_for(&folder, "ready");
    terminal.press(b"\x03");
    let (status, screen) = terminal.finish();
    assert!(!status.success() && screen.contains("got it"), "{screen}");
}

#[test]
fn a_key_press_reaches_a_command_in_our_group_once() {
    let folder = Folder::new();
    let script = "trap 'echo >> got' INT; echo > ready; while test ! -e got; do sleep 0.01; done; \
                  sleep 0.3; exit 0";
    let mut terminal = Terminal::start(&folder, &["run", "--", "sh", "-c", script]);
    wait_for(&folder, "ready");
    terminal.press(b"\x03");
    let (status, screen) = terminal.finish();
    assert!(status.success(), "{screen}");
    assert_eq!(folder.read("got").lines().count(), 1);
}
