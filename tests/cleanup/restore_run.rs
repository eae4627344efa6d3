//! Tests of runs that restore what other runs deleted.

use api::cleanup::{self, CleanupRun, RestoreRunRequest, RunKind, RunStatus};
use api::db::Database;
use api::deletion::{self, DeletionStatus};
use api::refusal::RefusalCode;
use api::restore::{RestoreRequest, restore};
use uuid::Uuid;

use super::{BatchSize, create_run, finish_singly, id, list_deletions, request, run_cleanup, skip_reasons, take_run};
use crate::support::{TestDb, WithTerms as _, on_both};

on_both!(Adopted:
    a_run_that_asked_the_gateway_is_restored_without_one,
    an_erasure_takes_what_was_in_the_way_too,
    a_run_that_has_nothing_left_to_restore_is_refused,
    a_run_that_is_under_way_or_unknown_is_refused,
    of_several_who_ask_at_once_one_restores,
    a_run_of_which_every_deletion_is_refused_has_failed,
    a_run_without_an_archive_keeps_nothing,
);
on_both!(long Adopted:
    what_is_in_the_way_of_one_deletion_does_not_stop_the_others,
    a_run_that_is_being_restored_is_refused,
    a_run_is_taken_back_deletion_by_deletion_the_newest_first,
);

async fn request_restore(database: &Database, run: Uuid) -> cleanup::RunOutcome {
    let request = RestoreRunRequest { run_id: run, principal: "restorer".to_owned(), ..RestoreRunRequest::default() };
    cleanup::restore(database, &request).await.unwrap()
}

async fn execute_run(database: &Database, run: Uuid) -> CleanupRun {
    take_run(database, run, BatchSize::default()).await.run_to_end(std::future::pending(), |_| ()).await.unwrap()
}

/// Returns the rows of the business tables.
async fn business_rows(db: &TestDb) -> Vec<Vec<String>> {
    crate::story::rows_now(db).await
}

async fn a_run_is_taken_back_deletion_by_deletion_the_newest_first(db: TestDb) {
    let database = db.database().await;
    let before = business_rows(&db).await;
    let run = create_run(database, &request().reason("spring")).await;
    let run = finish_singly(database, run.id).await;
    assert_eq!((run.sessions_deleted, run.sessions_restored), (9, 0));
    let restoring = request_restore(database, run.id).await.run.unwrap();
    assert_eq!(
        (restoring.kind, restoring.status, restoring.restores),
        (RunKind::Restore, RunStatus::Queued, Some(run.id))
    );
    assert_eq!((restoring.sessions_total, restoring.sessions_to_go(), restoring.terms.reason), (9, 9, None));
    let mut worker = take_run(database, restoring.id, BatchSize::default()).await;
    let mut remaining = list_deletions(database, run.id).await;
    while let Some(newest) = remaining.pop() {
        worker.run_next_batch().await.unwrap();
        let now = deletion::audit::query::find(database, newest.id).await.unwrap().unwrap();
        assert_eq!((now.status, now.restored_by.as_deref()), (DeletionStatus::Restored, Some("restorer")));
        let others = list_deletions(database, run.id).await;
        let restorable = others.iter().filter(|other| other.status == DeletionStatus::Restorable).count();
        assert_eq!(restorable, remaining.len());
    }
    let finished = worker.run_next_batch().await.unwrap();
    assert_eq!((finished.status, finished.error), (RunStatus::Succeeded, None));
    assert_eq!((finished.sessions_restored, finished.rows_restored), (9, run.rows_deleted));
    assert!(business_rows(&db).await == before);
}

