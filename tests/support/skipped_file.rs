//! The file in which tests that cannot run record that they were skipped.

use std::path::PathBuf;

/// Returns the file of this `cargo test`. Test programs of one run have the same parent process.
pub fn skipped_file() -> PathBuf {
    PathBuf::from(format!("{}/skipped-{}", env!("CARGO_TARGET_TMPDIR"), std::os::unix::process::parent_id()))
}
