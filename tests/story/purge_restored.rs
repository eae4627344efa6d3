//! Tests that the purge can be restored completely.

use serde_json::{Value, json};

use super::{assert_migrates_and_purges, rows_now, table_names};
use crate::cli::{document, run};
use crate::support::{TestDb, on_both};

on_both!(long AsBuilt: as_built_the_purge_is_taken_back);
on_both!(long FirstFix: after_the_first_fix_the_purge_is_taken_back);
on_both!(long Mended: mended_before_the_purge_is_taken_back);

async fn as_built_the_purge_is_taken_back(db: TestDb) {
    restore_purge(&db).await;
}

async fn after_the_first_fix_the_purge_is_taken_back(db: TestDb) {
    restore_purge(&db).await;
}

async fn mended_before_the_purge_is_taken_back(db: TestDb) {
    restore_purge(&db).await;
}

async fn restore_purge(db: &TestDb) {
    let before = rows_now(db).await;
    assert_migrates_and_purges(db).await;
    let (code, listed) = document(db, &["deletions"]);
    assert_eq!((code, listed["deletions"].as_array().map(Vec::len)), (0, Some(1)), "{listed}");
    let purge = &listed["deletions"][0];
    assert_eq!(
        (&purge["status"], &purge["reason"]),
        (&json!("RESTORABLE"), &json!("purge of stale sessions by migrate"))
    );
    let id = purge["id"].as_str().unwrap();

    let (code, tried) = document(db, &["restore", id, "--dry-run"]);
    assert_eq!((code, restore_counts(&tried)), (0, (1_512, 173, 0)), "{tried}");
    assert_ne!(rows_now(db).await, before, "a dry run puts nothing back");
    let (code, restored) = document(db, &["restore", id, "--yes"]);
    assert_eq!(
        (code, restore_counts(&restored), &restored["deletion"]["status"]),
        (0, (1_512, 173, 0), &json!("RESTORED")),
        "{restored}"
    );
    for (table, (now, before)) in table_names().into_iter().zip(rows_now(db).await.iter().zip(&before)) {
        assert_eq!(now, before, "{table}");
    }
    let (code, again) = document(db, &["restore", id, "--yes"]);
    assert_eq!((code, &again["refusals"][0]["code"]), (3, &json!("ALREADY_RESTORED")), "{again}");
    let ended = run(db, &["restore", id, "--yes"]);
    assert_eq!(ended.code, 3);
    assert_eq!(ended.stdout, "✗ Refused: The deletion has been restored already.\nNothing was restored.\n");
    // The schema stays repaired. No migration is pending, so the sessions are not purged again.
    assert_eq!(crate::migration::fetch_rules(db, "public").await, crate::migration::FINAL_RULES);
    assert_eq!(document(db, &["migrate", "--status"]).1["pending"], json!([]));
}

/// Returns the numbers of restored rows, of relinked rows, and of rows that could not be relinked.
fn restore_counts(outcome: &Value) -> (i64, i64, i64) {
    let number = |field: &str| outcome[field].as_i64().unwrap();
    (number("rowsRestored"), number("rowsRelinked"), number("rowsNotRelinked"))
}
