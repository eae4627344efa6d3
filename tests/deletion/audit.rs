//! Tests that the audit record of a deletion is complete, and that a dry run leaves no record.

use api::clock::Clock;
use api::db::{Database, DatabaseSettings};
use api::deletion::audit::query;
use api::deletion::{DeletedSession, DeletionRequest, DeletionStatus};
use chrono::{DateTime, TimeDelta};
use uuid::Uuid;

use super::{LIVE, OTHER, STALE, delete, id, preview, request};
use crate::support::{TestDb, WithTerms as _, on_both};

on_both!(Adopted:
    the_record_has_everything_and_is_read_back_as_it_was,
    a_dry_run_shows_the_deletion_and_leaves_nothing_behind,
    a_session_that_is_named_twice_goes_once,
);

async fn the_record_has_everything_and_is_read_back_as_it_was(db: TestDb) {
    let moment = DateTime::from_timestamp(1_767_225_600, 123_456_000).unwrap();
    let database = Database::connect(DatabaseSettings { clock: Clock::Fixed(moment), ..db.settings() }).await.unwrap();
    let session_ids = vec![id(LIVE), id(STALE), id(OTHER)];
    let previewed = preview(&db, &[LIVE, STALE, OTHER]).await;
    let outcome = delete(
        &database,
        &DeletionRequest {
            session_ids: session_ids.clone(),
            principal: "somebody@example".to_owned(),
            ..DeletionRequest::default()
        }
        .expected_impact(previewed.token.clone())
        .allow_connected()
        .allow_pending_messages()
        .reason("it's \"over\"; 🙂\n'); DROP TABLE whatsapp_sessions; --"),
    )
    .await;
    assert_eq!(outcome.refusals, []);
    assert_eq!(outcome.impact.as_ref(), Some(&previewed));
    let deletion = outcome.deletion.unwrap();
    let session = |(id, name): (Uuid, &str)| DeletedSession { id, name: Some(name.to_owned()), gateway: None };
    let names = ["live-1", "stale-9", "stale-8"];
    assert_eq!(deletion.sessions, session_ids.into_iter().zip(names).map(session).collect::<Vec<_>>());
    assert_eq!(deletion.status, DeletionStatus::Restorable);
    assert_eq!(deletion.restorable_until, Some(moment + TimeDelta::days(30)));
    let (restored, erased) = ((deletion.restored_at, &deletion.restored_by), (deletion.erased_at, &deletion.erased_by));
    assert_eq!((restored, erased), ((None, &None), (None, &None)));
    assert_eq!((deletion.rows_deleted, deletion.rows_unlinked), (previewed.rows_deleted, previewed.rows_unlinked));
    assert_eq!(deletion.tables, previewed.tables);
    assert_eq!(deletion.deleted_by, "somebody@example");
    assert_eq!(deletion.reason.as_deref(), Some("it's \"over\"; 🙂\n'); DROP TABLE whatsapp_sessions; --"));
    assert_eq!(deletion.deleted_at, moment);
    assert_eq!(deletion.allowed, ["allowConnected", "allowPendingMessages"]);
    assert_eq!(query::find(&database, deletion.id).await.unwrap(), Some(deletion));
    assert_eq!(query::find(&database, Uuid::nil()).await.unwrap(), None);
}

async fn a_dry_run_shows_the_deletion_and_leaves_nothing_behind(db: TestDb) {
    let previewed = preview(&db, &[STALE]).await;
    let before = db.everything().await;
    let dry = DeletionRequest { dry_run: true, ..request(STALE) }
        .expected_impact(previewed.token.clone())
        .idempotency_key("dry")
        .reason("to see");
    let outcome = delete(db.database().await, &dry).await;
    assert_eq!((outcome.deletion, outcome.refusals), (None, Vec::new()));
    assert_eq!(outcome.impact.as_ref(), Some(&previewed));
    assert!(db.everything().await == before, "a dry run left something behind");
    let real = delete(db.database().await, &DeletionRequest { dry_run: false, ..dry }).await;
    assert_eq!(real.impact, Some(previewed));
    assert!(real.deletion.is_some());
}

async fn a_session_that_is_named_twice_goes_once(db: TestDb) {
    let previewed = preview(&db, &[STALE]).await;
    let twice = DeletionRequest { session_ids: vec![id(STALE), id(STALE)], ..request(STALE) };
    let outcome = delete(db.database().await, &twice).await;
    assert_eq!(outcome.refusals, []);
    assert_eq!(outcome.impact.unwrap(), previewed);
    let deletion = outcome.deletion.unwrap();
    assert_eq!(deletion.sessions.len(), 1, "{:?}", deletion.sessions);
    assert_eq!(query::find(db.database().await, deletion.id).await.unwrap(), Some(deletion));
}
