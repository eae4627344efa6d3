//! Snapshot tests of the documents of `cleanup`.

use super::small_session::{self, SMALL};
use super::{CONNECTED, Transcript, id_at};
use crate::cli::migrate_without_purge;
use crate::support::{TestDb, on_both};

on_both!(Mended:
    a_cleanup_of_all_stale_sessions,
    a_cleanup_by_every_criterion,
    refusals_of_a_cleanup,
    sessions_that_are_skipped,
);

async fn a_cleanup_of_all_stale_sessions(db: TestDb) {
    migrate_without_purge(&db).await;
    let mut transcript = Transcript::new(&db);
    transcript.run(&["cleanup", "--dry-run"]);
    transcript.run(&["cleanup", "--yes", "--reason", "spring"]);
    transcript.comment("Nothing is left.");
    transcript.run(&["cleanup", "--dry-run"]);
    transcript.run(&["cleanup", "--yes"]);
    transcript.assert_matches("cleanup");
}

async fn a_cleanup_by_every_criterion(db: TestDb) {
    migrate_without_purge(&db).await;
    small_session::add(&db).await;
    let mut transcript = Transcript::new(&db);
    let criteria = [
        ["--id", SMALL],
        ["--status", "disconnected"],
        ["--phone-number", "either"],
        ["--older-than", "P1D"],
        ["--created-before", "2026-01-02T00:00:00Z"],
        ["--search", "SMALL"],
        ["--limit", "5"],
        ["--at-most", "3"],
        ["--idempotency-key", "a key"],
    ];
    let terms = ["--yes", "--allow-connected", "--allow-pending-messages", "--no-archive", "--reason", "Every flag."];
    let arguments = [&["cleanup"], &criteria.concat()[..], &terms].concat();
    transcript.run(&arguments);
    transcript.comment("The same key with the same request, then with another one.");
    transcript.run(&arguments);
    transcript.run(&["cleanup", "--yes", "--idempotency-key", "a key", "--limit", "0"]);
    transcript.run(&["runs"]);
    transcript.assert_matches("cleanup_criteria");
}

async fn refusals_of_a_cleanup(db: TestDb) {
    migrate_without_purge(&db).await;
    small_session::add(&db).await;
    let mut transcript = Transcript::new(&db);
    let only_small = ["cleanup", "--limit", "1"];
    transcript.run(&[&only_small[..], &["--at-most", "1"]].concat());
    transcript.run(&[&only_small[..], &["--yes", "--at-most", "1"]].concat());
    transcript.run(&[&only_small[..], &["--dry-run", "--at-most", "1"]].concat());
    let token = id_at(&transcript.run(&["impact", SMALL]), "token");
    transcript.run(&[
        "cleanup",
        "--limit",
        "1",
        "--phone-number",
        "present",
        "--status",
        "connected",
        "--yes",
        "--expected-impact",
        &token,
    ]);
    transcript.run(&[&only_small[..], &["--yes", "--expected-impact", "no token"]].concat());
    transcript.run(&["cleanup", "--yes", "--missing-from-gateway"]);
    transcript.run(&["cleanup", "--yes", "--older-than", "24h"]);
    transcript.assert_matches("cleanup_refused");
}

async fn sessions_that_are_skipped(db: TestDb) {
    migrate_without_purge(&db).await;
    small_session::add(&db).await;
    let mut transcript = Transcript::new(&db);
    let connected = ["--id", CONNECTED, "--status", "connected", "--phone-number", "present"];
    transcript.run(&[&["cleanup", "--dry-run"], &connected[..]].concat());
    transcript.run(&[&["cleanup", "--yes"], &connected[..]].concat());
    transcript.run(&[&["cleanup", "--yes", "--allow-connected"], &connected[..]].concat());
    transcript.comment("One that misses the criteria.");
    transcript.run(&["cleanup", "--yes", "--id", CONNECTED, "--id", SMALL]);
    transcript.assert_matches("cleanup_skipped");
}
