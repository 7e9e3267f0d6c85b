//! How often a piece of code allocates.

/// The allocations of `code`, on this thread.
pub fn count(code: impl FnOnce()) -> u64 {
    allocation_counter::measure(code).count_total
}

/// The bytes that `code` allocates and leaves behind, on this thread.
pub fn bytes_left_by(code: impl FnOnce()) -> i64 {
    allocation_counter::measure(code).bytes_current
}
