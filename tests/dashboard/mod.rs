//! Tests of the page that the server serves, the npm project in `dashboard/`. `make dashboard` builds it.

mod browser;
mod starters;

use std::path::{Path, PathBuf};

use crate::support::skip;

/// The names of GraphiQL's tabs, in order.
const STARTERS: [&str; 6] =
    ["StaleSessions", "DeletionDryRun", "CleanUpDryRun", "Deletions", "CleanupRuns", "WatchRun"];

/// Returns the folder of the npm project.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../dashboard").canonicalize().unwrap()
}

/// Returns whether the program was built with the page. Skips the test otherwise.
pub(crate) fn is_built(page: &str) -> bool {
    let built = !page.contains("<code>make dashboard</code>");
    if !built {
        skip("GraphiQL is not built; `make dashboard` builds it");
    }
    built
}
