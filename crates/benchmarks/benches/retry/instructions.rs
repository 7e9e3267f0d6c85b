//! 2. The same in instructions.

use benchmarks::first_success::{FORMS, Form, LOOP, OURS};
use benchmarks::instructions::{LIMIT, has_callgrind, per_call};
use benchmarks::report::Report;

pub(super) fn run(report: &mut Report) {
    for form in &FORMS {
        let title = format!("2. Instructions of the same, {}", form.name);
        report.section(&title, ["instructions", "over the loop by hand", ""]);
        if !has_callgrind() {
            report.skip("instructions: valgrind not found");
            return;
        }
        if let Err(error) = count(report, form) {
            report.skip(&format!("instructions: {error}"));
        }
    }
}

fn count(report: &mut Report, form: &Form) -> std::io::Result<()> {
    let mut by_loop = f64::NAN;
    let mut ours = f64::NAN;
    for variant in form.variants {
        let count = per_call(form, variant)?;
        match variant.name {
            LOOP => by_loop = count,
            OURS => ours = count,
            _ => {}
        }
        let over = format!("{:+.0}", count - by_loop);
        let over = if variant.name == LOOP { "" } else { &over };
        report.row(variant.name, [&format!("{count:.0}"), over, ""]);
    }
    let over = ours - by_loop;
    report.target(&format!("at most {LIMIT} more"), format!("{over:+.0}"), over <= LIMIT);
    Ok(())
}
