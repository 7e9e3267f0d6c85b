//! `plan`, `classify`, `completions` and `man`: what is printed on standard output.
// Helpers are outside of `#[test]`, where clippy would know.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Folder, finish, finish_with_input};
use serde_json::Value;

#[test]
fn the_plan_is_a_table() {
    let plan = Folder::new().finish(["plan"]);
    assert_eq!(
        plan.succeeds().stdout,
        "\
Policy balanced: 3 attempts, first delay 1s, longest 30s, multiplier 2, jitter proportional

after attempt  base delay  at least  at most  total at least  total at most
            1          1s     750ms    1.25s           750ms          1.25s
            2          2s      1.5s     2.5s           2.25s          3.75s
"
    );
    assert_eq!(plan.stderr, "");
}

#[test]
fn the_plan_is_json() {
    let plan = Folder::new().finish(["plan", "--preset", "aggressive", "--json"]);
    let plan: Value = serde_json::from_str(&plan.succeeds().stdout).unwrap();
    let delays = plan["delays"].as_array().unwrap();
    assert_eq!(delays.len(), 9);
    assert_eq!(delays[8]["after_attempt"], 9);
    assert_eq!(delays[8]["base_ms"], 48_000);
    assert_eq!(delays[8]["at_least_ms"], 36_000);
    assert_eq!(delays[8]["at_most_ms"], 60_000);
    assert_eq!(delays[1]["total_at_least_ms"], 2_250);
    assert_eq!(plan["total_at_most_ms"], delays[8]["total_at_most_ms"]);
    assert_eq!(plan["policy"]["preset"], "aggressive");
    assert_eq!(plan["policy"]["max_attempts"], 10);
    assert_eq!(plan["complete"], true);
}

#[test]
fn a_seed_always_gives_the_same_sample() {
    let folder = Folder::new();
    let plan = |seed| folder.finish(["plan", "--json", "--seed", seed]).stdout;
    assert_eq!(plan("7"), plan("7"));
    assert_ne!(plan("7"), plan("8"));
    let plan: Value = serde_json::from_str(&plan("7")).unwrap();
    assert_eq!(plan["sample"]["delays_ms"].as_array().unwrap().len(), 2);
    assert!(folder.finish(["plan", "--seed", "7"]).stdout.contains("sample 7"));
}

#[test]
fn a_plan_without_end_is_cut() {
    let folder = Folder::new();
    let plan = folder.finish(["plan", "--attempts", "unlimited"]);
    assert!(
        plan.succeeds().stdout.contains("The first 20 delays are shown; attempts are unlimited.")
    );
    let plan = folder.finish(["plan", "--attempts", "unlimited", "--json"]);
    let plan: Value = serde_json::from_str(&plan.stdout).unwrap();
    assert_eq!(plan["delays"].as_array().unwrap().len(), 20);
    assert_eq!(plan["complete"], false);
    assert!(plan["policy"]["max_attempts"].is_null());
    // So is one that nobody would read.
    folder.finish(["plan", "--attempts", "4000000000", "--json"]).succeeds();
    let plan = folder.finish(["plan", "--attempts", "1"]);
    assert!(plan.succeeds().stdout.contains("no second attempt"));
}

#[test]
fn the_plan_says_what_stands_elsewhere() {
    let folder = Folder::new();
    folder.write("c.toml", "\nattempts = 5");
    let mut command = folder.persevere(["plan", "--config", "c.toml", "--max-delay", "9s"]);
    let plan = finish(command.env("PERSEVERE_JITTER", "full"));
    assert!(plan.succeeds().stdout.contains("  set by c.toml:2: attempts\n"));
    assert!(plan.stdout.contains("  set by PERSEVERE_JITTER\n"));
    assert!(!plan.stdout.contains("set by --max-delay"));
}

#[test]
fn the_plan_is_a_picture() {
    let folder = Folder::new();
    let plan = ["plan", "--attempts", "6", "--svg", "plan.svg", "--png", "plan.png"];
    assert!(folder.finish(plan).succeeds().stdout.contains("after attempt"));
    assert!(
        folder.read("plan.svg").starts_with("<svg") || folder.read("plan.svg").starts_with("<?xml")
    );
    let png = std::fs::read(folder.path("plan.png")).unwrap();
    assert!(png.starts_with(b"\x89PNG\r\n\x1a\n"));
}

