//! Tests of runs that are interrupted and continued.

use std::time::Duration;

use api::cleanup::{self, BatchSize, RunStatus};
use api::db::{Database, DatabaseSettings};
use uuid::Uuid;

use super::{SINGLY, create_run, finish, ids, list_deletions, next_batch, request, session_ids, take_run};
use crate::db::proxy::Proxy;
use crate::support::wait::wait_until;
use crate::support::{TestDb, on_both, only};

on_both!(Adopted:
    a_run_goes_on_where_it_stopped,
    progress_and_deletions_always_agree,
    a_run_that_finds_no_connection_waits_and_has_not_failed,
);
on_both!(long Adopted: a_run_that_waits_for_a_connection_can_be_stopped);
only!(long postgres Adopted: a_run_whose_database_goes_away_goes_on_when_it_is_back);

async fn a_run_goes_on_where_it_stopped(db: TestDb) {
    let database = db.database().await;
    let id = create_run(database, &request()).await.id;
    for deleted in 1..=9 {
        let run = next_batch(database, id).await;
        assert_eq!((run.sessions_deleted, run.status), (deleted, RunStatus::Running));
        assert_eq!(session_ids(&db).await.len(), 14 - usize::try_from(deleted).unwrap());
    }
    let run = finish(database, id, BatchSize::default()).await;
    assert_eq!((run.status, run.rows_deleted), (RunStatus::Succeeded, 1_512));
    assert_eq!(list_deletions(database, id).await.len(), 9);
}

/// Asserts that a run's totals are the sums of its deletions, and that its list marks exactly the deleted sessions.
async fn assert_totals_agree(db: &TestDb, database: &Database, id: Uuid) {
    let run = cleanup::find(database, id).await.unwrap().unwrap();
    let deletions = list_deletions(database, id).await;
    let sum = |value: fn(&api::deletion::Deletion) -> i64| deletions.iter().map(value).sum::<i64>();
    assert_eq!(run.rows_deleted, sum(|deletion| deletion.rows_deleted));
    assert_eq!(run.rows_unlinked, sum(|deletion| deletion.rows_unlinked));
    assert_eq!(run.sessions_deleted, sum(|deletion| i64::try_from(deletion.sessions.len()).unwrap()));
    let table = db.dialect().internal_table("cleanup_run_sessions");
    let listed = db.rows(&format!("SELECT session_id FROM {table} WHERE state = 'DELETED' ORDER BY 1")).await;
    let mut deleted_ids: Vec<Vec<String>> =
        deletions.iter().flat_map(|deletion| &deletion.sessions).map(|session| vec![session.id.to_string()]).collect();
    deleted_ids.sort();
    assert_eq!(listed, deleted_ids);
}

async fn progress_and_deletions_always_agree(db: TestDb) {
    let database = db.database().await;
    let id = create_run(database, &request()).await.id;
    let mut worker = take_run(database, id, SINGLY).await;
    loop {
        assert_totals_agree(&db, database, id).await;
        if worker.run_next_batch().await.unwrap().status.has_finished() {
            break;
        }
    }
    assert_totals_agree(&db, database, id).await;
}

/// Returns the number of attempts recorded in the run's row.
async fn count_attempts(db: &TestDb) -> String {
    let table = db.dialect().internal_table("cleanup_runs");
    db.rows(&format!("SELECT attempts FROM {table}")).await.remove(0).remove(0)
}

/// Longer than the timeout for a connection from the pool.
const OVER_POOL_TIMEOUT: Duration = Duration::from_millis(6_500);

async fn a_run_that_finds_no_connection_waits_and_has_not_failed(db: TestDb) {
    let settings = DatabaseSettings { max_connections: 2, ..db.settings() };
    let database = Database::connect(settings).await.unwrap();
    let id = create_run(&database, &request()).await.id;
    // One more failed attempt is the last one allowed.
    db.exec(&format!("UPDATE {} SET attempts = 9", db.dialect().internal_table("cleanup_runs"))).await;
    let worker = take_run(&database, id, SINGLY).await;
    let others = (database.snapshot().await.unwrap(), database.snapshot().await.unwrap());
    let working = tokio::spawn(worker.run_to_end(std::future::pending(), |_| ()));
    // An attempt fails once it has waited five seconds for a connection.
    wait_until("an attempt has failed", async || count_attempts(&db).await == "10").await;
    drop(others);
    let run = working.await.unwrap().unwrap();
    assert_eq!((run.status, run.sessions_deleted, run.error), (RunStatus::Succeeded, 9, None));
}

