//! Rows whose parent does not exist: named, never deleted, and the run goes on once they are mended.

use serde_json::json;

use super::{GOAL, rules};
use crate::cli::{document, run};
use crate::story::{mended_and_purged, rows_now};
use crate::support::{TestDb, both};

both!(StateA: orphans_are_named_and_nothing_is_deleted, mended_orphans_let_the_next_run_go_on);
both!(StateC: orphans_behind_a_right_foreign_key_are_found);

const NOBODY: &str = "dead0000-0000-4000-8000-000000000000";

/// Writes past the foreign keys, as a dump that was loaded without them does.
async fn unchecked(db: &TestDb, sql: &str) {
    let (off, on) = if db.url().starts_with("sqlite") {
        ("PRAGMA foreign_keys = OFF", "PRAGMA foreign_keys = ON")
    } else {
        ("SET session_replication_role = replica", "RESET session_replication_role")
    };
    db.exec(off).await;
    db.exec(sql).await;
    db.exec(on).await;
}

/// Two references with orphans, three and one.
async fn make_orphans(db: &TestDb) {
    let ids = "(SELECT id FROM webinar_whatsapp_groups ORDER BY id LIMIT 3)";
    unchecked(db, &format!("UPDATE webinar_whatsapp_groups SET group_id = '{NOBODY}' WHERE id IN {ids}")).await;
    unchecked(db, &format!("UPDATE webinars SET community_group_id = '{NOBODY}' WHERE title = 'Webinar 12'")).await;
}

async fn orphans_are_named_and_nothing_is_deleted(db: TestDb) {
    make_orphans(&db).await;
    let (rows, keys) = (rows_now(&db).await, rules(&db, "public").await);
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
    assert_eq!(rules(&db, "public").await, keys);
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
    mended_and_purged(&db).await;
}

/// Only where a key is to be changed are the rows read: what was wrong before and is not touched stays the host's
/// matter, and schema health tells of it where it can be seen.
async fn orphans_behind_a_right_foreign_key_are_found(db: TestDb) {
    unchecked(&db, &format!("UPDATE dynamic_links SET whatsapp_group_id = '{NOBODY}' WHERE slug = 'link-25'")).await;
    let (code, report) = document(&db, &["migrate", "--yes"]);
    assert_eq!((code, &report["pending"]), (0, &json!([])), "{report}");
    assert_eq!(rules(&db, "public").await, GOAL);
    let left = db.rows("SELECT whatsapp_group_id FROM dynamic_links WHERE slug = 'link-25'").await;
    assert_eq!(left, [[NOBODY]]);
}
