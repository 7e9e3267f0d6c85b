//! `persevere run`: attempts, exit statuses, rules, and what goes through.
// Helpers are outside of `#[test]`, where clippy would know.
#![allow(clippy::unwrap_used)]
#![cfg(unix)]

mod common;

use common::{Folder, finish, finish_with_input};

#[test]
fn a_network_failure_is_retried_and_the_requirements_lines_are_printed() {
    let folder = Folder::new();
    let script = "test -e marker || { touch marker; \
                  echo 'curl: (7) Failed to connect: Connection refused' >&2; exit 7; }";
    let options = ["--attempts", "3", "--initial-delay", "100ms"];
    let run = folder.run_sh(&options, script);
    assert_eq!(
        run.succeeds().stderr,
        "curl: (7) Failed to connect: Connection refused\n\
         [WARN] operation failed, retrying | operation=sh, attempt=1, max_attempts=3, delay=100ms, \
         error=curl: (7) Failed to connect: Connection refused (exit status 7)\n\
         [INFO] operation succeeded after retry | operation=sh, attempt=2, total_attempts=3\n"
    );
    assert_eq!(run.stdout, "");
}

#[test]
fn a_permanent_failure_is_not_retried() {
    let run = Folder::new().run_sh(&[], "echo 'Permission denied' >&2; exit 1");
    assert_eq!(run.code, Some(1));
    assert_eq!(
        run.stderr,
        "Permission denied\n[WARN] operation failed with non-retryable error | operation=sh, \
         attempt=1, error=Permission denied (exit status 1)\n"
    );
}

#[test]
fn an_unknown_failure_uses_all_attempts_and_gives_its_status() {
    let folder = Folder::new();
    let run = folder.run_sh(&[], "echo >> attempts; exit 9");
    assert_eq!(run.code, Some(9));
    assert_eq!(folder.read("attempts").lines().count(), 3);
    let last = run.stderr.lines().last().unwrap();
    assert_eq!(
        last,
        "[ERROR] operation failed after max attempts | operation=sh, attempts=3, \
         error=exit status 9"
    );
    let run = folder.run_sh(&["--stop-unknown"], "echo >> once; exit 9");
    assert_eq!(run.code, Some(9));
    assert_eq!(folder.read("once").lines().count(), 1);
}

#[test]
fn a_first_success_says_nothing() {
    let run = Folder::new().run_sh(&[], "echo out; echo err >&2");
    assert_eq!(run.succeeds().stdout, "out\n");
    assert_eq!(run.stderr, "err\n");
}

#[test]
fn the_command_knows_its_attempt() {
    let folder = Folder::new();
    let script = "echo $PERSEVERE_ATTEMPT/$PERSEVERE_MAX_ATTEMPTS; exit 9";
    let run = folder.run_sh(&["--attempts", "2"], script);
    assert_eq!(run.stdout, "1/2\n2/2\n");
    let script = "echo $PERSEVERE_MAX_ATTEMPTS";
    let run = folder.run_sh(&["--until-success", "--deadline", "1h"], script);
    assert_eq!(run.stdout, "unlimited\n");
}

#[test]
fn a_command_that_cannot_be_run_is_not_retried() {
    let folder = Folder::new();
    for (program, code, message) in [
        ("no-such-program", 127, "'no-such-program': not found in PATH"),
        ("./no-such-file", 127, "'./no-such-file': no such file"),
        ("./not-executable", 126, "'./not-executable': permission denied"),
        ("./no-interpreter", 127, "the interpreter in its first line is missing"),
    ] {
        folder.write("not-executable", "");
        make_executable(&folder.write("no-interpreter", "#!/no/such/interpreter\n"));
        let run = folder.finish(["run", "--", program]);
        assert_eq!(run.code, Some(code), "{program}");
        assert!(run.stderr.contains("attempt=1, error=cannot run "), "{}", run.stderr);
        assert!(run.stderr.contains(message), "{}", run.stderr);
        assert_eq!(run.stderr.lines().count(), 1);
        // Without logs it is still told.
        let run = folder.finish(["run", "-q", "--", program]);
        assert!(run.stderr.starts_with("error: cannot run "), "{}", run.stderr);
    }
    for code in [126, 127] {
        let run = folder.run_sh(&["--until-success", "--deadline", "1h"], &format!("exit {code}"));
        assert_eq!(run.code, Some(code));
        assert!(run.stderr.contains("non-retryable"));
    }
}

