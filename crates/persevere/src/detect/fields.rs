//! Fields of error documents, JSON or XML, whole or somewhere in a message: what stands behind a key
//! that the search has found. Nothing is parsed as a whole, for what arrives is often cut.

use std::time::Duration;

use crate::verdict::{Kind, Verdict};

/// The longest code that anybody documents is 79 characters long.
const LONGEST: usize = 96;

/// The value behind a key: `": "SlowDown"`, `>SlowDown<`, `': 503,`, also with escaped quotes. Without
/// the namespace that stands before `#`, and the address behind `:`, in codes of AWS.
pub(super) fn value(text: &[u8], end: usize) -> Option<&[u8]> {
    let rest = text.get(end..)?;
    let between = |byte: &&u8| matches!(byte, b'"' | b'\'' | b'\\' | b' ' | b':' | b'=' | b'>');
    let skipped = rest.iter().take(8).take_while(between).count();
    let separates = |byte: &u8| matches!(byte, b':' | b'=' | b'>');
    let separated = text.get(end.wrapping_sub(1)).is_some_and(separates)
        || rest.get(..skipped)?.iter().any(separates);
    let rest = rest.get(skipped..)?;
    let inside =
        |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'#');
    let length = rest.iter().take(LONGEST + 1).take_while(inside).count();
    if !separated || length == 0 || length > LONGEST {
        return None;
    }
    let value = rest.get(..length)?;
    let name = value.iter().rposition(|byte| *byte == b'#').map_or(0, |hash| hash + 1);
    value.get(name..)
}

/// The code of a body that is an error document as a whole: `<Error><Code>…`, `{"__type": …`,
/// `{"error": …`. What only speaks of an error somewhere is none.
pub(super) fn code_of_document(body: &[u8]) -> Option<&[u8]> {
    const ROOTS: [&[u8]; 7] = [
        b"<Error>",
        b"<Error ",
        b"<ErrorResponse",
        b"{\"__type\"",
        b"{\"error\"",
        b"{\"Error\"",
        b"{\"errors\"",
    ];
    const KEYS: [&[u8]; 5] = [b"<Code>", b"\"__type\"", b"\"code\"", b"\"reason\"", b"\"status\""];
    let mut body = body.trim_ascii_start();
    if body.starts_with(b"<?xml") {
        body = body.get(memchr::memmem::find(body, b"?>")? + 2..)?.trim_ascii_start();
    }
    ROOTS.iter().any(|root| starts_ignoring_white_space(body, root)).then_some(())?;
    KEYS.iter().find_map(|key| {
        let end = memchr::memmem::find(body, key)? + key.len();
        let value = value(body, end - 1)?;
        status(value).is_none().then_some(value)
    })
}

fn starts_ignoring_white_space(text: &[u8], words: &[u8]) -> bool {
    let mut text = text.iter().take(64).filter(|byte| !byte.is_ascii_whitespace());
    words.iter().filter(|byte| **byte != b' ').all(|byte| text.next() == Some(byte))
}

/// Whether a value is an HTTP status that is an error.
pub(super) fn status(value: &[u8]) -> Option<u16> {
    let number: u16 = std::str::from_utf8(value).ok()?.parse().ok()?;
    (value.len() == 3 && (400..600).contains(&number)).then_some(number)
}

/// A mail server's reply, whose number is no HTTP status, by the enhanced status code behind it:
/// `451 4.3.0`, `(554, b'5.7.1`. RFC 5321 section 4.2.1 and RFC 3463: 4 is transient, 5 is permanent.
pub(super) fn mail_status(text: &[u8], end: usize) -> Option<Verdict> {
    let rest = text.get(end..)?;
    let between = |byte: &&u8| matches!(byte, b' ' | b'-' | b',' | b'b' | b'\'' | b'"');
    let skipped = rest.iter().take(5).take_while(between).count();
    let verdict = match rest.get(skipped..skipped + 5)? {
        [b'4', b'.', b'0'..=b'9', b'.', b'0'..=b'9'] => Verdict::retry(Kind::Server, "smtp.4xx"),
        [b'5', b'.', b'0'..=b'9', b'.', b'0'..=b'9'] => Verdict::stop(Kind::Invalid, "smtp.5xx"),
        _ => return None,
    };
    (skipped > 0).then_some(verdict.with_evidence("enhanced mail status").with_answer())
}

/// The five characters behind the word SQLSTATE.
pub(super) fn sql_state(text: &[u8], end: usize) -> Option<&[u8]> {
    let rest = text.get(end..)?;
    let between = |byte: &&u8| matches!(byte, b' ' | b':' | b'=' | b'[' | b'(' | b'"' | b'\'');
    let skipped = rest.iter().take(4).take_while(between).count();
    let state = rest.get(skipped..skipped + 5)?;
    let ends = !rest.get(skipped + 5).is_some_and(u8::is_ascii_alphanumeric);
    (skipped > 0 && ends && state.iter().all(u8::is_ascii_alphanumeric)).then_some(state)
}

/// Whether a wait may be written without its unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// Seconds, unless it says otherwise: what headers and APIs do.
    Seconds,
    /// Milliseconds: headers and fields whose names say so.
    Milliseconds,
    /// Only with a unit: a sentence.
    Written,
}

/// The wait behind words that announce one: `: 7`, `": "3.5s"`, ` 2 minutes`, ` 1m30s`. More than a year is
/// none: it is a point in time, or garbage.
pub(super) fn wait(text: &[u8], end: usize, unit: Unit) -> Option<Duration> {
    const LONGEST: f64 = 366.0 * 86_400.0;
    let rest = text.get(end..)?;
    let between = |byte: &&u8| matches!(byte, b'"' | b'\'' | b'\\' | b' ' | b':' | b'=');
    let skipped = rest.iter().take(6).take_while(between).count();
    let (mut rest, mut seconds, mut parts) = (rest.get(skipped..)?, 0.0, 0);
    while parts < 4
        && let Some((part, behind)) = part_of_wait(rest, unit)
    {
        (rest, seconds, parts) = (behind, seconds + part, parts + 1);
    }
    (parts > 0 && seconds <= LONGEST).then(|| Duration::try_from_secs_f64(seconds).ok()).flatten()
}

