//! The file in which tests that cannot run record that they were skipped.

use std::path::PathBuf;

/// Returns the file of this `cargo test`. Its test programs have the same parent process, whose id is in the name.
pub fn skipped_file() -> PathBuf {
    PathBuf::from(format!("{}/skipped-{}", env!("CARGO_TARGET_TMPDIR"), std::os::unix::process::parent_id()))
}