#[test]
fn classify_says_it_in_one_line() {
    let folder = Folder::new();
    for (arguments, parts) in [
        (
            &["curl: (7) Failed to connect: Connection refused"][..],
            "connection refused: network failure, retried [network, rule text.connection_refused]",
        ),
        (&["Permission denied"], "permission denied: not permitted, not retried [permission, rule"),
        (&["all is strange"], "unknown, so retried unless --stop-unknown is set"),
        (&["--http-status", "404"], "HTTP 404: not found, not retried [not_found, rule http.404]"),
        (&["--http-status", "200"], "HTTP 200: no known error"),
        (
            &["--http-status", "503", "--header", "Retry-After: 7"],
            "HTTP 503: server failure, retried; the server asked for 7s [server, rule http.503]",
        ),
        (
            &["--http-status", "400", "<Error><Code>RequestTimeout</Code></Error>"],
            "HTTP 400 from S3 (RequestTimeout): timed out, retried [timeout, rule s3.",
        ),
        (&["--http-status", "408"], "HTTP 408: timed out, not retried"),
        (
            &["--http-status", "408", "--provider", "gcs"],
            "HTTP 408 from Google Cloud: timed out, retried",
        ),
        (&["--exit-status", "75"], "retried [other, rule exit.tempfail]"),
        (&["--exit-status", "127"], "not retried [not_found, rule exit.not_found]"),
        (&["--exit-status", "75", "Permission denied"], "not retried [permission"),
        (&["--exit-status", "28", "--program", "curl"], "operation timed out: timed out, retried"),
        (&["--exit-status", "9", "-"], ""),
    ] {
        let run = folder.finish(["classify"].into_iter().chain(arguments.iter().copied()));
        if parts.is_empty() {
            run.is_refused(&["--exit-status"]);
            continue;
        }
        assert!(run.succeeds().stdout.contains(parts), "{}", run.stdout);
        assert_eq!(run.stdout.lines().count(), 1);
        assert_eq!(run.stderr, "");
    }
}

#[test]
fn classify_says_it_in_json() {
    let folder = Folder::new();
    let run = folder.finish([
        "classify",
        "--json",
        "--http-status",
        "429",
        "--header",
        "x-ms-retry-after-ms: 1500",
    ]);
    assert_eq!(
        run.succeeds().stdout,
        "{\"retryable\":true,\"kind\":\"throttle\",\"rule\":\"http.429\",\"reason\":\"HTTP \
         429: throttled, retried; the server asked for 1.5s\",\"retry_after_ms\":1500}\n"
    );
    let run = folder.finish(["classify", "--json", "strange"]);
    let verdict: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(verdict["kind"], "unknown");
    assert_eq!(verdict["retryable"], true);
    assert!(verdict["retry_after_ms"].is_null());
}

#[test]
fn classify_reads_lines() {
    let folder = Folder::new();
    let input = b"Connection refused\r\nPermission denied\n\nstr\xe4nge";
    let run = finish_with_input(&mut folder.persevere(["classify", "-", "--json"]), input);
    let kinds: Vec<_> = run
        .succeeds()
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["kind"].clone())
        .collect();
    assert_eq!(kinds, ["network", "permission", "unknown", "unknown"]);
    let run = finish_with_input(&mut folder.persevere(["classify", "-"]), input);
    assert_eq!(run.succeeds().stdout.lines().count(), 4);
    assert!(run.stdout.lines().next().unwrap().ends_with(" | Connection refused"));
}

