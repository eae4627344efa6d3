//! Tests of `migrate`, which repairs a deployment and purges its stale sessions.

use serde_json::json;

use super::{document, run};
use crate::support::legacy::{Legacy, Rules};
use crate::support::{TestDb, on_both, steps};

on_both!(AsBuilt:
    migrate_asks_first_or_wants_yes,
    a_deployment_in_trouble_is_mended_and_purged,
    the_status_changes_nothing,
);
on_both!(FirstFix: a_deployment_after_the_first_fix_is_mended_and_purged);
on_both!(Mended: a_session_that_may_be_pairing_is_spared, a_purge_that_is_refused_stays_pending);
on_both!(Empty: a_new_database_gets_all_tables_and_no_purge, without_stale_sessions_nothing_is_purged);

const STALE: &str = "phone_number IS NULL AND status <> 'connected'";

async fn sessions(db: &TestDb) -> i64 {
    db.count("whatsapp_sessions").await
}

async fn migrate_asks_first_or_wants_yes(db: TestDb) {
    let before = db.dump(&["whatsapp_sessions"]).await;
    let ended = run(&db, &["migrate"]);
    // Without --yes, the output shows what would be done.
    assert!(ended.stdout.contains("m20260101_000004_second_fix"), "{}", ended.stdout);
    assert!(ended.stdout.contains("The purge deletes 9 stale sessions"), "{}", ended.stdout);
    assert_eq!(ended.code, 2);
    assert!(ended.stderr.contains("--yes"), "{}", ended.stderr);
    assert_eq!(document(&db, &["migrate"]).0, 2);
    assert_eq!(db.dump(&["whatsapp_sessions"]).await, before);
    assert_eq!(document(&db, &["migrate", "--status"]).1["applied"], json!([]));
}

#[test]
fn a_migrate_that_only_asks_makes_no_file() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(super::run_in(folder.path(), &["migrate"]).code, 2);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

async fn the_status_changes_nothing(db: TestDb) {
    let (code, status) = document(&db, &["migrate", "--status"]);
    assert_eq!((code, status["pending"].as_array().unwrap().len()), (0, steps()));
    let text = run(&db, &["migrate", "--status"]);
    assert_eq!((text.code, text.stdout.matches("pending").count()), (0, steps()), "{}", text.stdout);
    assert_eq!(run(&db, &["migrate", "--status", "--yes"]).code, 2);
}

async fn a_deployment_in_trouble_is_mended_and_purged(db: TestDb) {
    assert_repaired_and_purged(&db).await;
}

async fn a_deployment_after_the_first_fix_is_mended_and_purged(db: TestDb) {
    assert_repaired_and_purged(&db).await;
}

async fn assert_repaired_and_purged(db: &TestDb) {
    let ended = run(db, &["migrate", "--yes"]);
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains("The purge deletes 9 stale sessions"), "{}", ended.stdout);
    assert!(ended.stdout.contains("✓ Deleted 9 sessions: 1512 rows deleted, 173 unlinked."), "{}", ended.stdout);
    assert_eq!(sessions(db).await, 5);
    let own = if db.url().starts_with("sqlite") { "session_admin_deletions" } else { "session_admin.deletions" };
    let record = db.rows(&format!("SELECT deleted_by, reason, rows_deleted, rows_unlinked FROM {own}")).await;
    assert_eq!(record, [["cli:tester", "purge of stale sessions by migrate", "1512", "173"]]);
    assert_eq!(run(db, &["doctor"]).code, 0);
    let again = run(db, &["migrate"]);
    assert_eq!((again.code, again.stdout.as_str()), (0, "Nothing is pending.\n"));
    let (code, report) = document(db, &["migrate"]);
    assert_eq!((code, report), (0, json!({ "applied": [], "pending": [], "purge": null, "spared": [] })));
}

async fn a_session_that_may_be_pairing_is_spared(db: TestDb) {
    let now = if db.url().starts_with("sqlite") { "strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')" } else { "now()" };
    db.exec(&format!("UPDATE whatsapp_sessions SET updated_at = {now} WHERE session_name = 'stale-1'")).await;
    let (code, report) = document(&db, &["migrate", "--yes"]);
    assert_eq!((code, &report["pending"]), (0, &json!([])), "{report}");
    assert_eq!(report["purge"]["deletion"]["sessions"].as_array().unwrap().len(), 8);
    assert_eq!(db.rows(&format!("SELECT session_name FROM whatsapp_sessions WHERE {STALE}")).await, [["stale-1"]]);
}

async fn a_purge_that_is_refused_stays_pending(db: TestDb) {
    let id = if db.url().starts_with("sqlite") { "text" } else { "uuid" };
    db.exec(&format!("CREATE TABLE keeper (id integer PRIMARY KEY, group_id {id} REFERENCES whatsapp_groups (id))"))
        .await;
    db.exec(&format!(
        "INSERT INTO keeper SELECT 1, min(g.id) FROM (SELECT g.id AS id FROM whatsapp_groups AS g JOIN whatsapp_sessions AS s
         ON s.id = g.session_id WHERE s.{STALE} LIMIT 1) AS g"
    ).replace("min(g.id)", "g.id")).await;
    let (code, report) = document(&db, &["migrate", "--yes"]);
    assert_eq!(code, 3, "{report}");
    assert_eq!(report["pending"].as_array().unwrap().len(), 1);
    assert_eq!(report["purge"]["refusals"][0]["code"], "BLOCKED_BY_FOREIGN_KEY");
    assert_eq!(sessions(&db).await, 14);
    db.exec("DROP TABLE keeper").await;
    assert_eq!(document(&db, &["migrate", "--yes"]).0, 0);
    assert_eq!(sessions(&db).await, 5);
}

async fn a_new_database_gets_all_tables_and_no_purge(db: TestDb) {
    let (code, report) = document(&db, &["migrate", "--yes"]);
    assert_eq!((code, &report["purge"]), (0, &json!(null)), "{report}");
    assert_eq!(report["applied"].as_array().unwrap().len(), steps());
    assert_eq!(sessions(&db).await, 0);
    assert_eq!(run(&db, &["doctor"]).code, 0);
}

async fn without_stale_sessions_nothing_is_purged(db: TestDb) {
    db.exec_all(&Legacy::new(Rules::as_built()).statements(db.dialect())).await;
    let ended = run(&db, &["migrate", "--yes"]);
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains("There is no stale session to purge."), "{}", ended.stdout);
}
