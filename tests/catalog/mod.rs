//! Tests that every foreign key to a session or a group is found in the catalogue, and that previews and deletions
//! agree.

mod depth;
mod foreign_key_graph;
mod postgres;
mod sqlite;

use api::db::Dialect;
use api::deletion::{self, DeletionRequest};
use api::demo::scenario::SESSIONS;
use api::impact::{self, Impact, TableImpact};
use uuid::Uuid;

use crate::support::{TestDb, WithTerms as _};

/// Returns the id of a stale session with 20 groups.
fn session() -> Uuid {
    SESSIONS[8].id.parse().unwrap()
}

async fn load_impact(db: &TestDb) -> Impact {
    impact::impact_of(db.database().await, &[session()]).await.unwrap()
}

/// Returns the preview's impact on a table, by its display name.
async fn table_impact(db: &TestDb, name: &str) -> Option<TableImpact> {
    load_impact(db).await.tables.into_iter().find(|table| table.table == name)
}

/// Returns the numbers of a table's rows that the preview counts as deleted and as unlinked.
async fn affected_rows(db: &TestDb, name: &str) -> Option<(i64, i64)> {
    table_impact(db, name).await.map(|table| (table.rows_deleted, table.rows_unlinked))
}

/// Deletes the session and asserts that the deletion has exactly the previewed impact.
///
/// The deletion itself refuses an impact that differs from the expected one.
async fn delete_session(db: &TestDb) {
    let impact = load_impact(db).await;
    let request =
        DeletionRequest { session_ids: vec![session()], principal: "tester".to_owned(), ..DeletionRequest::default() }
            .expected_impact(impact.token.clone());
    let outcome = deletion::delete(db.database().await, &request).await.unwrap();
    assert_eq!((outcome.refusals, outcome.impact), (Vec::new(), Some(impact)));
}

/// Returns the ids of the first `count` groups of the session that is deleted.
async fn group_ids(db: &TestDb, count: usize) -> Vec<String> {
    let query = format!(
        "SELECT CAST(id AS text) FROM whatsapp_groups WHERE session_id = '{}' ORDER BY id LIMIT {count}",
        session()
    );
    db.rows(&query).await.into_iter().map(|mut row| row.remove(0)).collect()
}

/// Returns the id of the first group of a session that is not deleted.
async fn unaffected_group(db: &TestDb) -> String {
    let query = format!("SELECT min(CAST(id AS text)) FROM whatsapp_groups WHERE session_id = '{}'", SESSIONS[0].id);
    db.rows(&query).await.remove(0).remove(0)
}

const fn id_type(db: Dialect) -> &'static str {
    match db {
        Dialect::Postgres => "uuid",
        Dialect::Sqlite => "text",
    }
}
