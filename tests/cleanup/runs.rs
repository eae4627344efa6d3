//! Tests that a run has exactly the previewed impact.

use api::cleanup::{self, BatchSize, CleanupRequest, Criteria, RunExecutor, RunStatus};
use api::deletion::audit::query;
use api::impact::Impact;
use api::refusal::RefusalCode;

use super::{
    create_run, finish, finish_singly, id, ids, impact_of, list_deletions, request, run_cleanup, session_ids,
    try_create_run,
};
use crate::story::{left_without, rows_now};
use crate::support::{TestDb, WithTerms as _, on_both};

on_both!(Adopted:
    a_run_deletes_the_stale_sessions_and_nothing_else,
    a_run_in_many_batches_leaves_the_same,
    a_batch_has_as_many_sessions_as_fit_into_its_rows,
    a_dry_run_makes_nothing_and_tells_what_would_refuse,
    a_run_of_nothing_succeeds_at_once,
    a_run_is_refused_when_the_impact_is_another_than_was_looked_at,
    a_run_is_refused_when_it_would_delete_too_much,
    a_deletion_by_hand_has_no_run,
    a_finished_run_is_left_as_it_is,
    a_run_that_does_not_exist_is_named,
);

const STALE: &str = "phone_number IS NULL AND status <> 'connected'";

async fn a_run_deletes_the_stale_sessions_and_nothing_else(db: TestDb) {
    let expected_rows = left_without(&db, STALE).await;
    let database = db.database().await;
    let preview = impact_of(&db, &ids(0..9)).await;
    let cleanup_request =
        request().expected_impact(preview.token.clone()).at_most(preview.rows_deleted).reason("spring");
    let outcome = try_create_run(database, &cleanup_request).await;
    assert_eq!((outcome.impact.as_ref(), &outcome.changes, &outcome.refusals), (Some(&preview), &vec![], &vec![]));
    let queued = outcome.run.unwrap();
    assert_eq!((queued.status, queued.sessions_total, queued.started_at), (RunStatus::Queued, 9, None));
    assert_eq!(db.count("whatsapp_sessions").await, 14, "nothing is deleted before it is worked off");

    let run = finish(database, queued.id, BatchSize::default()).await;
    assert_eq!((run.status, run.error.as_deref()), (RunStatus::Succeeded, None));
    assert_eq!((run.sessions_total, run.sessions_deleted, run.sessions_skipped), (9, 9, 0));
    assert_eq!((run.rows_deleted, run.rows_unlinked), (1_512, 173));
    assert_eq!((run.started_by.as_str(), run.terms.reason.as_deref()), ("tester", Some("spring")));
    assert_eq!(run.criteria, Criteria::default());
    assert!(run.created_at <= run.started_at.unwrap() && run.started_at <= run.finished_at, "{run:?}");
    assert_eq!(cleanup::find(database, run.id).await.unwrap(), Some(run.clone()));
    assert_eq!(rows_now(&db).await, expected_rows);

    let deletions = list_deletions(database, run.id).await;
    assert_eq!(deletions.len(), 1, "few rows go together");
    assert_eq!(deletions[0].sessions.iter().map(|session| session.id).collect::<Vec<_>>(), ids(0..9));
    assert_eq!((&deletions[0].tables, deletions[0].run_id), (&preview.tables, Some(run.id)));
    assert_eq!((deletions[0].deleted_by.as_str(), deletions[0].reason.as_deref()), ("tester", Some("spring")));
}

async fn a_run_in_many_batches_leaves_the_same(db: TestDb) {
    let expected_rows = left_without(&db, STALE).await;
    let database = db.database().await;
    let run = create_run(database, &request()).await.id;
    let run = finish_singly(database, run).await;
    assert_eq!((run.status, run.sessions_deleted, run.rows_deleted), (RunStatus::Succeeded, 9, 1_512));
    assert_eq!(rows_now(&db).await, expected_rows);
    let deletions = list_deletions(database, run.id).await;
    assert_eq!(deletions.iter().map(|deletion| deletion.sessions[0].id).collect::<Vec<_>>(), ids(0..9), "in order");
    assert_eq!(deletions.iter().map(|deletion| deletion.rows_deleted).sum::<i64>(), run.rows_deleted);
    assert_eq!(deletions.iter().map(|deletion| deletion.rows_unlinked).sum::<i64>(), run.rows_unlinked);
}

async fn a_batch_has_as_many_sessions_as_fit_into_its_rows(db: TestDb) {
    let mut row_counts = Vec::new();
    for session in 0..4 {
        let alone = impact_of(&db, &[id(session)]).await;
        row_counts.push(alone.rows_deleted + alone.rows_unlinked);
    }
    let database = db.database().await;
    let three: i64 = row_counts[..3].iter().sum();
    let run = create_run(database, &request()).await;
    let run = finish(database, run.id, BatchSize::with_row_budget(three)).await;
    assert_eq!(list_deletions(database, run.id).await[0].sessions.len(), 3, "of {row_counts:?}");
}