async fn a_run_that_waits_for_a_connection_can_be_stopped(db: TestDb) {
    let settings = DatabaseSettings { max_connections: 2, ..db.settings() };
    let database = Database::connect(settings).await.unwrap();
    let id = create_run(&database, &request()).await.id;
    let worker = take_run(&database, id, SINGLY).await;
    let others = (database.snapshot().await.unwrap(), database.snapshot().await.unwrap());
    let (stop, stop_requested) = tokio::sync::oneshot::channel::<()>();
    let stop_requested = async { stop_requested.await.unwrap() };
    let working = tokio::spawn(worker.run_to_end(stop_requested, |_| ()));
    tokio::time::sleep(OVER_POOL_TIMEOUT).await;
    stop.send(()).unwrap();
    // A stopped worker releases the run, so no attempt is counted.
    drop(others);
    let result = working.await.unwrap();
    assert!(
        result.as_ref().map_or_else(|error| error.code() == "UNAVAILABLE", |run| run.sessions_deleted == 0),
        "{result:?}"
    );
    assert_eq!(count_attempts(&db).await, "0");
    assert_eq!(finish(&database, id, BatchSize::default()).await.sessions_deleted, 9);
}

async fn a_run_whose_database_goes_away_goes_on_when_it_is_back(db: TestDb) {
    let proxy = Proxy::before(db.url()).await;
    let settings = DatabaseSettings { url: proxy.url(db.url()), lock_timeout: Duration::from_mins(2), ..db.settings() };
    let database = Database::connect(settings).await.unwrap();
    let id = create_run(&database, &request()).await.id;
    let mut worker = take_run(&database, id, SINGLY).await;
    while worker.run_next_batch().await.unwrap().sessions_deleted < 3 {}
    // The connection is cut during the fourth batch, after its rows are deleted and before the deletion is recorded.
    let mut other = db.raw().await;
    other.exec("BEGIN; LOCK TABLE session_admin.deletions IN ACCESS EXCLUSIVE MODE").await;
    let running = tokio::spawn(async move { (worker.run_next_batch().await, worker) });
    db.wait_for_lock_waiters(1).await;
    proxy.cut();
    let (result, mut worker) = running.await.unwrap();
    assert_eq!(result.unwrap_err().code(), "UNAVAILABLE");
    other.exec("ROLLBACK").await;
    assert_eq!(worker.run_next_batch().await.unwrap_err().code(), "UNAVAILABLE", "and again while it is away");
    proxy.mend();
    let connected = "SELECT count(*) FROM pg_stat_activity \
                     WHERE datname = current_database() AND application_name = 'session-admin' AND state <> 'idle'";
    db.wait_for(connected, "0").await;
    assert_eq!(session_ids(&db).await.len(), 11);
    assert_totals_agree(&db, db.database().await, id).await;
    // The pool may still hold cut connections, so the first attempts may fail.
    loop {
        match worker.run_next_batch().await {
            Ok(run) if run.sessions_deleted >= 5 => break,
            Ok(_) => {}
            Err(error) => assert_eq!(error.code(), "UNAVAILABLE"),
        }
    }
    worker.release().await.unwrap();
    let run = finish(&database, id, BatchSize::default()).await;
    assert_eq!((run.status, run.sessions_deleted, run.rows_deleted), (RunStatus::Succeeded, 9, 1_512));
    assert_totals_agree(&db, &database, id).await;
    assert_eq!(
        list_deletions(&database, id).await.iter().flat_map(|deletion| &deletion.sessions).count(),
        ids(0..9).len()
    );
}
