//! What is said when something is wrong: one line, with what, where, and what would be right.

use std::process::Command;

use persevere_faults::{Answer, Fault, Plan, Rule};
use serde_json::Value;

use crate::common::{Finished, Folder, finish};
use crate::place::{self, Place};

/// The commands, each in this folder, on an object and on the file `here`.
struct Shell<'a> {
    place: &'a Place,
    folder: Folder,
}

impl<'a> Shell<'a> {
    fn new(place: &'a Place) -> Self {
        let folder = Folder::new();
        folder.write("here", "content");
        Self { place, folder }
    }

    fn program(&self, arguments: &[&str]) -> Command {
        let mut command = self.folder.persevere(arguments.iter().copied());
        self.place.environ(&mut command);
        command
    }

    fn run(&self, arguments: &[&str]) -> Finished {
        finish(&mut self.program(arguments))
    }

    fn url(&self, key: &str) -> String {
        format!("{}{key}", self.place.url)
    }
}

/// One line of an error, which mentions all of this.
#[track_caller]
fn says(run: &Finished, code: i32, parts: &[&str]) {
    assert_eq!(run.code, Some(code), "{}", run.stderr);
    assert!(run.stderr.starts_with("error: "), "{}", run.stderr);
    assert_eq!(run.stderr.matches('\n').count(), 1, "{}", run.stderr);
    for part in parts {
        assert!(run.stderr.contains(part), "no {part:?} in {}", run.stderr);
    }
}

/// Runs all commands that reach the server.
fn each<'a>(shell: &'a Shell<'a>, key: &str) -> Vec<(Vec<String>, i32)> {
    let url = shell.url(key);
    [
        (vec!["cp", "here", &url], 1),
        (vec!["cp", &url, "there"], 1),
        (vec!["ls", &url], 1),
        (vec!["exists", &url], 2),
        (vec!["rm", "--yes", &url], 1),
    ]
    .map(|(command, code)| (command.into_iter().map(str::to_owned).collect(), code))
    .into()
}

/// With one variable set to something else, every command asks once, and names the variable.
fn wrong(place: &Place, variable: &str, value: &str, says_too: &[&str]) {
    let shell = Shell::new(place);
    for (arguments, code) in each(&shell, "object") {
        let before = place.proxy.exchanges().len();
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        let run = finish(shell.program(&arguments).env(variable, value));
        says(&run, code, &[&[variable], says_too].concat());
        let asked = place.proxy.exchanges().len() - before;
        assert_eq!(asked, 1, "{arguments:?}: {:#?}", &place.proxy.exchanges()[before..]);
    }
}

#[test]
fn a_wrong_secret_is_said_at_once_and_where_it_is_from() {
    if let Some(place) = place::versitygw("a_wrong_secret") {
        wrong(&place, "AWS_SECRET_ACCESS_KEY", "not-this-one", &["s3://test/object"]);
    }
    if let Some(place) = place::s3s_fs("a_wrong_secret") {
        wrong(&place, "AWS_SECRET_ACCESS_KEY", "not-this-one", &["s3://test/object"]);
    }
    if let Some(place) = place::azurite("a_wrong_secret") {
        wrong(&place, "AZURE_STORAGE_KEY", "bm90IHRoaXMgb25l", &["az://test/object"]);
    }
}

#[test]
fn a_wrong_profile_is_named() {
    let Some(place) = place::versitygw("a_wrong_profile") else { return };
    let shell = Shell::new(&place);
    let keys = "[backup]\naws_access_key_id = persevere-access\naws_secret_access_key = wrong\n";
    shell.folder.write(".aws/credentials", keys);
    let url = shell.url("object");
    let run = shell.run(&["cp", "here", &url, "--profile", "backup"]);
    says(&run, 1, &["s3://test/object", "backup"]);
    let run = shell.run(&["cp", "here", &url, "--profile", "nobody"]);
    says(&run, 2, &["nobody", ".aws/c"]);
}

