//! What was found, and how much it says.

use crate::provider::Provider;
use crate::verdict::{Kind, Verdict};

/// How much a piece of evidence says, from little to everything. The one that says most decides;
/// among equals the last one, for that is where the cause stands: in a message as in a chain of
/// causes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(not(feature = "text"), expect(dead_code, reason = "types alone need few of them"))]
pub(crate) enum Rank {
    /// A single word of everyday language, or a type that wraps many things.
    Word,
    /// Words that are said of many things, but seldom of what passes.
    Vague,
    /// An HTTP status, or a code that covers many cases.
    Status,
    /// A phrase or a type with one meaning.
    Phrase,
    /// A code that a provider or an operating system documents.
    Code,
    /// The same in the field of an error document that is there for it.
    Field,
    /// Whatever else is said around it, this cannot get better by itself.
    Decisive,
}

/// One finding.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Evidence {
    pub(crate) rank: Rank,
    pub(crate) verdict: Verdict,
}

impl Evidence {
    pub(crate) const fn new(rank: Rank, verdict: Verdict) -> Self {
        Self { rank, verdict }
    }

    /// The verdict of a message, which says if it is but a guess.
    #[cfg(feature = "text")]
    pub(crate) fn into_verdict(self) -> Verdict {
        if self.rank <= Rank::Vague { self.verdict.as_guess() } else { self.verdict }
    }

    /// "Try again", and the words or the code that say so.
    pub(crate) const fn retry(
        rank: Rank,
        kind: Kind,
        rule: &'static str,
        words: &'static str,
    ) -> Self {
        Self::new(rank, Verdict::retry(kind, rule).with_evidence(words))
    }

    /// "It cannot help", and the words or the code that say so.
    pub(crate) const fn stop(
        rank: Rank,
        kind: Kind,
        rule: &'static str,
        words: &'static str,
    ) -> Self {
        Self::new(rank, Verdict::stop(kind, rule).with_evidence(words))
    }

    /// An answer came back.
    pub(crate) const fn answered(mut self) -> Self {
        self.verdict = self.verdict.with_answer();
        self
    }

    /// The server did not act.
    pub(crate) const fn unprocessed(mut self) -> Self {
        self.verdict = self.verdict.with_unprocessed();
        self
    }

    /// Whose service it was.
    pub(crate) const fn of(mut self, provider: Provider) -> Self {
        self.verdict = self.verdict.with_provider(provider);
        self
    }

    /// The stronger of two, of which `later` stands nearer to the cause.
    pub(crate) fn or_later(self, later: Option<Self>) -> Self {
        match later {
            Some(later) if later.rank >= self.rank => later,
            _ => self,
        }
    }

    /// The stronger of two, of which `cause` is the cause of this one. What has not been sent stays
    /// unsent, whatever it was that kept it back.
    pub(crate) fn or_cause(self, cause: Option<Self>) -> Self {
        let stronger = self.or_later(cause);
        if self.verdict.is_unprocessed() { stronger.unprocessed() } else { stronger }
    }

    /// Whether a look at the text could still change it.
    #[cfg(feature = "text")]
    pub(crate) fn is_weak(&self) -> bool {
        self.rank < Rank::Phrase
    }
}
