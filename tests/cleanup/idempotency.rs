//! Tests that requests with the same idempotency key create one run.

use api::cleanup::{BatchSize, CleanupRequest, Criteria, RunStatus};
use api::deletion::{self, DeletionRequest};
use api::refusal::RefusalCode;

use super::{create_run, finish, id, request, run_cleanup, session_ids, try_create_run};
use crate::support::{TestDb, WithTerms as _, on_both};

on_both!(Adopted:
    the_same_request_is_answered_with_the_same_run,
    the_same_key_with_other_input_is_refused,
    a_key_that_a_deletion_used_is_refused_and_the_other_way_round,
    refusals_and_dry_runs_are_not_remembered,
    a_fingerprint_is_of_versioned_and_serialized_data,
);

fn request_with_key() -> CleanupRequest {
    request().idempotency_key("the key")
}

async fn the_same_request_is_answered_with_the_same_run(db: TestDb) {
    let database = db.database().await;
    let first = try_create_run(database, &request_with_key()).await;
    let run = first.run.unwrap();
    // The answer is the same before and after the run is executed.
    let again = try_create_run(database, &request_with_key()).await;
    assert_eq!((again.run, &again.impact), (Some(run.clone()), &first.impact));
    let finished = finish(database, run.id, BatchSize::default()).await;
    let before = db.everything().await;
    let again = try_create_run(database, &request_with_key()).await;
    assert_eq!((again.run, again.impact, again.refusals), (Some(finished), first.impact, Vec::new()));
    assert!(db.everything().await == before);
}

async fn assert_key_reused(db: &TestDb, cleanup_request: &CleanupRequest) {
    let before = db.everything().await;
    let outcome = try_create_run(db.database().await, cleanup_request).await;
    assert_eq!((outcome.run, outcome.impact), (None, None));
    assert_eq!(outcome.refusals[0].code, RefusalCode::IdempotencyKeyReused);
    assert!(db.everything().await == before);
}

async fn the_same_key_with_other_input_is_refused(db: TestDb) {
    run_cleanup(db.database().await, &request_with_key()).await;
    for other in [
        CleanupRequest { criteria: Criteria { limit: Some(1), ..Criteria::default() }, ..request_with_key() },
        request_with_key().reason("another"),
        request_with_key().at_most(10_000),
        request_with_key().allow_connected(),
        request_with_key().allow_pending_messages(),
    ] {
        assert_key_reused(&db, &other).await;
    }
    let other = CleanupRequest { principal: "another".to_owned(), ..request_with_key() };
    let run = run_cleanup(db.database().await, &other).await;
    assert_eq!((run.sessions_total, run.started_by.as_str()), (0, "another"));
}

async fn a_key_that_a_deletion_used_is_refused_and_the_other_way_round(db: TestDb) {
    let database = db.database().await;
    let by_hand =
        DeletionRequest { session_ids: vec![id(8)], principal: "tester".to_owned(), ..DeletionRequest::default() }
            .idempotency_key("the key");
    assert!(deletion::delete(database, &by_hand).await.unwrap().deletion.is_some());
    assert_key_reused(&db, &request_with_key()).await;
    run_cleanup(database, &request_with_key().idempotency_key("of a run")).await;
    let outcome = deletion::delete(database, &by_hand.idempotency_key("of a run")).await.unwrap();
    assert_eq!(outcome.refusals[0].code, RefusalCode::IdempotencyKeyReused);
}

async fn refusals_and_dry_runs_are_not_remembered(db: TestDb) {
    let database = db.database().await;
    assert!(try_create_run(database, &request_with_key().at_most(0)).await.run.is_none());
    assert!(try_create_run(database, &CleanupRequest { dry_run: true, ..request_with_key() }).await.run.is_none());
    let run = create_run(database, &request_with_key()).await;
    // A dry run ignores the idempotency key.
    let dry = try_create_run(database, &CleanupRequest { dry_run: true, ..request_with_key() }).await;
    assert_eq!((dry.run, dry.impact.unwrap().session_count), (None, 9));
    assert_eq!(finish(database, run.id, BatchSize::default()).await.status, RunStatus::Succeeded);
    assert_eq!(session_ids(&db).await.len(), 5);
}

async fn a_fingerprint_is_of_versioned_and_serialized_data(db: TestDb) {
    let database = db.database().await;
    let by_hand =
        DeletionRequest { session_ids: vec![id(8)], principal: "tester".to_owned(), ..DeletionRequest::default() }
            .idempotency_key("old");
    let created = deletion::delete(database, &by_hand).await.unwrap().deletion.unwrap();
    // An updated server must recognize keys of earlier versions, so a change of this text needs another version number.
    let table = db.dialect().internal_table("idempotency_keys");
    let serialized = format!(
        r#"[1,{{"expectedImpact":null,"atMost":null,"allowConnected":false,"allowPendingMessages":false,"archive":true,"reason":null,"idempotencyKey":"old"}},{{"sessions":["{}"]}}]"#,
        id(8)
    );
    assert_eq!(db.rows(&format!("SELECT fingerprint FROM {table}")).await, [[sha256(&serialized)]]);
    assert_eq!(deletion::delete(database, &by_hand).await.unwrap().deletion, Some(created));
}

fn sha256(text: &str) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}
