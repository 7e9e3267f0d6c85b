//! Text, the last resort: for errors that are nothing but a message.
//!
//! One pass over the message finds every known phrase and code ([`super::tables`]), in any case. A
//! phrase counts where it stands by itself: between words, or as a hump of a CamelCase name. A single
//! word or a status does not count in a path, a URL, a host name, an option, or alone in quotes, for
//! there it is somebody's name for something. Lines of a stack trace do not count at all. The phrase
//! that says most decides; among equals the last one. Of more than 256 KiB only the first 32 and the last
//! 224 are looked at.

use std::ops::Range;

use super::evidence::{Evidence, Rank};
use super::fields::{self, Unit};
use super::lines::Lines;
use super::matcher::{MATCHER, Matcher, Meaning, sql_state};
use super::status::{of_status, reason};
use crate::provider::Provider;
use crate::verdict::{Kind, Verdict};

/// The strongest evidence in a message.
pub(super) fn find(text: &[u8], provider: Option<Provider>) -> Option<Evidence> {
    let matcher = &*MATCHER;
    let mut search = Search { matcher, text, provider, best: None, wait: None };
    for line in parts(text).into_iter().flat_map(|part| Lines::of(text, part)) {
        let start = line.start;
        let mut may_begin = Class::BLANK.next;
        for (offset, byte) in text.get(line).unwrap_or_default().iter().enumerate() {
            let class = CLASSES[usize::from(*byte)];
            if may_begin & class.bit != 0 {
                let at = start + offset;
                if class.bit == DIGIT {
                    search.number(at);
                }
                // It may go on in the next line.
                matcher.walk(text, at, |pattern, end| search.weigh(pattern, at, end));
            }
            may_begin = class.next;
        }
    }
    search.found()
}

/// Where to look: everywhere, or in much text at the beginning and the end, where errors stand.
fn parts(text: &[u8]) -> [Range<usize>; 2] {
    const HEAD: usize = 32 << 10;
    const TAIL: usize = 224 << 10;
    match text.len() {
        length if length <= HEAD + TAIL => [0..length, length..length],
        length => [0..HEAD, length - TAIL..length],
    }
}

/// What a byte is, as far as words and their borders are concerned: a bit, and the bits of what can begin
/// a phrase behind it. Phrases begin with a word, a hump of a CamelCase name, a number at the end of a
/// word, or punctuation.
#[derive(Clone, Copy)]
struct Class {
    bit: u8,
    next: u8,
}

const BLANK: u8 = 1;
/// What some phrases begin with.
const PUNCTUATION: u8 = 2;
const LOWER: u8 = 4;
const UPPER: u8 = 8;
const DIGIT: u8 = 16;
/// An underscore, or a part of a letter of another script.
const JOINT: u8 = 32;

impl Class {
    const BLANK: Self = Self { bit: BLANK, next: PUNCTUATION | LOWER | UPPER | DIGIT | JOINT };

    const fn of(byte: u8) -> Self {
        match byte {
            b'a'..=b'z' => Self { bit: LOWER, next: PUNCTUATION | UPPER | DIGIT },
            b'A'..=b'Z' => Self { bit: UPPER, next: PUNCTUATION | DIGIT },
            b'0'..=b'9' => Self { bit: DIGIT, next: PUNCTUATION | UPPER },
            b'_' | 128.. => Self { bit: JOINT, next: PUNCTUATION },
            b'"' | b'\'' | b'<' | b'(' | b'.' | b'-' => Self { bit: PUNCTUATION, ..Self::BLANK },
            _ => Self::BLANK,
        }
    }
}

const CLASSES: [Class; 256] = {
    let mut classes = [Class::BLANK; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = Class::of(byte as u8);
        byte += 1;
    }
    classes
};

struct Search<'a> {
    matcher: &'a Matcher,
    text: &'a [u8],
    provider: Option<Provider>,
    best: Option<Best>,
    /// Where the last wait stands, to be read at the end.
    wait: Option<(usize, Unit)>,
}

/// What was found, in few bytes: most of it is outdone by something else.
#[derive(Clone, Copy)]
struct Best {
    rank: Rank,
    what: What,
    end: usize,
}

impl Best {
    /// Whether the other one, which begins no earlier, is only a part of this one: `RequestLimitExceeded`
    /// says more than the `LimitExceeded` in it.
    fn holds(&self, other: &Self) -> bool {
        self.rank == other.rank && other.end <= self.end
    }
}

#[derive(Clone, Copy)]
enum What {
    /// Number of the pattern.
    Phrase(usize),
    /// An HTTP status.
    Status(u16),
    /// The code in a field of an error document, by its number in the table of codes.
    Code(usize),
    /// A SQLSTATE, which is rare.
    Verdict(Verdict),
}

