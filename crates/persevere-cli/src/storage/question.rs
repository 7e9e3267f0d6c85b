//! Questions to whoever sits at the terminal.

use std::io::{self, BufRead, IsTerminal};

use super::session::{Failure, Session};
use crate::error::CliError;
use crate::output;

/// Whether there is somebody to ask.
pub(crate) fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Whether they say yes; an interruption is a no to everything.
pub(crate) async fn agreed(session: &Session, question: &str) -> Result<bool, Failure> {
    output::prompt(&format!("{question} [y/N] "));
    let answer = tokio::task::spawn_blocking(|| {
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer).map(|_| answer)
    });
    let answer = session.until_stopped(answer).await?;
    let answer = answer.ok().and_then(Result::ok).unwrap_or_default();
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

/// Ends the command if they do not agree.
pub(crate) async fn must_agree(session: &Session, question: &str) -> Result<(), Failure> {
    match agreed(session, question).await? {
        true => Ok(()),
        false => Err(Failure::Told(CliError::failed("nothing was removed"))),
    }
}
