//! The migrations that make the tables of runs and of archives, on a database that an earlier version has been used with.

use api::db::Dialect;
use serde_json::{Value, json};

use crate::cli::{document, run};
use crate::support::{TestDb, both};

both!(StateC: a_database_of_an_earlier_version_gets_the_tables_and_keeps_what_it_has);

/// The migrations of the version after it.
const MADE: [&str; 4] = [
    "m20260101_000007_cleanup_runs",
    "m20260101_000009_archives",
    "m20260101_000010_background_runs",
    "m20260101_000011_tokens",
];

async fn a_database_of_an_earlier_version_gets_the_tables_and_keeps_what_it_has(db: TestDb) {
    assert_eq!(document(&db, &["migrate", "--yes"]).0, 0);
    let own = |name: &str| db.dialect().own_table(name);
    // As the version before left it.
    db.exec(&match db.dialect() {
        Dialect::Postgres => format!(
            "SET search_path = session_admin; {}; {}; {}; {}; DROP TABLE apalis.jobs CASCADE; DROP TABLE apalis.workers; \
             RESET search_path",
            include_str!("../../migration/src/tokens/postgres_down.sql"),
            include_str!("../../migration/src/background_runs/postgres_down.sql"),
            include_str!("../../migration/src/archives/postgres_down.sql"),
            include_str!("../../migration/src/cleanup_runs/postgres_down.sql")
        ),
        Dialect::Sqlite => format!(
            "{}; {}; {}; {}; DROP TABLE Jobs; DROP TABLE Workers",
            include_str!("../../migration/src/tokens/sqlite_down.sql"),
            include_str!("../../migration/src/background_runs/sqlite_down.sql"),
            include_str!("../../migration/src/archives/sqlite_down.sql"),
            include_str!("../../migration/src/cleanup_runs/sqlite_down.sql")
        ),
    })
    .await;
    db.exec(&format!("DELETE FROM {} WHERE version IN ('{}')", own("migrations"), MADE.join("', '"))).await;
    db.exec(&format!("DELETE FROM {} WHERE name = 'apalis'", own("created_tables"))).await;
    let statuses = format!("SELECT status FROM {}", own("deletions"));
    assert_eq!(db.rows(&statuses).await, [["NOT_ARCHIVED"]], "what it kept is gone");
    let deletion = db.rows(&format!("SELECT id FROM {}", own("deletions"))).await.remove(0).remove(0);
    db.exec(&format!(
        "INSERT INTO {} (principal, key, fingerprint, impact, deletion_id, created_at) \
         VALUES ('somebody', 'k', 'f', '{{}}', '{deletion}', '2026-01-01T00:00:00+00:00')",
        own("idempotency_keys")
    ))
    .await;
    let before = db.dump(&[&own("deletions"), &own("deleted_sessions"), "whatsapp_sessions"]).await;
    assert_eq!(run(&db, &["doctor"]).code, 0, "what the version before could do goes on");

    let (code, report) = document(&db, &["migrate", "--yes"]);
    assert_eq!((code, &report["applied"]), (0, &json!(MADE)), "{report}");
    let kept = format!(
        "(SELECT id, deleted_by, reason, deleted_at, rows_deleted, rows_unlinked, tables, allowed, status FROM {})",
        own("deletions")
    );
    let sessions = format!("(SELECT deletion_id, session_id, name, position FROM {})", own("deleted_sessions"));
    let now = db.dump(&[&kept, &sessions, "whatsapp_sessions"]).await;
    let now = now.replace(&kept, &own("deletions")).replace(&sessions, &own("deleted_sessions"));
    assert_eq!(now, before);
    let keys = format!("SELECT key, CAST(deletion_id AS text), run_id FROM {}", own("idempotency_keys"));
    assert_eq!(db.rows(&keys).await, [["k".to_owned(), deletion.clone(), "NULL".to_owned()]]);
    let both_or_neither = format!("UPDATE {} SET deletion_id = NULL", own("idempotency_keys"));
    db.attempt(&both_or_neither).await.unwrap_err();

    // What was deleted then cannot be restored; what is deleted now can.
    let (code, old) = document(&db, &["deletions", "show", &deletion]);
    assert_eq!((code, &old["status"], &old["restorableUntil"]), (0, &json!("NOT_ARCHIVED"), &Value::Null), "{old}");
    let session = db.rows("SELECT min(CAST(id AS text)) FROM whatsapp_sessions").await.remove(0).remove(0);
    let delete = ["delete", &session, "--yes", "--allow-connected", "--allow-pending-messages"];
    let (code, new) = document(&db, &delete);
    assert_eq!((code, &new["deletion"]["status"]), (0, &json!("RESTORABLE")), "{new}");
}
