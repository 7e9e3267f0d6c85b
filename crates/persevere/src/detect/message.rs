//! The text of an error, written down without an allocation.

use std::fmt;

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