#[test]
fn a_flag_followed_by_a_word_is_unclear() {
    let folder = Folder::new();
    for flag in ["--no-jitter", "--stop-unknown", "--quiet-failures", "--inherit-stderr"] {
        for word in ["true", "false"] {
            let (set, command) = (format!("{flag}={word}"), format!("{flag} -- {word}"));
            let parts = [set.as_str(), command.as_str()];
            folder.finish(["run", flag, word, "--", "touch", "ran"]).is_refused(&parts);
            folder.finish(["run", flag, word]).is_refused(&parts);
        }
        folder.finish(["run", flag, "--", "true"]).succeeds();
        folder.finish(["run", flag, "sh", "-c", "true"]).succeeds();
        folder.finish(["run", &format!("{flag}=false"), "true"]).succeeds();
    }
    folder.finish(["run", "-q", "true"]).succeeds();
    assert!(!folder.exists("ran"));
}

fn make_executable(path: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn rules_of_the_user_decide_first() {
    let folder = Folder::new();
    for (options, script, attempts) in [
        (vec!["--retry-on", "1"], "echo 'Permission denied' >&2; exit 1", 3),
        (vec!["--retry-on", "^Permission"], "echo 'Permission denied' >&2; exit 1", 3),
        (vec!["--retry-on", "2-3,5"], "exit 64", 1),
        (vec!["--retry-on", "2-3,5", "--retry-on", "60-70"], "exit 64", 3),
        (vec!["--retry-on", "1", "--stop-on", "denied$"], "echo denied >&2; exit 1", 1),
        (vec!["--stop-on", "7"], "echo 'Connection refused' >&2; exit 7", 1),
        (vec!["--stop-on", "8"], "echo 'Connection refused' >&2; exit 7", 3),
        (vec!["--retry-on", "127"], "exit 127", 3),
        (vec!["--stop-on", "137"], "kill -KILL $$", 1),
        (vec![], "kill -KILL $$", 3),
        (vec![], "kill -TERM $$", 1),
        (vec![], "exit 75", 3),
        (vec![], "exit 64", 1),
    ] {
        let script = format!("echo >> attempts; {script}");
        let run = folder.run_sh(&options, &script);
        assert_ne!(run.code, Some(0));
        let made = folder.read("attempts").lines().count();
        assert_eq!(made, attempts, "{options:?} {script}: {}", run.stderr);
        std::fs::remove_file(folder.path("attempts")).unwrap();
    }
}

#[test]
fn until_success_goes_on_until_success() {
    let folder = Folder::new();
    let script = "echo >> attempts; test $(wc -l < attempts) -ge 15 || \
                  { echo 'Permission denied' >&2; exit 64; }";
    let options = ["--until-success", "--deadline", "1h", "--max-delay", "1ms"];
    folder.run_sh(&options, script).succeeds();
    assert_eq!(folder.read("attempts").lines().count(), 15);

    let options = ["--until-success", "--deadline", "1h", "--stop-on", "64"];
    assert_eq!(folder.run_sh(&options, "exit 64").code, Some(64));
}

#[test]
fn exit_statuses_are_those_of_the_command_or_of_a_shell() {
    let folder = Folder::new();
    for (script, code) in
        [("exit 255", 255), ("kill -KILL $$", 137), ("kill -INT $$", 130), ("exit 0", 0)]
    {
        assert_eq!(folder.run_sh(&["--attempts", "1"], script).code, Some(code));
    }
    let run = folder.run_sh(&["--attempts", "1"], "kill -KILL $$");
    assert!(run.stderr.contains("error=killed by signal 9 (SIGKILL)"), "{}", run.stderr);
}

#[test]
fn an_attempt_that_takes_too_long_is_stopped_and_retried() {
    let folder = Folder::new();
    let options = ["--attempts", "2", "--attempt-timeout", "100ms"];
    let run = folder.run_sh(&options, "exec sleep 60");
    assert_eq!(run.code, Some(124));
    let mut lines = run.stderr.lines();
    assert_eq!(
        lines.next().unwrap(),
        "[WARN] operation failed, retrying | operation=sh, attempt=1, max_attempts=2, delay=1ms, \
         error=timed out after 100ms"
    );
    assert_eq!(
        lines.next().unwrap(),
        "[ERROR] operation failed after max attempts | operation=sh, attempts=2, \
         error=timed out after 100ms"
    );
    let run = folder.run_sh(&["--stop-on", "124", "--attempt-timeout", "100ms"], "exec sleep 60");
    assert_eq!(run.code, Some(124));
    assert!(run.stderr.contains("non-retryable"), "{}", run.stderr);
}

#[test]
fn the_deadline_ends_even_a_command_that_ignores_sigterm() {
    let folder = Folder::new();
    let options = ["--deadline", "500ms", "--kill-after", "10ms"];
    let run = folder.run_sh(&options, "trap '' TERM; exec sleep 60");
    assert_eq!(run.code, Some(124));
    assert_eq!(
        run.stderr,
        "[ERROR] operation failed, deadline reached | operation=sh, attempts=1, \
         error=still running at the deadline\n"
    );
}

#[test]
fn a_wait_that_would_pass_the_deadline_is_not_begun() {
    let options = ["--deadline", "30s", "--initial-delay", "1h", "--max-delay", "2h"];
    let run = Folder::new().run_sh(&options, "exit 9");
    assert_eq!(run.code, Some(124));
    assert!(run.stderr.contains("deadline reached"), "{}", run.stderr);
}

#[test]
fn standard_error_passes_through_unchanged() {
    let folder = Folder::new();
    let bytes: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    std::fs::write(folder.path("bytes"), &bytes).unwrap();
    let run = folder.run_sh(&["-q"], "cat bytes >&2");
    assert_eq!(run.succeeds().raw.stderr, bytes);
    let run = folder.run_sh(&["-q", "--quiet-failures"], "cat bytes >&2; cat bytes");
    assert_eq!(run.succeeds().raw.stderr, bytes);
    assert_eq!(run.raw.stdout, bytes);
}

#[test]
fn a_log_line_is_not_glued_to_an_unfinished_line() {
    let run = Folder::new().run_sh(&["--attempts", "1"], "printf 'no newline' >&2; exit 9");
    assert!(run.stderr.starts_with("no newline\n[ERROR] "), "{}", run.stderr);
}

#[test]
fn standard_input_passes_through() {
    let input: Vec<u8> = (0..=255).cycle().take(1_000_000).collect();
    let run = finish_with_input(&mut Folder::new().sh(&[], "cat"), &input);
    assert_eq!(run.succeeds().raw.stdout, input);
}

#[test]
fn colours_do_not_hide_a_failure() {
    let script = r"printf '\033[31mPermission denied\033[0m\n' >&2; exit 9";
    let run = Folder::new().run_sh(&[], script);
    let last = run.stderr.lines().last().unwrap();
    assert!(last.ends_with("attempt=1, error=Permission denied (exit status 9)"), "{last}");
}

#[test]
fn inherited_standard_error_leaves_the_decision_to_the_status() {
    let folder = Folder::new();
    let script = "echo >> attempts; echo 'Permission denied' >&2; exit 9";
    let run = folder.run_sh(&["--inherit-stderr"], script);
    assert_eq!(run.code, Some(9));
    assert_eq!(folder.read("attempts").lines().count(), 3);
    assert!(run.stderr.contains("error=exit status 9"), "{}", run.stderr);
}

#[test]
fn quiet_failures_show_only_the_last_attempt() {
    let folder = Folder::new();
    let script = "echo out $PERSEVERE_ATTEMPT; echo err $PERSEVERE_ATTEMPT >&2; \
                  test $PERSEVERE_ATTEMPT = 2";
    let run = folder.run_sh(&["-q", "--quiet-failures"], script);
    assert_eq!((run.succeeds().stdout.as_str(), run.stderr.as_str()), ("out 2\n", "err 2\n"));

    let script = "echo out $PERSEVERE_ATTEMPT; echo err $PERSEVERE_ATTEMPT >&2; exit 9";
    let run = folder.run_sh(&["-q", "--quiet-failures"], script);
    assert_eq!(run.code, Some(9));
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("out 3\n", "err 3\n"));
}

