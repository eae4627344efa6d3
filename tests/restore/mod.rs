//! Restores: what was deleted comes back as it was.

mod postgres_types;
mod sqlite_types;

use api::db::Database;
use api::deletion::{self, Deletion, DeletionRequest};
use api::demo::scenario::SESSIONS;
use api::restore::{self, RestoreOutcome, RestoreRequest};
use uuid::Uuid;

use crate::support::TestDb;

/// A stale session with 20 groups.
const STALE: usize = 8;

/// The id of a session of the scenario.
fn id(session: usize) -> Uuid {
    SESSIONS[session].id.parse().unwrap()
}

/// Deletes a session of the scenario.
async fn deleted(database: &Database, session: usize) -> Deletion {
    let request = DeletionRequest {
        session_ids: vec![id(session)],
        principal: "tester".to_owned(),
        ..DeletionRequest::default()
    };
    let outcome = deletion::delete(database, &request).await.unwrap();
    assert_eq!(outcome.refusals, []);
    outcome.deletion.unwrap()
}

/// Everything that was deleted is back, and every reference is set.
async fn restored(database: &Database, deletion: &Deletion) -> RestoreOutcome {
    let request =
        RestoreRequest { deletion_id: deletion.id, principal: "tester".to_owned(), ..RestoreRequest::default() };
    let outcome = restore::restore(database, &request).await.unwrap();
    assert_eq!(outcome.refusals, [], "{:?}", outcome.conflicts);
    assert_eq!(
        (outcome.rows_restored, outcome.rows_relinked, outcome.rows_not_relinked),
        (deletion.rows_deleted, deletion.rows_unlinked, 0)
    );
    outcome
}

/// A group of a session.
async fn group_of(db: &TestDb, session: usize) -> String {
    let query = format!("SELECT min(CAST(id AS text)) FROM whatsapp_groups WHERE session_id = '{}'", id(session));
    db.rows(&query).await.remove(0).remove(0)
}