async fn a_dry_run_makes_nothing_and_tells_what_would_refuse(db: TestDb) {
    let before = db.everything().await;
    let dry = CleanupRequest { dry_run: true, ..request() };
    let outcome = try_create_run(db.database().await, &dry).await;
    assert_eq!((outcome.run, outcome.refusals), (None, vec![]));
    assert_eq!(outcome.impact, Some(impact_of(&db, &ids(0..9)).await));
    let all_sessions = Criteria {
        statuses: api::session::SessionStatus::KNOWN.to_vec(),
        has_phone_number: None,
        ..Criteria::default()
    };
    let dry = CleanupRequest { criteria: all_sessions, ..dry }.at_most(1);
    let outcome = try_create_run(db.database().await, &dry).await;
    let codes: Vec<RefusalCode> = outcome.refusals.iter().map(|refusal| refusal.code).collect();
    assert_eq!(codes, [RefusalCode::TooManyRows]);
    let all_have = |skipped: &[cleanup::SkippedSession], code| skipped.iter().all(|skipped| skipped.code == code);
    assert!(!outcome.skipped.is_empty() && all_have(&outcome.skipped, RefusalCode::SessionConnected), "{outcome:?}");
    let allowed_outcome = try_create_run(db.database().await, &dry.allow_connected()).await;
    assert!(
        !allowed_outcome.skipped.is_empty() && all_have(&allowed_outcome.skipped, RefusalCode::PendingMessages),
        "{allowed_outcome:?}"
    );
    let skipped: Vec<_> = outcome.skipped.iter().map(|skipped| skipped.session_id).collect();
    let others: Vec<_> = ids(0..14).into_iter().filter(|id| !skipped.contains(id)).collect();
    assert_eq!(outcome.would_go, Some(impact_of(&db, &others).await));
    assert_eq!(outcome.impact.unwrap().session_count, 14);
    assert!(db.everything().await == before);
}

async fn a_run_of_nothing_succeeds_at_once(db: TestDb) {
    let nothing = Criteria { ids: Some(Vec::new()), ..Criteria::default() };
    let run = run_cleanup(db.database().await, &CleanupRequest { criteria: nothing, ..request() }).await;
    assert_eq!((run.status, run.sessions_total, run.rows_deleted), (RunStatus::Succeeded, 0, 0));
    assert_eq!(session_ids(&db).await.len(), 14);
}

/// Asserts that a request is refused with this code for this input field, and that nothing changes. Returns the
/// outcome.
async fn assert_refused(
    db: &TestDb,
    cleanup_request: &CleanupRequest,
    code: RefusalCode,
    field: &str,
) -> api::cleanup::CleanupOutcome {
    let before = db.everything().await;
    let outcome = try_create_run(db.database().await, cleanup_request).await;
    assert!(db.everything().await == before);
    assert_eq!((&outcome.run, outcome.refusals.len()), (&None, 1), "{:?}", outcome.refusals);
    assert_eq!(outcome.refusals[0].code, code);
    assert_eq!(outcome.refusals[0].field, Some(vec!["input".to_owned(), field.to_owned()]));
    outcome
}

async fn a_run_is_refused_when_the_impact_is_another_than_was_looked_at(db: TestDb) {
    let preview: Impact = impact_of(&db, &ids(0..9)).await;
    db.exec("DELETE FROM whatsapp_group_admins WHERE CAST(id AS text) LIKE '%-000000000001'").await;
    let cleanup_request = request().expected_impact(preview.token.clone());
    let outcome = assert_refused(&db, &cleanup_request, RefusalCode::ImpactChanged, "expectedImpact").await;
    assert_eq!(outcome.changes.len(), 1);
    assert_eq!((outcome.changes[0].rows_deleted_before, outcome.changes[0].rows_deleted_now), (800, 799));
    assert_eq!(outcome.impact.unwrap().rows_deleted, preview.rows_deleted - 1);
    // The token of an impact on other sessions does not match either.
    let cleanup_request = request().expected_impact(impact_of(&db, &[]).await.token);
    assert_refused(&db, &cleanup_request, RefusalCode::ImpactChanged, "expectedImpact").await;
}

async fn a_run_is_refused_when_it_would_delete_too_much(db: TestDb) {
    assert_refused(&db, &request().at_most(1_511), RefusalCode::TooManyRows, "atMost").await;
}

async fn a_deletion_by_hand_has_no_run(db: TestDb) {
    let by_hand =
        api::deletion::DeletionRequest { session_ids: vec![id(8)], ..api::deletion::DeletionRequest::default() };
    let created = api::deletion::delete(db.database().await, &by_hand).await.unwrap().deletion.unwrap();
    assert_eq!(created.run_id, None);
    assert_eq!(query::find(db.database().await, created.id).await.unwrap(), Some(created));
}

async fn a_finished_run_is_left_as_it_is(db: TestDb) {
    let database = db.database().await;
    let run = run_cleanup(database, &request()).await;
    let before = db.everything().await;
    assert!(RunExecutor::take(database.clone(), None, run.id, BatchSize::default()).await.unwrap().is_none());
    assert_eq!(cleanup::find(database, run.id).await.unwrap(), Some(run));
    assert!(db.everything().await == before);
}

async fn a_run_that_does_not_exist_is_named(db: TestDb) {
    let error = RunExecutor::take(db.database().await.clone(), None, id(0), BatchSize::default()).await.unwrap_err();
    assert_eq!((error.code(), error.to_string()), ("BAD_USER_INPUT", format!("No cleanup run has the id {}.", id(0))));
}
