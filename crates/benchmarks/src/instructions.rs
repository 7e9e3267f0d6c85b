//! Instructions per call, by callgrind. They do not depend on what else the machine does.
//!
//! A program makes a call a number of times. It is run with two numbers, and the difference in
//! instructions is divided by the difference in calls, so that its start cancels out.
//!
//! The program is whoever asks, started again: one of its own would be a second one in the
//! workspace, and then a plain `cargo run` would not know which to run.

use std::env;
use std::io;
use std::process::{Command, ExitCode};

use crate::first_success::{FORMS, Form, Setup, Variant};

/// How many more than the loop by hand a first success may take.
pub const LIMIT: f64 = 60.0;

const FEW: u64 = 1_000;
const MANY: u64 = 11_000;

/// Whether there is a callgrind on this machine.
pub fn has_callgrind() -> bool {
    let version = Command::new("valgrind").arg("--version").output();
    version.is_ok_and(|output| output.status.success())
}

/// The first argument of a program that shall make calls and nothing else.
const ONE_VARIANT: &str = "one-variant";

/// The instructions of one call. Only for programs that begin with [`run_if_asked`].
///
/// # Errors
///
/// When valgrind does not run, or does not say what we know how to read.
pub fn per_call(form: &Form, variant: &Variant) -> io::Result<f64> {
    let few = total(form, variant, FEW)?;
    let many = total(form, variant, MANY)?;
    Ok(many.saturating_sub(few) as f64 / (MANY - FEW) as f64)
}

fn total(form: &Form, variant: &Variant, calls: u64) -> io::Result<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(env::current_exe()?)
        .args([ONE_VARIANT, form.name, variant.name, &calls.to_string()])
        .output()?;
    let log = String::from_utf8_lossy(&output.stderr);
    let collected = output.status.success().then(|| read_total(&log)).flatten();
    collected.ok_or_else(|| io::Error::other(format!("callgrind said: {log}")))
}

/// Out of a line such as `==42== Collected : 1234567`.
fn read_total(log: &str) -> Option<u64> {
    let (_, total) = log.lines().find_map(|line| line.split_once("Collected :"))?;
    total.trim().parse().ok()
}

/// Makes a call as often as the arguments say, if they are `one-variant <form> <variant> <times>`: then
/// the program has nothing else to do.
pub fn run_if_asked() -> Option<ExitCode> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (ONE_VARIANT, call) =
        arguments.split_first().map(|(first, call)| (first.as_str(), call))?
    else {
        return None;
    };
    Some(match run_one_variant(call) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    })
}

fn run_one_variant(arguments: &[String]) -> Result<(), String> {
    let usage = || format!("not <form> <variant> <times>: {arguments:?}");
    let [form, variant, times] = arguments else { return Err(usage()) };
    let form = FORMS.iter().find(|known| known.name == form).ok_or_else(usage)?;
    let variant = form.variants.iter().find(|known| known.name == variant).ok_or_else(usage)?;
    let times = times.parse().map_err(|_| usage())?;
    (variant.repeat)(&Setup::new(), times);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_callgrind_says() {
        let log =
            "==7== Callgrind, a call-graph generating cache profiler\n==7== Collected : 90210\n";
        assert_eq!(read_total(log), Some(90_210));
        assert_eq!(read_total("==7== killed"), None);
    }
}
