//! Options, environment variables, the configuration file, and what is refused.
// Helpers are outside of `#[test]`, where clippy would know.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Finished, Folder, finish};
use serde_json::Value;

fn policy(run: &Finished) -> Value {
    let plan: Value = serde_json::from_str(&run.succeeds().stdout).unwrap();
    plan["policy"].clone()
}

#[test]
fn an_option_beats_a_variable_which_beats_the_file_which_beats_the_preset() {
    let folder = Folder::new();
    folder.write(
        ".config/persevere/config.toml",
        "preset = 'aggressive'\nattempts = 4\ninitial-delay = '2s'\nmax_delay = '20s'\n",
    );
    let mut command = folder.persevere(["plan", "--json", "--initial-delay", "4s"]);
    command
        .env("PERSEVERE_INITIAL_DELAY", "3s")
        .env("PERSEVERE_MAX_DELAY", "10s")
        // As good as not set.
        .env("PERSEVERE_MULTIPLIER", "");
    let policy = policy(&finish(&mut command));
    assert_eq!(policy["preset"], "aggressive");
    assert_eq!(policy["max_attempts"], 4);
    assert_eq!(policy["initial_delay_ms"], 4_000);
    assert_eq!(policy["max_delay_ms"], 10_000);
    assert_eq!(policy["multiplier"], 2.0);
}

#[test]
fn a_preset_does_not_undo_what_is_set_by_itself() {
    let folder = Folder::new();
    let mut command = folder.persevere(["plan", "--json", "--preset", "aggressive"]);
    command.env("PERSEVERE_PRESET", "conservative").env("PERSEVERE_ATTEMPTS", "5");
    let policy = policy(&finish(&mut command));
    assert_eq!(policy["preset"], "aggressive");
    assert_eq!(policy["max_attempts"], 5);
    assert_eq!(policy["max_delay_ms"], 60_000);
}

#[test]
fn every_policy_setting_can_stand_in_the_file() {
    let folder = Folder::new();
    let file = folder.write(
        "settings.toml",
        "preset = \"conservative\"\nattempts = 7\ninitial-delay = \"1ms\"\nmax-delay = \"2ms\"\n\
         multiplier = 3\njitter = \"full\"\ndeadline = \"1h30m\"\nattempt-timeout = \"5m\"\n\
         max-retry-after = \"1m\"\nmax-network-wait = \"2h\"\nstop-unknown = true\nlog-format = \"json\"\nlog-level = \"warn\"\n\
         [run]\nretry-on = [7, \"28-30\", \"lost\"]\nstop-on = 9\nquiet-failures = true\n\
         inherit-stderr = false\nkill_after = \"1s\"\nnetwork-target = \"example.org:443\"\n",
    );
    let file = file.to_str().unwrap();
    let policy = policy(&folder.finish(["plan", "--json", "--config", file]));
    assert_eq!(policy["max_attempts"], 7);
    assert_eq!(policy["multiplier"], 3.0);
    assert_eq!(policy["jitter"], "full");
    assert_eq!(policy["deadline_ms"], 5_400_000);
    assert_eq!(policy["attempt_timeout_ms"], 300_000);
    assert_eq!(policy["max_retry_after_ms"], 60_000);
    assert_eq!(policy["max_network_wait_ms"], 7_200_000);
    assert_eq!(policy["retry_unknown"], false);
}

