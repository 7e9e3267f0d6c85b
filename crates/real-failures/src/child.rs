//! Tests that need a process of their own: with a lowered limit, or in a mount namespace.

use std::io;
use std::process::{Command, Output};

/// Runs one ignored test of this test binary under a shell: `"$TEST"` in the script is the command.
///
/// # Errors
///
/// If there is no shell.
pub fn run_test(name: &str, shell: &[&str], script: &str) -> io::Result<Output> {
    let binary = std::env::current_exe()?;
    let [program, arguments @ ..] = shell else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    Command::new(program)
        .args(arguments)
        .arg(format!("{script}\nexec \"$TEST\" --exact {name} --ignored --nocapture"))
        .env("TEST", binary)
        .env("RUST_BACKTRACE", "0")
        .output()
}

/// Asserts that the test ran and passed.
///
/// # Panics
///
/// If it did not.
#[track_caller]
pub fn expect_passed(output: &Output) {
    let (stdout, stderr) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let passed = output.status.success() && stdout.contains("1 passed");
    assert!(passed, "{}\n{stdout}\n{stderr}", output.status);
}
