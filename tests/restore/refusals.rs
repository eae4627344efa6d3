//! Tests of restores that are refused before any row is compared, and of messages that would be sent immediately.

use api::deletion::audit::query;
use api::deletion::{Deletion, DeletionStatus};
use api::impact;
use api::refusal::RefusalCode;
use api::restore::{RestoreRequest, restore};
use uuid::Uuid;

use super::{LIVE, STALE, TABLES, attempt, delete, query_value, request, restore_deletion};
use crate::support::{TestDb, WithTerms as _, on_both, only};

on_both!(Adopted:
    a_deletion_that_there_is_not,
    a_deletion_that_has_been_restored,
    a_deletion_whose_time_is_over,
    a_deletion_that_kept_nothing,
    overdue_messages_come_back_only_if_allowed,
    a_dry_run_changes_nothing,
    two_at_once_restore_it_once,
    the_record_says_who_and_when,
);
only!(sqlite Adopted: overdue_messages_of_tables_in_another_case);

async fn assert_refused(db: &TestDb, request: &RestoreRequest) -> (RefusalCode, String) {
    let before = db.everything().await;
    let mut outcome = attempt(db, request).await;
    assert!(db.everything().await == before, "a refused restore changed something");
    assert_eq!((outcome.refusals.len(), outcome.rows_restored), (1, 0), "{outcome:?}");
    let refusal = outcome.refusals.remove(0);
    (refusal.code, refusal.message)
}

async fn a_deletion_that_there_is_not(db: TestDb) {
    let unknown = RestoreRequest { deletion_id: Uuid::from_u128(7), ..RestoreRequest::default() };
    let (code, message) = assert_refused(&db, &unknown).await;
    assert_eq!(code, RefusalCode::NotFound);
    assert_eq!(message, format!("No deletion has the id {}.", Uuid::from_u128(7)));
}

async fn a_deletion_that_has_been_restored(db: TestDb) {
    let deletion = delete(&db, STALE).await;
    restore_deletion(&db, &deletion).await;
    let (code, message) = assert_refused(&db, &request(&deletion)).await;
    assert_eq!((code, message.as_str()), (RefusalCode::AlreadyRestored, "The deletion has been restored already."));
}

async fn a_deletion_whose_time_is_over(db: TestDb) {
    let deletion = delete(&db, STALE).await;
    let table = db.database().await.internal_table("deletions");
    db.exec(&format!("UPDATE {table} SET restorable_until = '2020-01-01T00:00:00.000000+00:00'")).await;
    let found = query::find(db.database().await, deletion.id).await.unwrap().unwrap();
    assert_eq!(found.status, DeletionStatus::Expired);
    let (code, message) = assert_refused(&db, &request(&deletion)).await;
    assert_eq!(code, RefusalCode::ArchiveGone);
    assert!(message.contains("can no longer be restored"), "{message}");
}

async fn a_deletion_that_kept_nothing(db: TestDb) {
    let deletion_request = api::deletion::DeletionRequest {
        session_ids: vec![super::id(STALE)],
        principal: "tester".to_owned(),
        ..api::deletion::DeletionRequest::default()
    }
    .without_archive();
    let outcome = api::deletion::delete(db.database().await, &deletion_request).await.unwrap();
    let deletion = outcome.deletion.unwrap();
    assert_eq!((deletion.status, deletion.restorable_until), (DeletionStatus::NotArchived, None));
    for table in ["archived_tables", "archived_rows"] {
        assert_eq!(db.count(&db.database().await.internal_table(table)).await, 0);
    }
    assert_eq!(assert_refused(&db, &request(&deletion)).await.0, RefusalCode::ArchiveGone);
}

/// Deletes a connected session with pending messages, of which half are due now. Returns the deletion and the number of
/// due messages.
async fn delete_with_due_messages(db: &TestDb) -> (Deletion, i64) {
    let of_session = format!(
        "group_id IN (SELECT id FROM whatsapp_groups WHERE session_id = '{}') AND status = 'pending'",
        super::id(LIVE)
    );
    for (table, time) in [("scheduled_webinar_messages", "2099-01-01"), ("scheduled_whatsapp_messages", "2001-01-01")] {
        let time = format!("{time}T00:00:00+00:00");
        db.exec(&format!("UPDATE {table} SET scheduled_for = '{time}' WHERE {of_session}")).await;
    }
    let group = super::find_first_group(db, LIVE).await;
    db.exec(&format!(
        "INSERT INTO scheduled_whatsapp_messages (id, group_id, body, status, scheduled_for) VALUES \
         ('{}', '{group}', 'late', 'pending', '2001-01-01T00:00:00+00:00'), \
         ('{}', '{group}', 'sent', 'sent', '2001-01-01T00:00:00+00:00')",
        Uuid::from_u128(1),
        Uuid::from_u128(2)
    ))
    .await;
    let due = query_value(db, &format!("SELECT count(*) FROM scheduled_whatsapp_messages WHERE {of_session}")).await;
    (delete(db, LIVE).await, due.parse().unwrap())
}

