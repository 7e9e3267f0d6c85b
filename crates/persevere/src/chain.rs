//! An error and its causes in one line.

use std::error::Error;
use std::fmt::{self, Write};

use crate::error::Retried;

/// Longer chains are cut: no honest error has as many causes.
pub(crate) const LONGEST: usize = 64;

/// An error and its causes, from the outside in.
pub(crate) fn links<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    fn cause_of<'a>(error: &&'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
        (*error).source()
    }
    std::iter::successors(Some(error), cause_of).take(LONGEST)
}

/// Shows an error with all its causes, `outer: cause: root`, each text once: a cause that the error
/// before it shows already is left out.
pub(crate) struct Chain<'a>(pub(crate) &'a (dyn Error + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = self.0.to_string();
        f.write_str(&shown)?;
        for cause in links(self.0).skip(1) {
            let text = cause.to_string();
            // The figures of an inner retry stand in its own text already, in other words.
            if !shown.contains(&text) && !cause.is::<Retried>() {
                f.write_str(": ")?;
                f.write_str(&text)?;
                write!(shown, ": {text}")?;
            }
        }
        Ok(())
    }
}
