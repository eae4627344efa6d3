//! A run that is left in the middle, and gone on with.

use std::time::Duration;

use api::cleanup::{self, BatchSize, RunStatus};
use api::db::{Database, DatabaseSettings};
use uuid::Uuid;

use super::{SINGLY, deletions, finish, ids, next_batch, request, sessions, started, worker_of};
use crate::db::proxy::Proxy;
use crate::support::wait::wait_until;
use crate::support::{TestDb, on_both, only};

on_both!(Adopted:
    a_run_goes_on_where_it_stopped,
    progress_and_deletions_always_agree,
    a_run_that_finds_no_connection_waits_and_has_not_failed,
    a_run_that_waits_for_a_connection_can_be_stopped,
);
only!(postgres Adopted: a_run_whose_database_goes_away_goes_on_when_it_is_back);

async fn a_run_goes_on_where_it_stopped(db: TestDb) {
    let database = db.database().await;
    let id = started(database, &request()).await.id;
    for deleted in 1..=9 {
        let run = next_batch(database, id).await;
        assert_eq!((run.sessions_deleted, run.status), (deleted, RunStatus::Running));
        assert_eq!(sessions(&db).await.len(), 14 - usize::try_from(deleted).unwrap());
    }
    let run = finish(database, id, BatchSize::default()).await;
    assert_eq!((run.status, run.rows_deleted), (RunStatus::Succeeded, 1_512));
    assert_eq!(deletions(database, id).await.len(), 9);
}

/// Whatever a run has come to, its totals are the sum of its deletions, and its list says which sessions are gone.
async fn agrees(db: &TestDb, database: &Database, id: Uuid) {
    let run = cleanup::find(database, id).await.unwrap().unwrap();
    let made = deletions(database, id).await;
    let sum = |of: fn(&api::deletion::Deletion) -> i64| made.iter().map(of).sum::<i64>();
    assert_eq!(run.rows_deleted, sum(|made| made.rows_deleted));
    assert_eq!(run.rows_unlinked, sum(|made| made.rows_unlinked));
    assert_eq!(run.sessions_deleted, sum(|made| i64::try_from(made.sessions.len()).unwrap()));
    let table = db.dialect().internal_table("cleanup_run_sessions");
    let listed = db.rows(&format!("SELECT session_id FROM {table} WHERE state = 'DELETED' ORDER BY 1")).await;
    let mut gone: Vec<Vec<String>> =
        made.iter().flat_map(|made| &made.sessions).map(|session| vec![session.id.to_string()]).collect();
    gone.sort();
    assert_eq!(listed, gone);
}

async fn progress_and_deletions_always_agree(db: TestDb) {
    let database = db.database().await;
    let id = started(database, &request()).await.id;
    let mut worker = worker_of(database, id, SINGLY).await;
    loop {
        agrees(&db, database, id).await;
        if worker.run_next_batch().await.unwrap().status.has_finished() {
            break;
        }
    }
    agrees(&db, database, id).await;
}

/// How often the run was begun with, by its row.
async fn attempts(db: &TestDb) -> String {
    let table = db.dialect().internal_table("cleanup_runs");
    db.rows(&format!("SELECT attempts FROM {table}")).await.remove(0).remove(0)
}

/// Longer than a connection is waited for.
const WITHOUT: Duration = Duration::from_millis(6_500);

async fn a_run_that_finds_no_connection_waits_and_has_not_failed(db: TestDb) {
    let settings = DatabaseSettings { max_connections: 2, ..db.settings() };
    let database = Database::connect(settings).await.unwrap();
    let id = started(&database, &request()).await.id;
    // The next attempt that fails is the last one.
    db.exec(&format!("UPDATE {} SET attempts = 9", db.dialect().internal_table("cleanup_runs"))).await;
    let worker = worker_of(&database, id, SINGLY).await;
    let others = (database.snapshot().await.unwrap(), database.snapshot().await.unwrap());
    let working = tokio::spawn(worker.run_to_end(std::future::pending(), |_| ()));
    // An attempt fails once it has waited five seconds for a connection.
    wait_until("an attempt has failed", async || attempts(&db).await == "10").await;
    drop(others);
    let run = working.await.unwrap().unwrap();
    assert_eq!((run.status, run.sessions_deleted, run.error), (RunStatus::Succeeded, 9, None));
}

async fn a_run_that_waits_for_a_connection_can_be_stopped(db: TestDb) {
    let settings = DatabaseSettings { max_connections: 2, ..db.settings() };
    let database = Database::connect(settings).await.unwrap();
    let id = started(&database, &request()).await.id;
    let worker = worker_of(&database, id, SINGLY).await;
    let others = (database.snapshot().await.unwrap(), database.snapshot().await.unwrap());
    let (stop, told) = tokio::sync::oneshot::channel::<()>();
    let told = async { told.await.unwrap() };
    let working = tokio::spawn(worker.run_to_end(told, |_| ()));
    tokio::time::sleep(WITHOUT).await;
    stop.send(()).unwrap();
    // It is given back, with or without another step; so this was no attempt.
    drop(others);
    let left = working.await.unwrap();
    assert!(
        left.as_ref().map_or_else(|error| error.code() == "UNAVAILABLE", |run| run.sessions_deleted == 0),
        "{left:?}"
    );
    assert_eq!(attempts(&db).await, "0");
    assert_eq!(finish(&database, id, BatchSize::default()).await.sessions_deleted, 9);
}

async fn a_run_whose_database_goes_away_goes_on_when_it_is_back(db: TestDb) {
    let proxy = Proxy::before(db.url()).await;
    let settings = DatabaseSettings { url: proxy.url(db.url()), lock_timeout: Duration::from_mins(2), ..db.settings() };
    let database = Database::connect(settings).await.unwrap();
    let id = started(&database, &request()).await.id;
    let mut worker = worker_of(&database, id, SINGLY).await;
    while worker.run_next_batch().await.unwrap().sessions_deleted < 3 {}
    // The wire is cut in the middle of the fourth batch: its rows are deleted when the last one is waited for.
    let mut other = db.raw().await;
    other.exec("BEGIN; LOCK TABLE session_admin.deletions IN ACCESS EXCLUSIVE MODE").await;
    let running = tokio::spawn(async move { (worker.run_next_batch().await, worker) });
    db.wait_for_lock_waiters(1).await;
    proxy.cut();
    let (ended, mut worker) = running.await.unwrap();
    assert_eq!(ended.unwrap_err().code(), "UNAVAILABLE");
    other.exec("ROLLBACK").await;
    assert_eq!(worker.run_next_batch().await.unwrap_err().code(), "UNAVAILABLE", "and again while it is away");
    proxy.mend();
    let connected = "SELECT count(*) FROM pg_stat_activity \
                     WHERE datname = current_database() AND application_name = 'session-admin' AND state <> 'idle'";
    db.wait_for(connected, "0").await;
    assert_eq!(sessions(&db).await.len(), 11);
    agrees(&db, db.database().await, id).await;
    // The same worker, or another one; the pool may hold connections that it does not know to be cut.
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
    agrees(&db, &database, id).await;
    assert_eq!(deletions(&database, id).await.iter().flat_map(|made| &made.sessions).count(), ids(0..9).len());
}
