//! Memory for parts, used again.
//!
//! What is taken for every part anew costs a page fault for every page of it, and allocators keep some for
//! every thread: with eight parts of 16 MiB under way that were 600 MiB.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

/// Less than this is left to the allocator.
const SMALLEST: usize = 1024 * 1024;

/// Holds on to memory that came back, for as long as some is still in use.
#[derive(Debug, Clone, Default)]
pub(crate) struct Buffers {
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug, Default)]
struct Shared {
    free: Vec<Vec<u8>>,
    lent: usize,
}

impl Buffers {
    /// Empty, with room for so many bytes.
    pub(crate) fn take(&self, length: usize) -> Vec<u8> {
        if length < SMALLEST {
            return Vec::with_capacity(length);
        }
        // Readers fill what there is: room for much more would have them read what nobody wants.
        let fits = length..=length.saturating_mul(2);
        let free = self.lock(|shared| shared.free.pop());
        free.filter(|free| fits.contains(&free.capacity()))
            .unwrap_or_else(|| Vec::with_capacity(length))
    }

    /// Bytes whose memory comes back when nobody has them any more.
    pub(crate) fn lend(&self, bytes: Vec<u8>) -> Bytes {
        if bytes.capacity() < SMALLEST {
            return bytes.into();
        }
        self.lock(|shared| shared.lent += 1);
        Bytes::from_owner(Lent { bytes, buffers: self.clone() })
    }

    fn take_back(&self, mut bytes: Vec<u8>) {
        bytes.clear();
        let unused = self.lock(|shared| {
            shared.lent -= 1;
            shared.free.push(bytes);
            // Whoever copies a file now and then does not want to hold its memory for ever.
            if shared.lent == 0 { std::mem::take(&mut shared.free) } else { Vec::new() }
        });
        drop(unused);
    }

    fn lock<T>(&self, change: impl FnOnce(&mut Shared) -> T) -> T {
        change(&mut self.shared.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

struct Lent {
    bytes: Vec<u8>,
    buffers: Buffers,
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        self.buffers.take_back(std::mem::take(&mut self.bytes));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PART: usize = 2 * SMALLEST;

    fn filled(buffers: &Buffers, with: u8) -> Bytes {
        let mut bytes = buffers.take(PART);
        assert!(bytes.is_empty());
        bytes.resize(PART, with);
        buffers.lend(bytes)
    }

    #[test]
    fn memory_is_used_again_when_the_last_reader_is_gone() {
        let buffers = Buffers::default();
        let (first, second) = (filled(&buffers, 1), filled(&buffers, 2));
        let (place, clone) = (first.as_ptr(), first.slice(10..20));
        drop(first);
        assert_ne!(filled(&buffers, 3).as_ptr(), place, "somebody still reads it");
        assert_eq!(clone, [1; 10][..]);
        drop(clone);
        let again = filled(&buffers, 4);
        assert_eq!(again.as_ptr(), place);
        assert!(second.iter().all(|byte| *byte == 2) && again.iter().all(|byte| *byte == 4));
    }

    #[test]
    fn nothing_is_held_when_nothing_is_in_use() {
        let buffers = Buffers::default();
        let all: Vec<Bytes> = (0..4).map(|with| filled(&buffers, with)).collect();
        drop(all);
        assert_eq!(buffers.lock(|shared| shared.free.len()), 0);
    }

    #[test]
    fn a_part_gets_a_buffer_of_its_size() {
        let buffers = Buffers::default();
        let _in_use = filled(&buffers, 1);
        for length in [3 * PART, SMALLEST, PART - 1] {
            drop(filled(&buffers, 2));
            let room = buffers.take(length).capacity();
            assert!((length..=2 * length).contains(&room), "{room} for {length}");
        }
    }

    #[test]
    fn small_ones_are_not_kept() {
        let buffers = Buffers::default();
        drop(buffers.lend(buffers.take(100)));
        assert_eq!(buffers.lock(|shared| (shared.free.len(), shared.lent)), (0, 0));
    }
}