/// A number with its unit, in seconds, and what stands behind.
fn part_of_wait(text: &[u8], unit: Unit) -> Option<(f64, &[u8])> {
    let text = text.trim_ascii_start();
    let text = text.strip_prefix(b"and ").unwrap_or(text);
    let digits =
        text.iter().take(20).take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
    let number = std::str::from_utf8(text.get(..digits)?).ok()?.trim_end_matches('.');
    let number: f64 = number.parse().ok()?;
    let behind = text.get(digits..)?.trim_ascii_start();
    let letters = behind.iter().take(13).take_while(|byte| byte.is_ascii_alphabetic()).count();
    let seconds = match (behind.get(..letters)?, unit) {
        (b"ms" | b"msec" | b"millis" | b"millisecond" | b"milliseconds", _) => 0.001,
        (b"s" | b"sec" | b"secs" | b"second" | b"seconds", _) => 1.0,
        (b"m" | b"min" | b"mins" | b"minute" | b"minutes", _) => 60.0,
        (b"h" | b"hour" | b"hours", _) => 3_600.0,
        (b"d" | b"day" | b"days", _) => 86_400.0,
        (_, Unit::Seconds) => return Some((number, b"")),
        (_, Unit::Milliseconds) => return Some((number * 0.001, b"")),
        (_, Unit::Written) => return None,
    };
    Some((number * seconds, behind.get(letters..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value_of(text: &str) -> Option<&str> {
        value(text.as_bytes(), 0).map(|value| std::str::from_utf8(value).unwrap())
    }

    #[test]
    fn values_of_fields() {
        assert_eq!(value_of(r#"": "SlowDown","#), Some("SlowDown"));
        assert_eq!(value_of(r#"\":\"SlowDown\""#), Some("SlowDown"));
        assert_eq!(value_of(">SlowDown</Code>"), Some("SlowDown"));
        assert_eq!(value_of("': 503}"), Some("503"));
        assert_eq!(value_of(r#"":"com.amazonaws.v2#Throttling:http://x/""#), Some("Throttling"));
        assert_eq!(value_of(r#"": {"code""#), None);
        assert_eq!(value_of("SlowDown"), None);
        assert_eq!(value_of(&format!(": {}", "x".repeat(97))), None);
    }

    #[test]
    fn documents_are_errors_as_a_whole() {
        fn code(body: &str) -> Option<&str> {
            code_of_document(body.as_bytes()).map(|code| std::str::from_utf8(code).unwrap())
        }
        assert_eq!(code("<?xml version=\"1.0\"?>\n<Error><Code>X</Code></Error>"), Some("X"));
        assert_eq!(code("{ \"__type\": \"a#B\" }"), Some("B"));
        assert_eq!(code("{\n \"error\": {\n  \"code\": 503, \"status\": \"Y\" } }"), Some("Y"));
        assert_eq!(code("<Result><Error><Code>X</Code></Error></Result>"), None);
        assert_eq!(code("{\"jobs\": [{\"status\": \"SlowDown\"}]}"), None);
        assert_eq!(code("docs: S3 may answer SlowDown"), None);
    }

    #[test]
    fn statuses_and_states() {
        assert_eq!(status(b"503"), Some(503));
        assert_eq!((status(b"0503"), status(b"200"), status(b"x")), (None, None, None));
        assert_eq!(sql_state(b"[40001]: x", 0), Some(&b"40001"[..]));
        assert_eq!(sql_state(b" 40P01)", 0), Some(&b"40P01"[..]));
        assert_eq!(sql_state(b" 400010", 0), None);
        assert_eq!(sql_state(b"s are codes", 0), None);
    }

    #[test]
    fn replies_of_mail_servers() {
        let retryable =
            |text: &str| mail_status(text.as_bytes(), 0).map(|verdict| verdict.is_retryable());
        assert_eq!(retryable(" 4.3.2 Service not available"), Some(true));
        assert_eq!(retryable(", b'5.7.1 Client host blocked"), Some(false));
        assert_eq!(retryable(" 2.0.0 Ok"), None);
        assert_eq!(retryable("4.3.2"), None);
    }

    #[test]
    fn waits() {
        let seconds =
            |text: &str| wait(text.as_bytes(), 0, Unit::Seconds).map(|it| it.as_secs_f64());
        assert_eq!(seconds(": 7\r\n"), Some(7.0));
        assert_eq!(seconds("\": \"3.5s\""), Some(3.5));
        assert_eq!(seconds(" 2 minutes."), Some(120.0));
        assert_eq!(seconds(" the break"), None);
        assert_eq!(seconds(": 1e9"), Some(1.0));
        assert_eq!(seconds(": 99999999999999999999 h"), None);
        assert_eq!(seconds(": 1735689600"), None);
        assert_eq!(seconds(" 1m30s."), Some(90.0));
        assert_eq!(seconds(" 1 hour and 30 minutes"), Some(5_400.0));
        assert_eq!(seconds(" 500 milliseconds"), Some(0.5));
        assert_eq!(wait(b": 500", 0, Unit::Milliseconds), Some(Duration::from_millis(500)));
        assert_eq!(wait(b" 7 attempts", 0, Unit::Written), None);
        assert_eq!(wait(b" 30 seconds", 0, Unit::Written), Some(Duration::from_secs(30)));
    }
}
