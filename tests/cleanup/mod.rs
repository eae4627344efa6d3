//! Tests of cleanup runs: which sessions they delete, in which batches, and which they skip.

mod blocking_sessions;
mod concurrent_runs;
mod crash_recovery;
mod criteria;
mod idempotency;
mod interrupted_run;
mod restore_run;
mod row_limit;
mod runs;
mod schedule;
mod skipped_sessions;
mod statements;
mod workers;

use api::cleanup::{self, BatchSize, CleanupOutcome, CleanupRequest, CleanupRun, RunExecutor, SkippedSession};
use api::db::pagination::PageRequest;
use api::db::{Database, Dialect};
use api::deletion;
use api::deletion::Deletion;
use api::deletion::audit::query;
use api::demo::scenario::SESSIONS;
use api::impact::{self, Impact};
use api::refusal::RefusalCode;
use uuid::Uuid;

use crate::support::{TestDb, internal_tables_sql};

/// A batch size that begins with one session a batch.
const SINGLY: BatchSize = BatchSize::with_row_budget(1);

/// Returns the id of a session of the scenario.
fn id(session: usize) -> Uuid {
    SESSIONS[session].id.parse().unwrap()
}

fn ids(sessions: impl IntoIterator<Item = usize>) -> Vec<Uuid> {
    sessions.into_iter().map(id).collect()
}

/// Returns a request to clean up the stale sessions with default terms.
fn request() -> CleanupRequest {
    CleanupRequest { principal: "tester".to_owned(), ..CleanupRequest::default() }
}

async fn try_create_run(database: &Database, request: &CleanupRequest) -> CleanupOutcome {
    cleanup::create_run(database, None, request).await.unwrap()
}

/// Creates a queued run.
///
/// # Panics
/// Panics if the request is refused.
async fn create_run(database: &Database, request: &CleanupRequest) -> CleanupRun {
    let outcome = try_create_run(database, request).await;
    outcome.run.unwrap_or_else(|| panic!("{:?}", outcome.refusals))
}

/// Takes the lease of a run that no other worker holds.
async fn take_run(database: &Database, run: Uuid, pace: BatchSize) -> RunExecutor {
    RunExecutor::take(database.clone(), None, run, pace).await.unwrap().expect("nobody has it")
}

/// Executes a run to its end.
async fn finish(database: &Database, run: Uuid, pace: BatchSize) -> CleanupRun {
    let run = take_run(database, run, pace).await.run_to_end(std::future::pending(), |_| ()).await.unwrap();
    assert!(run.status.has_finished(), "{run:?}");
    assert_eq!(run.sessions_total, run.sessions_deleted + run.sessions_skipped, "{run:?}");
    run
}

/// Executes a run to its end with a new worker for each batch, and one session a batch unless sessions block each
/// other.
async fn finish_singly(database: &Database, run: Uuid) -> CleanupRun {
    loop {
        let run = next_batch(database, run).await;
        if run.status.has_finished() {
            return run;
        }
    }
}

/// Continues a run with a new worker until a session has been deleted or skipped.
async fn next_batch(database: &Database, run: Uuid) -> CleanupRun {
    let mut worker = take_run(database, run, SINGLY).await;
    let before = worker.run().clone();
    loop {
        let run = worker.run_next_batch().await.unwrap();
        let changed = run.sessions_deleted + run.sessions_skipped > before.sessions_deleted + before.sessions_skipped;
        if changed || run.status.has_finished() {
            worker.release().await.unwrap();
            return run;
        }
    }
}

/// Creates a run and executes it to its end.
async fn run_cleanup(database: &Database, request: &CleanupRequest) -> CleanupRun {
    finish(database, create_run(database, request).await.id, BatchSize::default()).await
}

/// Returns the sessions that a run skipped, in the order of its list.
async fn list_skipped(database: &Database, run: Uuid) -> Vec<SkippedSession> {
    let page = cleanup::find_skipped(database, run, &PageRequest::first(100)).await.unwrap();
    page.rows.into_iter().map(|(_, skipped)| skipped).collect()
}

async fn skip_reasons(database: &Database, run: Uuid) -> Vec<(Uuid, RefusalCode)> {
    list_skipped(database, run).await.into_iter().map(|skipped| (skipped.session_id, skipped.code)).collect()
}

