//! Restores while somebody else writes.

use std::time::Duration;

use api::deletion::{self, DeletionRequest};
use api::refusal::RefusalCode;
use api::restore::restore;

use super::{OTHER, STALE, TABLES, delete, group_of, id, id_type, request, restored};
use crate::support::{TestDb, WithTerms as _, on_both, only};

on_both!(Adopted: a_deletion_that_takes_parents_and_unlinked_rows);
only!(postgres Adopted: a_parent_that_is_just_being_deleted, a_key_that_is_just_being_taken);

/// Whichever comes first, everything comes back.
async fn a_deletion_that_takes_parents_and_unlinked_rows(db: TestDb) {
    let kind = id_type(db.dialect());
    let (mine, other) = (group_of(&db, STALE).await, group_of(&db, OTHER).await);
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
        let (back, gone) = tokio::join!(restoring, deletion::delete(database, &wanted));
        let gone = gone.unwrap();
        for refusal in back.refusals.iter().chain(&gone.refusals) {
            // Of two that wait for each other, one gives up.
            let is_known = [RefusalCode::RestoreConflict, RefusalCode::LockTimeout].contains(&refusal.code);
            assert!(is_known, "{refusal:?}");
        }
        if let Some(later) = gone.deletion {
            let named = back.conflicts.iter().all(|conflict| conflict.deletion_id == Some(later.id));
            assert!(named, "{:?}", back.conflicts);
            restored(&db, &later).await;
        }
        if !back.refusals.is_empty() {
            restored(&db, &first).await;
        }
        assert!(db.dump(&TABLES).await + &db.dump(&["notes"]).await == before, "round {round}");
    }
}

/// What a restore tells that runs while another connection does this and then commits.
async fn during(db: &TestDb, does: &str, deletion: &api::deletion::Deletion) -> Vec<(String, String)> {
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

/// Pins of a group with a code each.
async fn pins(db: &TestDb) -> deletion::Deletion {
    let group = group_of(db, STALE).await;
    db.exec(&format!(
        "CREATE TABLE codes (id integer PRIMARY KEY); CREATE TABLE pins (id integer PRIMARY KEY, \
         code integer REFERENCES codes (id), group_id uuid REFERENCES whatsapp_groups (id) ON DELETE CASCADE); \
         INSERT INTO codes VALUES (1), (2); INSERT INTO pins VALUES (1, 1, '{group}'), (2, 2, '{group}')"
    ))
    .await;
    delete(db, STALE).await
}

async fn a_parent_that_is_just_being_deleted(db: TestDb) {
    let deletion = pins(&db).await;
    let found = during(&db, "DELETE FROM codes WHERE id = 2", &deletion).await;
    assert_eq!(found, [("pins".to_owned(), "2".to_owned())]);
    assert_eq!(db.count("pins").await, 0);
    db.exec("INSERT INTO codes VALUES (2)").await;
    restored(&db, &deletion).await;
}

async fn a_key_that_is_just_being_taken(db: TestDb) {
    let deletion = pins(&db).await;
    let found = during(&db, "INSERT INTO pins VALUES (2, NULL, NULL)", &deletion).await;
    assert_eq!(found, [("pins".to_owned(), "2".to_owned())]);
    assert_eq!(db.count("pins").await, 1);
    db.exec("DELETE FROM pins").await;
    restored(&db, &deletion).await;
}