#[cfg(unix)]
#[test]
fn run_takes_its_rules_from_the_file_or_a_variable_or_options() {
    let folder = Folder::new();
    folder.write("c.toml", "[run]\nretry-on = [3, 'lost']\nquiet-failures = true\n");
    let attempts = |options: &[&str], variables: &[(&str, &str)], script: &str| {
        let script = format!("echo >> attempts; {script}");
        let mut command = folder.sh(options, &script);
        command.env("PERSEVERE_CONFIG", "c.toml").envs(variables.iter().copied());
        finish(&mut command);
        let attempts = folder.read("attempts").lines().count();
        std::fs::remove_file(folder.path("attempts")).unwrap();
        attempts
    };
    let stop = ["--stop-unknown"];
    assert_eq!(attempts(&stop, &[], "exit 3"), 3);
    assert_eq!(attempts(&stop, &[], "echo it is lost >&2; exit 9"), 3);
    assert_eq!(attempts(&stop, &[], "exit 4"), 1);
    assert_eq!(attempts(&stop, &[("PERSEVERE_RETRY_ON", "4")], "exit 4"), 3);
    assert_eq!(attempts(&stop, &[("PERSEVERE_RETRY_ON", "4")], "exit 3"), 1);
    assert_eq!(attempts(&["--stop-on", "3"], &[], "exit 3"), 1);

    let mut command = folder.sh(&["-q"], "echo out; exit 3");
    let run = finish(command.env("PERSEVERE_CONFIG", "c.toml"));
    assert_eq!(run.stdout, "out\n");
    let mut command = folder.sh(&["-q", "--quiet-failures=false"], "echo out; exit 3");
    let run = finish(command.env("PERSEVERE_CONFIG", "c.toml"));
    assert_eq!(run.stdout, "out\nout\nout\n");
}

#[test]
fn the_file_is_looked_for_where_people_keep_it() {
    let folder = Folder::new();
    folder.write(".config/persevere/config.toml", "attempts = 4");
    folder.write("xdg/persevere/config.toml", "attempts = 5");
    folder.write("variable.toml", "attempts = 6");
    let option = folder.write("option.toml", "attempts = 7");
    let mut command = folder.persevere(["plan", "--json"]);
    assert_eq!(policy(&finish(&mut command))["max_attempts"], 4);
    command.env("XDG_CONFIG_HOME", folder.path("xdg"));
    assert_eq!(policy(&finish(&mut command))["max_attempts"], 5);
    command.env("PERSEVERE_CONFIG", "variable.toml");
    assert_eq!(policy(&finish(&mut command))["max_attempts"], 6);
    command.args(["--config", option.to_str().unwrap()]);
    assert_eq!(policy(&finish(&mut command))["max_attempts"], 7);
    // A relative one does not count, and no home is no file.
    let mut command = folder.persevere(["plan", "--json"]);
    command.env("XDG_CONFIG_HOME", "xdg").env_remove("HOME");
    assert_eq!(policy(&finish(&mut command))["max_attempts"], 3);
}

#[cfg(unix)]
#[test]
fn a_file_that_cannot_be_looked_at_is_not_passed_over() {
    let folder = Folder::new();
    // Not even the superuser gets to its end, whom a folder without permissions would not stop.
    std::fs::create_dir_all(folder.path(".config/persevere")).unwrap();
    let file = folder.path(".config/persevere/config.toml");
    std::os::unix::fs::symlink("config.toml", &file).unwrap();
    let path = format!("'{}'", file.display());
    folder.finish(["plan"]).is_refused(&["the configuration file", &path, "can be read"]);
    // Where there is no folder there is no file.
    folder.write("plain", "");
    let mut command = folder.persevere(["plan"]);
    finish(command.env("XDG_CONFIG_HOME", folder.path("plain"))).succeeds();
}

#[cfg(unix)]
#[test]
fn a_value_that_is_no_text_names_its_option() {
    use std::os::unix::ffi::OsStringExt;
    let no_text = |text: &[u8]| std::ffi::OsString::from_vec(text.to_vec());
    let folder = Folder::new();
    let mut command = folder.persevere(["plan", "--deadline"]);
    finish(command.arg(no_text(b"5\xff"))).is_refused(&["--deadline", "UTF-8"]);
    let mut command = folder.persevere(["plan"]);
    finish(command.arg(no_text(b"--attempts=\xff"))).is_refused(&["--attempts is", "UTF-8"]);
    // Paths and the command's arguments need not be text.
    let mut command = folder.persevere(["plan", "--svg"]);
    let command = command.arg(no_text(b"\xff.svg")).arg("--deadline").arg(no_text(b"\xff"));
    finish(command).is_refused(&["--deadline", "UTF-8"]);
}

