//! Text, the last resort: for errors that are nothing but a message.
//!
//! One pass over the message finds every known phrase ([`super::phrases`]), in any case. A phrase
//! counts where it stands by itself: between words, or as a hump of a CamelCase name. A single word
//! or a status does not count in a path, a URL, a host name, an option, or alone in quotes, for
//! there it is somebody's name for something. The phrase that says most decides; among equals the
//! last one.

use std::borrow::Cow;
use std::fmt;
use std::sync::LazyLock;

use aho_corasick::automaton::{Automaton, StateID};
use aho_corasick::dfa::DFA;
use aho_corasick::{Anchored, StartKind};

use super::phrases::{BEFORE_A_STATUS, Meaning, PHRASES, Rank};
use super::status::http_status;
use crate::verdict::Verdict;

/// What a message says: a command's stderr, or an error whose type is unknown. It may have many
/// lines.
///
/// ```
/// use persevere::{detect, Kind};
///
/// let verdict = detect::text("curl: (7) Failed to connect: Connection refused");
/// assert!(verdict.is_retryable());
/// assert_eq!(verdict.rule(), "text.connection_refused");
///
/// assert!(!detect::text("open /srv/timeout/503: Permission denied").is_retryable());
/// assert_eq!(detect::text("the gears are grinding").kind(), Kind::Unknown);
/// ```
pub fn text(message: &str) -> Verdict {
    let Some(matcher) = &*MATCHER else {
        return Verdict::unknown();
    };
    let text = message.as_bytes();
    let mut best = None;
    let mut state = matcher.start;
    for (end, byte) in (1..).zip(text) {
        state = matcher.automaton.next_state(Anchored::No, state, byte.to_ascii_lowercase());
        if matcher.automaton.is_match(state) {
            best = matcher.weigh(state, text, end, best);
        }
    }
    best.map_or(Verdict::unknown(), |(_, evidence)| matcher.verdict(evidence))
}

/// What was found, in few bytes: most of it is outdone by something else.
#[derive(Clone, Copy)]
enum Evidence {
    /// Number of the pattern.
    Phrase(usize),
    /// An HTTP status.
    Status(u16),
}

struct Matcher {
    automaton: DFA,
    start: StateID,
    /// By number of the pattern.
    meanings: Vec<Meaning>,
}

/// In lower case, to which the message is folded byte by byte: an automaton that ignores case by
/// itself takes twice the memory. `None` only if the table were too large for an automaton, which a test rules out.
static MATCHER: LazyLock<Option<Matcher>> = LazyLock::new(|| {
    let with_meaning = |(meaning, phrases): &'static (Meaning, &[&'static str])| {
        phrases.iter().map(move |phrase| (Cow::Borrowed(*phrase), *meaning))
    };
    let numbers = (400..600).map(|status| (status.to_string().into(), Meaning::Number(status)));
    let (phrases, meanings): (Vec<Cow<'_, str>>, Vec<Meaning>) =
        PHRASES.iter().flat_map(with_meaning).chain(numbers).unzip();
    let automaton = DFA::builder()
        .start_kind(StartKind::Unanchored)
        .build(phrases.iter().map(AsRef::as_ref))
        .ok()?;
    let start = automaton.start_state(Anchored::No).ok()?;
    Some(Matcher { automaton, start, meanings })
});

impl Matcher {
    /// Weighs every phrase that ends here. Out of line, for the loop over the bytes must stay small:
    /// driven by hand like this it takes a third of the time of the automaton's own iterator.
    #[inline(never)]
    fn weigh(
        &self,
        state: StateID,
        text: &[u8],
        end: usize,
        mut best: Option<(Rank, Evidence)>,
    ) -> Option<(Rank, Evidence)> {
        for index in 0..self.automaton.match_len(state) {
            let pattern = self.automaton.match_pattern(state, index);
            let start = end - self.automaton.pattern_len(pattern);
            let Some(meaning) = self.meanings.get(pattern.as_usize()) else { continue };
            let (rank, evidence) = match meaning {
                Meaning::Says(rank, _) => (*rank, Evidence::Phrase(pattern.as_usize())),
                Meaning::Reason(status) | Meaning::Number(status) => {
                    (Rank::Status, Evidence::Status(*status))
                }
            };
            let outdone = best.is_some_and(|(known, _)| rank < known);
            if !outdone && (Place { text, start, end }).counts(meaning) {
                best = Some((rank, evidence));
            }
        }
        best
    }

