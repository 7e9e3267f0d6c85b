//! The table, and which targets are met.

use std::fmt::Display;

/// Prints the table line by line, and keeps the targets for the end.
#[derive(Default)]
pub struct Report {
    met: u32,
    missed: Vec<String>,
    skipped: Vec<String>,
}

const COLUMNS: [usize; 3] = [46, 14, 26];

impl Report {
    /// A part of the table. `columns` says what stands in it.
    pub fn section(&mut self, title: &str, columns: [&str; 3]) {
        println!("\n{title}");
        self.row("", columns);
    }

    /// A line of figures. Empty ones are left out.
    pub fn row(&mut self, name: &str, figures: [&str; 3]) {
        let [name_width, figure_width, wide] = COLUMNS;
        let [first, second, third] = figures;
        let line = format!(
            "  {name:<name_width$}{first:>figure_width$}{second:>wide$}{third:>figure_width$}"
        );
        println!("{}", line.trim_end());
    }

    /// A target, and what was measured.
    pub fn target(&mut self, target: &str, measured: impl Display, met: bool) {
        let word = if met { "met" } else { "MISSED" };
        println!("  target: {target}: {measured}, {word}");
        match met {
            true => self.met += 1,
            false => self.missed.push(format!("{target}: {measured}")),
        }
    }

    /// Something that could not be measured here.
    pub fn skip(&mut self, what: &str) {
        println!("  SKIPPED: {what}");
        self.skipped.push(what.to_owned());
    }

    /// The end of the table.
    pub fn finish(self) {
        println!("\n{} targets met, {} missed", self.met, self.missed.len());
        for missed in self.missed {
            println!("  missed: {missed}");
        }
        for skipped in self.skipped {
            println!("  SKIPPED: {skipped}");
        }
    }
}
