//! The whole of it, as a newcomer sees it first.
// Helpers are outside of `#[test]`, where clippy would know.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Finished, Folder};
use serde_json::Value;

/// Bytes that are all different from part to part.
fn file(folder: &Folder, name: &str, size: usize) {
    let bytes: Vec<u8> = (0..size).map(|index| (index / 1000 + index * 7) as u8).collect();
    std::fs::write(folder.path(name), bytes).unwrap();
}

/// What the program has for keys and signatures must never be seen.
#[track_caller]
fn no_secrets(run: &Finished, picture: &str) {
    for text in [&run.stdout, &run.stderr, picture] {
        let lower = text.to_ascii_lowercase();
        for secret in ["signature", "aws4-hmac", "authorization", "secret"] {
            assert!(!lower.contains(secret), "{secret}: {text}");
        }
        // The secret key has 32 hexadecimal digits, and nothing else there has so many but checksums of 64.
        let words = text.split(|char: char| !char.is_ascii_hexdigit());
        assert!(words.into_iter().all(|word| word.len() != 32), "{text}");
    }
}

#[test]
fn a_file_goes_up_and_down_through_everything_that_is_done_to_it() {
    let folder = Folder::new();
    file(&folder, "a file.img", 26 << 20);
    // Neither is meant for what happens here.
    let mut demo = folder.persevere([
        "demo",
        "--seed",
        "1",
        "--json",
        "--svg",
        "x.svg",
        "--file",
        "a file.img",
    ]);
    demo.env("http_proxy", "http://127.0.0.1:1").env("AWS_PROFILE", "none");
    let run = common::finish(&mut demo);
    let report: Value = serde_json::from_str(&run.succeeds().stdout).unwrap();
    assert_eq!(report["equal"], true);
    assert_eq!(report["sha256"], report["sha256_received"]);
    assert_eq!(report["bytes"], 26 << 20);
    for way in ["upload", "download"] {
        assert!(report[way]["retries"].as_u64().unwrap() > 0, "{report}");
    }
    let faults = &report["faults"];
    for fault in ["connection_reset", "slow_down", "stalled", "answer_lost", "network_outage"] {
        assert!(faults[fault].as_u64().unwrap() > 0, "{fault}: {report}");
    }
    assert_eq!(faults["process_killed"], 1);
    let confirmed = report["confirmed_before_kill_bytes"].as_u64().unwrap();
    assert!(confirmed * 100 >= 40 * (26 << 20), "{report}");
    // All that was confirmed, and what had arrived besides if the server told of it.
    assert!(report["upload"]["resumed_bytes"].as_u64().unwrap() >= confirmed, "{report}");
    assert_eq!(report["confirmed_sent_again_bytes"], 0, "{report}");
    for line in [
        "operation failed, retrying",
        "network is down, waiting for network to recover",
        "network recovered, retrying operation",
        "operation succeeded after retry",
        "no confirmed part was sent again",
        "Simulated: ",
        "exit status 1: no",
    ] {
        assert!(run.stderr.contains(line), "{line}: {}", run.stderr);
    }
    let svg = folder.read("x.svg");
    let picture = roxmltree::Document::parse(&svg).unwrap();
    assert_eq!(picture.root_element().tag_name().name(), "svg");
    no_secrets(&run, &svg);
    // Nothing is left but the picture.
    let left: Vec<_> = std::fs::read_dir(folder.path("")).unwrap().collect();
    assert_eq!(left.len(), 2, "{left:?}");
}

#[test]
fn a_file_of_any_size_will_do_and_what_came_back_can_be_kept() {
    for size in [0, 1000] {
        let folder = Folder::new();
        file(&folder, "small", size);
        let run = folder.finish(["demo", "--file", "small", "--keep", "kept"]);
        assert!(run.succeeds().stdout.contains(": equal\n"), "{}", run.stdout);
        assert!(run.stdout.contains("network outage"), "{}", run.stdout);
        let received = std::fs::read(folder.path("kept/received/small")).unwrap();
        assert!(received == std::fs::read(folder.path("small")).unwrap());
        let kept: Vec<_> = std::fs::read_dir(folder.path("kept")).unwrap().collect();
        assert_eq!(kept.len(), 1, "{kept:?}");
        no_secrets(&run, "");
    }
}

#[cfg(unix)]
#[test]
fn an_interrupted_demo_leaves_nothing_behind() {
    use std::io::{BufRead, BufReader};
    use std::os::unix::process::ExitStatusExt;

    use rustix::process::{Pid, Signal, kill_process};

    let folder = Folder::new();
    let mut demo = folder.persevere(["demo"]);
    demo.env("TMPDIR", folder.path("")).stderr(std::process::Stdio::piped());
    let mut child = demo.spawn().unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    // A second process is at work by then.
    let mut lines = lines.skip_while(|line| !line.starts_with("[WARN]"));
    assert!(lines.next().is_some());
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert_eq!(lines.last().as_deref(), Some("interrupted"));
    assert_eq!(child.wait().unwrap().signal(), Some(2));
    let left: Vec<_> = std::fs::read_dir(folder.path("")).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn what_cannot_be_is_refused_before_anything_happens() {
    let folder = Folder::new();
    folder.write("full/of", "something");
    folder.finish(["demo", "--seed", "-1"]).is_refused(&["--seed is '-1'", "whole number"]);
    folder
        .finish(["demo", "--file", "nowhere"])
        .is_refused(&["--file is 'nowhere'", "no such file"]);
    folder.finish(["demo", "--file", "full"]).is_refused(&["--file is 'full'", "regular file"]);
    folder.finish(["demo", "--keep", "full"]).is_refused(&["--keep is 'full'", "new or empty"]);
    folder.finish(["demo", "--svg", "no/x.svg"]).is_refused(&["--svg is 'no/x.svg'"]);
    let both = folder.finish(["demo", "--json", "--svg", "-"]);
    both.is_refused(&["--svg -", "--json", "standard output"]);
}