async fn what_is_in_the_way_of_one_deletion_does_not_stop_the_others(db: TestDb) {
    let database = db.database().await;
    let run = create_run(database, &request()).await;
    let run = finish_singly(database, run.id).await;
    let run_deletions = list_deletions(database, run.id).await;
    let conflicting_id = run_deletions[4].sessions[0].id;
    db.exec(&format!("INSERT INTO whatsapp_sessions (id, session_name) VALUES ('{conflicting_id}', 'again')")).await;
    let by_hand =
        RestoreRequest { deletion_id: run_deletions[7].id, principal: "hand".to_owned(), ..RestoreRequest::default() };
    let restoring = request_restore(database, run.id).await.run.unwrap();
    assert_eq!(restore(database, &by_hand).await.unwrap().refusals, []);
    let finished = execute_run(database, restoring.id).await;
    assert_eq!((finished.status, finished.sessions_restored, finished.sessions_skipped), (RunStatus::Succeeded, 7, 2));
    let mut reasons = skip_reasons(database, finished.id).await;
    reasons.sort_by_key(|(id, _)| *id);
    let mut expected = vec![
        (conflicting_id, RefusalCode::RestoreConflict),
        (run_deletions[7].sessions[0].id, RefusalCode::AlreadyRestored),
    ];
    expected.sort_by_key(|(id, _)| *id);
    assert_eq!(reasons, expected);
    let skipped_sessions = super::list_skipped(database, finished.id).await;
    assert!(
        skipped_sessions
            .iter()
            .any(|skipped| skipped.message.contains(&format!("whatsapp_sessions {conflicting_id}: Another row"))),
        "{skipped_sessions:?}"
    );
    // Once the conflict is repaired, a second request restores the rest.
    db.exec(&format!("DELETE FROM whatsapp_sessions WHERE id = '{conflicting_id}'")).await;
    let again = request_restore(database, run.id).await.run.unwrap();
    assert_eq!((again.sessions_total, again.sessions_skipped), (1, 0), "what is back is not listed again");
    let finished = execute_run(database, again.id).await;
    assert_eq!((finished.status, finished.sessions_restored, finished.sessions_skipped), (RunStatus::Succeeded, 1, 0));
}

async fn restore_refusal(database: &Database, run: Uuid) -> (RefusalCode, String) {
    let mut outcome = request_restore(database, run).await;
    assert_eq!((outcome.run.is_none(), outcome.refusals.len()), (true, 1), "{outcome:?}");
    let refusal = outcome.refusals.remove(0);
    (refusal.code, refusal.message)
}

async fn a_run_that_has_nothing_left_to_restore_is_refused(db: TestDb) {
    let database = db.database().await;
    let run = run_cleanup(database, &request()).await;
    let restoring = request_restore(database, run.id).await.run.unwrap();
    let finished = execute_run(database, restoring.id).await;
    assert_eq!(finished.sessions_restored, 9);
    let (code, message) = restore_refusal(database, run.id).await;
    assert_eq!(
        (code, message.as_str()),
        (RefusalCode::AlreadyRestored, "The deletions of the run have already been restored.")
    );
    assert_eq!(restore_refusal(database, finished.id).await.0, RefusalCode::ArchiveGone);
    assert_eq!(cleanup::count(database).await.unwrap(), 2, "a refusal leaves no run");
}

async fn a_run_that_is_under_way_or_unknown_is_refused(db: TestDb) {
    let database = db.database().await;
    let run = create_run(database, &request()).await;
    let (code, message) = restore_refusal(database, run.id).await;
    assert_eq!(code, RefusalCode::RestoreConflict);
    assert!(message.starts_with("The run is still in progress. Cancel it, or wait"), "{message}");
    assert_eq!(restore_refusal(database, id(0)).await.0, RefusalCode::NotFound);
}

async fn a_run_that_is_being_restored_is_refused(db: TestDb) {
    let database = db.database().await;
    let run = create_run(database, &request()).await;
    let run = finish_singly(database, run.id).await;
    let first = request_restore(database, run.id).await.run.unwrap();
    let expected =
        format!("The run {0} is restoring it. Wait until {0} has finished, or cancel it, then try again.", first.id);
    assert_eq!(restore_refusal(database, run.id).await, (RefusalCode::RestoreConflict, expected));
    let mut worker = take_run(database, first.id, BatchSize::default()).await;
    worker.run_next_batch().await.unwrap();
    assert_eq!(restore_refusal(database, run.id).await.0, RefusalCode::RestoreConflict);
    assert!(cleanup::cancel(database, first.id, "canceller").await.unwrap().run.is_some());
    let second = request_restore(database, run.id).await.run.unwrap();
    assert_eq!((second.sessions_total, execute_run(database, second.id).await.sessions_restored), (8, 8));
}

