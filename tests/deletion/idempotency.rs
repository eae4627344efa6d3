//! A deletion under a key is made once.

use api::clock::Clock;
use api::db::{Database, DatabaseSettings};
use api::deletion::DeletionRequest;
use api::refusal::{Refusal, RefusalCode};
use chrono::{DateTime, TimeDelta, Utc};

use super::{OTHER, STALE, about, codes, delete, deleted, refused, request};
use crate::support::{TestDb, WithTerms as _, on_both};

on_both!(Adopted:
    the_same_request_is_answered_again_and_nothing_more_is_deleted,
    the_same_key_with_other_input_is_refused,
    another_principal_has_keys_of_its_own,
    refusals_and_dry_runs_are_not_remembered,
    a_key_is_forgotten_after_seven_days,
);

fn keyed(session: usize) -> DeletionRequest {
    request(session).idempotency_key("the key")
}

async fn the_same_request_is_answered_again_and_nothing_more_is_deleted(db: TestDb) {
    let first = delete(db.database().await, &keyed(STALE)).await;
    assert_eq!(first.refusals, []);
    let before = db.everything().await;
    let second = delete(db.database().await, &keyed(STALE)).await;
    assert_eq!((second.deletion, second.impact, second.refusals), (first.deletion, first.impact, Vec::new()));
    assert!(db.everything().await == before);
}

async fn the_same_key_with_other_input_is_refused(db: TestDb) {
    deleted(db.database().await, &keyed(STALE)).await;
    let reused = Refusal {
        code: RefusalCode::IdempotencyKeyReused,
        message: "This idempotency key was used for another request. Use a new key for every deletion and cleanup."
            .to_owned(),
        field: Some(about("idempotencyKey")),
    };
    for other in [
        keyed(OTHER),
        keyed(STALE).reason("another"),
        keyed(STALE).at_most(10_000),
        keyed(STALE).allow_connected(),
        keyed(STALE).allow_pending_messages(),
    ] {
        assert_eq!(refused(&db, &other).await, reused, "{other:?}");
    }
}

async fn another_principal_has_keys_of_its_own(db: TestDb) {
    deleted(db.database().await, &keyed(STALE)).await;
    deleted(db.database().await, &DeletionRequest { principal: "another".to_owned(), ..keyed(OTHER) }).await;
}

async fn refusals_and_dry_runs_are_not_remembered(db: TestDb) {
    refused(&db, &keyed(STALE).at_most(0)).await;
    let dry = delete(db.database().await, &DeletionRequest { dry_run: true, ..keyed(OTHER) }).await;
    assert_eq!((dry.deletion, dry.refusals), (None, Vec::new()));
    let made = deleted(db.database().await, &keyed(STALE)).await;
    // A dry run under a key that was used is a dry run: it finds the session gone.
    let dry = delete(db.database().await, &DeletionRequest { dry_run: true, ..keyed(STALE) }).await;
    assert_eq!(codes(&dry), [RefusalCode::NotFound]);
    assert_eq!(deleted(db.database().await, &keyed(STALE)).await.id, made.id);
}

async fn a_key_is_forgotten_after_seven_days(db: TestDb) {
    let day = DateTime::from_timestamp(1_767_225_600, 0).unwrap();
    let at = async |moment: DateTime<Utc>| {
        Database::connect(DatabaseSettings { clock: Clock::Fixed(moment), ..db.settings() }).await.unwrap()
    };
    let made = deleted(&at(day).await, &keyed(STALE)).await;
    let week = TimeDelta::days(7);
    assert_eq!(deleted(&at(day + week).await, &keyed(STALE)).await.id, made.id);
    let later = at(day + week + TimeDelta::microseconds(1)).await;
    assert_eq!(codes(&delete(&later, &keyed(STALE)).await), [RefusalCode::NotFound]);
    assert_ne!(deleted(&later, &keyed(OTHER)).await.id, made.id);
    let table = db.dialect().internal_table("idempotency_keys");
    assert_eq!(db.count(&table).await, 1, "the old key is gone, the new one is there");
}
