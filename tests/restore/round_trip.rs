//! A deletion and its restore, with every row restored and every reference set.

use api::db::Database;
use api::deletion::{self, Deletion, DeletionRequest};
use api::restore::{self, RestoreRequest};

use super::id;

/// Deletes a session of the scenario.
pub async fn delete_session(database: &Database, session: usize) -> Deletion {
    let request = DeletionRequest {
        session_ids: vec![id(session)],
        principal: "tester".to_owned(),
        ..DeletionRequest::default()
    };
    let outcome = deletion::delete(database, &request).await.unwrap();
    assert_eq!(outcome.refusals, []);
    outcome.deletion.unwrap()
}

/// Restores a deletion, and asserts that every row is restored and every reference is set.
pub async fn restore_deletion(database: &Database, deletion: &Deletion) {
    let request =
        RestoreRequest { deletion_id: deletion.id, principal: "tester".to_owned(), ..RestoreRequest::default() };
    let outcome = restore::restore(database, &request).await.unwrap();
    assert_eq!(outcome.refusals, [], "{:?}", outcome.conflicts);
    assert_eq!(
        (outcome.rows_restored, outcome.rows_relinked, outcome.rows_not_relinked),
        (deletion.rows_deleted, deletion.rows_unlinked, 0)
    );
}
