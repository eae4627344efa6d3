//! Runs that restore what other runs deleted.

use api::cleanup::{self, CleanupRun, RestoreRunRequest, RunKind, RunStatus};
use api::db::Database;
use api::deletion::{self, DeletionStatus};
use api::refusal::RefusalCode;
use api::restore::{RestoreRequest, restore};
use uuid::Uuid;

use super::{BatchSize, cleaned, deletions, finish_singly, id, request, started, why_skipped, worker_of};
use crate::support::{TestDb, WithTerms as _, on_both};

on_both!(Adopted:
    a_run_that_asked_the_gateway_is_restored_without_one,
    an_erasure_takes_what_was_in_the_way_too,
    a_run_is_taken_back_deletion_by_deletion_the_newest_first,
    what_is_in_the_way_of_one_deletion_does_not_stop_the_others,
    a_run_that_has_nothing_left_to_restore_is_refused,
    a_run_that_is_under_way_or_unknown_is_refused,
    a_run_that_is_being_restored_is_refused,
    of_several_who_ask_at_once_one_restores,
    a_run_of_which_every_deletion_is_refused_has_failed,
    a_run_without_an_archive_keeps_nothing,
);

async fn asked(database: &Database, run: Uuid) -> cleanup::RunOutcome {
    let request = RestoreRunRequest { run_id: run, principal: "restorer".to_owned(), ..RestoreRunRequest::default() };
    cleanup::restore(database, &request).await.unwrap()
}

async fn worked_off(database: &Database, run: Uuid) -> CleanupRun {
    worker_of(database, run, BatchSize::default()).await.run_to_end(std::future::pending(), |_| ()).await.unwrap()
}

/// The rows of the business tables.
async fn rows(db: &TestDb) -> Vec<Vec<String>> {
    crate::story::rows_now(db).await
}

async fn a_run_is_taken_back_deletion_by_deletion_the_newest_first(db: TestDb) {
    let database = db.database().await;
    let before = rows(&db).await;
    let run = started(database, &request().reason("spring")).await;
    let run = finish_singly(database, run.id).await;
    assert_eq!((run.sessions_deleted, run.sessions_restored), (9, 0));
    let restoring = asked(database, run.id).await.run.unwrap();
    assert_eq!(
        (restoring.kind, restoring.status, restoring.restores),
        (RunKind::Restore, RunStatus::Queued, Some(run.id))
    );
    assert_eq!((restoring.sessions_total, restoring.sessions_to_go(), restoring.terms.reason), (9, 9, None));
    let mut worker = worker_of(database, restoring.id, BatchSize::default()).await;
    let mut made = deletions(database, run.id).await;
    while let Some(newest) = made.pop() {
        worker.run_next_batch().await.unwrap();
        let now = deletion::audit::query::find(database, newest.id).await.unwrap().unwrap();
        assert_eq!((now.status, now.restored_by.as_deref()), (DeletionStatus::Restored, Some("restorer")));
        let others = deletions(database, run.id).await;
        let left = others.iter().filter(|other| other.status == DeletionStatus::Restorable).count();
        assert_eq!(left, made.len());
    }
    let ended = worker.run_next_batch().await.unwrap();
    assert_eq!((ended.status, ended.error), (RunStatus::Succeeded, None));
    assert_eq!((ended.sessions_restored, ended.rows_restored), (9, run.rows_deleted));
    assert!(rows(&db).await == before);
}