impl Search<'_> {
    /// Weighs a phrase that was found.
    #[inline(never)]
    fn weigh(&mut self, pattern: usize, start: usize, end: usize) {
        let Some(meaning) = self.matcher.meaning(pattern) else { return };
        let (rank, what) = match meaning {
            Meaning::Says(rank, _) => (rank, What::Phrase(pattern)),
            Meaning::Reason(status) => (Rank::Status, What::Status(status)),
            Meaning::Field => match self.field(end) {
                Some(found) => found,
                None => return,
            },
            Meaning::SqlState => match fields::sql_state(self.text, end).and_then(sql_state) {
                Some(found) => (found.rank, What::Verdict(found.verdict)),
                None => return,
            },
            Meaning::Wait(unit) => {
                if fields::has_wait(self.text, end) {
                    self.wait = Some((end, unit));
                }
                if unit == Unit::Seconds {
                    return;
                }
                (Rank::Vague, What::Verdict(ASKS_FOR_A_RETRY))
            }
        };
        if Place::new(self.text, start, end).counts(meaning) {
            self.keep(Best { rank, what, end });
        }
    }

    /// Three digits may be an HTTP status.
    fn number(&mut self, start: usize) {
        let Some([hundreds @ b'4'..=b'5', tens, ones]) = self.text.get(start..start + 3) else {
            return;
        };
        let [hundreds, tens, ones] =
            [hundreds, tens, ones].map(|digit| u16::from(digit.wrapping_sub(b'0')));
        let status = hundreds * 100 + tens * 10 + ones;
        let place = Place::new(self.text, start, start + 3);
        if let Some(verdict) = fields::mail_status(self.text, start + 3) {
            self.keep(Best { rank: Rank::Code, what: What::Verdict(verdict), end: start + 3 });
            return;
        }
        if tens < 10 && ones < 10 && place.is_a_status(status) {
            self.keep(Best { rank: Rank::Status, what: What::Status(status), end: start + 3 });
        }
    }

    fn keep(&mut self, found: Best) {
        if self.best.is_none_or(|best| found.rank >= best.rank && !best.holds(&found)) {
            self.best = Some(found);
        }
    }

    /// `"code": "SlowDown"`, `<Code>SlowDown</Code>`, `"status": 503`.
    fn field(&self, end: usize) -> Option<(Rank, What)> {
        let value = fields::value(self.text, end)?;
        if let Some(status) = fields::status(value) {
            return Some((Rank::Status, What::Status(status)));
        }
        let code = self.matcher.code(value)?;
        let rank = self.matcher.evidence_of(code)?.rank;
        // What covers many cases does not say more for standing in a field.
        let rank = if rank >= Rank::Phrase { rank.max(Rank::Field) } else { rank };
        Some((rank, What::Code(code)))
    }

    fn found(self) -> Option<Evidence> {
        let best = self.best?;
        let verdict = match best.what {
            What::Status(status) => of_status(status, self.provider),
            What::Code(code) => self.matcher.evidence_of(code)?.verdict,
            What::Verdict(verdict) => verdict,
            What::Phrase(pattern) => match self.matcher.meaning(pattern)? {
                Meaning::Says(_, verdict) => verdict,
                _ => return None,
            },
        };
        let wait = || self.wait.and_then(|(end, unit)| fields::wait(self.text, end, unit));
        let verdict = match verdict.is_retryable().then(wait).flatten() {
            Some(wait) => verdict.with_hint(wait),
            None => verdict,
        };
        Some(Evidence::new(best.rank, verdict))
    }
}

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

    fn counts(&self, meaning: Meaning) -> bool {
        match meaning {
            Meaning::Says(Rank::Word | Rank::Vague, _) => self.is_bounded() && !self.is_a_name(),
            // What they look for begins with a quote or a bracket, and was read behind it.
            Meaning::Field => true,
            Meaning::Says(..) | Meaning::Reason(_) => self.is_bounded(),
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

    /// A single word that somebody chose as a name: part of a path, a URL, a host or an option, or
    /// alone between quotes.
    fn is_a_name(&self) -> bool {
        if self.words().iter().any(u8::is_ascii_whitespace) {
            return false;
        }
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
        let on_the_left = memchr::memrchr3(b' ', b'/', b'\\', left)
            .and_then(|at| left.get(at..))
            .is_some_and(|rest| !rest.iter().any(u8::is_ascii_whitespace));
        let on_the_right = memchr::memchr3(b' ', b'/', b'\\', right)
            .and_then(|at| right.get(..=at))
            .is_some_and(|rest| !rest.iter().any(u8::is_ascii_whitespace));
        on_the_left || on_the_right
    }

    /// Whether a number is an HTTP status: `HTTP/1.1 503`, `status code: 503`, `Error (503)`, or
    /// `503 Service Unavailable`.
    fn is_a_status(&self, status: u16) -> bool {
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
            && super::tables::http::BEFORE_A_STATUS.iter().any(ends_with)
            && !super::tables::http::BEFORE_NO_STATUS.iter().any(ends_with)
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

/// A sentence that says when to come back.
const ASKS_FOR_A_RETRY: Verdict = Verdict::retry(Kind::Server, "text.asks_for_a_retry")
    .with_evidence("retry after")
    .with_answer();

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
    !rest.first().is_some_and(goes_on)
        && !fraction
        && !super::tables::http::COUNTED.iter().any(counting)
}

fn is_same(text: Option<&[u8]>, word: &[u8]) -> bool {
    text.is_some_and(|text| text.eq_ignore_ascii_case(word))
}

/// Letters of other scripts are letters too.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}
