//! Tests of runs that need the gateway, and of servers without one.

use std::time::Duration;

use api::cleanup::{self, BatchSize, RunExecutor, RunStatus};
use api::db::{Database, DatabaseSettings};
use api::worker::{JobQueue, Workers};

use super::cleanup::{create_run, missing_request, start_changeable_gateway};
use crate::cli::migrate_without_purge;
use crate::cli::server::Server;
use crate::support::wait::{eventually, wait_until_finished};
use crate::support::{TestDb, on_both};

on_both!(long Mended:
    a_server_without_a_gateway_leaves_a_run_to_one_that_has_it,
    a_run_that_is_come_further_with_now_and_then_does_not_fail,
    a_run_that_nobody_with_a_gateway_takes_fails_with_the_reason,
);

async fn a_server_without_a_gateway_leaves_a_run_to_one_that_has_it(db: TestDb) {
    migrate_without_purge(&db).await;
    let (_server, gateway, _) = start_changeable_gateway(&[]);
    let run = create_run(&db, &gateway, &missing_request()).await.run.unwrap();
    let database = db.database().await;
    let without = Workers::start(JobQueue::new(database), None);
    tokio::time::sleep(Duration::from_secs(2)).await;
    let waiting = cleanup::find(database, run.id).await.unwrap().unwrap();
    assert_eq!(waiting, run, "nothing has happened to it");
    let with = Workers::start(JobQueue::new(database), Some(gateway));
    let ended = wait_until_finished(db.database().await, run.id).await;
    assert_eq!((ended.status, ended.sessions_deleted), (RunStatus::Succeeded, 9));
    for workers in [with, without] {
        assert!(workers.stop(Duration::from_mins(1)).await);
    }
}

/// The run takes longer than the time after which a run that no worker takes fails.
async fn a_run_that_is_come_further_with_now_and_then_does_not_fail(db: TestDb) {
    migrate_without_purge(&db).await;
    let (_server, gateway, _) = start_changeable_gateway(&[]);
    let run = create_run(&db, &gateway, &missing_request()).await.run.unwrap().id;
    let run_lease = Duration::from_millis(100);
    let database = Database::connect(DatabaseSettings { run_lease, ..db.settings() }).await.unwrap();
    let without = Workers::start(JobQueue::new(&database), None);
    for deleted in 1..=9 {
        tokio::time::sleep(Duration::from_millis(400)).await;
        let asking = Some(gateway.clone());
        // The worker without a gateway has the lease for a moment whenever it looks at the run.
        let mut worker = eventually(async || {
            let size = BatchSize::with_row_budget(1);
            let taken = RunExecutor::take(db.database().await.clone(), asking.clone(), run, size).await.unwrap();
            taken.ok_or_else(|| format!("another worker has the run, at {deleted}"))
        })
        .await;
        while worker.run_next_batch().await.unwrap().sessions_deleted < deleted {}
        worker.release().await.unwrap();
    }
    let taken = RunExecutor::take(db.database().await.clone(), Some(gateway), run, BatchSize::default()).await.unwrap();
    let ended = taken.unwrap().run_to_end(std::future::pending(), |_| ()).await.unwrap();
    assert_eq!((ended.status, ended.sessions_deleted), (RunStatus::Succeeded, 9));
    assert!(without.stop(Duration::from_mins(1)).await);
}

async fn a_run_that_nobody_with_a_gateway_takes_fails_with_the_reason(db: TestDb) {
    migrate_without_purge(&db).await;
    let (_server, gateway, _) = start_changeable_gateway(&[]);
    let run = create_run(&db, &gateway, &missing_request()).await.run.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let log = std::fs::File::create(folder.path().join("log")).unwrap();
    let serve = ["--database-url", db.url(), "--run-lease", "1"];
    let server = Server::logging(folder.path(), &serve, log.into());
    let ended = wait_until_finished(db.database().await, run.id).await;
    assert_eq!((ended.status, ended.sessions_deleted, ended.sessions_skipped), (RunStatus::Failed, 0, 9));
    let error = ended.error.unwrap();
    assert!(
        error.contains("for 20 s no server with a gateway has executed it. Start a server with --gateway-url"),
        "{error}"
    );
    assert_eq!(server.stop(), 0);
    let log = std::fs::read_to_string(folder.path().join("log")).unwrap();
    for message in ["it is left to a server that has one", "a cleanup run has failed"] {
        let lines: Vec<&str> = log.lines().filter(|line| line.contains(message)).collect();
        assert!(lines.len() == 1 && lines[0].contains(" WARN ") && lines[0].contains("--gateway-url"), "{log}");
    }
    assert_eq!(log.lines().filter(|line| line.contains(" WARN ")).count(), 2, "{log}");
}
