//! Text, the last resort: for errors that are nothing but a message.
//!
//! One pass over the message finds every known phrase and code ([`super::tables`]), in any case. A
//! phrase counts where it stands by itself: between words, or as a hump of a CamelCase name. It does
//! not count in a path, a URL, a host name, an option, another name, or alone in quotes, for there it is somebody's name for something. Lines of a stack trace do not count at all. Within a line,
//! with those that go on with it, what says most decides, among equals the last; of several lines the last
//! one that says anything definite, unless an earlier one cannot get better by itself. Of more than 256 KiB only the first 32 and the last
//! 224 are looked at.

use std::ops::Range;

use super::evidence::{Evidence, Rank};
use super::fields::{self, Unit};
use super::lines::{Lines, continues};
use super::matcher::{MATCHER, Matcher, Meaning, sql_state};
use super::place::Place;
use super::status::of_status;
use crate::provider::Provider;
use crate::verdict::{Kind, Verdict};

/// The strongest evidence in a message.
pub(super) fn find(text: &[u8], provider: Option<Provider>) -> Found {
    let matcher = &*MATCHER;
    let mut search =
        Search { matcher, text, provider, best: None, line: None, status: None, wait: None };
    for line in parts(text).into_iter().flat_map(|part| Lines::of(text, part)) {
        let start = line.start;
        let line = text.get(line).unwrap_or_default();
        if !continues(line) {
            search.close_line();
        }
        let mut may_begin = Class::BLANK.next;
        for (offset, byte) in line.iter().enumerate() {
            let class = CLASSES[usize::from(*byte)];
            if may_begin & class.bit != 0 {
                let at = start + offset;
                if class.bit == DIGIT {
                    search.number(at);
                }
                // It may go on in the next line.
                let mut longest = None;
                matcher.walk(text, at, |pattern, end| {
                    if search.counts(pattern, at, end) {
                        longest = Some((pattern, end));
                    }
                });
                if let Some((pattern, end)) = longest {
                    search.weigh(pattern, end);
                }
            }
            may_begin = class.next;
        }
    }
    search.found()
}

/// What was found in a message.
#[derive(Default)]
pub(super) struct Found {
    /// The strongest evidence.
    pub(super) evidence: Option<Evidence>,
    /// The last HTTP status in it, whether it decides or not.
    pub(super) status: Option<u16>,
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
    /// The same of the line under way, with those that it goes on from.
    line: Option<Best>,
    status: Option<u16>,
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
    /// Whether a phrase counts where it was found.
    #[inline(never)]
    fn counts(&self, pattern: usize, start: usize, end: usize) -> bool {
        let meaning = self.matcher.meaning(pattern);
        meaning.is_some_and(|meaning| Place::new(self.text, start, end).counts(meaning))
    }

    /// Weighs the longest phrase that begins at a place: the shorter ones are a part of it, and it may mean
    /// something else.
    #[inline(never)]
    fn weigh(&mut self, pattern: usize, end: usize) {
        let Some(meaning) = self.matcher.meaning(pattern) else { return };
        let (rank, what) = match meaning {
            Meaning::Says(_, verdict) if verdict.kind() == Kind::Unknown => return,
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
                if fields::wait(self.text, end, unit).is_some() {
                    self.wait = Some((end, unit));
                }
                if unit != Unit::Written {
                    return;
                }
                (Rank::Vague, What::Verdict(ASKS_FOR_A_RETRY))
            }
        };
        self.keep(Best { rank, what, end });
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
        if let What::Status(status) = found.what {
            self.status = Some(status);
        }
        if self.line.is_none_or(|best| found.rank >= best.rank && !best.holds(&found)) {
            self.line = Some(found);
        }
    }

    /// Another line begins: of those before, the last that says anything definite counts.
    fn close_line(&mut self) {
        let Some(line) = self.line.take() else { return };
        let definite = line.rank >= Rank::Status;
        let outdone = |best: Best| match best.rank {
            Rank::Decisive => line.rank < Rank::Decisive,
            rank => line.rank < rank && !definite,
        };
        if !self.best.is_some_and(outdone) {
            self.best = Some(line);
        }
    }

    /// `"code": "SlowDown"`, `<Code>SlowDown</Code>`, `"status": 503`, `code: 'ECONNRESET'`.
    fn field(&self, end: usize) -> Option<(Rank, What)> {
        let value = fields::value(self.text, end)?;
        // Behind a key without quotes numbers are judged by the words before them.
        let in_document = !matches!(self.text.get(end.wrapping_sub(1)), Some(b':' | b'='));
        if let Some(status) = fields::status(value) {
            return in_document.then_some((Rank::Status, What::Status(status)));
        }
        let code = self.matcher.code(value)?;
        let rank = match self.matcher.evidence_of(code)?.rank {
            Rank::Code if in_document => Rank::Field,
            Rank::Word | Rank::Vague => return None,
            rank => rank,
        };
        Some((rank, What::Code(code)))
    }

    fn found(mut self) -> Found {
        self.close_line();
        Found { status: self.status, evidence: self.evidence() }
    }

    fn evidence(&self) -> Option<Evidence> {
        let best = self.best?;
        let verdict = match best.what {
            What::Status(status) => of_status(status, self.provider),
            What::Code(code) => self.matcher.evidence_of(code)?.verdict,
            What::Verdict(verdict) => verdict,
            What::Phrase(pattern) => match self.matcher.meaning(pattern)? {
                // Somebody has answered: what could not be reached was behind them, and they may have acted.
                Meaning::Says(rank, verdict) if self.status.is_some() && rank < Rank::Code => {
                    verdict.without_unprocessed().with_answer()
                }
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

/// A sentence that says when to come back.
const ASKS_FOR_A_RETRY: Verdict = Verdict::retry(Kind::Server, "text.asks_for_a_retry")
    .with_evidence("retry after")
    .with_answer();
