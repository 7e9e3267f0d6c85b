//! What a machine does not have: a loud skip for a user, a failure in CI.

use std::io::Write;

/// Says that a test was skipped, past the test runner's capture of output.
///
/// # Panics
///
/// Where the variable `CI` is set, for CI does not skip tests.
pub fn skip(test: &str, why: &str) {
    assert!(std::env::var_os("CI").is_none(), "{test}: {why}, and CI does not skip tests");
    let _closed = writeln!(std::io::stderr(), "SKIPPED: {test}: {why}");
}