/// Returns the deletions of a run, oldest first.
async fn list_deletions(database: &Database, run: Uuid) -> Vec<Deletion> {
    let filter = deletion::DeletionFilter { run_id: Some(run), ..deletion::DeletionFilter::default() };
    let page = query::page(database, &filter, &PageRequest::first(100)).await.unwrap();
    let mut deletions: Vec<Deletion> = page.rows.into_iter().map(|(_, deletion)| deletion).collect();
    deletions.reverse();
    deletions
}

async fn impact_of(db: &TestDb, sessions: &[Uuid]) -> Impact {
    impact::impact_of(db.database().await, sessions).await.unwrap()
}

/// Returns whether a session exists.
async fn session_exists(db: &TestDb, session: Uuid) -> bool {
    !db.rows(&format!("SELECT 1 FROM whatsapp_sessions WHERE id = '{session}'")).await.is_empty()
}

/// Returns the id of the first group of a session.
async fn first_group(db: &TestDb, session: Uuid) -> String {
    let query = format!("SELECT min(CAST(id AS text)) FROM whatsapp_groups WHERE session_id = '{session}'");
    db.rows(&query).await.remove(0).remove(0)
}

/// Returns the SQL type of ids in the scenario.
const fn id_type(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Postgres => "uuid",
        Dialect::Sqlite => "text",
    }
}

/// Creates rows that make deletions of sessions depend on each other.
///
/// For each pair, the row is deleted with a group of the first session, and blocks the deletion of a group of the
/// second session. So the second session can be deleted only together with or after the first.
async fn tie_sessions(db: &TestDb, pairs: &[(Uuid, Uuid)]) {
    let kind = id_type(db.dialect());
    db.exec(&format!(
        "CREATE TABLE ties (id integer PRIMARY KEY, of {kind} REFERENCES whatsapp_groups (id) ON DELETE CASCADE, \
         too {kind} REFERENCES whatsapp_groups (id))"
    ))
    .await;
    for (number, (first, second)) in pairs.iter().enumerate() {
        let (first, second) = (first_group(db, *first).await, first_group(db, *second).await);
        db.exec(&format!("INSERT INTO ties VALUES ({number}, '{first}', '{second}')")).await;
    }
}

/// Creates rows, independent of any session, that block the deletion of these sessions.
async fn block_sessions(db: &TestDb, sessions: &[Uuid]) {
    let kind = id_type(db.dialect());
    db.exec(&format!("CREATE TABLE keepers (id integer PRIMARY KEY, group_id {kind} REFERENCES whatsapp_groups (id))"))
        .await;
    for (number, session) in sessions.iter().enumerate() {
        let group = first_group(db, *session).await;
        db.exec(&format!("INSERT INTO keepers VALUES ({number}, '{group}')")).await;
    }
}

/// Creates a trigger that refuses the deletion of this session.
async fn refuse_deletion(db: &TestDb, session: Uuid) {
    let condition = format!("OLD.id = '{session}'");
    db.exec(&match db.dialect() {
        Dialect::Postgres => format!(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN IF {condition} THEN RAISE EXCEPTION 'not this one'; END IF; RETURN OLD; END $$; \
             CREATE TRIGGER refuse BEFORE DELETE ON whatsapp_sessions FOR EACH ROW EXECUTE FUNCTION refuse()"
        ),
        Dialect::Sqlite => format!(
            "CREATE TRIGGER refuse BEFORE DELETE ON whatsapp_sessions WHEN {condition} \
             BEGIN SELECT RAISE(ABORT, 'not this one'); END"
        ),
    })
    .await;
}

/// Adds the internal tables to the deployment as first built, and connects.
async fn connect_as_built(db: &TestDb) -> &Database {
    db.exec(&internal_tables_sql(db.dialect())).await;
    db.database().await
}

/// Returns the ids of all sessions.
async fn session_ids(db: &TestDb) -> Vec<String> {
    let query = "SELECT CAST(id AS text) FROM whatsapp_sessions ORDER BY id";
    db.rows(query).await.into_iter().flatten().collect()
}
