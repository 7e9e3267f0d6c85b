//! `cargo bench`: everything that is measured, in one table.

mod crowd;
mod decision;
mod delay;
mod first_success;
mod instructions;
mod network;
mod sizes;

use std::process::ExitCode;

use benchmarks::instructions::run_if_asked;
use benchmarks::report::Report;
use benchmarks::rounds::{ROUNDS, SLICE};

fn main() -> ExitCode {
    if let Some(done) = run_if_asked() {
        return done;
    }
    // `cargo test --all-targets` runs this as well, without the flag.
    if !std::env::args().any(|argument| argument == "--bench") {
        println!("nothing to test here; `cargo bench` measures");
        return ExitCode::SUCCESS;
    }
    println!("persevere {}, beside {}", env!("CARGO_PKG_VERSION"), peers().join(", "));
    println!("times: median of {ROUNDS} rounds of {} ms [and quartiles]", SLICE.as_millis());
    let mut table = Report::default();
    let report = &mut table;
    first_success::run(report);
    instructions::run(report);
    delay::run(report);
    decision::run(report);
    network::run(report);
    sizes::run(report);
    // The last one: once tokio's clock has been paused, it stays a little slower.
    crowd::run(report);
    table.finish();
    ExitCode::SUCCESS
}

/// The peers' versions, from the lock file.
fn peers() -> Vec<String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.lock");
    let lock = std::fs::read_to_string(path).unwrap_or_default();
    let version = |name: &str| {
        let (_, rest) = lock.split_once(&format!("name = \"{name}\"\nversion = \""))?;
        rest.split_once('"').map(|(version, _)| version.to_owned())
    };
    ["backon", "tokio-retry2", "tokio"]
        .map(|name| format!("{name} {}", version(name).unwrap_or_else(|| "?".to_owned())))
        .into()
}
