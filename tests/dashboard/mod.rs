//! The page that the server serves, an npm project in `dashboard/`; `make dashboard` builds it.

mod browser;
mod starters;

use std::path::{Path, PathBuf};

use crate::support::skip;

/// The names of GraphiQL's tabs, in their order.
const STARTERS: [&str; 6] =
    ["StaleSessions", "DeletionDryRun", "CleanUpDryRun", "Deletions", "CleanupRuns", "WatchRun"];

/// The folder of the npm project.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../dashboard").canonicalize().unwrap()
}

/// Whether this is the page; it is said where the program was built without it.
pub(crate) fn is_built(page: &str) -> bool {
    let built = !page.contains("<code>make dashboard</code>");
    if !built {
        skip("GraphiQL is not built; `make dashboard` builds it");
    }
    built
}