    fn verdict(&self, evidence: Evidence) -> Verdict {
        match evidence {
            Evidence::Status(status) => http_status(status),
            Evidence::Phrase(number) => match self.meanings.get(number) {
                Some(Meaning::Says(_, verdict)) => *verdict,
                _ => Verdict::unknown(),
            },
        }
    }
}

/// Where a phrase stands.
struct Place<'a> {
    text: &'a [u8],
    start: usize,
    end: usize,
}

impl Place<'_> {
    fn counts(&self, meaning: &Meaning) -> bool {
        match meaning {
            Meaning::Number(_) => self.is_a_status(),
            Meaning::Says(Rank::Word, _) => self.is_bounded() && !self.is_a_name(),
            Meaning::Says(..) | Meaning::Reason(_) => self.is_bounded(),
        }
    }

    /// Not in the middle of a word, where a hump of a CamelCase name is a word.
    fn is_bounded(&self) -> bool {
        let hump = |left: Option<u8>, right: Option<u8>| {
            let lower = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
            left.is_some_and(lower) && right.is_some_and(|byte| byte.is_ascii_uppercase())
        };
        let border = |inside: usize, left: Option<u8>, right: Option<u8>| {
            let outside = if inside == self.start { left } else { right };
            !outside.is_some_and(is_word) || hump(left, right)
        };
        border(self.start, self.before(), self.text.get(self.start).copied())
            && border(self.end, self.text.get(self.end - 1).copied(), self.after())
            // A phrase that ends in punctuation of its own is bounded by it.
            || self.text.get(self.end - 1) == Some(&b':') && !self.before().is_some_and(is_word)
    }

    /// A single word that somebody chose as a name: part of a path, a URL, a host or an option, or
    /// alone between quotes.
    fn is_a_name(&self) -> bool {
        let joins =
            |byte: Option<u8>| matches!(byte, Some(b'/' | b'\\' | b'-' | b'_' | b'=' | b'@'));
        let dotted = self.after() == Some(b'.')
            && self.text.get(self.end + 1).is_some_and(u8::is_ascii_alphanumeric);
        let quote = |byte: Option<u8>| matches!(byte, Some(b'\'' | b'"' | b'`'));
        let quoted = quote(self.before()) && self.before() == self.after();
        joins(self.before()) || joins(self.after()) || dotted || quoted || self.is_in_a_path()
    }

    /// Whether what stands between white space holds a slash.
    fn is_in_a_path(&self) -> bool {
        // Paths are not endless, and hostile messages are.
        const FAR: usize = 128;
        let from = self.start.saturating_sub(FAR);
        let to = self.text.len().min(self.end + FAR);
        let left = self.text.get(from..self.start).unwrap_or_default();
        let right = self.text.get(self.end..to).unwrap_or_default();
        let inside = |byte: &&u8| !byte.is_ascii_whitespace();
        left.iter()
            .rev()
            .take_while(inside)
            .chain(right.iter().take_while(inside))
            .any(|byte| matches!(byte, b'/' | b'\\'))
    }

    /// Whether a number is an HTTP status, as in `HTTP/1.1 503`, `status code: 503`, `Error (503)`.
    fn is_a_status(&self) -> bool {
        let punctuation =
            |byte: &u8| matches!(byte, b' ' | b':' | b'=' | b'(' | b'[' | b'"' | b'\'' | b'E');
        let left = self.text.get(..self.start).unwrap_or_default();
        let skipped = left.iter().rev().take(5).take_while(|byte| punctuation(byte)).count();
        let left = &left[..left.len() - skipped];
        let ends_with = |word: &&str| {
            let from = left.len().checked_sub(word.len());
            from.is_some_and(|from| left[from..].eq_ignore_ascii_case(word.as_bytes()))
        };
        skipped > 0
            && ends_as_a_status(self.text.get(self.end..).unwrap_or_default())
            && BEFORE_A_STATUS.iter().any(ends_with)
    }

    fn before(&self) -> Option<u8> {
        self.text.get(self.start.checked_sub(1)?).copied()
    }

    fn after(&self) -> Option<u8> {
        self.text.get(self.end).copied()
    }
}