#[test]
fn jitter_and_no_jitter_are_one_setting() {
    let folder = Folder::new();
    let jitter = |arguments: &[&str], variables: &[(&str, &str)]| {
        let all = ["plan", "--json"].into_iter().chain(arguments.iter().copied());
        let mut command = folder.persevere(all);
        command.envs(variables.iter().copied());
        policy(&finish(&mut command))["jitter"].clone()
    };
    let none = ("PERSEVERE_NO_JITTER", "true");
    assert_eq!(jitter(&[], &[]), "proportional");
    assert_eq!(jitter(&[], &[none]), "none");
    assert_eq!(jitter(&["--jitter", "full"], &[none]), "full");
    assert_eq!(jitter(&["--no-jitter"], &[("PERSEVERE_JITTER", "equal")]), "none");
    assert_eq!(jitter(&["--no-jitter=false"], &[none]), "proportional");
    assert_eq!(jitter(&["--jitter", "none", "--no-jitter"], &[]), "none");
}

#[test]
fn the_last_of_repeated_options_counts() {
    let folder = Folder::new();
    let run = folder.finish(["plan", "--json", "--attempts", "3", "--attempts", "6"]);
    assert_eq!(policy(&run)["max_attempts"], 6);
}

#[test]
fn bad_options_are_refused_in_one_line() {
    let folder = Folder::new();
    for (arguments, parts) in [
        ("plan --attempts 0", "--attempts '0' from 1"),
        ("plan --attempts -1", "--attempts '-1' from 1"),
        ("plan --attempts many", "--attempts 'many' whole number"),
        ("plan --attempts", "--attempts value"),
        ("plan --initial-delay -5s", "--initial-delay '-5s' 500ms"),
        ("plan --deadline -1s", "--deadline '-1s' 500ms"),
        ("plan --multiplier -inf", "--multiplier '-inf' 1"),
        ("plan --multiplier -1e3", "--multiplier '-1e3' 1"),
        ("plan --initial-delay --max-delay 5s", "--initial-delay value"),
        ("plan --attempts --json", "--attempts value"),
        ("plan --deadline -q", "--deadline value"),
        ("run --deadline -- true", "--deadline value"),
        ("plan -5s", "'-5'"),
        ("plan --initial-delay 30.001s", "--initial-delay '30.001s' --max-delay 30s"),
        ("plan --max-network-wait 366d", "--max-network-wait '366d' 365"),
        ("plan --max-network-wait 5", "--max-network-wait '5' 5s five"),
        ("plan --max-delay 365d1ns", "--max-delay '365d1ns' 365"),
        ("plan --max-delay 1.0004s --initial-delay 2s", "--initial-delay '2s' 1.0004s"),
        ("plan --multiplier 1e400", "--multiplier '1e400' finite"),
        ("plan --deadline 5", "--deadline '5' 5s five"),
        ("plan --deadline 5M", "--deadline '5M' 5m five minutes"),
        ("plan --max-delay 2M", "--max-delay '2M' 5m five minutes"),
        ("plan --deadline soon", "--deadline 'soon' 500ms"),
        ("plan --deadline 0s", "--deadline '0s' longer"),
        ("plan --attempt-timeout 0ms", "--attempt-timeout '0ms' longer"),
        ("plan --initial-delay 31s", "--initial-delay '31s' --max-delay 30s"),
        ("plan --max-delay 500ms", "--initial-delay '1s' preset balanced 500ms"),
        ("plan --max-delay 366d", "--max-delay '366d' 365"),
        ("plan --multiplier 0.5", "--multiplier '0.5' 1"),
        ("plan --multiplier NaN", "--multiplier 'NaN' finite"),
        ("plan --multiplier x", "--multiplier 'x' number"),
        ("plan --preset none", "--preset 'none' conservative, balanced, aggressive"),
        ("plan --jitter some", "--jitter 'some' proportional, full, equal, decorrelated, none"),
        ("plan --no-jitter --jitter full", "--no-jitter --jitter 'full'"),
        ("plan --no-jitter=maybe", "--no-jitter 'maybe' true or false"),
        ("plan --config no-such-file", "--config 'no-such-file'"),
        ("plan --seed x", "--seed 'x'"),
        ("plan --svg no/such/folder", "--svg 'no/such/folder'"),
        ("plan --atempts 3", "--atempts mean --attempts"),
        ("plan --nonsense", "--nonsense --help"),
        ("plan more", "'more'"),
        ("plan --log-level loud", "--log-level 'loud' off, error, warn, info, debug"),
        ("plan --log-format xml", "--log-format 'xml' text, json"),
        ("pla", "'pla' 'plan'"),
        ("repeat", "'repeat' run, plan, classify"),
        ("run --quiet", "COMMAND --help"),
        ("completions tcsh", "SHELL 'tcsh' bash"),
        ("man tcsh", "'tcsh' run, plan"),
        ("classify", "TEXT"),
        ("classify --http-status 600", "--http-status '600' 100 599"),
        ("classify --http-status 503 --header x", "--header 'x' Retry-After"),
        ("classify --header a:b", "--http-status missing"),
        ("classify --exit-status 0", "--exit-status '0' 1 255"),
        ("classify --exit-status 256", "--exit-status '256' 1 255"),
        ("classify text --jsonl", "TEXT --jsonl"),
    ] {
        let parts: Vec<_> = parts.split(' ').collect();
        folder.finish(arguments.split(' ')).is_refused(&parts);
    }
}

