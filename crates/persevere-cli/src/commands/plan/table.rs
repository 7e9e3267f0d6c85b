//! The plan as a table.

use std::iter::once;

use persevere::{HumanDuration, Jitter};

use super::Plan;

impl Plan {
    pub(super) fn table(&self, with_sample: bool) -> String {
        let mut text = format!("Policy {}: {}\n", self.limits.preset, self.subtitle());
        for source in &self.limits.inherited {
            text += &format!("  set by {source}\n");
        }
        if self.rows.is_empty() {
            return text + "\nThere is no second attempt, so nothing is waited for.\n";
        }
        text.push('\n');
        text += &aligned(self.cells(with_sample));
        for note in self.notes() {
            text += &format!("\n{note}\n");
        }
        text
    }

    fn cells(&self, with_sample: bool) -> Vec<Vec<String>> {
        let mut header = vec![
            "after attempt",
            "base delay",
            "at least",
            "at most",
            "total at least",
            "total at most",
        ];
        let seed = format!("sample {}", self.seed);
        header.extend(with_sample.then_some(seed.as_str()));
        let rows = self.rows.iter().zip(&self.sample).map(|(row, sample)| {
            let durations =
                [row.base, row.at_least, row.at_most, row.total_at_least, row.total_at_most];
            let durations = durations.iter().chain(with_sample.then_some(sample));
            once(row.attempt.to_string())
                .chain(durations.map(|duration| HumanDuration(*duration).to_string()))
                .collect()
        });
        once(header.into_iter().map(str::to_owned).collect()).chain(rows).collect()
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.cut {
            let shown = self.rows.len();
            let of = match self.limits.unlimited {
                Some(_) => "attempts are unlimited".to_owned(),
                None => format!("{} follow", self.limits.policy.max_attempts() - 1),
            };
            notes.push(format!("The first {shown} delays are shown; {of}."));
        }
        if self.limits.policy.jitter() == Jitter::Decorrelated {
            let note = "Decorrelated jitter draws from the delay before, not from the base delay.";
            notes.push(note.to_owned());
        }
        let policy = &self.limits.policy;
        let highest = policy.base_delay(u32::MAX);
        if highest < policy.max_delay() && self.rows.iter().any(|row| row.base == highest) {
            notes.push(format!(
                "The base delay stops at {}, so that jitter never makes more than {} of it.",
                HumanDuration(highest),
                HumanDuration(policy.max_delay())
            ));
        }
        if let Some(deadline) = self.limits.deadline {
            let last = self.rows.last().map(|row| row.total_at_most);
            if last >= Some(deadline) {
                notes.push(format!(
                    "The deadline of {} can end it earlier: no wait that would pass it is begun.",
                    HumanDuration(deadline)
                ));
            }
        }
        notes
    }
}

/// Columns with two spaces in between, numbers to the right.
fn aligned(rows: Vec<Vec<String>>) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let columns = rows.first().map_or(0, Vec::len);
    let widths: Vec<_> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in &rows {
        let cells = row.iter().zip(&widths);
        let cells: Vec<_> = cells.map(|(cell, width)| format!("{cell:>width$}")).collect();
        text += &cells.join("  ");
        text.push('\n');
    }
    text
}
