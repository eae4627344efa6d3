//! The catalogue: whatever refers to a session or a group is found, counted and deleted as it is.

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

/// A stale session with 20 groups.
fn session() -> Uuid {
    SESSIONS[8].id.parse().unwrap()
}

async fn looked(db: &TestDb) -> Impact {
    impact::impact_of(db.database().await, &[session()]).await.unwrap()
}

/// What the preview says of a table, by the name that people see.
async fn table(db: &TestDb, name: &str) -> Option<TableImpact> {
    looked(db).await.tables.into_iter().find(|table| table.table == name)
}

/// Rows deleted and unlinked of a table.
async fn rows(db: &TestDb, name: &str) -> Option<(i64, i64)> {
    table(db, name).await.map(|table| (table.rows_deleted, table.rows_unlinked))
}

/// The deletion does what the preview shows; what it does differently is refused by the deletion itself.
async fn deleted(db: &TestDb) {
    let looked = looked(db).await;
    let request =
        DeletionRequest { session_ids: vec![session()], principal: "tester".to_owned(), ..DeletionRequest::default() }
            .expected_impact(looked.token.clone());
    let outcome = deletion::delete(db.database().await, &request).await.unwrap();
    assert_eq!((outcome.refusals, outcome.impact), (Vec::new(), Some(looked)));
}

/// The first `count` groups of the session that goes.
async fn groups(db: &TestDb, count: usize) -> Vec<String> {
    let query = format!(
        "SELECT CAST(id AS text) FROM whatsapp_groups WHERE session_id = '{}' ORDER BY id LIMIT {count}",
        session()
    );
    db.rows(&query).await.into_iter().map(|mut row| row.remove(0)).collect()
}

/// The first group of a session that stays.
async fn staying(db: &TestDb) -> String {
    let query = format!("SELECT min(CAST(id AS text)) FROM whatsapp_groups WHERE session_id = '{}'", SESSIONS[0].id);
    db.rows(&query).await.remove(0).remove(0)
}

const fn id_type(db: Dialect) -> &'static str {
    match db {
        Dialect::Postgres => "uuid",
        Dialect::Sqlite => "text",
    }
}