/// A number that goes on, or counts something, is no status.
fn ends_as_a_status(rest: &[u8]) -> bool {
    let goes_on = |byte: &u8| is_word(*byte) || matches!(byte, b'/' | b'-' | b'%');
    let fraction = matches!(rest, [b'.' | b',', next, ..] if next.is_ascii_digit());
    let counts =
        [" bytes", " ms", " seconds", " files", " times", " items", " rows", " lines", " attempts"];
    let counting = |unit: &&str| {
        let next = rest.get(..unit.len());
        next.is_some_and(|next| next.eq_ignore_ascii_case(unit.as_bytes()))
    };
    !rest.first().is_some_and(goes_on) && !fraction && !counts.iter().any(counting)
}

/// Letters of other scripts are letters too.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

/// A message without an allocation: its first kilobyte and its last one, where the cause stands.
pub(super) struct Message {
    bytes: [u8; Self::HEAD + Self::TAIL],
    length: usize,
}

impl Message {
    const HEAD: usize = 1024;
    const TAIL: usize = 1024;

    pub(super) fn new() -> Self {
        Self { bytes: [0; Self::HEAD + Self::TAIL], length: 0 }
    }

    pub(super) fn as_str(&self) -> &str {
        let mut written = self.bytes.get(..self.length).unwrap_or_default();
        // Whole characters come in and whole characters go, so this finds nothing to cut.
        loop {
            match std::str::from_utf8(written) {
                Ok(text) => return text,
                Err(error) => written = &written[..error.valid_up_to()],
            }
        }
    }

    /// Makes room for `needed` bytes, at most `TAIL`: the oldest characters of the tail go.
    fn make_room(&mut self, needed: usize) {
        let free = self.bytes.len() - self.length;
        if needed <= free {
            return;
        }
        let continues = |byte: u8| byte & 0b1100_0000 == 0b1000_0000;
        let next_character = |bytes: &[u8], mut at: usize| {
            while bytes.get(at).is_some_and(|byte| continues(*byte)) {
                at += 1;
            }
            at
        };
        let from = next_character(&self.bytes[..self.length], Self::HEAD.min(self.length));
        let to =
            next_character(&self.bytes[..self.length], (from + needed - free).min(self.length));
        self.bytes.copy_within(to..self.length, from);
        self.length -= to - from;
    }
}

impl fmt::Write for Message {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            let length = character.len_utf8();
            // Room for many at once: what is moved, is moved rarely.
            if self.bytes.len() - self.length < length {
                self.make_room(Self::TAIL / 2);
            }
            let place = self.bytes.get_mut(self.length..self.length + length);
            place.map(|place| character.encode_utf8(place));
            self.length += length;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_table_makes_an_automaton_of_reasonable_size() {
        let size = MATCHER.as_ref().map(|matcher| matcher.automaton.memory_usage());
        assert!(size.is_some_and(|size| size < 2 << 20), "{size:?} bytes");
    }

    #[test]
    fn a_long_message_keeps_its_beginning_and_its_end() {
        let mut message = Message::new();
        write!(message, "first {} last: connection refused", "ü".repeat(5_000)).unwrap();
        assert!(message.as_str().starts_with("first ü"));
        assert!(message.as_str().ends_with("ü last: connection refused"));
    }

    proptest! {
        #[test]
        fn a_message_is_whole_up_to_a_kilobyte_and_never_splits_a_character(
            parts in prop::collection::vec("\\PC{0,400}", 0..12)
        ) {
            let mut message = Message::new();
            for part in &parts {
                message.write_str(part).unwrap();
            }
            let whole = parts.concat();
            let kept = message.as_str();
            if whole.len() <= Message::HEAD {
                prop_assert_eq!(kept, &whole);
            }
            let common = kept.bytes().zip(whole.bytes()).take_while(|(a, b)| a == b).count();
            prop_assert!(common >= whole.len().min(Message::HEAD - 3));
            let tail = whole.char_indices().rev().find(|(at, _)| whole.len() - at >= 400);
            let tail = tail.map_or(whole.as_str(), |(at, _)| &whole[at..]);
            prop_assert!(kept.ends_with(tail));
        }
    }
}
