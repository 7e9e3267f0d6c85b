//! Errors of the program itself: one line each, and an exit status.

use std::fmt;
use std::io;
use std::process::ExitCode;

use crate::output;
use crate::text;

/// The exit status for bad options, variables, files and input.
pub(crate) const USAGE: u8 = 2;

const FAILED: u8 = 1;

/// One line that says what is wrong and what to do next, and the exit status that goes with it.
#[derive(Debug)]
pub(crate) struct CliError {
    message: String,
    code: u8,
}

impl CliError {
    /// What the user wrote cannot be done.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: USAGE }
    }

    /// The system did not let us do it.
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: FAILED }
    }

    /// Another exit status for what the system did not let us do, where 1 says something else.
    pub(crate) fn failed_with(self, code: u8) -> Self {
        match self.code {
            FAILED => Self { code, ..self },
            _ => self,
        }
    }

    /// Prints the line.
    pub(crate) fn tell(&self) -> ExitCode {
        output::error_line(&format!("error: {self}"));
        ExitCode::from(self.code)
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A value that is quoted in it may hold anything.
        f.write_str(&text::one_line(&self.message))
    }
}

/// An error of the system, without Rust's "(os error 2)".
pub(crate) fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    let known = text.split_once(" (os error ").map(|(known, _)| known);
    let mut text = known.unwrap_or(&text).to_owned();
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    text
}