async fn what_is_in_the_way_of_one_deletion_does_not_stop_the_others(db: TestDb) {
    let database = db.database().await;
    let run = started(database, &request()).await;
    let run = finish_singly(database, run.id).await;
    let made = deletions(database, run.id).await;
    let taken = made[4].sessions[0].id;
    db.exec(&format!("INSERT INTO whatsapp_sessions (id, session_name) VALUES ('{taken}', 'again')")).await;
    let by_hand = RestoreRequest { deletion_id: made[7].id, principal: "hand".to_owned(), ..RestoreRequest::default() };
    let restoring = asked(database, run.id).await.run.unwrap();
    assert_eq!(restore(database, &by_hand).await.unwrap().refusals, []);
    let ended = worked_off(database, restoring.id).await;
    assert_eq!((ended.status, ended.sessions_restored, ended.sessions_skipped), (RunStatus::Succeeded, 7, 2));
    let mut left = why_skipped(database, ended.id).await;
    left.sort_by_key(|(id, _)| *id);
    let mut expected =
        vec![(taken, RefusalCode::RestoreConflict), (made[7].sessions[0].id, RefusalCode::AlreadyRestored)];
    expected.sort_by_key(|(id, _)| *id);
    assert_eq!(left, expected);
    let messages = super::skipped(database, ended.id).await;
    assert!(
        messages.iter().any(|skipped| skipped.message.contains(&format!("whatsapp_sessions {taken}: Another row"))),
        "{messages:?}"
    );
    // Mended, the same is asked again.
    db.exec(&format!("DELETE FROM whatsapp_sessions WHERE id = '{taken}'")).await;
    let again = asked(database, run.id).await.run.unwrap();
    assert_eq!((again.sessions_total, again.sessions_skipped), (1, 0), "what is back is not listed again");
    let ended = worked_off(database, again.id).await;
    assert_eq!((ended.status, ended.sessions_restored, ended.sessions_skipped), (RunStatus::Succeeded, 1, 0));
}

async fn refused(database: &Database, run: Uuid) -> (RefusalCode, String) {
    let mut outcome = asked(database, run).await;
    assert_eq!((outcome.run.is_none(), outcome.refusals.len()), (true, 1), "{outcome:?}");
    let refusal = outcome.refusals.remove(0);
    (refusal.code, refusal.message)
}

async fn a_run_that_has_nothing_left_to_restore_is_refused(db: TestDb) {
    let database = db.database().await;
    let run = cleaned(database, &request()).await;
    let restoring = asked(database, run.id).await.run.unwrap();
    let ended = worked_off(database, restoring.id).await;
    assert_eq!(ended.sessions_restored, 9);
    let (code, message) = refused(database, run.id).await;
    assert_eq!(
        (code, message.as_str()),
        (RefusalCode::AlreadyRestored, "What the run deleted has been restored already.")
    );
    assert_eq!(refused(database, ended.id).await.0, RefusalCode::ArchiveGone);
    assert_eq!(cleanup::count(database).await.unwrap(), 2, "a refusal leaves no run");
}

async fn a_run_that_is_under_way_or_unknown_is_refused(db: TestDb) {
    let database = db.database().await;
    let run = started(database, &request()).await;
    let (code, message) = refused(database, run.id).await;
    assert_eq!(code, RefusalCode::RestoreConflict);
    assert!(message.starts_with("The run is still under way. Cancel it, or wait"), "{message}");
    assert_eq!(refused(database, id(0)).await.0, RefusalCode::NotFound);
}

async fn a_run_that_is_being_restored_is_refused(db: TestDb) {
    let database = db.database().await;
    let run = started(database, &request()).await;
    let run = finish_singly(database, run.id).await;
    let first = asked(database, run.id).await.run.unwrap();
    let expected = format!(
        "The run {} is restoring it. Wait until that one has finished, or cancel it, then ask again.",
        first.id
    );
    assert_eq!(refused(database, run.id).await, (RefusalCode::RestoreConflict, expected));
    let mut worker = worker_of(database, first.id, BatchSize::default()).await;
    worker.run_next_batch().await.unwrap();
    assert_eq!(refused(database, run.id).await.0, RefusalCode::RestoreConflict);
    assert!(cleanup::cancel(database, first.id, "canceller").await.unwrap().run.is_some());
    let second = asked(database, run.id).await.run.unwrap();
    assert_eq!((second.sessions_total, worked_off(database, second.id).await.sessions_restored), (8, 8));
}

