//! Tests that obstacles that the foreign keys do not show are found by a dry run and a deletion, and reported as a
//! blocker of kind `OTHER`.

use api::db::Dialect;
use api::deletion::DeletionRequest;
use api::impact::BlockerKind;
use api::refusal::RefusalCode;

use super::{STALE, assert_refused_unchanged, delete_sessions, find_first_group, id_type, preview, request};
use crate::support::{TestDb, on_both, only};

on_both!(Adopted:
    a_check_refuses_what_would_be_unlinked,
    a_unique_index_refuses_what_would_be_unlinked,
    a_trigger_refuses_in_its_own_words,
    a_trigger_that_keeps_a_row_back_is_found_out,
    a_reference_that_a_trigger_makes_meanwhile_is_refused,
);
only!(postgres Adopted: a_trigger_that_deletes_more_is_found_out, a_deferred_trigger_is_not_left_for_the_end);

/// Creates two rows of `pins` that a deletion would unlink.
async fn create_pins(db: &TestDb, also: &str) {
    let kind = id_type(db.dialect());
    let group = find_first_group(db, STALE).await;
    db.exec(&format!(
        "CREATE TABLE pins (id integer PRIMARY KEY, group_id {kind} REFERENCES whatsapp_groups (id) ON DELETE SET NULL{also}); \
         INSERT INTO pins VALUES (1, '{group}'), (2, '{group}')"
    ))
    .await;
}

/// Asserts that a dry run and a deletion are refused alike although the preview finds no blocker, and returns the
/// message.
async fn assert_refused_by_database(db: &TestDb) -> String {
    let previewed = preview(db, &[STALE]).await;
    assert!(previewed.deletable, "{:?}", previewed.blockers);
    let mut messages = Vec::new();
    for dry_run in [true, false] {
        let outcome = assert_refused_unchanged(db, &DeletionRequest { dry_run, ..request(STALE) }).await;
        assert_eq!(outcome.refusals.len(), 1, "{:?}", outcome.refusals);
        assert_eq!(outcome.refusals[0].code, RefusalCode::BlockedByForeignKey);
        let impact = outcome.impact.unwrap();
        assert_eq!((impact.deletable, impact.blockers.len()), (false, 1));
        assert_eq!(impact.blockers[0].kind, BlockerKind::Other);
        assert_eq!(impact.rows_deleted, previewed.rows_deleted);
        assert_eq!(impact.blockers[0].message, outcome.refusals[0].message);
        messages.push(outcome.refusals[0].message.clone());
    }
    for message in &messages {
        assert!(message.starts_with("The database refused: ") && message.ends_with('.'), "{message}");
        assert!(!message.contains("UPDATE ") && !message.contains("DELETE ") && !message.contains("sqlx"), "{message}");
    }
    messages.remove(0)
}

async fn a_check_refuses_what_would_be_unlinked(db: TestDb) {
    create_pins(&db, ", CONSTRAINT pinned CHECK (group_id IS NOT NULL)").await;
    let message = assert_refused_by_database(&db).await;
    assert!(message.contains("pinned"), "{message}");
    db.exec("DROP TABLE pins").await;
    delete_sessions(db.database().await, &request(STALE)).await;
}

async fn a_unique_index_refuses_what_would_be_unlinked(db: TestDb) {
    create_pins(&db, "").await;
    db.exec("DELETE FROM pins WHERE id = 2; INSERT INTO pins VALUES (3, NULL)").await;
    db.exec("CREATE UNIQUE INDEX one_free_pin ON pins ((coalesce(CAST(group_id AS text), 'none')))").await;
    let message = assert_refused_by_database(&db).await;
    assert!(message.contains("one_free_pin"), "{message}");
}

async fn a_trigger_refuses_in_its_own_words(db: TestDb) {
    db.exec(match db.dialect() {
        Dialect::Postgres => {
            "CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN RAISE EXCEPTION 'groups are kept for the tax office'; END $$; \
             CREATE TRIGGER keep BEFORE DELETE ON whatsapp_groups FOR EACH ROW EXECUTE FUNCTION keep()"
        }
        Dialect::Sqlite => {
            "CREATE TRIGGER keep BEFORE DELETE ON whatsapp_groups BEGIN \
             SELECT RAISE(ABORT, 'groups are kept for the tax office'); END"
        }
    })
    .await;
    assert_eq!(assert_refused_by_database(&db).await, "The database refused: groups are kept for the tax office.");
}

