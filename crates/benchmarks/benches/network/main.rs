//! `cargo bench -p benchmarks --bench network`: the figures of the network monitor, a minute long.
//! `-- flapping` adds the storm of 200 interfaces, which keeps both cores of a small machine busy for
//! half a minute.
//!
//! What needs a network to break runs in namespaces, for which Linux wants root, or a user who may make
//! a user namespace; without one it is skipped, and says so.

#[cfg(target_os = "linux")]
mod flapping;
#[cfg(target_os = "linux")]
mod idle;
#[cfg(target_os = "linux")]
mod namespace;
#[cfg(target_os = "linux")]
mod noticing;
#[cfg(target_os = "linux")]
mod thread;

mod crowd;
mod state;

use std::process::ExitCode;

use benchmarks::report::Report;

fn main() -> ExitCode {
    #[cfg(target_os = "linux")]
    if let Some(done) = namespace::run_if_asked(&[
        ("noticing", noticing::measure),
        ("idle", idle::measure),
        ("waited-for", idle::measure_waited_for),
        ("flapping", flapping::measure),
    ]) {
        return done;
    }
    // `cargo test --all-targets` runs this as well, without the flag.
    if !std::env::args().any(|argument| argument == "--bench") {
        println!("nothing to test here; `cargo bench` measures");
        return ExitCode::SUCCESS;
    }
    let mut table = Report::default();
    let report = &mut table;
    println!("persevere-network {}", env!("CARGO_PKG_VERSION"));
    state::run(report);
    #[cfg(target_os = "linux")]
    {
        // Beside everything else, for they do nothing, which takes a minute.
        let idle = idle::Running::start();
        noticing::run(report);
        crowd::run(report);
        idle.finish(report);
        flapping::run(report, std::env::args().any(|argument| argument == "flapping"));
    }
    #[cfg(not(target_os = "linux"))]
    {
        crowd::run(report);
        report.skip("all that needs network namespaces: this is not Linux");
    }
    table.finish();
    ExitCode::SUCCESS
}