#[test]
fn a_bad_run_runs_nothing() {
    let folder = Folder::new();
    for (options, parts) in [
        ("--retry-on (", "--retry-on '(' expression"),
        ("--retry-on 256", "--retry-on '256' 255"),
        ("--retry-on 1-256", "--retry-on '1-256' 255"),
        ("--retry-on 5-1", "--retry-on '5-1'"),
        ("--stop-on 0", "--stop-on '0' 1"),
        ("--stop-on -1", "--stop-on '-1'"),
        ("--stop-on 1,,2", "--stop-on '1,,2'"),
        ("--until-success", "--until-success --deadline"),
        ("--attempts unlimited", "--attempts --deadline"),
        ("--until-success --attempts 3 --deadline 1h", "--until-success --attempts"),
        ("--kill-after 5", "--kill-after '5' 5s"),
        ("--kill-after -5s", "--kill-after '-5s' 500ms"),
        ("--quiet-failures --inherit-stderr", "--quiet-failures --inherit-stderr"),
        ("--report no/such/folder", "--report 'no/such/folder'"),
        ("--jobs 3", "--jobs"),
    ] {
        let all = ["run"].into_iter().chain(options.split(' '));
        let run = folder.finish(all.chain(["--", "touch", "ran"]));
        run.is_refused(&parts.split(' ').collect::<Vec<_>>());
        assert!(!folder.exists("ran"), "{options}");
    }
}

#[test]
fn a_bad_variable_is_named() {
    let folder = Folder::new();
    for (name, value, part) in [
        ("PERSEVERE_ATTEMPTS", "none", "whole number"),
        ("PERSEVERE_NO_JITTER", "perhaps", "true or false"),
        ("PERSEVERE_DEADLINE", "5", "write 5s for five seconds"),
        ("PERSEVERE_PRESET", "fast", "one of conservative"),
        ("PERSEVERE_MULTIPLIER", "0", "at least 1"),
        ("PERSEVERE_LOG_LEVEL", "loud", "one of off"),
        ("PERSEVERE_CONFIG", "no-such-file", "can be read"),
    ] {
        let mut command = folder.persevere(["plan"]);
        finish(command.env(name, value)).is_refused(&[name, &format!("'{value}'"), part]);
    }
}

#[test]
fn an_unknown_variable_is_refused() {
    let folder = Folder::new();
    for (name, nearest) in [
        ("PERSEVERE_MAX_ATTEMPTS", "PERSEVERE_ATTEMPTS?"),
        ("PERSEVERE_ATEMPTS", "PERSEVERE_ATTEMPTS?"),
        ("PERSEVERE_ATTEMPT", "PERSEVERE_ATTEMPTS?"),
        ("PERSEVERE_CONFIG_FILE", "PERSEVERE_CONFIG?"),
        ("PERSEVERE_NOJITTER", "PERSEVERE_NO_JITTER?"),
    ] {
        // One that is empty is a slip as well.
        for value in ["9", ""] {
            let mut command = folder.persevere(["plan"]);
            finish(command.env(name, value)).is_refused(&[name, "did you mean", nearest]);
        }
    }
}

#[cfg(unix)]
#[test]
fn a_run_within_a_run_is_not_told_off() {
    let program = env!("CARGO_BIN_EXE_persevere");
    let run = Folder::new().finish(["run", "--", program, "run", "--", "true"]);
    assert_eq!(run.succeeds().stderr, "");
}

