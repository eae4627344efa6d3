//! Tests of restores with concurrent writers.

use std::time::Duration;

use api::deletion::{self, DeletionRequest};
use api::refusal::RefusalCode;
use api::restore::restore;

use super::{OTHER, STALE, TABLES, delete, find_first_group, id, id_type, request, restore_deletion};
use crate::support::{TestDb, WithTerms as _, on_both, only};

on_both!(long Adopted: a_deletion_that_takes_parents_and_unlinked_rows);
only!(postgres Adopted: a_parent_that_is_just_being_deleted, a_key_that_is_just_being_taken);

/// Everything is restored, whichever of the two operations is first.
async fn a_deletion_that_takes_parents_and_unlinked_rows(db: TestDb) {
    let kind = id_type(db.dialect());
    let (mine, other) = (find_first_group(&db, STALE).await, find_first_group(&db, OTHER).await);
    db.exec(&format!(
        "ALTER TABLE whatsapp_groups ADD COLUMN parent_id {kind} REFERENCES whatsapp_groups (id) ON DELETE CASCADE; \
         UPDATE whatsapp_groups SET parent_id = '{other}' WHERE id = '{mine}'; \
         CREATE TABLE notes (id integer PRIMARY KEY, about {kind} REFERENCES whatsapp_groups (id) ON DELETE SET NULL, \
         owner {kind} REFERENCES whatsapp_groups (id) ON DELETE CASCADE); INSERT INTO notes VALUES (7, '{mine}', '{other}')"
    ))
    .await;
    let before = db.dump(&TABLES).await + &db.dump(&["notes"]).await;
    let database = db.database().await;
    for round in 0..8 {
        let first = delete(&db, STALE).await;
        let restoring = async {
            tokio::time::sleep(Duration::from_millis(3 * round)).await;
            restore(database, &request(&first)).await.unwrap()
        };
        let wanted =
            DeletionRequest { session_ids: vec![id(OTHER)], ..DeletionRequest::default() }.allow_pending_messages();
        let (restored, deleted) = tokio::join!(restoring, deletion::delete(database, &wanted));
        let deleted = deleted.unwrap();
        for refusal in restored.refusals.iter().chain(&deleted.refusals) {
            // In a deadlock one of the two operations is cancelled.
            let is_known = [RefusalCode::RestoreConflict, RefusalCode::LockTimeout].contains(&refusal.code);
            assert!(is_known, "{refusal:?}");
        }
        if let Some(later) = deleted.deletion {
            let named = restored.conflicts.iter().all(|conflict| conflict.deletion_id == Some(later.id));
            assert!(named, "{:?}", restored.conflicts);
            restore_deletion(&db, &later).await;
        }
        if !restored.refusals.is_empty() {
            restore_deletion(&db, &first).await;
        }
        assert!(db.dump(&TABLES).await + &db.dump(&["notes"]).await == before, "round {round}");
    }
}

/// Restores while another connection executes this SQL and then commits, and returns the conflicts.
async fn restore_during(db: &TestDb, does: &str, deletion: &api::deletion::Deletion) -> Vec<(String, String)> {
    let mut other = db.raw().await;
    other.exec(&format!("BEGIN; {does}")).await;
    let database = db.database().await;
    let commit = async {
        db.wait_for_lock_waiters(1).await;
        other.exec("COMMIT").await;
    };
    let request = request(deletion);
    let (outcome, ()) = tokio::join!(restore(database, &request), commit);
    let conflicts = outcome.unwrap().conflicts.into_iter();
    let found = conflicts.map(|conflict| (conflict.table, conflict.key)).collect();
    other.close().await;
    found
}

/// Creates two pins of a group, each with its own code, and deletes the group's session.
async fn create_pins_and_delete(db: &TestDb) -> deletion::Deletion {
    let group = find_first_group(db, STALE).await;
    db.exec(&format!(
        "CREATE TABLE codes (id integer PRIMARY KEY); CREATE TABLE pins (id integer PRIMARY KEY, \
         code integer REFERENCES codes (id), group_id uuid REFERENCES whatsapp_groups (id) ON DELETE CASCADE); \
         INSERT INTO codes VALUES (1), (2); INSERT INTO pins VALUES (1, 1, '{group}'), (2, 2, '{group}')"
    ))
    .await;
    delete(db, STALE).await
}

async fn a_parent_that_is_just_being_deleted(db: TestDb) {
    let deletion = create_pins_and_delete(&db).await;
    let found = restore_during(&db, "DELETE FROM codes WHERE id = 2", &deletion).await;
    assert_eq!(found, [("pins".to_owned(), "2".to_owned())]);
    assert_eq!(db.count("pins").await, 0);
    db.exec("INSERT INTO codes VALUES (2)").await;
    restore_deletion(&db, &deletion).await;
}

async fn a_key_that_is_just_being_taken(db: TestDb) {
    let deletion = create_pins_and_delete(&db).await;
    let found = restore_during(&db, "INSERT INTO pins VALUES (2, NULL, NULL)", &deletion).await;
    assert_eq!(found, [("pins".to_owned(), "2".to_owned())]);
    assert_eq!(db.count("pins").await, 1);
    db.exec("DELETE FROM pins").await;
    restore_deletion(&db, &deletion).await;
}
