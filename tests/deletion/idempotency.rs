//! Tests that a deletion with an idempotency key is executed once.

use api::clock::Clock;
use api::db::{Database, DatabaseSettings};
use api::deletion::DeletionRequest;
use api::refusal::{Refusal, RefusalCode};
use chrono::{DateTime, TimeDelta, Utc};

use super::{OTHER, STALE, assert_refused, codes, delete, delete_sessions, field_path, request};
use crate::support::{TestDb, WithTerms as _, on_both};

on_both!(Adopted:
    the_same_request_is_answered_again_and_nothing_more_is_deleted,
    the_same_key_with_other_input_is_refused,
    another_principal_has_keys_of_its_own,
    refusals_and_dry_runs_are_not_remembered,
    a_key_is_forgotten_after_seven_days,
);

fn keyed_request(session: usize) -> DeletionRequest {
    request(session).idempotency_key("the key")
}

async fn the_same_request_is_answered_again_and_nothing_more_is_deleted(db: TestDb) {
    let first = delete(db.database().await, &keyed_request(STALE)).await;
    assert_eq!(first.refusals, []);
    let before = db.everything().await;
    let second = delete(db.database().await, &keyed_request(STALE)).await;
    assert_eq!((second.deletion, second.impact, second.refusals), (first.deletion, first.impact, Vec::new()));
    assert!(db.everything().await == before);
}

async fn the_same_key_with_other_input_is_refused(db: TestDb) {
    delete_sessions(db.database().await, &keyed_request(STALE)).await;
    let reused = Refusal {
        code: RefusalCode::IdempotencyKeyReused,
        message: "This idempotency key was used for another request. Use a new key for every deletion and cleanup."
            .to_owned(),
        field: Some(field_path("idempotencyKey")),
    };
    for other in [
        keyed_request(OTHER),
        keyed_request(STALE).reason("another"),
        keyed_request(STALE).at_most(10_000),
        keyed_request(STALE).allow_connected(),
        keyed_request(STALE).allow_pending_messages(),
    ] {
        assert_eq!(assert_refused(&db, &other).await, reused, "{other:?}");
    }
}

async fn another_principal_has_keys_of_its_own(db: TestDb) {
    delete_sessions(db.database().await, &keyed_request(STALE)).await;
    delete_sessions(db.database().await, &DeletionRequest { principal: "another".to_owned(), ..keyed_request(OTHER) })
        .await;
}

async fn refusals_and_dry_runs_are_not_remembered(db: TestDb) {
    assert_refused(&db, &keyed_request(STALE).at_most(0)).await;
    let dry = delete(db.database().await, &DeletionRequest { dry_run: true, ..keyed_request(OTHER) }).await;
    assert_eq!((dry.deletion, dry.refusals), (None, Vec::new()));
    let original = delete_sessions(db.database().await, &keyed_request(STALE)).await;
    // A dry run with a used key is not answered from the first deletion: it finds the session deleted.
    let dry = delete(db.database().await, &DeletionRequest { dry_run: true, ..keyed_request(STALE) }).await;
    assert_eq!(codes(&dry), [RefusalCode::NotFound]);
    assert_eq!(delete_sessions(db.database().await, &keyed_request(STALE)).await.id, original.id);
}

async fn a_key_is_forgotten_after_seven_days(db: TestDb) {
    let day = DateTime::from_timestamp(1_767_225_600, 0).unwrap();
    let at = async |moment: DateTime<Utc>| {
        Database::connect(DatabaseSettings { clock: Clock::Fixed(moment), ..db.settings() }).await.unwrap()
    };
    let original = delete_sessions(&at(day).await, &keyed_request(STALE)).await;
    let week = TimeDelta::days(7);
    assert_eq!(delete_sessions(&at(day + week).await, &keyed_request(STALE)).await.id, original.id);
    let later = at(day + week + TimeDelta::microseconds(1)).await;
    assert_eq!(codes(&delete(&later, &keyed_request(STALE)).await), [RefusalCode::NotFound]);
    assert_ne!(delete_sessions(&later, &keyed_request(OTHER)).await.id, original.id);
    let table = db.dialect().internal_table("idempotency_keys");
    assert_eq!(db.count(&table).await, 1, "the old key is gone, the new one is there");
}
