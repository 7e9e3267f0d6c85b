//! All that is looked for in messages, and the table of codes.

use std::borrow::Cow;
use std::sync::LazyLock;

use super::evidence::{Evidence, Rank};
use super::fields::Unit;
use super::tables::{self, Entry};
use super::trie::Trie;
use crate::verdict::Verdict;

/// What a pattern means.
#[derive(Debug, Clone, Copy)]
pub(super) enum Meaning {
    Says(Rank, Verdict),
    /// An HTTP status by its reason.
    Reason(u16),
    /// The key of a field that holds a code or a status.
    Field,
    /// The word that stands before the five characters of a SQLSTATE.
    SqlState,
    /// Words that announce how long to wait.
    Wait(Unit),
}

pub(super) struct Matcher {
    trie: Trie,
    /// By number of the pattern.
    meanings: Vec<Meaning>,
    /// In lower case and in order.
    codes: Vec<(String, Evidence)>,
}

pub(super) static MATCHER: LazyLock<Matcher> = LazyLock::new(Matcher::build);

type Pattern = (Cow<'static, str>, Meaning);

impl Matcher {
    fn build() -> Self {
        let (patterns, meanings): (Vec<Cow<'_, str>>, Vec<Meaning>) =
            announced().chain(said()).unzip();
        Self { trie: Trie::new(patterns.iter().map(AsRef::as_ref)), meanings, codes: codes() }
    }

    /// Hands each pattern that begins at `start` to `found`: its number, and where it ends.
    #[inline]
    pub(super) fn walk(&self, text: &[u8], start: usize, found: impl FnMut(usize, usize)) {
        self.trie.walk(text, start, found);
    }

    pub(super) fn meaning(&self, pattern: usize) -> Option<Meaning> {
        self.meanings.get(pattern).copied()
    }

    /// The number of a code, whatever its case.
    pub(super) fn code(&self, code: &[u8]) -> Option<usize> {
        let folded = || code.iter().map(u8::to_ascii_lowercase);
        self.codes.binary_search_by(|(known, _)| known.bytes().cmp(folded())).ok()
    }

    pub(super) fn evidence_of(&self, code: usize) -> Option<Evidence> {
        self.codes.get(code).map(|(_, evidence)| *evidence)
    }
}

fn entries() -> impl Iterator<Item = &'static Entry> {
    tables::ALL.iter().flat_map(|table| table.iter())
}

fn said() -> impl Iterator<Item = Pattern> {
    let of = |entry: &'static Entry| {
        entry.words.iter().flat_map(|words| {
            let meaning = Meaning::Says(entry.rank, entry.verdict.with_evidence(words));
            forms(entry, words).into_iter().map(move |form| (form.into(), meaning))
        })
    };
    let reasons = tables::http::REASONS.iter();
    let reasons = reasons.map(|(status, reason)| ((*reason).into(), Meaning::Reason(*status)));
    entries().flat_map(of).chain(reasons)
}

/// How an entry's words are written: as they are, and names also `in_one` and `inone`; numbers only
/// where it is plain that they are an error's.
fn forms(entry: &Entry, words: &str) -> Vec<String> {
    let words = words.to_ascii_lowercase();
    if words.bytes().all(|byte| byte.is_ascii_digit()) {
        let around = [
            ("(", ", '"),
            ("(", ", \""),
            ("error ", " ("),
            ("error ", ":"),
            ("errno: ", ","),
            ("errno ", ":"),
        ];
        return around.map(|(before, after)| format!("{before}{words}{after}")).into();
    }
    match entry.is_name && words.contains(' ') {
        true => vec![words.replace(' ', "_"), words.replace(' ', ""), words],
        false => vec![words],
    }
}

fn announced() -> impl Iterator<Item = Pattern> {
    let with = |meaning| move |words: &&'static str| ((*words).into(), meaning);
    let fields = tables::fields::KEYS.iter().map(with(Meaning::Field));
    let headers = tables::fields::WAITS.iter().map(with(Meaning::Wait(Unit::Seconds)));
    let milliseconds = tables::fields::WAITS_IN_MILLISECONDS;
    let milliseconds = milliseconds.iter().map(with(Meaning::Wait(Unit::Milliseconds)));
    let sentences = tables::fields::WAITS_IN_WORDS.iter().map(with(Meaning::Wait(Unit::Written)));
    fields
        .chain(headers)
        .chain(milliseconds)
        .chain(sentences)
        .chain([("sqlstate".into(), Meaning::SqlState)])
}

/// All that can stand in a field: codes are words without a blank.
fn codes() -> Vec<(String, Evidence)> {
    let of = |entry: &'static Entry| {
        entry.words.iter().flat_map(|words| {
            let evidence = Evidence::new(entry.rank, entry.verdict.with_evidence(words));
            forms(entry, words).into_iter().map(move |form| (form, evidence))
        })
    };
    let known = entries().filter(|entry| entry.rank >= Rank::Status);
    let mut codes: Vec<_> = known.flat_map(of).collect();
    codes.retain(|(code, _)| !code.contains(' '));
    codes.sort_by(|one, other| one.0.cmp(&other.0));
    codes
}

/// What a code says, whoever's it is.
pub(super) fn code(code: &[u8]) -> Option<Evidence> {
    MATCHER.evidence_of(MATCHER.code(code)?)
}

/// What a SQLSTATE says, or else its class.
pub(super) fn sql_state(state: &[u8]) -> Option<Evidence> {
    let of = |table: &'static [Entry], state: &[u8]| {
        let has = |entry: &&Entry| {
            entry.words.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(state))
        };
        table
            .iter()
            .find(has)
            .map(|entry| Evidence::new(entry.rank, entry.verdict.with_evidence("SQLSTATE")))
    };
    of(tables::sql::STATES, state).or_else(|| of(tables::sql::CLASSES, state.get(..2)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_take_little_memory() {
        let size = MATCHER.trie.memory();
        assert!(size < 1 << 20, "{size} bytes");
    }

    #[test]
    fn nothing_stands_in_the_tables_twice() {
        let mut words: Vec<_> = announced().chain(said()).map(|(words, _)| words).collect();
        words.sort();
        let twice: Vec<_> = words.windows(2).filter(|pair| pair[0] == pair[1]).collect();
        assert!(twice.is_empty(), "{twice:?}");
    }
}
