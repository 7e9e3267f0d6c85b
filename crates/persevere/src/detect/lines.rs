//! The lines of a message that tell what happened, without those that only tell where in a program.

use std::ops::Range;

/// Iterates over the lines that count.
pub(super) struct Lines<'a> {
    text: &'a [u8],
    next: usize,
    end: usize,
    /// In Python's traces a line of source code follows each line that names its place.
    in_python_frame: bool,
}

impl<'a> Lines<'a> {
    /// Those of a part of a text.
    pub(super) fn of(text: &'a [u8], part: Range<usize>) -> Self {
        Self { text, next: part.start, end: part.end, in_python_frame: false }
    }

    fn is_in_a_trace(&mut self, line: &[u8]) -> bool {
        let trimmed = line.trim_ascii_start();
        let indent = line.len() - trimmed.len();
        if indent == 0 {
            self.in_python_frame = false;
            return false;
        }
        if trimmed.starts_with(b"File \"") {
            self.in_python_frame = true;
            return true;
        }
        let source = self.in_python_frame && indent >= 4;
        self.in_python_frame = source;
        // Java, JavaScript and .NET; Java's "... 7 more"; Go's paths.
        source
            || trimmed.starts_with(b"at ") && line_has_a_place(trimmed)
            || trimmed.starts_with(b"... ") && trimmed.ends_with(b" more")
            || line.starts_with(b"\t/") && trimmed.contains(&b':')
    }
}

/// Whether a line goes on with what the line before it has begun: it is indented, a part of a document, or
/// one of PostgreSQL's and git's afterthoughts.
pub(super) fn continues(line: &[u8]) -> bool {
    const AFTERTHOUGHTS: [&[u8]; 6] =
        [b"DETAIL:", b"HINT:", b"hint:", b"CONTEXT:", b"LINE ", b"-->"];
    let first = line.first();
    first.is_none_or(|byte| {
        byte.is_ascii_whitespace() || matches!(byte, b'}' | b']' | b')' | b'<' | b'{')
    }) || AFTERTHOUGHTS.iter().any(|words| line.starts_with(words))
}

/// `at java.net.Socket.connect(Socket.java:633)`, `at Socket.<anonymous> (net.js:1:2)`,
/// `at System.Net.Http.Send() in C:\x.cs:line 7`, `at async main`, `at /app/index.js:3:1`.
fn line_has_a_place(line: &[u8]) -> bool {
    line.contains(&b'(') || line.contains(&b':') || line.starts_with(b"at async ")
}

impl Iterator for Lines<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        while self.next < self.end {
            let start = self.next;
            let rest = self.text.get(start..self.end)?;
            let length = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            self.next = start + length + 1;
            if !self.is_in_a_trace(rest.get(..length)?) {
                return Some(start..start + length);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(text: &str) -> Vec<&str> {
        Lines::of(text.as_bytes(), 0..text.len()).map(|line| &text[line]).collect()
    }

    #[test]
    fn traces_do_not_count() {
        let python = "Traceback (most recent call last):\n  File \"/x/timeout.py\", line 503, in f\n    raise TimeoutError()\n    ^^^^^\nValueError: bad";
        assert_eq!(kept(python), ["Traceback (most recent call last):", "ValueError: bad"]);
        let java =
            "java.io.IOException: bad\n\tat a.Timeout.run(T.java:1)\n\t... 3 more\nCaused by: b";
        assert_eq!(kept(java), ["java.io.IOException: bad", "Caused by: b"]);
        let node = "Error: x\n    at Timeout._onTimeout (net.js:1:2)\n    at async main";
        assert_eq!(kept(node), ["Error: x"]);
        let go = "panic: x\n\t/usr/local/go/src/timeout.go:3 +0x1d";
        assert_eq!(kept(go), ["panic: x"]);
    }

    #[test]
    fn everything_else_does() {
        let text = "a\n\n  at the end: x y\n  indented\r\nlast";
        assert_eq!(kept("a\n\n  indented\r\nlast"), ["a", "", "  indented\r", "last"]);
        assert_eq!(kept(text).first(), Some(&"a"));
        assert!(kept("").is_empty());
    }
}
