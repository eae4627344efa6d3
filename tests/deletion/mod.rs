//! Tests of deletions: every refusal, concurrent writers, the number of statements, and the resulting records.

mod audit;
mod blockers;
mod changed_impact;
mod concurrent_deletions;
mod concurrent_writers;
mod crash_recovery;
mod erasure;
mod expiry;
mod idempotency;
mod other_blockers;
mod refusals;
mod sqlite_limits;
mod stale_condition;
mod statements;
mod triggers;

use api::db::{Database, Dialect};
use api::deletion::{self, DeletionOutcome, DeletionRequest};
use api::demo::scenario::SESSIONS;
use api::impact::{self, Impact};
use api::refusal::{Refusal, RefusalCode};
use uuid::Uuid;

use crate::support::TestDb;

/// The index of a stale session with 20 groups, whose deletion nothing blocks.
const STALE: usize = 8;
/// The index of a second stale session, with 30 groups.
const OTHER: usize = 7;
/// The index of a connected session with messages still to be sent.
const LIVE: usize = 9;

/// Returns the id of a session of the scenario.
fn id(session: usize) -> Uuid {
    SESSIONS[session].id.parse().unwrap()
}

/// Returns a request to delete a session of the scenario, without any `allow` option.
fn request(session: usize) -> DeletionRequest {
    DeletionRequest { session_ids: vec![id(session)], principal: "tester".to_owned(), ..DeletionRequest::default() }
}

async fn delete(database: &Database, request: &DeletionRequest) -> DeletionOutcome {
    deletion::delete(database, request).await.unwrap()
}

/// Returns the impact of deleting the sessions.
async fn preview(db: &TestDb, sessions: &[usize]) -> Impact {
    let ids: Vec<Uuid> = sessions.iter().map(|&session| id(session)).collect();
    impact::impact_of(db.database().await, &ids).await.unwrap()
}

/// Requests a deletion, asserts that it is refused and changes no row, and returns the outcome.
async fn assert_refused_unchanged(db: &TestDb, request: &DeletionRequest) -> DeletionOutcome {
    let before = db.everything().await;
    let outcome = delete(db.database().await, request).await;
    assert!(!outcome.refusals.is_empty(), "nothing refused {request:?}");
    assert_eq!(outcome.deletion, None);
    assert!(db.everything().await == before, "a refused deletion changed something: {:?}", outcome.refusals);
    outcome
}

/// Asserts that a deletion is refused for a single reason and changes no row, and returns the refusal.
async fn assert_refused(db: &TestDb, request: &DeletionRequest) -> Refusal {
    let mut refusals = assert_refused_unchanged(db, request).await.refusals;
    assert_eq!(refusals.len(), 1, "{refusals:?}");
    refusals.remove(0)
}

/// Deletes sessions, asserts that nothing is refused, and returns the deletion.
async fn delete_sessions(database: &Database, request: &DeletionRequest) -> deletion::Deletion {
    let outcome = delete(database, request).await;
    assert_eq!(outcome.refusals, []);
    outcome.deletion.unwrap()
}

fn codes(outcome: &DeletionOutcome) -> Vec<RefusalCode> {
    outcome.refusals.iter().map(|refusal| refusal.code).collect()
}

fn field_path(field: &str) -> Vec<String> {
    vec!["input".to_owned(), field.to_owned()]
}

/// Returns the SQL type of an id in the scenario.
const fn id_type(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Postgres => "uuid",
        Dialect::Sqlite => "text",
    }
}

/// Returns the id of the first group of a session.
async fn find_first_group(db: &TestDb, session: usize) -> String {
    let query = format!("SELECT min(CAST(id AS text)) FROM whatsapp_groups WHERE session_id = '{}'", id(session));
    db.rows(&query).await.remove(0).remove(0)
}

/// Returns the number of rows of `table` that refer to a group that does not exist.
async fn count_orphans(db: &TestDb, table: &str) -> String {
    let query = format!(
        "SELECT count(*) FROM {table} WHERE group_id IS NOT NULL AND group_id NOT IN (SELECT id FROM whatsapp_groups)"
    );
    db.rows(&query).await.remove(0).remove(0)
}

async fn count_session(db: &TestDb, session: usize) -> String {
    let query = format!("SELECT count(*) FROM whatsapp_sessions WHERE id = '{}'", id(session));
    db.rows(&query).await.remove(0).remove(0)
}

/// Returns the number of rows in all archives.
async fn count_archived_rows(db: &TestDb) -> i64 {
    db.count(&db.dialect().internal_table("archived_rows")).await
}

/// Returns the number of tables in the archive of a deletion.
async fn count_archived_tables(db: &TestDb, deletion: Uuid) -> i64 {
    let table = db.dialect().internal_table("archived_tables");
    db.count(&format!("{table} WHERE deletion_id = '{deletion}'")).await
}
