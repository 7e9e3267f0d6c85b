//! A test that runs itself again in a process of its own.

use std::io::Write;
use std::process::{Command, Stdio};

const INSIDE: &str = "PERSEVERE_TEST_INSIDE";

/// Runs `body` in a process that `make` prepares to run this program: called by the test of this name.
pub(crate) fn inside(name: &str, make: impl FnOnce() -> Command, body: impl Future<Output = ()>) {
    if std::env::var_os(INSIDE).is_some() {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        return runtime.block_on(body);
    }
    let mut again = make();
    again.args([name, "--exact", "--nocapture"]).env(INSIDE, "1");
    let output = again.output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    print!("{told}");
    eprint!("{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && told.contains("1 passed"), "{name}: {}", output.status);
}

pub(crate) fn this() -> Command {
    Command::new(std::env::current_exe().unwrap())
}

/// This program with mounts of its own, where they are to be had: root makes them, and a user makes a namespace
/// in which it is root.
pub(crate) fn with_mounts(name: &str) -> Option<Command> {
    let unshare = || {
        let mut unshare = Command::new("unshare");
        unshare.args(["--mount", "--map-root-user"]);
        unshare
    };
    let mut tried = unshare();
    tried.arg("true").stdout(Stdio::null()).stderr(Stdio::null());
    if tried.status().is_ok_and(|status| status.success()) {
        let mut again = unshare();
        again.arg(std::env::current_exe().unwrap());
        return Some(again);
    }
    let missing = "mount namespaces are not to be had here";
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{missing}, and CI skips nothing");
    // Not by `eprintln!`, of which nobody sees anything if the test passes.
    let _closed = writeln!(std::io::stderr(), "SKIPPED: {name}: {missing}");
    None
}
