//! Deletions: every refusal, what races with them, what they cost and what they leave behind.

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

/// A stale session with 20 groups: small, and nothing forbids its deletion.
const STALE: usize = 8;
/// Another one, with 30 groups.
const OTHER: usize = 7;
/// A connected session with messages still to be sent.
const LIVE: usize = 9;

/// The id of a session of the scenario.
fn id(session: usize) -> Uuid {
    SESSIONS[session].id.parse().unwrap()
}

/// A deletion of a session of the scenario, with nothing allowed.
fn request(session: usize) -> DeletionRequest {
    DeletionRequest { session_ids: vec![id(session)], principal: "tester".to_owned(), ..DeletionRequest::default() }
}

async fn delete(database: &Database, request: &DeletionRequest) -> DeletionOutcome {
    deletion::delete(database, request).await.unwrap()
}

/// What a preview shows.
async fn preview(db: &TestDb, sessions: &[usize]) -> Impact {
    let ids: Vec<Uuid> = sessions.iter().map(|&session| id(session)).collect();
    impact::impact_of(db.database().await, &ids).await.unwrap()
}

/// Deletes what is refused; every row of the database is as it was.
async fn assert_refused_unchanged(db: &TestDb, request: &DeletionRequest) -> DeletionOutcome {
    let before = db.everything().await;
    let outcome = delete(db.database().await, request).await;
    assert!(!outcome.refusals.is_empty(), "nothing refused {request:?}");
    assert_eq!(outcome.deletion, None);
    assert!(db.everything().await == before, "a refused deletion changed something: {:?}", outcome.refusals);
    outcome
}

/// The same where there is one refusal.
async fn refused(db: &TestDb, request: &DeletionRequest) -> Refusal {
    let mut refusals = assert_refused_unchanged(db, request).await.refusals;
    assert_eq!(refusals.len(), 1, "{refusals:?}");
    refusals.remove(0)
}

/// The deletion is made, and the session is gone with all that its impact shows.
async fn deleted(database: &Database, request: &DeletionRequest) -> deletion::Deletion {
    let outcome = delete(database, request).await;
    assert_eq!(outcome.refusals, []);
    outcome.deletion.unwrap()
}

fn codes(outcome: &DeletionOutcome) -> Vec<RefusalCode> {
    outcome.refusals.iter().map(|refusal| refusal.code).collect()
}

fn about(field: &str) -> Vec<String> {
    vec!["input".to_owned(), field.to_owned()]
}

/// The type of an id in the scenario.
const fn id_type(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Postgres => "uuid",
        Dialect::Sqlite => "text",
    }
}

/// The first group of a session.
async fn group_of(db: &TestDb, session: usize) -> String {
    let query = format!("SELECT min(CAST(id AS text)) FROM whatsapp_groups WHERE session_id = '{}'", id(session));
    db.rows(&query).await.remove(0).remove(0)
}

/// How many rows of `table` refer to a group that does not exist.
async fn orphans(db: &TestDb, table: &str) -> String {
    let query = format!(
        "SELECT count(*) FROM {table} WHERE group_id IS NOT NULL AND group_id NOT IN (SELECT id FROM whatsapp_groups)"
    );
    db.rows(&query).await.remove(0).remove(0)
}

async fn sessions_left(db: &TestDb, session: usize) -> String {
    let query = format!("SELECT count(*) FROM whatsapp_sessions WHERE id = '{}'", id(session));
    db.rows(&query).await.remove(0).remove(0)
}

/// How many rows the archives hold.
async fn rows_kept(db: &TestDb) -> i64 {
    db.count(&db.dialect().internal_table("archived_rows")).await
}

/// The archive's entries of a deletion.
async fn entries_of(db: &TestDb, deletion: Uuid) -> i64 {
    let table = db.dialect().internal_table("archived_tables");
    db.count(&format!("{table} WHERE deletion_id = '{deletion}'")).await
}