async fn of_several_who_ask_at_once_one_restores(db: TestDb) {
    let run = cleaned(db.database().await, &request()).await;
    let mut processes = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let database = Database::connect(db.settings()).await.unwrap();
        processes.spawn(async move { asked(&database, run.id).await });
    }
    let outcomes = processes.join_all().await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.run.is_some()).count(), 1, "{outcomes:?}");
    let refused = outcomes.iter().flat_map(|outcome| &outcome.refusals);
    assert!(refused.clone().all(|refusal| refusal.code == RefusalCode::RestoreConflict), "{outcomes:?}");
    assert_eq!(refused.count(), 3, "{outcomes:?}");
}

async fn a_run_of_which_every_deletion_is_refused_has_failed(db: TestDb) {
    let database = db.database().await;
    let run = cleaned(database, &request()).await;
    let made = deletions(database, run.id).await;
    for deletion in &made {
        let id = deletion.sessions[0].id;
        db.exec(&format!("INSERT INTO whatsapp_sessions (id, session_name) VALUES ('{id}', 'again')")).await;
    }
    let restoring = asked(database, run.id).await.run.unwrap();
    let ended = worked_off(database, restoring.id).await;
    assert_eq!((ended.status, ended.sessions_restored, ended.sessions_skipped), (RunStatus::Failed, 0, 9));
    let error = ended.error.unwrap();
    assert!(error.starts_with("No session could be restored. "), "{error}");
}

async fn a_run_without_an_archive_keeps_nothing(db: TestDb) {
    let database = db.database().await;
    let run = cleaned(database, &request().without_archive()).await;
    assert_eq!((run.terms.archive, run.sessions_deleted), (false, 9));
    for deletion in deletions(database, run.id).await {
        assert_eq!(deletion.status, DeletionStatus::NotArchived);
    }
    assert_eq!(db.count(&database.internal_table("archived_rows")).await, 0);
    assert_eq!(refused(database, run.id).await.0, RefusalCode::ArchiveGone);
}

async fn a_run_that_asked_the_gateway_is_restored_without_one(db: TestDb) {
    let database = db.database().await;
    let run = cleaned(database, &request()).await;
    let criteria = r#"{"statuses":["DISCONNECTED"],"missingFromGateway":true}"#;
    db.exec(&format!(
        "UPDATE {} SET criteria = '{criteria}' WHERE id = '{}'",
        database.internal_table("cleanup_runs"),
        run.id
    ))
    .await;
    let restoring = asked(database, run.id).await.run.unwrap();
    assert_eq!(worked_off(database, restoring.id).await.sessions_restored, 9);
}

async fn an_erasure_takes_what_was_in_the_way_too(db: TestDb) {
    let database = db.database().await;
    let run = cleaned(database, &request()).await;
    let made = deletions(database, run.id).await;
    db.exec("CREATE UNIQUE INDEX one_name ON whatsapp_sessions (session_name)").await;
    for deletion in &made {
        let name = deletion.sessions[0].name.as_ref().unwrap();
        let id = Uuid::new_v4();
        db.exec(&format!("INSERT INTO whatsapp_sessions (id, session_name) VALUES ('{id}', '{name}')")).await;
    }
    let restoring = asked(database, run.id).await.run.unwrap();
    let ended = worked_off(database, restoring.id).await;
    assert_eq!(ended.status, RunStatus::Failed);
    let says = |text: &str| text.contains("stale-");
    assert!(says(ended.error.as_deref().unwrap()) && says(&super::skipped(database, ended.id).await[0].message));
    for deletion in &made {
        assert_eq!(deletion::erase(database, deletion.id, "eraser", &cleanup::RunErasure).await.unwrap().refusals, []);
    }
    let now = cleanup::find(database, ended.id).await.unwrap().unwrap();
    assert_eq!(now.error.as_deref(), Some("What was in the way has been erased."));
    for skipped in super::skipped(database, ended.id).await {
        assert_eq!(skipped.message, "What was in the way has been erased.");
    }
}
