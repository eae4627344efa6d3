//! Tests of rows whose parent does not exist: the error names them, they are never deleted, and once they are corrected
//! the next `migrate` continues.

use serde_json::json;

use super::{FINAL_RULES, fetch_rules};
use crate::cli::{document, run};
use crate::story::{assert_migrates_and_purges, rows_now};
use crate::support::{TestDb, on_both};

on_both!(AsBuilt: orphans_are_named_and_nothing_is_deleted, mended_orphans_let_the_next_run_go_on);
on_both!(Mended: orphans_behind_a_right_foreign_key_are_found);

const MISSING_ID: &str = "dead0000-0000-4000-8000-000000000000";

/// Executes a statement without foreign-key checks, as happens when a dump is loaded.
async fn exec_without_checks(db: &TestDb, sql: &str) {
    let (off, on) = if db.url().starts_with("sqlite") {
        ("PRAGMA foreign_keys = OFF", "PRAGMA foreign_keys = ON")
    } else {
        ("SET session_replication_role = replica", "RESET session_replication_role")
    };
    db.exec(off).await;
    db.exec(sql).await;
    db.exec(on).await;
}

/// Creates orphans in two references: three and one.
async fn make_orphans(db: &TestDb) {
    let ids = "(SELECT id FROM webinar_whatsapp_groups ORDER BY id LIMIT 3)";
    exec_without_checks(db, &format!("UPDATE webinar_whatsapp_groups SET group_id = '{MISSING_ID}' WHERE id IN {ids}"))
        .await;
    exec_without_checks(
        db,
        &format!("UPDATE webinars SET community_group_id = '{MISSING_ID}' WHERE title = 'Webinar 12'"),
    )
    .await;
}

async fn orphans_are_named_and_nothing_is_deleted(db: TestDb) {
    make_orphans(&db).await;
    let (rows, keys) = (rows_now(&db).await, fetch_rules(&db, "public").await);
    let (code, error) = document(&db, &["migrate", "--yes"]);
    assert_eq!(code, 1, "{error}");
    let message = error["error"]["message"].as_str().unwrap();
    for part in [
        "3 of webinar_whatsapp_groups (group_id), missing in whatsapp_groups",
        "1 of webinars (community_group_id), missing in whatsapp_groups",
        "session-admin migrate",
    ] {
        assert!(message.contains(part), "{part}: {message}");
    }
    assert_eq!(rows_now(&db).await, rows);
    assert_eq!(fetch_rules(&db, "public").await, keys);
    let text = run(&db, &["migrate", "--yes"]);
    assert!(text.code == 1 && text.stderr.contains(message), "{}", text.stderr);
    let pending = document(&db, &["migrate", "--status"]).1["pending"].clone();
    assert_eq!(pending[0], "m20260101_000003_first_fix");
}

async fn mended_orphans_let_the_next_run_go_on(db: TestDb) {
    let before = [
        db.rows("SELECT id, group_id FROM webinar_whatsapp_groups ORDER BY id LIMIT 3").await,
        db.rows("SELECT id, community_group_id FROM webinars WHERE title = 'Webinar 12'").await,
    ];
    make_orphans(&db).await;
    assert_eq!(document(&db, &["migrate", "--yes"]).0, 1);
    for row in &before[0] {
        db.exec(&format!("UPDATE webinar_whatsapp_groups SET group_id = '{}' WHERE id = '{}'", row[1], row[0])).await;
    }
    assert_eq!(document(&db, &["migrate", "--yes"]).0, 1);
    assert_eq!(before[1][0][1], "NULL");
    db.exec("UPDATE webinars SET community_group_id = NULL WHERE title = 'Webinar 12'").await;
    assert_migrates_and_purges(&db).await;
}

/// `migrate` looks for orphans only where it changes a foreign key. Other orphans do not stop it; schema health reports
/// those that it can see.
async fn orphans_behind_a_right_foreign_key_are_found(db: TestDb) {
    exec_without_checks(
        &db,
        &format!("UPDATE dynamic_links SET whatsapp_group_id = '{MISSING_ID}' WHERE slug = 'link-25'"),
    )
    .await;
    let (code, report) = document(&db, &["migrate", "--yes"]);
    assert_eq!((code, &report["pending"]), (0, &json!([])), "{report}");
    assert_eq!(fetch_rules(&db, "public").await, FINAL_RULES);
    let left = db.rows("SELECT whatsapp_group_id FROM dynamic_links WHERE slug = 'link-25'").await;
    assert_eq!(left, [[MISSING_ID]]);
}
