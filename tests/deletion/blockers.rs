//! Tests that `BLOCKED_BY_FOREIGN_KEY` reports each kind of blocker that the foreign keys show.

use api::db::Database;
use api::deletion::DeletionRequest;
use api::impact::{Blocker, BlockerKind};
use api::refusal::{Refusal, RefusalCode};
use uuid::Uuid;

use super::{STALE, assert_refused_unchanged, delete, delete_sessions, find_first_group, id_type, preview, request};
use crate::support::{Contents, TestDb, on_both};

on_both!(Adopted:
    a_rule_that_restricts_blocks,
    set_null_on_a_column_that_takes_no_null_blocks,
    a_default_that_is_no_row_blocks,
    a_default_that_would_go_too_blocks,
    a_default_that_stays_does_not_block,
    every_blocker_is_told_in_one_refusal,
);

/// Creates a table `notes` with two rows that refer to the session's first group.
async fn create_notes(db: &TestDb, column: &str, rule: &str) {
    let kind = id_type(db.dialect());
    let group = find_first_group(db, STALE).await;
    db.exec(&format!(
        "CREATE TABLE notes (id integer PRIMARY KEY, group_id {kind} {column}, \
         CONSTRAINT notes_group_id_fkey FOREIGN KEY (group_id) REFERENCES whatsapp_groups (id) {rule}); \
         INSERT INTO notes VALUES (1, '{group}'), (2, '{group}')"
    ))
    .await;
}

/// Asserts that the preview and the refused deletion both report exactly this one blocker.
async fn assert_blocked_by(db: &TestDb, kind: BlockerKind, reason: &str) {
    let message =
        format!("2 rows of notes that would remain refer to whatsapp_groups by notes_group_id_fkey: {reason}.");
    let blocker = Blocker {
        kind,
        table: "notes".to_owned(),
        constraint: Some("notes_group_id_fkey".to_owned()),
        columns: vec!["group_id".to_owned()],
        rows: 2,
        message: message.clone(),
    };
    let previewed = preview(db, &[STALE]).await;
    assert_eq!((previewed.deletable, &previewed.blockers), (false, &vec![blocker]));
    for dry_run in [true, false] {
        let outcome = assert_refused_unchanged(db, &DeletionRequest { dry_run, ..request(STALE) }).await;
        let code = RefusalCode::BlockedByForeignKey;
        assert_eq!(outcome.refusals, [Refusal { code, message: message.clone(), field: None }]);
        assert_eq!(outcome.impact.as_ref(), Some(&previewed));
    }
}

async fn a_rule_that_restricts_blocks(db: TestDb) {
    for (rule, name) in [("", "NO ACTION"), ("ON DELETE RESTRICT", "RESTRICT")] {
        create_notes(&db, "NOT NULL", rule).await;
        let reason = format!("its rule is {name}; change it to CASCADE, or to SET NULL if the column can be null");
        assert_blocked_by(&db, BlockerKind::Restricted, &reason).await;
        db.exec("DROP TABLE notes").await;
    }
}

async fn set_null_on_a_column_that_takes_no_null_blocks(db: TestDb) {
    create_notes(&db, "NOT NULL", "ON DELETE SET NULL").await;
    let reason = "its rule SET NULL contradicts group_id, which cannot be null; change the rule to CASCADE, or allow \
                  null in the column";
    assert_blocked_by(&db, BlockerKind::SetNullOnNotNull, reason).await;
}

const NO_DEFAULT: &str = "the default of group_id does not refer to a row of whatsapp_groups that remains; set a usable default or \
     change the rule";

async fn a_default_that_is_no_row_blocks(db: TestDb) {
    create_notes(&db, "DEFAULT '00000000-0000-4000-8000-00000000dead'", "ON DELETE SET DEFAULT").await;
    assert_blocked_by(&db, BlockerKind::SetDefaultUnusable, NO_DEFAULT).await;
}

async fn a_default_that_would_go_too_blocks(db: TestDb) {
    let group = find_first_group(&db, STALE).await;
    create_notes(&db, &format!("DEFAULT '{group}'"), "ON DELETE SET DEFAULT").await;
    assert_blocked_by(&db, BlockerKind::SetDefaultUnusable, NO_DEFAULT).await;
}

async fn a_default_that_stays_does_not_block(db: TestDb) {
    let group = find_first_group(&db, 0).await;
    create_notes(&db, &format!("DEFAULT '{group}'"), "ON DELETE SET DEFAULT").await;
    delete_sessions(db.database().await, &request(STALE)).await;
    let moved = format!("SELECT count(*) FROM notes WHERE group_id = '{group}'");
    assert_eq!(db.rows(&moved).await, [["2"]]);
}

async fn every_blocker_is_told_in_one_refusal(db: TestDb) {
    create_notes(&db, "NOT NULL", "ON DELETE SET NULL").await;
    let kind = id_type(db.dialect());
    db.exec(&format!("CREATE TABLE pins (group_id {kind} REFERENCES whatsapp_groups (id))")).await;
    db.exec(&format!("INSERT INTO pins VALUES ('{}')", find_first_group(&db, STALE).await)).await;
    let outcome = assert_refused_unchanged(&db, &request(STALE)).await;
    let blockers = outcome.impact.unwrap().blockers;
    let kinds: Vec<_> = blockers.iter().map(|blocker| (blocker.kind, blocker.table.as_str(), blocker.rows)).collect();
    assert_eq!(kinds, [(BlockerKind::SetNullOnNotNull, "notes", 2), (BlockerKind::Restricted, "pins", 1)]);
    assert_eq!(outcome.refusals.len(), 1);
    assert_eq!(outcome.refusals[0].message, format!("{} {}", blockers[0].message, blockers[1].message));
}

#[tokio::test]
async fn postgres_rows_that_a_role_may_not_see_block() {
    let Some(db) = TestDb::postgres(Contents::Adopted).await else { return };
    let role = format!("role_{}", Uuid::new_v4().simple());
    db.exec(&format!(
        "CREATE ROLE {role} LOGIN PASSWORD 'test'; GRANT USAGE ON SCHEMA session_admin TO {role}; \
         GRANT ALL ON ALL TABLES IN SCHEMA public, session_admin TO {role}; \
         ALTER TABLE dynamic_links ENABLE ROW LEVEL SECURITY; \
         CREATE POLICY own ON dynamic_links TO {role} USING (whatsapp_group_id IS NULL)"
    ))
    .await;
    let url = db.url().replacen("postgres@", &format!("{role}:test@"), 1);
    let database = Database::connect(api::db::DatabaseSettings { url, ..db.settings() }).await.unwrap();
    let before = db.everything().await;
    for dry_run in [true, false] {
        let outcome = delete(&database, &DeletionRequest { dry_run, ..request(STALE) }).await;
        let message = "Row-level security may hide rows of dynamic_links from this role, so the impact cannot be known. \
                       Use a role with BYPASSRLS, or the table's owner.";
        let code = RefusalCode::BlockedByForeignKey;
        assert_eq!(outcome.refusals, [Refusal { code, message: message.to_owned(), field: None }]);
        let impact = outcome.impact.unwrap();
        assert_eq!((impact.blockers[0].kind, impact.deletable), (BlockerKind::RowSecurity, false));
    }
    assert!(db.everything().await == before);
    db.exec(&format!("ALTER ROLE {role} BYPASSRLS")).await;
    let allowed = Database::connect(database.settings().clone()).await.unwrap();
    delete_sessions(&allowed, &request(STALE)).await;
    allowed.close().await.unwrap();
    database.close().await.unwrap();
    db.exec(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
}
