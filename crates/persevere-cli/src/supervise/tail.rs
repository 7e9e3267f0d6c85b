//! The end of what a command has printed.

/// How much of it is kept.
pub(crate) const KEPT: usize = 64 * 1024;

/// Keeps the last [`KEPT`] bytes, in at most twice the memory.
#[derive(Debug, Default)]
pub(super) struct Tail {
    bytes: Vec<u8>,
    cut: bool,
}

impl Tail {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        let skipped = bytes.len().saturating_sub(KEPT);
        self.cut |= skipped > 0;
        if self.bytes.len() + bytes.len() - skipped > 2 * KEPT {
            self.shorten();
        }
        self.bytes.extend_from_slice(&bytes[skipped..]);
    }

    /// The last [`KEPT`] bytes, from the beginning of a line if there is one.
    pub(super) fn take(&mut self) -> Vec<u8> {
        self.shorten();
        let mut bytes = std::mem::take(&mut self.bytes);
        let line_end = bytes.iter().position(|byte| *byte == b'\n');
        if let (true, Some(end)) = (self.cut, line_end) {
            bytes.drain(..=end);
        }
        bytes
    }

    fn shorten(&mut self) {
        let surplus = self.bytes.len().saturating_sub(KEPT);
        self.cut |= surplus > 0;
        self.bytes.drain(..surplus);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_whole_lines_of_the_end() {
        let mut tail = Tail::default();
        for number in 0..100_000 {
            tail.push(format!("line {number}\n").as_bytes());
            assert!(tail.bytes.len() <= 2 * KEPT);
        }
        let kept = String::from_utf8(tail.take()).unwrap();
        assert!(kept.len() <= KEPT && kept.len() > KEPT - 20);
        assert!(kept.starts_with("line ") && kept.ends_with("line 99999\n"));
    }

    #[test]
    fn keeps_all_of_a_short_text() {
        let mut tail = Tail::default();
        tail.push(b"no end");
        assert_eq!(tail.take(), b"no end");
    }

    #[test]
    fn keeps_the_end_of_a_line_that_never_ends() {
        let mut tail = Tail::default();
        tail.push(&[b'x'; 3 * KEPT]);
        assert_eq!(tail.take().len(), KEPT);
    }
}
