//! Text from elsewhere, made fit for one line and for detection.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Replaces control characters by spaces, so that a value can neither break a line nor drive the
/// terminal.
pub(crate) fn one_line(text: &str) -> String {
    text.chars().map(|char| if char.is_control() { ' ' } else { char }).collect()
}

/// Decodes what a command has printed, without the escape sequences of colours and cursors: in
/// `ESC[31mPermission denied` the first word would not stand alone.
pub(crate) fn decode(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    if !text.contains('\x1b') {
        return text.into_owned();
    }
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        if char == '\x1b' {
            skip_sequence(&mut chars);
        } else {
            plain.push(char);
        }
    }
    plain
}

/// ECMA-48: `ESC [ parameters final` and `ESC ] text BEL`; any other is `ESC` and one character.
fn skip_sequence(chars: &mut std::str::Chars<'_>) {
    match chars.next() {
        Some('[') => {
            chars.find(|char| ('\x40'..='\x7e').contains(char) || *char == '\n');
        }
        Some(']') => {
            chars.find(|char| matches!(char, '\x07' | '\x1b' | '\n'));
        }
        _ => {}
    }
}

/// The lines of it. A progress bar ends its lines by a carriage return.
pub(crate) fn lines(text: &str) -> impl DoubleEndedIterator<Item = &str> {
    text.split(['\n', '\r'])
}

/// RFC 3339 in UTC with milliseconds. A clock that stands before 1970 or after the year 9999 is cut off
/// there, for neither can be written so.
pub(crate) fn timestamp(time: SystemTime) -> String {
    let last = UNIX_EPOCH + Duration::from_millis(253_402_300_799_999);
    humantime::format_rfc3339_millis(time.clamp(UNIX_EPOCH, last)).to_string()
}

/// The last line that says something, cut to `longest` characters.
pub(crate) fn last_line(text: &str, longest: usize) -> Option<String> {
    let mut lines = lines(text).map(one_line).rev();
    let line = lines.find(|line| !line.trim().is_empty())?;
    Some(cut(line.trim(), longest))
}

/// At most `longest` characters, the last of them `…` where something is missing.
pub(crate) fn cut(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    let kept: String = text.chars().take(longest.saturating_sub(1)).collect();
    format!("{kept}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_leave_no_trace() {
        let printed = b"\x1b[1;31mPermission denied\x1b[0m\x1b]0;title\x07!\xff";
        assert_eq!(decode(printed), "Permission denied!\u{fffd}");
    }

    #[test]
    fn a_clock_that_is_wrong_is_no_end() {
        let day = Duration::from_secs(86_400);
        assert_eq!(timestamp(UNIX_EPOCH - day), "1970-01-01T00:00:00.000Z");
        assert_eq!(timestamp(UNIX_EPOCH + day), "1970-01-02T00:00:00.000Z");
        let end = "9999-12-31T23:59:59.999Z";
        assert_eq!(timestamp(UNIX_EPOCH + day * 3_000_000), end);
    }

    #[test]
    fn the_last_line_is_the_last_that_says_something() {
        let progress = " 10%\r 20%\rcurl: (7) Failed\u{7}\n\n \n";
        assert_eq!(last_line(progress, 200).as_deref(), Some("curl: (7) Failed"));
        assert_eq!(last_line("äöü", 2).as_deref(), Some("ä…"));
        assert_eq!(last_line("\n\r\n", 200), None);
    }
}
