//! Cleanups: which sessions they take, in which steps, and what they leave.

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

/// One session a batch, at first.
const SINGLY: BatchSize = BatchSize::with_row_budget(1);

/// The id of a session of the scenario.
fn id(session: usize) -> Uuid {
    SESSIONS[session].id.parse().unwrap()
}

fn ids(sessions: impl IntoIterator<Item = usize>) -> Vec<Uuid> {
    sessions.into_iter().map(id).collect()
}

/// A cleanup of the stale sessions, with nothing allowed.
fn request() -> CleanupRequest {
    CleanupRequest { principal: "tester".to_owned(), ..CleanupRequest::default() }
}

async fn start(database: &Database, request: &CleanupRequest) -> CleanupOutcome {
    cleanup::create_run(database, None, request).await.unwrap()
}

/// A run that nobody has begun with.
async fn started(database: &Database, request: &CleanupRequest) -> CleanupRun {
    let outcome = start(database, request).await;
    outcome.run.unwrap_or_else(|| panic!("{:?}", outcome.refusals))
}

/// A worker that has a run nobody else has.
async fn worker_of(database: &Database, run: Uuid, pace: BatchSize) -> RunExecutor {
    RunExecutor::take(database.clone(), None, run, pace).await.unwrap().expect("nobody has it")
}

/// Works a run off.
async fn finish(database: &Database, run: Uuid, pace: BatchSize) -> CleanupRun {
    let run = worker_of(database, run, pace).await.run_to_end(std::future::pending(), |_| ()).await.unwrap();
    assert!(run.status.has_finished(), "{run:?}");
    assert_eq!(run.sessions_total, run.sessions_deleted + run.sessions_skipped, "{run:?}");
    run
}

/// Works a run off with one session a batch, where none wait for one another: a worker makes one batch and is gone.
async fn finish_singly(database: &Database, run: Uuid) -> CleanupRun {
    loop {
        let run = next_batch(database, run).await;
        if run.status.has_finished() {
            return run;
        }
    }
}

/// A new worker goes on with a run until a session is gone, or left.
async fn next_batch(database: &Database, run: Uuid) -> CleanupRun {
    let mut worker = worker_of(database, run, SINGLY).await;
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

/// The whole of a cleanup.
async fn cleaned(database: &Database, request: &CleanupRequest) -> CleanupRun {
    finish(database, started(database, request).await.id, BatchSize::default()).await
}

/// What a run left, in the order of its list.
async fn skipped(database: &Database, run: Uuid) -> Vec<SkippedSession> {
    let page = cleanup::skipped(database, run, &PageRequest::first(100)).await.unwrap();
    page.rows.into_iter().map(|(_, skipped)| skipped).collect()
}

async fn why_skipped(database: &Database, run: Uuid) -> Vec<(Uuid, RefusalCode)> {
    skipped(database, run).await.into_iter().map(|skipped| (skipped.session_id, skipped.code)).collect()
}

/// What a run deleted, oldest first.
async fn deletions(database: &Database, run: Uuid) -> Vec<Deletion> {
    let filter = deletion::DeletionFilter { run_id: Some(run), ..deletion::DeletionFilter::default() };
    let page = query::page(database, &filter, &PageRequest::first(100)).await.unwrap();
    let mut deletions: Vec<Deletion> = page.rows.into_iter().map(|(_, deletion)| deletion).collect();
    deletions.reverse();
    deletions
}

async fn impact_of(db: &TestDb, sessions: &[Uuid]) -> Impact {
    impact::impact_of(db.database().await, sessions).await.unwrap()
}

/// Whether a session is still there.
async fn exists(db: &TestDb, session: Uuid) -> bool {
    !db.rows(&format!("SELECT 1 FROM whatsapp_sessions WHERE id = '{session}'")).await.is_empty()
}

/// The first group of a session.
async fn group_of(db: &TestDb, session: Uuid) -> String {
    let query = format!("SELECT min(CAST(id AS text)) FROM whatsapp_groups WHERE session_id = '{session}'");
    db.rows(&query).await.remove(0).remove(0)
}

/// The type of an id in the scenario.
const fn id_type(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Postgres => "uuid",
        Dialect::Sqlite => "text",
    }
}

/// A table whose rows go with the group `of` and refuse that the group `to` goes without them.
async fn ties(db: &TestDb, tied: &[(Uuid, Uuid)]) {
    let kind = id_type(db.dialect());
    db.exec(&format!(
        "CREATE TABLE ties (id integer PRIMARY KEY, of {kind} REFERENCES whatsapp_groups (id) ON DELETE CASCADE, \
         too {kind} REFERENCES whatsapp_groups (id))"
    ))
    .await;
    for (number, (of, to)) in tied.iter().enumerate() {
        let (of, to) = (group_of(db, *of).await, group_of(db, *to).await);
        db.exec(&format!("INSERT INTO ties VALUES ({number}, '{of}', '{to}')")).await;
    }
}

/// Rows of nobody's that refuse that these sessions' groups go.
async fn keepers(db: &TestDb, sessions: &[Uuid]) {
    let kind = id_type(db.dialect());
    db.exec(&format!("CREATE TABLE keepers (id integer PRIMARY KEY, group_id {kind} REFERENCES whatsapp_groups (id))"))
        .await;
    for (number, session) in sessions.iter().enumerate() {
        let group = group_of(db, *session).await;
        db.exec(&format!("INSERT INTO keepers VALUES ({number}, '{group}')")).await;
    }
}

/// A trigger that refuses that this session goes.
async fn refuse(db: &TestDb, session: Uuid) {
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

/// The deployment as built, with this program's own tables beside it.
async fn in_trouble(db: &TestDb) -> &Database {
    db.exec(&internal_tables_sql(db.dialect())).await;
    db.database().await
}

/// The sessions that are there.
async fn sessions(db: &TestDb) -> Vec<String> {
    let query = "SELECT CAST(id AS text) FROM whatsapp_sessions ORDER BY id";
    db.rows(query).await.into_iter().flatten().collect()
}
