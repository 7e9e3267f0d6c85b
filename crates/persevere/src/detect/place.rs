//! Where a phrase stands in a message, and whether it counts there.

use super::evidence::Rank;
use super::matcher::Meaning;
use super::status::reason;
use super::tables::http::{BEFORE_A_STATUS, BEFORE_NO_STATUS, COUNTED};

/// Where a phrase stands.
pub(super) struct Place<'a> {
    text: &'a [u8],
    start: usize,
    end: usize,
}

impl<'a> Place<'a> {
    pub(super) fn new(text: &'a [u8], start: usize, end: usize) -> Self {
        Self { text, start, end }
    }

    pub(super) fn counts(&self, meaning: Meaning) -> bool {
        match meaning {
            Meaning::Says(rank, verdict) => {
                self.is_bounded()
                    && self.is_written_as(verdict.evidence())
                    && !(rank < Rank::Code && self.is_a_name(rank))
            }
            Meaning::Reason(_) => self.is_bounded(),
            // What stands behind it decides.
            Meaning::Field => self.has_borders(),
            Meaning::SqlState | Meaning::Wait(_) => self.has_borders(),
        }
    }

    /// Not in the middle of a word, where a hump of a CamelCase name is a word.
    pub(super) fn is_bounded(&self) -> bool {
        self.has_borders() && !self.is_a_setting()
    }

    fn has_borders(&self) -> bool {
        let first = self.text.get(self.start).copied();
        let last = self.text.get(self.end.wrapping_sub(1)).copied();
        is_border(self.before(), first) && is_border(last, self.after())
    }

    /// In the middle of a CamelCase name, or before `=`: `connectTimeoutMillis`, `"readTimeout": 5`,
    /// `timeout=5`. The names of errors end in one of a few words.
    fn is_a_setting(&self) -> bool {
        let rest = self.text.get(self.end..).unwrap_or_default();
        match rest {
            [b'A'..=b'Z', ..] => {
                let last = self.text.get(self.end.wrapping_sub(1));
                let goes_on = last.is_some_and(u8::is_ascii_lowercase);
                goes_on && !ERRORS_END_IN.iter().any(|word| rest.starts_with(word))
            }
            [b'=', ..] => true,
            [b'"' | b'\'', rest @ ..] => rest.trim_ascii_start().starts_with(b":"),
            _ => false,
        }
    }

    /// Codes that are documented in a case of their own are written in it, but perhaps for the first
    /// letter: `MOVED` is not "moved".
    fn is_written_as(&self, words: &str) -> bool {
        !words.bytes().any(|byte| byte.is_ascii_uppercase())
            || self.words().get(1..) == words.as_bytes().get(1..)
    }

    /// Something that somebody chose as a name: a part of a path, a URL, a host, an option or another
    /// name, or all that stands between quotes, unless the quotes hold a value or an argument.
    fn is_a_name(&self, rank: Rank) -> bool {
        let dotted = self.after() == Some(b'.')
            && self.text.get(self.end + 1).is_some_and(u8::is_ascii_alphanumeric);
        if dotted || self.is_quoted(rank) {
            return true;
        }
        if self.words().iter().any(u8::is_ascii_whitespace) {
            return false;
        }
        let joins = |byte: Option<u8>| matches!(byte, Some(b'/' | b'\\' | b'-' | b'_' | b'@'));
        let assigned = rank < Rank::Phrase && self.before() == Some(b'=');
        assigned || joins(self.before()) || joins(self.after()) || self.is_in_a_path()
    }

    /// Whether it fills a pair of quotes that are there to name something.
    fn is_quoted(&self, rank: Rank) -> bool {
        let quote = |byte: Option<u8>| matches!(byte, Some(b'\'' | b'"' | b'`'));
        if !quote(self.before()) || self.before() != self.after() {
            return false;
        }
        let left = self.text.get(..self.start.saturating_sub(1)).unwrap_or_default();
        let introduced = left.iter().rev().take(4).find(|byte| **byte != b' ');
        let is_one_word = !self.words().iter().any(u8::is_ascii_whitespace);
        match introduced {
            Some(b':' | b'=') => rank < Rank::Phrase && is_one_word,
            Some(b'(' | b',' | b'[') => is_one_word,
            _ => true,
        }
    }