async fn overdue_messages_come_back_only_if_allowed(db: TestDb) {
    let (deletion, due) = delete_with_due_messages(&db).await;
    assert!(due > 0);
    for dry_run in [true, false] {
        let outcome = attempt(&db, &RestoreRequest { dry_run, ..request(&deletion) }).await;
        assert_eq!(outcome.overdue_messages, due);
        let (code, message) = assert_refused(&db, &RestoreRequest { dry_run, ..request(&deletion) }).await;
        assert_eq!(code, RefusalCode::PendingMessages);
        assert!(
            message.contains("overdue, and would be sent at once. To allow that, set allowPendingMessages"),
            "{message}"
        );
    }
    let outcome = restore_deletion(&db, &deletion).await;
    assert_eq!((outcome.overdue_messages, outcome.rows_restored), (due, deletion.rows_deleted));
}

async fn overdue_messages_of_tables_in_another_case(db: TestDb) {
    let (deletion, due) = delete_with_due_messages(&db).await;
    restore_deletion(&db, &deletion).await;
    let before = count_pending_messages(&db).await;
    db.exec(
        "ALTER TABLE scheduled_whatsapp_messages RENAME TO aside; \
         ALTER TABLE aside RENAME TO Scheduled_WhatsApp_Messages; \
         ALTER TABLE Scheduled_WhatsApp_Messages RENAME COLUMN status TO aside; \
         ALTER TABLE Scheduled_WhatsApp_Messages RENAME COLUMN aside TO Status; \
         ALTER TABLE Scheduled_WhatsApp_Messages RENAME COLUMN scheduled_for TO aside; \
         ALTER TABLE Scheduled_WhatsApp_Messages RENAME COLUMN aside TO Scheduled_For",
    )
    .await;
    assert_eq!(count_pending_messages(&db).await, before);
    let again = delete(&db, LIVE).await;
    assert_eq!(attempt(&db, &request(&again)).await.overdue_messages, due);
    assert_eq!(assert_refused(&db, &request(&again)).await.0, RefusalCode::PendingMessages);
}

async fn count_pending_messages(db: &TestDb) -> i64 {
    impact::impact_of(db.database().await, &[super::id(LIVE)]).await.unwrap().pending_messages
}

async fn a_dry_run_changes_nothing(db: TestDb) {
    let deletion = delete(&db, STALE).await;
    let before = db.everything().await;
    let tried = attempt(&db, &RestoreRequest { dry_run: true, ..request(&deletion) }).await;
    assert_eq!((&tried.refusals, tried.rows_restored), (&vec![], deletion.rows_deleted));
    assert_eq!(tried.deletion.unwrap().status, DeletionStatus::Restorable);
    assert!(db.everything().await == before);
}

async fn two_at_once_restore_it_once(db: TestDb) {
    let before = db.dump(&TABLES).await;
    let deletion = delete(&db, STALE).await;
    let (database, request) = (db.database().await, request(&deletion));
    let (one, other) = tokio::join!(restore(database, &request), restore(database, &request));
    let mut codes: Vec<Vec<RefusalCode>> =
        [one, other].map(|outcome| outcome.unwrap().refusals.into_iter().map(|refusal| refusal.code).collect()).into();
    codes.sort_by_key(Vec::len);
    assert_eq!(codes, [vec![], vec![RefusalCode::AlreadyRestored]]);
    assert!(db.dump(&TABLES).await == before);
}

async fn the_record_says_who_and_when(db: TestDb) {
    let deletion = delete(&db, STALE).await;
    let answered = restore_deletion(&db, &deletion).await.deletion.unwrap();
    let found = query::find(db.database().await, deletion.id).await.unwrap().unwrap();
    assert_eq!(answered, found);
    assert_eq!((found.status, found.restored_by.as_deref()), (DeletionStatus::Restored, Some("restorer")));
    assert!(found.restored_at >= Some(deletion.deleted_at));
    assert_eq!((found.rows_deleted, found.sessions), (deletion.rows_deleted, deletion.sessions));
}