#[test]
fn classify_reads_json_lines() {
    let folder = Folder::new();
    let mut command = folder.persevere(["classify", "--jsonl", "--json"]);
    let input = br#"{"id": 1, "text": "fetching\nConnection refused\n"}

{"text": "Permission denied"}"#;
    let run = finish_with_input(&mut command, input);
    let kinds: Vec<_> = run
        .succeeds()
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["kind"].clone())
        .collect();
    assert_eq!(kinds, ["network", "permission"]);

    for bad in ["{\"text\": 3}", "{\"message\": \"\"}", "[]", "nonsense", "{\"text\": \"open"] {
        let input = format!("{{\"text\": \"fine\"}}\n{bad}\n");
        let run = finish_with_input(&mut command, input.as_bytes());
        assert_eq!(run.code, Some(2));
        assert_eq!(run.stdout.lines().count(), 1);
        assert!(run.stderr.starts_with("error: standard input, line 2: "), "{}", run.stderr);
        assert_eq!(run.stderr.lines().count(), 1);
    }
}

#[test]
fn completions_for_every_shell() {
    let folder = Folder::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = folder.finish(["completions", shell]);
        assert!(
            script.succeeds().stdout.contains("--until-success")
                || script.stdout.contains("until-success")
        );
    }
}

#[test]
fn the_manual_is_roff() {
    let folder = Folder::new();
    let manual = folder.finish(["man"]);
    assert!(manual.succeeds().stdout.contains(".TH persevere 1"));
    for command in ["run", "plan", "classify"] {
        let section = format!(".SH {}", command.to_uppercase());
        assert!(manual.stdout.contains(&section), "{section}");
        let page = folder.finish(["man", command]);
        assert!(page.succeeds().stdout.contains(&format!(".TH persevere-{command} 1")));
    }
    assert!(folder.finish(["man", "run"]).stdout.contains("until\\-success"));
}

#[cfg(unix)]
#[test]
fn a_reader_who_has_seen_enough_is_no_error() {
    let folder = Folder::new();
    for arguments in
        [&["plan"][..], &["man"], &["completions", "bash"], &["classify", "x"], &["--help"]]
    {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = folder.persevere(arguments.iter().copied());
        let output = command.stdout(writer).stderr(std::process::Stdio::piped());
        let output = output.spawn().unwrap().wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert_eq!(output.stderr, b"");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn results_that_cannot_be_written_are_an_error() {
    let folder = Folder::new();
    let full = || std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let unwritable = || std::fs::File::open("/dev/null").unwrap();
    for (stdout, reason) in [
        (full as fn() -> std::fs::File, "no space left on device"),
        (unwritable, "bad file descriptor"),
    ] {
        for arguments in
            ["plan", "plan --svg -", "man", "completions zsh", "--help", "run --help", "--version"]
        {
            let mut command = folder.persevere(arguments.split(' '));
            let output = command.stdout(stdout()).stderr(std::process::Stdio::piped());
            let output = output.spawn().unwrap().wait_with_output().unwrap();
            assert_eq!(output.status.code(), Some(1), "{arguments}");
            let stderr = String::from_utf8(output.stderr).unwrap();
            assert_eq!(stderr, format!("error: cannot write to standard output: {reason}\n"));
        }
    }
}

#[test]
fn a_picture_can_go_to_standard_output() {
    let folder = Folder::new();
    let svg = folder.finish(["plan", "--svg", "-"]);
    assert!(svg.succeeds().stdout.starts_with('<') && svg.stdout.trim_end().ends_with("</svg>"));
    let png = folder.finish(["plan", "--png", "-", "--svg", "plan.svg"]);
    assert!(png.succeeds().raw.stdout.starts_with(b"\x89PNG\r\n\x1a\n"));
    assert_eq!(folder.read("plan.svg"), svg.stdout);
    assert!(!folder.exists("-"));
    for (arguments, parts) in [
        (&["--svg", "-", "--png", "-"][..], ["--svg -", "--png -"]),
        (&["--svg", "-", "--json"], ["--svg -", "--json"]),
    ] {
        folder.finish(["plan"].into_iter().chain(arguments.iter().copied())).is_refused(&parts);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_terminal_gets_no_png() {
    let folder = Folder::new();
    let plan = common::terminal::Terminal::start(&folder, &["plan", "--png", "-"]);
    let (status, screen) = plan.finish();
    assert_eq!(status.code(), Some(2));
    assert!(
        screen.starts_with("error: --png is '-', but standard output is a terminal"),
        "{screen}"
    );
}
