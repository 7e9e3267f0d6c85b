//! Bytes to store.

/// Bytes in which no two kilobytes are the same, made quickly.
#[must_use]
pub fn bytes(size: u64, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    let mut block: Vec<u8> = (0..128).flat_map(|_| next()).collect();
    let size = size as usize;
    let mut bytes = Vec::with_capacity(size + block.len());
    while bytes.len() < size {
        block[..8].copy_from_slice(&next());
        bytes.extend_from_slice(&block);
    }
    bytes.truncate(size);
    bytes
}