async fn a_trigger_that_keeps_a_row_back_is_found_out(db: TestDb) {
    let group = find_first_group(&db, STALE).await;
    let admin = format!(
        "INSERT INTO whatsapp_group_admins (id, group_id, phone, created_at) \
                         VALUES ('aaaaaaaa-0000-4000-8000-000000000001', '{group}', 'kept', '2026-01-01T00:00:00+00:00')"
    );
    db.exec(&admin).await;
    db.exec(match db.dialect() {
        Dialect::Postgres => {
            "CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$; \
             CREATE TRIGGER keep BEFORE DELETE ON whatsapp_group_admins FOR EACH ROW WHEN (OLD.phone = 'kept') \
             EXECUTE FUNCTION keep()"
        }
        Dialect::Sqlite => {
            "CREATE TRIGGER keep BEFORE DELETE ON whatsapp_group_admins WHEN OLD.phone = 'kept' BEGIN \
             SELECT RAISE(IGNORE); END"
        }
    })
    .await;
    for dry_run in [true, false] {
        let outcome = assert_refused_unchanged(&db, &DeletionRequest { dry_run, ..request(STALE) }).await;
        if db.dialect() == Dialect::Sqlite && dry_run {
            // A dry run checks all references, and the row that the trigger spared refers to a deleted row.
            assert_eq!(super::codes(&outcome), [RefusalCode::BlockedByForeignKey]);
            continue;
        }
        assert_eq!(super::codes(&outcome), [RefusalCode::ImpactChanged]);
        assert_eq!(outcome.changes.len(), 1);
        let change = &outcome.changes[0];
        assert_eq!(change.table, "whatsapp_group_admins");
        assert_eq!(change.rows_deleted_now, change.rows_deleted_before - 1);
    }
}

async fn a_reference_that_a_trigger_makes_meanwhile_is_refused(db: TestDb) {
    let kind = id_type(db.dialect());
    db.exec(&format!(
        "CREATE TABLE log (group_id {kind} REFERENCES whatsapp_groups (id) DEFERRABLE INITIALLY DEFERRED)"
    ))
    .await;
    db.exec(match db.dialect() {
        Dialect::Postgres => {
            "CREATE FUNCTION log() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN INSERT INTO log VALUES (OLD.id); RETURN OLD; END $$; \
             CREATE TRIGGER log AFTER DELETE ON whatsapp_groups FOR EACH ROW EXECUTE FUNCTION log()"
        }
        Dialect::Sqlite => {
            "CREATE TRIGGER log AFTER DELETE ON whatsapp_groups BEGIN INSERT INTO log VALUES (OLD.id); END"
        }
    })
    .await;
    assert_refused_by_database(&db).await;
    db.exec(match db.dialect() {
        Dialect::Postgres => "DROP TRIGGER log ON whatsapp_groups",
        Dialect::Sqlite => "DROP TRIGGER log",
    })
    .await;
    delete_sessions(db.database().await, &request(STALE)).await;
}

async fn a_trigger_that_deletes_more_is_found_out(db: TestDb) {
    db.exec(
        "CREATE FUNCTION more() RETURNS trigger LANGUAGE plpgsql AS \
         $$ BEGIN DELETE FROM notification_campaigns WHERE id = (SELECT min(id::text)::uuid FROM notification_campaigns); \
         RETURN OLD; END $$; \
         CREATE TRIGGER more AFTER DELETE ON whatsapp_sessions FOR EACH ROW EXECUTE FUNCTION more()",
    )
    .await;
    let outcome = assert_refused_unchanged(&db, &request(STALE)).await;
    assert_eq!(super::codes(&outcome), [RefusalCode::ImpactChanged]);
    let message = &outcome.refusals[0].message;
    assert!(
        message.starts_with("The database also deleted or inserted ")
            && message.ends_with(" that no foreign key explains, probably by a trigger. Nothing was deleted."),
        "{message}"
    );
}

async fn a_deferred_trigger_is_not_left_for_the_end(db: TestDb) {
    db.exec(
        "CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'too late'; END $$; \
         CREATE CONSTRAINT TRIGGER late AFTER DELETE ON whatsapp_sessions DEFERRABLE INITIALLY DEFERRED \
         FOR EACH ROW EXECUTE FUNCTION late()",
    )
    .await;
    assert_eq!(assert_refused_by_database(&db).await, "The database refused: too late.");
}