#[test]
fn a_bad_file_is_refused_with_its_line() {
    let folder = Folder::new();
    for (content, line, parts) in [
        ("attempts = 3\natempts = 3", 2, "unknown key 'atempts' attempts, initial-delay [run]"),
        ("[run]\nattempts = 3", 2, "unknown key 'attempts' [run] retry-on"),
        ("\n[policy]\nattempts = 3", 2, "unknown key 'policy'"),
        ("attempts = 'three'", 1, "attempts 'three' whole number"),
        ("attempts = 1.5", 1, "attempts 1.5 whole number"),
        ("attempts = 0", 1, "attempts '0'"),
        ("initial-delay = 5", 1, "initial-delay 5 write 5s (in quotes)"),
        ("deadline = '0s'", 1, "deadline '0s' longer"),
        ("preset = 'fast'", 1, "preset 'fast' conservative"),
        ("jitter = true", 1, "jitter true proportional"),
        ("no-jitter = 'yes'", 1, "no-jitter yes true or false"),
        ("multiplier = '2'", 1, "multiplier '2' number"),
        ("multiplier = 0.5", 1, "multiplier '0.5' at least 1"),
        ("max-delay = '1s'\nmax_delay = '2s'", 2, "max-delay twice"),
        ("attempts = ", 1, ""),
        ("attempts = 3\nattempts = 4", 2, "duplicate"),
        ("run = 3", 1, "run 3 [run]"),
        ("[run]\nretry-on = [7, 300]", 2, "retry-on '300' 255"),
        ("[run]\nretry-on = [\n7,\n'(',\n]", 4, "retry-on '(' expression"),
        ("[run]\nstop-on = [true]", 2, "stop-on true list"),
        ("[run]\nkill-after = false", 2, "kill-after false 500ms"),
    ] {
        folder.write("bad.toml", content);
        let run = folder.finish(["plan", "--config", "bad.toml"]);
        let place = format!("error: bad.toml:{line}: ");
        let mut parts: Vec<_> = parts.split(' ').collect();
        parts.push(&place);
        run.is_refused(&parts);
    }
    std::fs::write(folder.path("bad.toml"), b"# \xff").unwrap();
    folder.finish(["plan", "--config", "bad.toml"]).is_refused(&[
        "--config",
        "'bad.toml'",
        "UTF-8",
    ]);
}

#[test]
fn help_and_version_are_results() {
    let folder = Folder::new();
    for command in ["run", "plan", "classify", "completions", "man"] {
        let help = folder.finish([command, "--help"]);
        assert!(help.succeeds().stdout.contains("Usage: persevere "), "{command}");
        assert_eq!(help.stderr, "");
    }
    assert!(folder.finish(["--version"]).succeeds().stdout.starts_with("persevere "));
    let nothing = folder.finish([]);
    assert_eq!(nothing.code, Some(2));
    assert!(nothing.stderr.contains("Commands:"), "{}", nothing.stderr);
}

#[test]
fn rules_of_the_file_reach_detection() {
    let folder = Folder::new();
    let rule = |rest: &str| format!("[[rules]]\nname = \"mine\"\nretry = {rest}\n");
    folder.write("retry.toml", &rule("true\ntext = \"no free license\"\nretry-after = \"7s\""));
    folder.write("stop.toml", &rule("false\ntext = \"connection refused\""));
    folder.write("bad.toml", &rule("true"));
    let run =
        folder.finish(["classify", "--config", "retry.toml", "Permission denied: No free license"]);
    assert!(run.succeeds().stdout.contains("retried; the server asked for 7s"), "{}", run.stdout);
    let run = folder.finish([
        "run",
        "--config",
        "stop.toml",
        "--initial-delay",
        "1ms",
        "--",
        "sh",
        "-c",
        "echo connection refused >&2; exit 3",
    ]);
    assert_eq!(run.code, Some(3));
    assert!(run.stderr.contains("non-retryable"), "{}", run.stderr);
    folder
        .finish(["classify", "--config", "bad.toml", "x"])
        .is_refused(&["bad.toml:1", "rule `mine` looks for nothing"]);
}
