//! 1. A call that succeeds at the first attempt.

use benchmarks::allocations;
use benchmarks::first_success::{BACKON, FORMS, Form, LOOP, OURS, Setup};
use benchmarks::report::Report;
use benchmarks::rounds::{Candidate, Samples, measure};

use super::delay::{nanos, nanos_with_quartiles};

pub(super) fn run(report: &mut Report) {
    let setup = Setup::new();
    for form in &FORMS {
        let samples = measure(form.variants.iter().map(|v| candidate(&setup, v)).collect());
        let title = format!("1. Success at the first attempt, {}", form.name);
        report.section(&title, ["time", "over the loop by hand", "of backon's"]);
        for variant in form.variants {
            row(report, &samples, variant.name);
        }
        targets(report, &setup, form, &samples);
    }
}

fn candidate<'a>(
    setup: &'a Setup,
    variant: &'a benchmarks::first_success::Variant,
) -> Candidate<'a> {
    Candidate::new(variant.name, |times| (variant.repeat)(setup, times))
}

/// The overhead over the loop by hand, as a share of backon's.
fn share([name, by_loop, backon]: [f64; 3]) -> f64 {
    (name - by_loop) / (backon - by_loop)
}

fn row(report: &mut Report, samples: &Samples, name: &str) {
    let time = nanos(samples.of(name).median);
    if name == LOOP {
        return report.row(name, [&time, "", ""]);
    }
    let over = samples.over_rounds([name, LOOP], |[name, by_loop]| name - by_loop);
    let share = samples.over_rounds([name, LOOP, BACKON], share);
    let share = format!("{:.2}", share.median);
    report.row(name, [&time, &nanos_with_quartiles(over), &share]);
}

fn targets(report: &mut Report, setup: &Setup, form: &Form, samples: &Samples) {
    let over = samples.over_rounds([OURS, LOOP], |[ours, by_loop]| ours - by_loop).median;
    report.target("at most 5 ns over the loop by hand", nanos(over), over <= 5.0);
    let share = samples.over_rounds([OURS, LOOP, BACKON], share).median;
    report.target("at most half of backon's overhead", format!("{share:.2}"), share <= 0.5);
    let ours = form.variants.iter().find(|variant| variant.name == OURS);
    let allocations = ours.map(|ours| {
        // The first call of a thread sets things up.
        (ours.repeat)(setup, 1);
        allocations::count(|| (ours.repeat)(setup, 100))
    });
    report.target("no allocation", allocations.unwrap_or(0), allocations == Some(0));
}