#[test]
fn a_process_that_is_left_behind_does_not_hold_us_up() {
    let folder = Folder::new();
    // It has standard error open until this test lets it go, which is after the program's end.
    let script = "while ! test -e go && test -d \"$PWD\"; do sleep 0.01; done >/dev/null & \
                  echo started >&2";
    for option in [&[][..], &["--quiet-failures"]] {
        let run = folder.run_sh(option, script);
        assert_eq!(run.succeeds().stderr, "started\n");
    }
    folder.write("go", "");
}

#[test]
fn logs_can_be_json_and_can_be_less() {
    let folder = Folder::new();
    let run = folder.run_sh(&["--log-format", "json", "--name", "my \"job\""], "exit 9");
    let lines: Vec<serde_json::Value> =
        run.stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[0]["level"], "WARN");
    assert_eq!(lines[0]["message"], "operation failed, retrying");
    assert_eq!(lines[0]["operation"], "my \"job\"");
    assert_eq!(lines[0]["attempt"], 1);
    assert_eq!(lines[0]["delay"], "1ms");
    assert!(lines[0]["timestamp"].as_str().unwrap().ends_with('Z'));
    assert_eq!(lines[2]["attempts"], 3);

    let run = folder.run_sh(&["--log-level", "error"], "exit 9");
    assert!(run.stderr.starts_with("[ERROR] operation failed after max attempts"));
    let run = folder.run_sh(&["--log-level", "debug"], "exit 64");
    assert!(run.stderr.contains("rule=exit.usage"), "{}", run.stderr);
    assert_eq!(folder.run_sh(&["--quiet"], "exit 9").stderr, "");
}

