//! `cp`, `ls`, `rm`, `exists` and `jobs` on files of this machine.
// Helpers are outside of `#[test]`, where clippy would know.
#![allow(clippy::unwrap_used)]

mod common;

use std::path::Path;

use common::{Folder, finish, finish_with_input};
use serde_json::Value;

/// `a` and `sub/b` in a folder.
fn with_tree(name: &str) -> Folder {
    let folder = Folder::new();
    folder.write(&format!("{name}/a"), "of a");
    folder.write(&format!("{name}/sub/b"), "of b");
    folder
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// All files below a folder, sorted.
fn files(folder: &Path) -> Vec<String> {
    fn walk(root: &Path, folder: &Path, found: &mut Vec<String>) {
        for child in std::fs::read_dir(folder).unwrap() {
            let path = child.unwrap().path();
            match path.is_dir() {
                true => walk(root, &path, found),
                false => found.push(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned()),
            }
        }
    }
    let mut found = Vec::new();
    walk(folder, folder, &mut found);
    found.sort();
    found
}

#[test]
fn a_file_goes_where_it_is_told() {
    let folder = Folder::new();
    folder.write("a", "content");
    std::fs::create_dir(folder.path("existing")).unwrap();
    for (to, lands) in
        [("b", "b"), ("new/", "new/a"), ("existing", "existing/a"), ("x/y/z", "x/y/z")]
    {
        folder.finish(["cp", "a", to]).succeeds();
        assert_eq!(folder.read(lands), "content", "{to}");
    }
    let url = format!("file://{}", folder.path("of-url").display());
    folder.finish(["cp", "a", &url]).succeeds();
    assert_eq!(folder.read("of-url"), "content");
}

#[test]
fn what_is_written_decides_where_a_folder_goes() {
    let whole = ["a", "sub/b"].map(str::to_owned).to_vec();
    let named: Vec<_> = whole.iter().map(|it| format!("dir/{it}")).collect();
    for (from, to, expected) in [
        ("dir", "dst", &whole),
        ("dir", "dst/", &named),
        ("dir/", "dst", &whole),
        ("dir/", "dst/", &whole),
        ("dir/.", "dst/", &whole),
    ] {
        let folder = with_tree("dir");
        // The second time there is something at the destination already, and it means the same.
        for _ in 0..2 {
            folder.finish(["cp", "-r", from, to]).succeeds();
            assert_eq!(&files(&folder.path("dst")), expected, "{from} {to}");
        }
    }
    let folder = with_tree("dir");
    std::fs::create_dir(folder.path("here")).unwrap();
    let mut command = folder.persevere(["cp", "-r", "../dir", "."]);
    finish(command.current_dir(folder.path("here"))).succeeds();
    assert_eq!(files(&folder.path("here")), named);
}

#[test]
fn several_sources_go_into_a_folder() {
    let folder = with_tree("dir");
    folder.write("one", "1");
    folder.finish(["cp", "-r", "one", "dir", "dst"]).succeeds();
    assert_eq!(files(&folder.path("dst")), ["dir/a", "dir/sub/b", "one"]);
}

#[test]
fn two_sources_never_overwrite_each_other() {
    let folder = Folder::new();
    folder.write("x/same", "first");
    folder.write("y/same", "second");
    let copied = folder.finish(["cp", "x/same", "y/same", "dst"]);
    assert_eq!(copied.code, Some(1));
    assert!(copied.stderr.contains("y/same: another source"), "{}", copied.stderr);
    assert_eq!(folder.read("dst/same"), "first");
}

#[test]
fn patterns_match_names() {
    let folder = Folder::new();
    for name in ["in/a.img", "in/b.img", "in/c.txt", "in/deep/d.img", "in/[x].img"] {
        folder.write(name, "");
    }
    folder.finish(["cp", "in/?.img", "flat"]).succeeds();
    assert_eq!(files(&folder.path("flat")), ["a.img", "b.img"]);
    folder.finish(["cp", "in/**/*.img", "deep"]).succeeds();
    assert_eq!(files(&folder.path("deep")), ["[x].img", "a.img", "b.img", "deep/d.img"]);
    // What exists as it is written is no pattern.
    folder.finish(["cp", "in/[x].img", "literal/"]).succeeds();
    assert_eq!(files(&folder.path("literal")), ["[x].img"]);
    folder.finish(["cp", "-r", "in/{deep,c.txt}", "folders"]).succeeds();
    assert_eq!(files(&folder.path("folders")), ["c.txt", "deep/d.img"]);
    let none = folder.finish(["cp", "in/*.zip", "none"]);
    assert_eq!(none.code, Some(1));
    assert!(none.stderr.contains("in/*.zip"), "{}", none.stderr);
}

#[test]
fn filters_choose_what_is_copied() {
    let folder = Folder::new();
    for name in ["in/a.log", "in/a.txt", "in/old/b.log", "in/tmp/c.log"] {
        folder.write(name, "");
    }
    let options = ["cp", "-r", "--include", "*.log", "--exclude", "tmp/", "in", "out"];
    folder.finish(options).succeeds();
    assert_eq!(files(&folder.path("out")), ["a.log", "old/b.log"]);
    folder
        .finish(["cp", "-r", "--include", "["].iter().copied().chain(["in", "x"]))
        .is_refused(&["--include is '['"]);
}

#[test]
fn a_dry_run_copies_nothing() {
    let folder = with_tree("dir");
    let run = folder.finish(["cp", "-r", "--dry-run", "dir", "dst"]);
    let told = run.succeeds().stdout.lines().collect::<Vec<_>>();
    assert_eq!(told.len(), 2);
    assert!(told[0].ends_with("/dst/a") && told[0].contains("/dir/a -> "), "{told:?}");
    assert!(!folder.exists("dst"));
}

#[test]
fn what_is_there_already_is_skipped() {
    let folder = with_tree("dir");
    let copy = || {
        let run = folder.finish(["cp", "-r", "--skip-existing", "--json", "dir", "dst"]);
        let summary = lines(&run.succeeds().stdout).pop().unwrap();
        (summary["files"].as_u64().unwrap(), summary["skipped"].as_u64().unwrap())
    };
    assert_eq!(copy(), (2, 0));
    assert_eq!(copy(), (0, 2));
    folder.write("dir/a", "longer than before");
    assert_eq!(copy(), (1, 1));
    let run = folder.finish(["cp", "-r", "--skip-existing", "dir", "dst"]);
    let told = &run.succeeds().stderr;
    assert!(told.contains("skipped=2") && !told.contains("verified"), "{told}");
    // As long, but newer.
    let later = std::time::SystemTime::now() + std::time::Duration::from_secs(60);
    std::fs::File::options()
        .write(true)
        .open(folder.path("dir/sub/b"))
        .unwrap()
        .set_modified(later)
        .unwrap();
    assert_eq!(copy(), (1, 1));
}

#[test]
fn a_failure_leaves_the_others_be_and_is_told() {
    let folder = with_tree("dir");
    // In the way of the folder.
    folder.write("dst/sub", "a file");
    let run = folder.finish(["cp", "-r", "--json", "--attempts", "1", "dir", "dst"]);
    assert_eq!(run.code, Some(1));
    assert_eq!(folder.read("dst/a"), "of a");
    assert!(run.stderr.contains("error: ") && run.stderr.contains("dst/sub"), "{}", run.stderr);
    assert!(run.stderr.contains("error: 1 of 2 files were not copied"), "{}", run.stderr);
    let told = lines(&run.stdout);
    let failed = told.iter().find(|it| it["status"] == "failed").unwrap();
    assert!(failed["from"].as_str().unwrap().ends_with("dir/sub/b"));
    let summary = told.last().unwrap();
    assert_eq!((&summary["type"], &summary["failed"]), (&"summary".into(), &1.into()));
    // So does a source that is not there.
    let run = folder.finish(["cp", "nowhere", "dir/a", "other"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("nowhere does not exist"), "{}", run.stderr);
    assert_eq!(folder.read("other/a"), "of a");
}

#[test]
fn the_summary_says_what_it_took() {
    let folder = Folder::new();
    folder.write("a", "123456789");
    let run = folder.finish(["cp", "--json", "a", "b"]);
    let told = lines(&run.succeeds().stdout);
    assert_eq!(told.len(), 2);
    for object in &told {
        assert_eq!(object["bytes"], 9);
        // The check value of CRC-64/NVME.
        assert_eq!(object["crc64nvme"], "ae8b14860a799888");
        assert_eq!((&object["retries"], &object["sent_again_bytes"]), (&0.into(), &0.into()));
        assert_eq!(object["source_verified"], false);
    }
    assert!(run.stderr.contains("[INFO] copied 1 file, 9 B | "), "{}", run.stderr);
    assert_eq!(folder.finish(["cp", "--quiet", "a", "b"]).succeeds().stderr, "");
}

#[test]
fn pipes_can_be_both_ends() {
    let folder = Folder::new();
    let input = b"through a pipe".repeat(100_000);
    let mut command = folder.persevere(["cp", "--part-size", "256KiB", "-", "stored"]);
    finish_with_input(&mut command, &input).succeeds();
    let read = folder.finish(["cp", "stored", "-"]);
    assert_eq!(read.succeeds().raw.stdout, input);
    finish_with_input(&mut folder.persevere(["cp", "-", "empty"]), b"").succeeds();
    assert_eq!(folder.read("empty"), "");
}

#[test]
fn what_makes_no_sense_is_refused() {
    let folder = with_tree("dir");
    folder.write("a", "");
    let refused = |arguments: &[&str], parts: &[&str]| {
        folder.finish(arguments.iter().copied()).is_refused(parts);
    };
    refused(&["cp", "a"], &["DESTINATION"]);
    refused(&["cp", "dir", "x"], &["dir is a folder", "--recursive"]);
    refused(&["cp", "-r", "dir", "dir/sub"], &["cannot be copied into itself"]);
    refused(&["cp", "-r", "dir/", "dir/sub/x"], &["cannot be copied into itself"]);
    refused(&["cp", "-", "-"], &["standard output"]);
    refused(&["cp", "-", "a", "x"], &["two commands"]);
    refused(&["cp", "-", "dir"], &["is a folder", "name"]);
    refused(&["cp", "--json", "a", "-"], &["--json", "standard output"]);
    refused(&["cp", "dir/*", "-"], &["pattern"]);
    refused(&["cp", "s4://x/y", "z"], &["must be one of s3"]);
    refused(&["cp", "sftp://me:hunter2@h/x", "z"], &["password"]);
    refused(&["cp", "--part-size", "0", "a", "b"], &["--part-size is '0'", "16MiB"]);
    refused(&["cp", "--jobs", "0", "a", "b"], &["--jobs is '0'"]);
    refused(&["cp", "--endpoint", "x", "a", "b"], &["--endpoint is 'x'", "https://"]);
    refused(&["rm", "dir"], &["dir is a folder", "--recursive"]);
    refused(&["rm", "-r", "/"], &["--yes"]);
    refused(&["jobs", "clean"], &["--all"]);
    refused(&["jobs", "clean", "abc"], &["no unfinished transfer 'abc'"]);
    assert_eq!(files(&folder.path("dir")), ["a", "sub/b"]);
    let itself = folder.finish(["cp", "a", "./a"]);
    assert_eq!(itself.code, Some(1));
    assert!(itself.stderr.contains("copied to itself"), "{}", itself.stderr);
}

#[test]
fn settings_stand_in_the_environment_and_the_file() {
    let folder = Folder::new();
    folder.write("a", "");
    folder.write("c.toml", "[storage]\nca-file = ['x.pem', 'y.pem']\njobs = 0\n");
    folder.finish(["cp", "--config", "c.toml", "a", "b"]).is_refused(&["c.toml:3: jobs is '0'"]);
    folder.write("c.toml", "[storage]\nca-file = 'x.pem'\nregion = 'eu-1'\njobs = 2\n");
    folder.finish(["cp", "--config", "c.toml", "a", "b"]).succeeds();
    folder.write("c.toml", "[storage]\nregoin = 'eu-1'\n");
    folder.finish(["ls", "--config", "c.toml"]).is_refused(&["unknown key 'regoin' in [storage]"]);
    let with = |name, value| finish(folder.persevere(["cp", "a", "b"]).env(name, value));
    with("PERSEVERE_STALLED_AFTER", "5").is_refused(&["PERSEVERE_STALLED_AFTER is '5'"]);
    with("PERSEVERE_PART_SIZE", "1x").is_refused(&["PERSEVERE_PART_SIZE is '1x'"]);
    with("PERSEVERE_STATE_DIR", "/nonexistent").succeeds();
    with("PERSEVERE_STATE_DIRR", "x").is_refused(&["did you mean PERSEVERE_STATE_DIR?"]);
}

#[test]
fn a_list_shows_one_level_or_all() {
    let folder = with_tree("dir");
    let list = |arguments: &[&str]| {
        let run = folder.finish(["ls"].iter().chain(arguments).copied());
        run.succeeds().stdout.clone()
    };
    assert_eq!(list(&["dir"]), "a\nsub/\n");
    assert_eq!(list(&["dir/"]), "a\nsub/\n");
    assert_eq!(list(&["-r", "dir"]), "a\nsub/b\n");
    assert_eq!(list(&["dir/a"]), "a\n");
    assert_eq!(list(&["dir/s*"]), "sub/\n");
    assert_eq!(list(&["dir/**/b"]), "sub/b\n");
    let long = list(&["-lh", "dir"]);
    assert!(long.lines().next().unwrap().trim_start().starts_with("4 B  20"), "{long}");
    let json = lines(&list(&["--json", "dir"]));
    assert_eq!((&json[0]["size"], &json[0]["folder"]), (&4.into(), &false.into()));
    assert_eq!((&json[1]["size"], &json[1]["folder"]), (&Value::Null, &true.into()));
    assert!(json[0]["url"].as_str().unwrap().ends_with("/dir/a"));
    std::fs::create_dir(folder.path("empty")).unwrap();
    assert_eq!(list(&["empty"]), "");
}

#[test]
fn what_is_not_there_cannot_be_listed() {
    let folder = Folder::new();
    for place in ["nowhere", "no/where/", "*.nothing"] {
        let list = folder.finish(["ls", place]);
        assert_eq!((list.code, list.stdout.as_str()), (Some(1), ""));
        assert!(list.stderr.ends_with(" does not exist\n"), "{}", list.stderr);
        assert_eq!(list.stderr.lines().count(), 1, "{}", list.stderr);
    }
}

#[test]
fn a_list_ends_when_nobody_reads() {
    let folder = Folder::new();
    for number in 0..3_000 {
        folder.write(&format!("many/{number}"), "");
    }
    let script =
        format!("{} ls many | head -n 1; echo ${{PIPESTATUS[0]}}", env!("CARGO_BIN_EXE_persevere"));
    let run = finish(folder.program("bash").args(["-c", &script]));
    assert_eq!(run.stdout, "0\n0\n", "{}", run.stderr);
}

#[test]
fn whether_something_exists_is_an_exit_status() {
    let folder = with_tree("dir");
    let code = |place| folder.finish(["exists", place]).code;
    assert_eq!([code("dir/a"), code("dir"), code("dir/")], [Some(0); 3]);
    assert_eq!([code("dir/x"), code("x/y"), code("dir/a/")], [Some(1); 3]);
    let quiet = folder.finish(["exists", "dir/x"]);
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("", ""));
    let json = folder.finish(["exists", "--json", "dir/a"]);
    let json = &lines(&json.succeeds().stdout)[0];
    assert_eq!((&json["exists"], &json["size"]), (&true.into(), &4.into()));
    // No answer is no no.
    assert_eq!(code("s3://bucket/key"), Some(2));
    assert_eq!(code("s4://bucket/key"), Some(2));
}

#[test]
fn files_and_folders_are_removed() {
    let folder = with_tree("dir");
    folder.write("other/a", "");
    folder.finish(["rm", "dir/a"]).succeeds();
    assert!(!folder.exists("dir/a") && folder.exists("dir/sub/b"));
    let dry = folder.finish(["rm", "-r", "--dry-run", "dir"]);
    assert!(dry.succeeds().stdout.contains("/dir/sub/b\n"), "{}", dry.stdout);
    assert!(folder.exists("dir/sub/b"));
    folder.finish(["rm", "-r", "dir"]).succeeds();
    assert!(!folder.exists("dir") && folder.exists("other/a"));
    let gone = folder.finish(["rm", "-r", "dir"]);
    assert_eq!(gone.code, Some(1));
    assert!(gone.stderr.contains("does not exist"), "{}", gone.stderr);
}

#[test]
fn only_what_is_meant_is_removed() {
    let folder = Folder::new();
    for name in ["in/a.tmp", "in/a", "in/sub/b.tmp", "in/keep/c.tmp", "in/tmp/d"] {
        folder.write(name, "");
    }
    let options = ["rm", "-r", "--include", "*.tmp", "--exclude", "keep", "in"];
    folder.finish(options).succeeds();
    assert_eq!(files(&folder.path("in")), ["a", "keep/c.tmp", "tmp/d"]);
    folder.finish(["rm", "in/?"]).succeeds();
    assert_eq!(files(&folder.path("in")), ["keep/c.tmp", "tmp/d"]);
    let none = folder.finish(["rm", "in/*.zip"]);
    assert_eq!(none.code, Some(1));
    assert!(none.stderr.contains("matches nothing"), "{}", none.stderr);
}

#[cfg(unix)]
#[test]
fn links_are_removed_and_never_followed() {
    let folder = with_tree("precious");
    folder.write("dir/a", "");
    let link = |from: &str| {
        std::os::unix::fs::symlink(folder.path("precious"), folder.path(from)).unwrap();
    };
    link("dir/link");
    link("alone");
    std::os::unix::fs::symlink("nowhere", folder.path("dangling")).unwrap();
    folder.finish(["rm", "-r", "dir"]).succeeds();
    folder.finish(["rm", "-r", "alone"]).succeeds();
    folder.finish(["rm", "dangling"]).succeeds();
    assert!(!folder.exists("dir") && folder.path("dangling").symlink_metadata().is_err());
    assert!(folder.path("alone").symlink_metadata().is_err());
    assert_eq!(files(&folder.path("precious")), ["a", "sub/b"]);
}

#[test]
fn no_jobs_are_an_empty_list() {
    let jobs = Folder::new().finish(["jobs"]);
    assert_eq!((jobs.succeeds().stdout.as_str(), jobs.stderr.as_str()), ("", ""));
    Folder::new().finish(["jobs", "clean", "--all"]).succeeds();
}

#[cfg(target_os = "linux")]
mod on_a_terminal {
    use super::*;
    use crate::common::terminal::Terminal;

    #[test]
    fn more_than_one_are_removed_only_after_a_yes() {
        for (answer, remains) in [(b"n\n", true), (b"y\n", false)] {
            let folder = with_tree("dir");
            let mut terminal = Terminal::start(&folder, &["rm", "-r", "dir"]);
            terminal.press(answer);
            let (status, screen) = terminal.finish();
            assert!(screen.contains("Remove 2 files? [y/N]"), "{screen}");
            assert_eq!(status.success(), !remains, "{screen}");
            assert_eq!(folder.exists("dir/a"), remains);
        }
        let folder = with_tree("dir");
        let (status, screen) = Terminal::start(&folder, &["rm", "-r", "--yes", "dir"]).finish();
        assert!(status.success() && !screen.contains("[y/N]"), "{screen}");
    }

    #[test]
    fn bars_are_drawn_and_leave_the_summary() {
        let folder = Folder::new();
        let large = std::fs::File::create(folder.path("large")).unwrap();
        large.set_len(64 << 20).unwrap();
        let (status, screen) = Terminal::start(&folder, &["cp", "large", "copy"]).finish();
        assert!(status.success(), "{screen}");
        assert!(screen.contains("/s") && screen.contains("[="), "{screen}");
        assert!(screen.contains("copied 1 file, 64.0 MiB"), "{screen}");
        let options = ["cp", "--no-progress", "large", "copy"];
        let (_, screen) = Terminal::start(&folder, &options).finish();
        assert!(!screen.contains("[="), "{screen}");
    }
}
