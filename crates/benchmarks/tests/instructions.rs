//! What a first success costs in instructions, which are the same on every run.

use std::path::Path;

use benchmarks::first_success::{FORMS, LOOP, OURS};
use benchmarks::instructions::{LIMIT, has_callgrind, per_call};

#[test]
#[cfg_attr(debug_assertions, ignore = "counts optimized code: cargo test --release")]
fn rule_14_a_first_success_takes_few_instructions_more_than_a_loop_by_hand() {
    if !has_callgrind() {
        assert!(
            std::env::var_os("CI").is_none(),
            "valgrind is missing, and CI does not skip tests"
        );
        eprintln!("SKIPPED: valgrind is missing: instructions are not counted");
        return;
    }
    let program = Path::new(env!("CARGO_BIN_EXE_one-variant"));
    for form in &FORMS {
        let count = |name: &str| {
            let variant = form.variants.iter().find(|variant| variant.name == name);
            per_call(program, form, variant.expect("a known variant")).expect("callgrind runs")
        };
        let over = count(OURS) - count(LOOP);
        assert!(over <= LIMIT, "{}: {over} instructions more", form.name);
    }
}
