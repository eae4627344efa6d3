//! Tests of findings about rows whose parent does not exist.

use api::db::Dialect;
use api::schema_health::{FindingCode, Severity};

use super::{Facts, apply_fix, find_facts, find_finding};
use crate::support::{Contents, TestDb, on_both};

on_both!(Mended: a_reference_to_nothing_is_cleared, a_reference_to_nothing_is_deleted);

const NOWHERE: &str = "00000000-0000-4000-8000-000000000000";

/// Points one webinar at a group that does not exist.
async fn create_orphan(db: &TestDb) {
    let update = format!(
        "UPDATE webinars SET whatsapp_group_id = '{NOWHERE}' WHERE id = (SELECT min(CAST(id AS text)) FROM webinars)"
    );
    if db.dialect() == Dialect::Sqlite {
        db.exec(&format!("PRAGMA foreign_keys = OFF; {update}; PRAGMA foreign_keys = ON")).await;
    } else {
        let update = update.replace("WHERE id =", "WHERE id::text =");
        let key = "ALTER TABLE webinars DROP CONSTRAINT webinars_whatsapp_group_id_fkey";
        let again =
            "ALTER TABLE webinars ADD CONSTRAINT webinars_whatsapp_group_id_fkey FOREIGN KEY (whatsapp_group_id)
                     REFERENCES whatsapp_groups (id) ON DELETE SET NULL NOT VALID";
        db.exec(&format!("{key}; {update}; {again}")).await;
    }
}

const ORPHANED: &str = "ORPHANED_ROWS:webinars.whatsapp_group_id";

async fn a_reference_to_nothing_is_cleared(db: TestDb) {
    assert_eq!(find_finding(&db, ORPHANED).await, None);
    create_orphan(&db).await;
    let expected = Facts { code: FindingCode::OrphanedRows, severity: Severity::Error, rows: 1, fixes: 2 };
    assert_eq!(find_facts(&db, ORPHANED).await, expected);
    apply_fix(&db, ORPHANED, 0).await;
    assert_eq!(db.count("webinars").await, 12);
}

async fn a_reference_to_nothing_is_deleted(db: TestDb) {
    // The webinar's own dependent rows would be deleted too. On SQLite the raw connection enforces that.
    create_orphan(&db).await;
    apply_fix(&db, ORPHANED, 1).await;
    assert_eq!(db.count("webinars").await, 11);
}

#[tokio::test]
async fn postgres_a_key_that_was_never_checked_is_a_warning() {
    let Some(db) = TestDb::postgres(Contents::Mended).await else { return };
    create_orphan(&db).await;
    let key = "UNVALIDATED_FOREIGN_KEY:webinars.whatsapp_group_id";
    let facts = find_facts(&db, key).await;
    assert_eq!((facts.code, facts.severity, facts.fixes), (FindingCode::UnvalidatedForeignKey, Severity::Warning, 1));
    apply_fix(&db, ORPHANED, 0).await;
    apply_fix(&db, key, 0).await;
}

#[tokio::test]
async fn postgres_a_reference_to_nothing_between_collations() {
    let Some(db) = TestDb::postgres(Contents::Mended).await else { return };
    db.exec(
        "CREATE TABLE codes (code text COLLATE \"C\" PRIMARY KEY, \
         group_id uuid REFERENCES whatsapp_groups (id) ON DELETE CASCADE); \
         CREATE TABLE pins (id integer PRIMARY KEY, code text COLLATE \"POSIX\"); \
         INSERT INTO codes VALUES ('a'); INSERT INTO pins VALUES (1, 'a'), (2, 'b'); \
         ALTER TABLE pins ADD FOREIGN KEY (code) REFERENCES codes (code) ON DELETE CASCADE NOT VALID",
    )
    .await;
    let key = "ORPHANED_ROWS:pins.code";
    let expected = Facts { code: FindingCode::OrphanedRows, severity: Severity::Error, rows: 1, fixes: 2 };
    assert_eq!(find_facts(&db, key).await, expected);
    apply_fix(&db, key, 1).await;
    assert_eq!(db.rows("SELECT id FROM pins").await, [["1"]]);
}
