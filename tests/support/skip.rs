//! Tests that cannot run on this machine. The test harness decides before the run which tests are ignored, so such a test
//! passes, and `tests/skipped.rs` reports it after the run.

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::sync::Mutex;

use super::skipped_file::skipped_file;

/// Records that the current test is skipped. The test returns after this call.
///
/// # Panics
/// With `SESSION_ADMIN_TEST_REQUIRE_ALL=1`: then every test has to run.
pub fn skip(reason: &str) {
    let required = std::env::var("SESSION_ADMIN_TEST_REQUIRE_ALL").is_ok_and(|value| value == "1");
    assert!(!required, "SESSION_ADMIN_TEST_REQUIRE_ALL=1, but: {reason}");
    skip_comparison(reason);
}

/// A comparison with files that lie outside this repository: a clean checkout does without them, and says so.
pub fn skip_comparison(reason: &str) {
    let test = std::thread::current().name().unwrap_or("?").to_owned();
    let mut file = OpenOptions::new().create(true).append(true).open(skipped_file()).unwrap();
    file.write_all(format!("{test}\t{reason}\n").as_bytes()).unwrap();
    static REPORTED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    if REPORTED.lock().unwrap().insert(reason.to_owned()) {
        say(&format!("skipped: {reason}"));
    }
}

/// Prints a line that is seen although the test passes: the harness captures only what the print macros write.
pub fn say(line: &str) {
    let mut stderr = std::io::stderr();
    writeln!(stderr, "{line}").unwrap();
}
