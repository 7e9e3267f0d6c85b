//! Checksums that add up: those of parts make that of the whole.

use crc_fast::CrcAlgorithm::{Crc32Iscsi, Crc64Nvme};
use serde::{Deserialize, Serialize};

/// Length, CRC-64/NVME and CRC-32C of some bytes. Both of them, since S3 checks the one and Google the
/// other, and together they cost less than reading the bytes once more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Digest {
    pub(crate) length: u64,
    pub(crate) crc64nvme: u64,
    pub(crate) crc32c: u32,
}

impl Digest {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self {
            length: bytes.len() as u64,
            crc64nvme: crc_fast::checksum(Crc64Nvme, bytes),
            // The upper half is empty: the algorithm has 32 bits.
            crc32c: crc_fast::checksum(Crc32Iscsi, bytes) as u32,
        }
    }

    /// That of these bytes and then those of `next`.
    pub(crate) fn then(self, next: Self) -> Self {
        if self.length == 0 || next.length == 0 {
            return if self.length == 0 { next } else { self };
        }
        let combine = crc_fast::checksum_combine;
        Self {
            length: self.length + next.length,
            crc64nvme: combine(Crc64Nvme, self.crc64nvme, next.crc64nvme, next.length),
            crc32c: combine(Crc32Iscsi, self.crc32c.into(), next.crc32c.into(), next.length) as u32,
        }
    }

    /// That of nothing, to begin with.
    pub(crate) fn empty() -> Self {
        Self::of(&[])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The check values of the catalogue of CRC algorithms,
    /// <https://reveng.sourceforge.io/crc-catalogue/all.htm>.
    #[test]
    fn published_check_values() {
        let digest = Digest::of(b"123456789");
        assert_eq!(digest.crc64nvme, 0xae8b_1486_0a79_9888);
        assert_eq!(digest.crc32c, 0xe306_9283);
        assert_eq!(digest.length, 9);
    }

    proptest! {
        #[test]
        fn parts_add_up_to_the_whole(bytes: Vec<u8>, cuts: [prop::sample::Index; 3]) {
            let mut cuts = cuts.map(|cut| cut.index(bytes.len() + 1));
            cuts.sort_unstable();
            let [a, b, c] = cuts;
            let parts = [&bytes[..a], &bytes[a..b], &bytes[b..c], &bytes[c..]];
            let sum = parts.iter().fold(Digest::empty(), |sum, part| sum.then(Digest::of(part)));
            prop_assert_eq!(sum, Digest::of(&bytes));
        }
    }
}