#[test]
fn arguments_are_never_logged() {
    let folder = Folder::new();
    let script = "exit $((8 + 1)) # secret";
    let run = folder.run_sh(&["--log-level", "debug", "--report", "report.json"], script);
    assert!(!run.stderr.contains("secret") && !folder.read("report.json").contains("secret"));
}

#[test]
fn an_error_with_control_characters_stays_one_line() {
    let script = r"printf 'bell \007 and \010 tab\tend\n' >&2; exit 9";
    let run = Folder::new().run_sh(&["--attempts", "1"], script);
    let last = run.stderr.lines().last().unwrap();
    assert!(last.ends_with("error=bell   and   tab end (exit status 9)"), "{last}");
}

#[test]
fn the_report_tells_what_happened() {
    let folder = Folder::new();
    let script = "test $PERSEVERE_ATTEMPT = 3 && exit 0; \
                  test $PERSEVERE_ATTEMPT = 2 && kill -KILL $$; \
                  echo 'Connection refused' >&2; exit 7";
    folder.run_sh(&["--report", "report.json"], script).succeeds();
    let report: serde_json::Value = serde_json::from_str(&folder.read("report.json")).unwrap();
    assert_eq!(report["operation"], "sh");
    assert_eq!(report["outcome"], "succeeded");
    assert_eq!(report["exit_code"], 0);
    assert!(report["elapsed_ms"].is_u64());
    let attempts = report["attempts"].as_array().unwrap();
    assert_eq!(attempts.len(), 3);
    assert_eq!(attempts[0]["exit_status"], 7);
    assert_eq!(attempts[0]["kind"], "network");
    assert_eq!(attempts[0]["retryable"], true);
    assert_eq!(attempts[0]["delay_ms"], 1);
    assert_eq!(attempts[0]["error"], "Connection refused (exit status 7)");
    assert_eq!(attempts[1]["signal"], 9);
    assert_eq!(attempts[1]["rule"], "unknown");
    assert_eq!(attempts[2]["exit_status"], 0);
    assert!(attempts[2]["kind"].is_null() && attempts[2]["delay_ms"].is_null());

    let run = folder.run_sh(&["--report", "report.json"], "exit 9");
    assert_eq!(run.code, Some(9));
    let report: serde_json::Value = serde_json::from_str(&folder.read("report.json")).unwrap();
    assert_eq!(report["outcome"], "attempts_exhausted");
    assert_eq!(report["exit_code"], 9);
}

#[test]
fn only_its_owner_can_read_a_report() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    folder.run_sh(&["--report", "report.json"], "echo the secret >&2; exit 64");
    assert!(folder.read("report.json").contains("the secret"));
    let mode = std::fs::metadata(folder.path("report.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_closed_standard_error_does_no_harm() {
    let folder = Folder::new();
    let mut command = folder.sh(&[], "echo words >&2; echo done > result; exit 9");
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    command.stderr(writer);
    assert_eq!(finish(&mut command).code, Some(9));
    assert_eq!(folder.read("result"), "done\n");
}
