//! Functions that record tests that this machine cannot run.
//!
//! The test harness decides beforehand which tests are ignored. Such a test passes, and `tests/skipped.rs` reports it
//! afterwards.

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::sync::Mutex;

use super::skipped_file::skipped_file;

/// Records that the current test is skipped. The test returns after this call.
///
/// # Panics
/// Panics with `SESSION_ADMIN_TEST_REQUIRE_ALL=1`, which requires every test to run.
pub fn skip(reason: &str) {
    let required = std::env::var("SESSION_ADMIN_TEST_REQUIRE_ALL").is_ok_and(|value| value == "1");
    assert!(!required, "SESSION_ADMIN_TEST_REQUIRE_ALL=1, but: {reason}");
    skip_comparison(reason);
}

/// Records that the current test is skipped because there is nothing yet that it could compare with, which
/// `SESSION_ADMIN_TEST_REQUIRE_ALL` does not require.
pub fn skip_comparison(reason: &str) {
    static REPORTED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let test = std::thread::current().name().unwrap_or("?").to_owned();
    let mut file = OpenOptions::new().create(true).append(true).open(skipped_file()).unwrap();
    file.write_all(format!("{test}\t{reason}\n").as_bytes()).unwrap();
    if REPORTED.lock().unwrap().insert(reason.to_owned()) {
        say(&format!("skipped: {reason}"));
    }
}

/// Prints a line to stderr even if the test passes. The harness captures only the output of the print macros.
pub fn say(line: &str) {
    let mut stderr = std::io::stderr();
    writeln!(stderr, "{line}").unwrap();
}