async fn of_several_who_ask_at_once_one_restores(db: TestDb) {
    let run = run_cleanup(db.database().await, &request()).await;
    let mut processes = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let database = Database::connect(db.settings()).await.unwrap();
        processes.spawn(async move { request_restore(&database, run.id).await });
    }
    let outcomes = processes.join_all().await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.run.is_some()).count(), 1, "{outcomes:?}");
    let refusals = outcomes.iter().flat_map(|outcome| &outcome.refusals);
    assert!(refusals.clone().all(|refusal| refusal.code == RefusalCode::RestoreConflict), "{outcomes:?}");
    assert_eq!(refusals.count(), 3, "{outcomes:?}");
}

async fn a_run_of_which_every_deletion_is_refused_has_failed(db: TestDb) {
    let database = db.database().await;
    let run = run_cleanup(database, &request()).await;
    let run_deletions = list_deletions(database, run.id).await;
    for deletion in &run_deletions {
        let id = deletion.sessions[0].id;
        db.exec(&format!("INSERT INTO whatsapp_sessions (id, session_name) VALUES ('{id}', 'again')")).await;
    }
    let restoring = request_restore(database, run.id).await.run.unwrap();
    let finished = execute_run(database, restoring.id).await;
    assert_eq!((finished.status, finished.sessions_restored, finished.sessions_skipped), (RunStatus::Failed, 0, 9));
    let error = finished.error.unwrap();
    assert!(error.starts_with("No session could be restored. "), "{error}");
}

async fn a_run_without_an_archive_keeps_nothing(db: TestDb) {
    let database = db.database().await;
    let run = run_cleanup(database, &request().without_archive()).await;
    assert_eq!((run.terms.archive, run.sessions_deleted), (false, 9));
    for deletion in list_deletions(database, run.id).await {
        assert_eq!(deletion.status, DeletionStatus::NotArchived);
    }
    assert_eq!(db.count(&database.internal_table("archived_rows")).await, 0);
    assert_eq!(restore_refusal(database, run.id).await.0, RefusalCode::ArchiveGone);
}

async fn a_run_that_asked_the_gateway_is_restored_without_one(db: TestDb) {
    let database = db.database().await;
    let run = run_cleanup(database, &request()).await;
    let criteria = r#"{"statuses":["DISCONNECTED"],"missingFromGateway":true}"#;
    db.exec(&format!(
        "UPDATE {} SET criteria = '{criteria}' WHERE id = '{}'",
        database.internal_table("cleanup_runs"),
        run.id
    ))
    .await;
    let restoring = request_restore(database, run.id).await.run.unwrap();
    assert_eq!(execute_run(database, restoring.id).await.sessions_restored, 9);
}

async fn an_erasure_takes_what_was_in_the_way_too(db: TestDb) {
    let database = db.database().await;
    let run = run_cleanup(database, &request()).await;
    let run_deletions = list_deletions(database, run.id).await;
    db.exec("CREATE UNIQUE INDEX one_name ON whatsapp_sessions (session_name)").await;
    for deletion in &run_deletions {
        let name = deletion.sessions[0].name.as_ref().unwrap();
        let id = Uuid::new_v4();
        db.exec(&format!("INSERT INTO whatsapp_sessions (id, session_name) VALUES ('{id}', '{name}')")).await;
    }
    let restoring = request_restore(database, run.id).await.run.unwrap();
    let finished = execute_run(database, restoring.id).await;
    assert_eq!(finished.status, RunStatus::Failed);
    let names_session = |text: &str| text.contains("stale-");
    assert!(
        names_session(finished.error.as_deref().unwrap())
            && names_session(&super::list_skipped(database, finished.id).await[0].message)
    );
    for deletion in &run_deletions {
        assert_eq!(deletion::erase(database, deletion.id, "eraser", &cleanup::RunErasure).await.unwrap().refusals, []);
    }
    let now = cleanup::find(database, finished.id).await.unwrap().unwrap();
    assert_eq!(now.error.as_deref(), Some("The message was erased."));
    for skipped in super::list_skipped(database, finished.id).await {
        assert_eq!(skipped.message, "The message was erased.");
    }
}
