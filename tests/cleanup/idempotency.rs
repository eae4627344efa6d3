//! A run under a key is made once.

use api::cleanup::{CleanupRequest, Criteria, Pace, RunStatus};
use api::deletion::{self, DeletionRequest};
use api::refusal::RefusalCode;

use super::{cleaned, finish, id, request, sessions, start, started};
use crate::support::{TestDb, both};

both!(Adopted:
    the_same_request_is_answered_with_the_same_run,
    the_same_key_with_other_input_is_refused,
    a_key_that_a_deletion_used_is_refused_and_the_other_way_round,
    refusals_and_dry_runs_are_not_remembered,
    a_key_that_was_used_before_runs_existed_still_answers,
);

fn keyed() -> CleanupRequest {
    CleanupRequest { idempotency_key: Some("the key".to_owned()), ..request() }
}

async fn the_same_request_is_answered_with_the_same_run(db: TestDb) {
    let database = db.database().await;
    let first = start(database, &keyed()).await;
    let run = first.run.unwrap();
    // Before it is worked off, and after.
    let again = start(database, &keyed()).await;
    assert_eq!((again.run, &again.impact), (Some(run.clone()), &first.impact));
    let finished = finish(database, run.id, Pace::default()).await;
    let before = db.everything().await;
    let again = start(database, &keyed()).await;
    assert_eq!((again.run, again.impact, again.refusals), (Some(finished), first.impact, Vec::new()));
    assert!(db.everything().await == before);
}

async fn reused(db: &TestDb, wanted: &CleanupRequest) {
    let before = db.everything().await;
    let outcome = start(db.database().await, wanted).await;
    assert_eq!((outcome.run, outcome.impact), (None, None));
    assert_eq!(outcome.refusals[0].code, RefusalCode::IdempotencyKeyReused);
    assert!(db.everything().await == before);
}

async fn the_same_key_with_other_input_is_refused(db: TestDb) {
    cleaned(db.database().await, &keyed()).await;
    for other in [
        CleanupRequest { criteria: Criteria { limit: Some(1), ..Criteria::default() }, ..keyed() },
        CleanupRequest { reason: Some("another".to_owned()), ..keyed() },
        CleanupRequest { at_most: Some(10_000), ..keyed() },
        CleanupRequest { allow_connected: true, ..keyed() },
        CleanupRequest { allow_pending_messages: true, ..keyed() },
    ] {
        reused(&db, &other).await;
    }
    let other = CleanupRequest { principal: "another".to_owned(), ..keyed() };
    let run = cleaned(db.database().await, &other).await;
    assert_eq!((run.sessions_total, run.started_by.as_str()), (0, "another"));
}

async fn a_key_that_a_deletion_used_is_refused_and_the_other_way_round(db: TestDb) {
    let database = db.database().await;
    let by_hand = DeletionRequest {
        session_ids: vec![id(8)],
        idempotency_key: Some("the key".to_owned()),
        principal: "tester".to_owned(),
        ..DeletionRequest::default()
    };
    assert!(deletion::delete(database, &by_hand).await.unwrap().deletion.is_some());
    reused(&db, &keyed()).await;
    let other = |key: &str| Some(key.to_owned());
    cleaned(database, &CleanupRequest { idempotency_key: other("of a run"), ..keyed() }).await;
    let outcome =
        deletion::delete(database, &DeletionRequest { idempotency_key: other("of a run"), ..by_hand }).await.unwrap();
    assert_eq!(outcome.refusals[0].code, RefusalCode::IdempotencyKeyReused);
}

async fn refusals_and_dry_runs_are_not_remembered(db: TestDb) {
    let database = db.database().await;
    assert!(start(database, &CleanupRequest { at_most: Some(0), ..keyed() }).await.run.is_none());
    assert!(start(database, &CleanupRequest { dry_run: true, ..keyed() }).await.run.is_none());
    let run = started(database, &keyed()).await;
    // A dry run under a key that was used is a dry run.
    let dry = start(database, &CleanupRequest { dry_run: true, ..keyed() }).await;
    assert_eq!((dry.run, dry.impact.unwrap().session_count), (None, 9));
    assert_eq!(finish(database, run.id, Pace::default()).await.status, RunStatus::Succeeded);
    assert_eq!(sessions(&db).await.len(), 5);
}

async fn a_key_that_was_used_before_runs_existed_still_answers(db: TestDb) {
    let database = db.database().await;
    let by_hand = DeletionRequest {
        session_ids: vec![id(8)],
        idempotency_key: Some("old".to_owned()),
        principal: "tester".to_owned(),
        ..DeletionRequest::default()
    };
    let made = deletion::delete(database, &by_hand).await.unwrap().deletion.unwrap();
    // What an earlier version wrote down as the request's fingerprint.
    let table = db.dialect().own_table("idempotency_keys");
    let said = format!("[{}] None None false false None", id(8));
    let said: String = sha256(&said);
    assert_eq!(db.rows(&format!("SELECT fingerprint FROM {table}")).await, [[said]]);
    assert_eq!(deletion::delete(database, &by_hand).await.unwrap().deletion, Some(made));
}

fn sha256(text: &str) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}
