//! What a first success costs in instructions, which are the same on every run. It has no harness,
//! for callgrind runs this very program.

use std::process::ExitCode;

use benchmarks::first_success::{FORMS, LOOP, OURS};
use benchmarks::instructions::{LIMIT, has_callgrind, per_call, run_if_asked};

fn main() -> ExitCode {
    if let Some(done) = run_if_asked() {
        return done;
    }
    if cfg!(debug_assertions) {
        println!("ignored: counts optimized code: cargo test --release");
    } else if has_callgrind() {
        rule_14_a_first_success_takes_few_instructions_more_than_a_loop_by_hand();
    } else {
        let in_ci = std::env::var_os("CI").is_some();
        assert!(!in_ci, "valgrind is missing, and CI does not skip tests");
        eprintln!("SKIPPED: valgrind is missing: instructions are not counted");
    }
    ExitCode::SUCCESS
}

fn rule_14_a_first_success_takes_few_instructions_more_than_a_loop_by_hand() {
    for form in &FORMS {
        let count = |name: &str| {
            let variant = form.variants.iter().find(|variant| variant.name == name);
            per_call(form, variant.expect("a known variant")).expect("callgrind runs")
        };
        let over = count(OURS) - count(LOOP);
        println!("{}: {over:+.0} instructions, at most {LIMIT} more", form.name);
        assert!(over <= LIMIT, "{}: {over} instructions more", form.name);
    }
}
