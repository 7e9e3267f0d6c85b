//! How large the parts of a transfer are.

use crate::store::Limits;

/// Parts of fewer bytes spend more on requests than on bytes. AWS recommends 8 to 16 MB,
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance-guidelines.html>.
pub(crate) const SMALLEST: u64 = 16 * 1024 * 1024;

/// Some short of the 10,000 that S3 allows, so that a file that grew in the meantime still fits.
const MOST_PARTS: u64 = 9_000;

/// What parts in flight may take of memory together.
pub(crate) const IN_FLIGHT: u64 = 512 * 1024 * 1024;

/// How many parts are in flight where nobody says otherwise.
pub(crate) const CONCURRENCY: usize = 8;

/// How an object is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cut {
    pub(crate) part_size: u64,
    pub(crate) concurrency: usize,
}

impl Cut {
    /// `wanted` is what the user asked for: bytes, and parts in flight.
    ///
    /// # Errors
    ///
    /// One that says which sizes are allowed, if `wanted` is none of them.
    pub(crate) fn new(
        size: u64,
        limits: &Limits,
        wanted: (Option<u64>, Option<usize>),
    ) -> Result<Self, String> {
        let needed = size.div_ceil(u64::from(limits.max_parts)).max(limits.min_part).max(1);
        let part_size = match wanted.0 {
            Some(wanted) if wanted < needed || wanted > limits.max_part => {
                return Err(format!(
                    "parts of {wanted} bytes cannot be: for an object of {size} bytes they must have \
                     between {needed} and {} bytes",
                    limits.max_part
                ));
            }
            Some(wanted) => wanted,
            None => {
                let usual = size.div_ceil(MOST_PARTS).next_power_of_two().max(SMALLEST);
                usual.max(needed).min(limits.max_part)
            }
        };
        let part_size = part_size.next_multiple_of(limits.part_multiple.max(1));
        let fits = usize::try_from(IN_FLIGHT / part_size).unwrap_or(usize::MAX).max(1);
        let concurrency = wanted.1.unwrap_or_else(|| CONCURRENCY.min(fits)).max(1);
        Ok(Self { part_size, concurrency })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MIB: u64 = 1024 * 1024;

    const S3: Limits = Limits {
        min_part: 5 * MIB,
        max_part: 5 * 1024 * MIB,
        max_parts: 10_000,
        max_put: 5 * 1024 * MIB,
        part_multiple: 1,
        is_local: false,
        coarse_times: false,
    };

    #[test]
    fn sixteen_mebibytes_until_parts_run_out() {
        let cut = |size| Cut::new(size, &S3, (None, None)).unwrap();
        assert_eq!(cut(0), Cut { part_size: 16 * MIB, concurrency: 8 });
        assert_eq!(cut(100 * 1024 * MIB), Cut { part_size: 16 * MIB, concurrency: 8 });
        // 200 GB, as in the story of the operator.
        assert_eq!(cut(200_000_000_000), Cut { part_size: 32 * MIB, concurrency: 8 });
        // 5 TB, the largest object of S3: 1 GiB parts would be 4 GiB in memory.
        assert_eq!(cut(5_000_000_000_000), Cut { part_size: 1024 * MIB, concurrency: 1 });
    }

    #[test]
    fn a_size_that_cannot_be_is_refused_with_those_that_can() {
        let refused = Cut::new(100 * MIB, &S3, (Some(MIB), None)).unwrap_err();
        assert!(refused.contains("between 5242880 and 5368709120"), "{refused}");
    }

    proptest! {
        #[test]
        fn parts_always_fit(size in 0..=5_000_000_000_000_u64) {
            let cut = Cut::new(size, &S3, (None, None)).unwrap();
            prop_assert!(size.div_ceil(cut.part_size) <= u64::from(S3.max_parts));
            prop_assert!((S3.min_part..=S3.max_part).contains(&cut.part_size));
            let in_flight = cut.part_size * cut.concurrency as u64;
            prop_assert!(cut.concurrency == 1 || in_flight <= IN_FLIGHT);
        }
    }
}