    /// Whether it is in one piece with a slash.
    fn is_in_a_path(&self) -> bool {
        // Paths are not endless, and hostile messages are.
        const FAR: usize = 128;
        let ends_it = |byte: &u8| {
            byte.is_ascii_whitespace()
                || matches!(
                    byte,
                    b'"' | b'\'' | b'<' | b'>' | b'(' | b')' | b',' | b';' | b'{' | b'}'
                )
        };
        let from = self.start.saturating_sub(FAR);
        let to = self.text.len().min(self.end + FAR);
        let left = self.text.get(from..self.start).unwrap_or_default();
        let right = self.text.get(self.end..to).unwrap_or_default();
        let on_the_left = memchr::memrchr2(b'/', b'\\', left)
            .and_then(|at| left.get(at..))
            .is_some_and(|piece| !piece.iter().any(ends_it));
        let on_the_right = memchr::memchr2(b'/', b'\\', right)
            .and_then(|at| right.get(..at))
            .is_some_and(|piece| !piece.iter().any(ends_it));
        on_the_left || on_the_right
    }

    /// Whether a number is an HTTP status: `HTTP/1.1 503`, `status code: 503`, `Error (503)`, or
    /// `503 Service Unavailable`.
    pub(super) fn is_a_status(&self, status: u16) -> bool {
        let rest = self.text.get(self.end..).unwrap_or_default();
        if !ends_as_a_status(rest)
            || self.before().is_some_and(|byte| matches!(byte, b'/' | b'-' | b'.'))
        {
            return false;
        }
        let is_apart = !self.before().is_some_and(is_word);
        is_apart && self.stands_before_its_reason(rest, status)
            // FTP and SMTP say 421 for "service not available", and HTTP hardly ever.
            || status != 421 && self.stands_after_a_word_for_it()
    }

    fn stands_before_its_reason(&self, rest: &[u8], status: u16) -> bool {
        let skipped = rest
            .iter()
            .take(3)
            .take_while(|byte| matches!(byte, b' ' | b':' | b')' | b','))
            .count();
        let reason = reason(status).as_bytes();
        let next = rest.get(skipped..skipped + reason.len());
        skipped > 0
            && !reason.is_empty()
            && next.is_some_and(|next| next.eq_ignore_ascii_case(reason))
    }

    fn stands_after_a_word_for_it(&self) -> bool {
        let punctuation =
            |byte: &u8| matches!(byte, b' ' | b':' | b'=' | b'(' | b'[' | b'"' | b'\'' | b'E');
        let left = self.text.get(..self.start).unwrap_or_default();
        let skipped = left.iter().rev().take(5).take_while(|byte| punctuation(byte)).count();
        let left = left.get(..left.len() - skipped).unwrap_or_default();
        let last = left.last().map(u8::to_ascii_lowercase);
        let ends_with = |word: &&str| {
            let from = || left.len().checked_sub(word.len());
            last == word.bytes().last()
                && from().is_some_and(|from| is_same(left.get(from..), word.as_bytes()))
        };
        skipped > 0
            && BEFORE_A_STATUS.iter().any(ends_with)
            && !BEFORE_NO_STATUS.iter().any(ends_with)
    }

    fn words(&self) -> &[u8] {
        self.text.get(self.start..self.end).unwrap_or_default()
    }

    fn before(&self) -> Option<u8> {
        self.text.get(self.start.checked_sub(1)?).copied()
    }

    fn after(&self) -> Option<u8> {
        self.text.get(self.end).copied()
    }
}

/// What the names of exceptions and faults end in.
const ERRORS_END_IN: [&[u8]; 6] =
    [b"Error", b"Exception", b"Fault", b"Failure", b"Err", b"Warning"];

/// Whether a word can end between these two.
fn is_border(left: Option<u8>, right: Option<u8>) -> bool {
    let (Some(left), Some(right)) = (left, right) else { return true };
    let hump = (left.is_ascii_lowercase() || left.is_ascii_digit()) && right.is_ascii_uppercase();
    !is_word(left) || !is_word(right) || hump
}

/// A number that goes on, or counts something, is no status.
fn ends_as_a_status(rest: &[u8]) -> bool {
    let goes_on = |byte: &u8| is_word(*byte) || matches!(byte, b'/' | b'-' | b'%');
    let fraction = matches!(rest, [b'.' | b',', next, ..] if next.is_ascii_digit());
    let unit = rest.strip_prefix(b" ").unwrap_or_default();
    let first = unit.first().map(u8::to_ascii_lowercase);
    let counting = |known: &&str| {
        first == known.bytes().next() && is_same(unit.get(..known.len()), known.as_bytes())
    };
    !rest.first().is_some_and(goes_on) && !fraction && !COUNTED.iter().any(counting)
}

fn is_same(text: Option<&[u8]>, word: &[u8]) -> bool {
    text.is_some_and(|text| text.eq_ignore_ascii_case(word))
}

/// Letters of other scripts are letters too.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}
