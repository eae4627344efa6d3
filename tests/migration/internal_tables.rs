//! Tests of the constraints and defaults of the internal tables.

use serde_json::{Value, json};

use crate::cli::{document, run};
use crate::support::{TestDb, on_both};

on_both!(long Mended:
    an_idempotency_key_belongs_to_a_deletion_or_to_a_run,
    a_deletion_without_an_archive_is_shown_as_such,
);

const ID: &str = "de1e7000-0000-4000-8000-000000000001";

/// Migrates, and inserts the record of a deletion without a status. The default status is that it was not archived.
async fn migrate_and_insert_deletion(db: &TestDb) {
    assert_eq!(document(db, &["migrate", "--yes"]).0, 0);
    db.exec(&format!(
        "INSERT INTO {} (id, deleted_by, deleted_at, rows_deleted, rows_unlinked, tables, allowed) \
         VALUES ('{ID}', 'somebody', '2026-01-01T00:00:00+00:00', 1, 0, '[]', '[]'); \
         INSERT INTO {} (deletion_id, session_id, name, position) VALUES ('{ID}', '{ID}', 'old', 0)",
        db.dialect().internal_table("deletions"),
        db.dialect().internal_table("deleted_sessions"),
    ))
    .await;
}

async fn an_idempotency_key_belongs_to_a_deletion_or_to_a_run(db: TestDb) {
    migrate_and_insert_deletion(&db).await;
    let keys = db.dialect().internal_table("idempotency_keys");
    db.exec(&format!(
        "INSERT INTO {keys} (principal, key, fingerprint, impact, deletion_id, created_at) \
         VALUES ('somebody', 'k', 'f', '{{}}', '{ID}', '2026-01-01T00:00:00+00:00')"
    ))
    .await;
    let stored = format!("SELECT key, CAST(deletion_id AS text), run_id FROM {keys}");
    assert_eq!(db.rows(&stored).await, [["k", ID, "NULL"]]);
    db.attempt(&format!("UPDATE {keys} SET deletion_id = NULL")).await.unwrap_err();
    assert_eq!(db.rows(&stored).await, [["k", ID, "NULL"]]);
}

async fn a_deletion_without_an_archive_is_shown_as_such(db: TestDb) {
    migrate_and_insert_deletion(&db).await;
    assert_eq!(run(&db, &["doctor"]).code, 0);
    let (code, old) = document(&db, &["deletions", "show", ID]);
    assert_eq!((code, &old["status"], &old["restorableUntil"]), (0, &json!("NOT_ARCHIVED"), &Value::Null), "{old}");
    let session = db.rows("SELECT min(CAST(id AS text)) FROM whatsapp_sessions").await.remove(0).remove(0);
    let delete = ["delete", &session, "--yes", "--allow-connected", "--allow-pending-messages"];
    let (code, new) = document(&db, &delete);
    assert_eq!((code, &new["deletion"]["status"]), (0, &json!("RESTORABLE")), "{new}");
}