#[test]
fn no_credentials_at_all() {
    for (place, cleared) in [
        (place::versitygw("no_credentials"), "AWS_ACCESS_KEY_ID"),
        // A token of Microsoft's would be the next best, and does not go over plain HTTP.
        (place::azurite("no_credentials"), "AZURE_STORAGE_KEY"),
    ] {
        let Some(place) = place else { continue };
        let shell = Shell::new(&place);
        for (arguments, _) in each(&shell, "object") {
            let mut command = shell.program(&[]);
            command.env_remove(cleared).env("AWS_EC2_METADATA_DISABLED", "true");
            let run = finish(command.args(arguments).args(["--attempts", "1"]));
            says(&run, 2, &[cleared]);
        }
    }
}

#[test]
fn no_credentials_for_many_files_are_told_once() {
    let Some(place) = place::versitygw("no_credentials_for_many") else { return };
    let shell = Shell::new(&place);
    for name in ["dir/a", "dir/b", "dir/c"] {
        shell.folder.write(name, "content");
    }
    let before = place.proxy.exchanges().len();
    let url = shell.url("many");
    let mut command = shell.program(&["cp", "-r", "--json", "--jobs", "1", "dir", &url]);
    command.env_remove("AWS_ACCESS_KEY_ID").env("AWS_EC2_METADATA_DISABLED", "true");
    let run = finish(&mut command);
    says(&run, 2, &["AWS_ACCESS_KEY_ID"]);
    let told: Vec<Value> =
        run.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let summary = told.last().unwrap();
    assert_eq!((&summary["status"], &summary["failed"]), (&"failed".into(), &1.into()));
    let tried = told.iter().filter(|line| line["status"] == "failed" && line["type"] == "file");
    assert_eq!(tried.count(), 1, "{}", run.stdout);
    assert_eq!(place.proxy.exchanges().len(), before);
}

#[test]
fn a_bucket_that_is_not_there() {
    for (place, url) in [
        (place::versitygw("a_bucket"), "s3://nobodys-bucket"),
        (place::azurite("a_bucket"), "az://nobodys-bucket"),
        (place::gcs("a_bucket"), "gs://nobodys-bucket"),
    ] {
        let Some(place) = place else { continue };
        let shell = Shell::new(&place);
        let key = format!("{url}/key");
        for (arguments, code) in [
            (["cp", "here", &key], 1),
            (["cp", &key, "there"], 1),
            (["ls", "--attempts=1", url], 1),
            (["rm", "--yes", &key], 1),
        ] {
            let run = shell.run(&arguments);
            says(&run, code, &["nobodys-bucket", "does not exist"]);
        }
        assert!(!shell.folder.exists("there"));
    }
}

#[test]
fn what_the_server_does_not_allow() {
    let Some(place) = place::versitygw("what_the_server_does_not_allow") else { return };
    let shell = Shell::new(&place);
    let denied = Answer::s3_error(403, "AccessDenied", "Access Denied");
    place.proxy.set_plan(Plan::new().rule(Rule::new(Fault::Answer(denied)))).unwrap();
    for (arguments, code) in each(&shell, "object") {
        let before = place.proxy.exchanges().len();
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        // An answer to HEAD says no more than its status.
        says(&shell.run(&arguments), code, &["s3://test/", "403"]);
        assert_eq!(place.proxy.exchanges().len() - before, 1, "{arguments:?}");
    }
}

#[test]
fn a_host_that_nobody_knows() {
    let Some(place) = place::sshd("a_host_that_nobody_knows") else { return };
    let shell = Shell::new(&place);
    let hosts = shell.folder.write("hosts", "");
    let hosts = hosts.display().to_string();
    let port = place.proxy.address().port();
    for (arguments, _) in each(&shell, "object") {
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        let run = finish(shell.program(&arguments).env("PERSEVERE_KNOWN_HOSTS", &hosts));
        says(&run, 2, &["127.0.0.1", "SHA256:", "--accept-new-host-key"]);
        assert!(
            run.stderr.contains("ssh") && run.stderr.contains(&port.to_string()),
            "{}",
            run.stderr
        );
    }
    let url = shell.url("known-from-now-on");
    let run = shell.run(&["cp", "here", &url, "--known-hosts", &hosts, "--accept-new-host-key"]);
    run.succeeds();
    shell.run(&["exists", &url, "--known-hosts", &hosts]).succeeds();
    shell.run(&["rm", "--yes", &url]).succeeds();
}

#[test]
fn a_key_that_the_host_does_not_take() {
    let Some(place) = place::sshd("a_key_that_the_host") else { return };
    let shell = Shell::new(&place);
    let identity = shell.folder.path("missing-key").display().to_string();
    let run = finish(
        shell.program(&["cp", "here", &shell.url("object")]).env("PERSEVERE_IDENTITY", &identity),
    );
    says(&run, 2, &["missing-key"]);
}

#[test]
fn keys_that_lead_elsewhere_are_refused() {
    let Some(place) = place::s3s_fs("keys_that_lead") else { return };
    let shell = Shell::new(&place);
    let before = place.proxy.exchanges().len();
    for key in ["a/../b", "../b"] {
        for (arguments, code) in each(&shell, key) {
            let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
            let run = shell.run(&arguments);
            says(&run, code, &[key, "`..`"]);
        }
    }
    assert_eq!(place.proxy.exchanges().len(), before, "it is said before anything is asked");
}

#[test]
fn what_is_wrong_with_files() {
    let Some(place) = place::s3s_fs("what_is_wrong") else { return };
    let shell = Shell::new(&place);
    std::fs::create_dir(shell.folder.path("folder")).unwrap();
    let object = shell.url("object");
    shell.run(&["cp", "here", &object]).succeeds();
    let missing = shell.url("missing");
    says(&shell.run(&["cp", "missing", &object]), 1, &["missing", "does not exist"]);
    says(&shell.run(&["cp", &missing, "there"]), 1, &["s3://test/missing", "does not exist"]);
    says(&shell.run(&["cp", "folder", &object]), 2, &["folder", "-r"]);
    // As cp does.
    shell.run(&["cp", &object, "folder"]).succeeds();
    assert_eq!(shell.folder.read("folder/object"), "content");
    std::fs::create_dir(shell.folder.path("folder/x")).unwrap();
    std::fs::create_dir(shell.folder.path("folder/x/object")).unwrap();
    let run = shell.run(&["cp", &object, "folder/x/"]);
    says(&run, 1, &["folder/x/object", "is a folder"]);
    let run = shell.run(&["cp", &object, "here/below"]);
    says(&run, 1, &["here"]);
}

#[test]
fn no_space_is_left() {
    let Some(place) = place::s3s_fs("no_space") else { return };
    let shell = Shell::new(&place);
    let object = shell.url("object");
    std::fs::write(shell.folder.path("large"), vec![7; 3 << 20]).unwrap();
    shell.run(&["cp", "large", &object]).succeeds();
    let persevere = env!("CARGO_BIN_EXE_persevere");
    let mounted = Command::new("unshare")
        .args(["--mount", "--map-root-user", "true"])
        .output()
        .is_ok_and(|it| it.status.success());
    if !mounted {
        assert_ne!(
            std::env::var("CI").as_deref(),
            Ok("true"),
            "no namespaces, and CI skips nothing"
        );
        return;
    }
    let mut command = shell.folder.program("unshare");
    place.environ(&mut command);
    std::fs::create_dir(shell.folder.path("small")).unwrap();
    let script = format!(
        "mount -t tmpfs -o size=1m none small && {persevere} cp {object} small/copy; code=$?; ls small; exit $code"
    );
    command.args(["--mount", "--map-root-user", "sh", "-c", &script]);
    let run = finish(&mut command);
    says(&run, 1, &["small/copy", "o space left"]);
    assert_eq!(run.stdout, "", "nothing is left of what did not fit");
}

#[test]
fn what_may_not_be_written() {
    let Some(place) = place::s3s_fs("what_may_not") else { return };
    let shell = Shell::new(&place);
    let object = shell.url("object");
    shell.run(&["cp", "here", &object]).succeeds();
    let persevere = env!("CARGO_BIN_EXE_persevere");
    std::fs::create_dir(shell.folder.path("locked")).unwrap();
    let mut command = shell.folder.program("unshare");
    place.environ(&mut command);
    let script = format!("mount -t tmpfs -o ro none locked && {persevere} cp {object} locked/copy");
    command.args(["--mount", "--map-root-user", "sh", "-c", &script]);
    if Command::new("unshare")
        .args(["--mount", "--map-root-user", "true"])
        .output()
        .is_ok_and(|it| it.status.success())
    {
        says(&finish(&mut command), 1, &["locked/copy", "ead-only file system"]);
    }
}
