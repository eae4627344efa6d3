//! Tests of the code and message of every refusal, and that a refused deletion changes nothing.

use std::time::{Duration, Instant};

use api::db::{Database, DatabaseSettings, Dialect};
use api::deletion::{self, DeletionRequest};
use api::error::Error;
use api::refusal::{Refusal, RefusalCode};
use uuid::Uuid;

use super::{
    LIVE, OTHER, STALE, assert_refused, assert_refused_unchanged, codes, count_session, delete, delete_sessions,
    field_path, id, preview, request,
};
use crate::support::{TestDb, WithTerms as _, on_both};

on_both!(Adopted:
    a_session_that_does_not_exist_is_not_found,
    all_unknown_sessions_are_named,
    a_connected_session_is_refused,
    pending_messages_are_refused,
    more_rows_than_allowed_are_refused_at_the_exact_border,
    a_lock_that_is_held_is_given_up_on_in_time,
    all_that_stands_against_a_deletion_is_told_at_once,
    what_is_allowed_goes_through_and_is_recorded,
    a_malformed_token_is_bad_input,
    a_request_that_makes_no_sense_is_bad_input,
);

async fn a_session_that_does_not_exist_is_not_found(db: TestDb) {
    let unknown = DeletionRequest { session_ids: vec![Uuid::nil()], ..request(STALE) };
    assert_eq!(
        assert_refused(&db, &unknown).await,
        Refusal {
            code: RefusalCode::NotFound,
            message: "No session has the id 00000000-0000-0000-0000-000000000000. It may have been deleted already."
                .to_owned(),
            field: Some(field_path("id")),
        }
    );
}

async fn all_unknown_sessions_are_named(db: TestDb) {
    let ids = vec![Uuid::nil(), id(STALE), Uuid::max()];
    let refusal = assert_refused(&db, &DeletionRequest { session_ids: ids, ..request(STALE) }).await;
    assert_eq!(refusal.code, RefusalCode::NotFound);
    let names = format!("{}, {}", Uuid::nil(), Uuid::max());
    assert_eq!(refusal.message, format!("No session has the id {names}. It may have been deleted already."));
}

async fn a_connected_session_is_refused(db: TestDb) {
    let one = request(LIVE).allow_pending_messages();
    assert_eq!(
        assert_refused(&db, &one).await,
        Refusal {
            code: RefusalCode::SessionConnected,
            message: "1 session that would be deleted is connected. Disconnect it first, or set allowConnected."
                .to_owned(),
            field: Some(field_path("allowConnected")),
        }
    );
    let three = DeletionRequest { session_ids: vec![id(LIVE), id(STALE), id(LIVE + 1)], ..one };
    let message = assert_refused(&db, &three).await.message;
    assert_eq!(
        message,
        "2 sessions that would be deleted are connected. Disconnect them first, or set allowConnected."
    );
}

async fn pending_messages_are_refused(db: TestDb) {
    let mut pending = 0;
    for table in ["scheduled_whatsapp_messages", "scheduled_webinar_messages"] {
        let query = format!(
            "SELECT count(*) FROM {table} WHERE status = 'pending' AND group_id IN \
             (SELECT id FROM whatsapp_groups WHERE session_id = '{}')",
            id(LIVE)
        );
        pending += db.rows(&query).await[0][0].parse::<i64>().unwrap();
    }
    assert!(pending > 1);
    let message = format!(
        "{pending} scheduled messages still to be sent would be deleted. Cancel or send them first, or set \
         allowPendingMessages."
    );
    let refusal = assert_refused(&db, &request(LIVE).allow_connected()).await;
    assert_eq!(
        refusal,
        Refusal { code: RefusalCode::PendingMessages, message, field: Some(field_path("allowPendingMessages")) }
    );
}

async fn more_rows_than_allowed_are_refused_at_the_exact_border(db: TestDb) {
    let rows = preview(&db, &[STALE]).await.rows_deleted;
    let below = request(STALE).at_most(rows - 1);
    let message = format!("{rows} rows would be deleted, which is more than atMost ({}).", rows - 1);
    assert_eq!(
        assert_refused(&db, &below).await,
        Refusal { code: RefusalCode::TooManyRows, message, field: Some(field_path("atMost")) }
    );
    let exactly = request(STALE).at_most(rows);
    assert_eq!(delete_sessions(db.database().await, &exactly).await.rows_deleted, rows);
}

async fn a_lock_that_is_held_is_given_up_on_in_time(db: TestDb) {
    let limit = Duration::from_millis(400);
    let settings = DatabaseSettings { lock_timeout: limit, ..db.settings() };
    let database = Database::connect(settings).await.unwrap();
    let before = db.everything().await;
    let mut other = db.raw().await;
    other
        .exec(&match db.dialect() {
            Dialect::Postgres => {
                format!("BEGIN; SELECT 1 FROM whatsapp_groups WHERE session_id = '{}' FOR SHARE", id(STALE))
            }
            Dialect::Sqlite => "BEGIN IMMEDIATE".to_owned(),
        })
        .await;
    let start = Instant::now();
    let outcome = delete(&database, &request(STALE)).await;
    let waited = start.elapsed();
    assert_eq!(
        outcome.refusals,
        [Refusal {
            code: RefusalCode::LockTimeout,
            message:
                "Another transaction holds rows or tables that the deletion needs. Nothing was changed; try again."
                    .to_owned(),
            field: None,
        }]
    );
    assert!(waited >= limit && waited < limit * 20, "{waited:?}");
    other.exec("ROLLBACK").await;
    assert!(db.everything().await == before);
    delete_sessions(&database, &request(STALE)).await;
}

async fn all_that_stands_against_a_deletion_is_told_at_once(db: TestDb) {
    let kind = super::id_type(db.dialect());
    db.exec(&format!("CREATE TABLE notes (id integer PRIMARY KEY, group_id {kind} REFERENCES whatsapp_groups (id))"))
        .await;
    db.exec(&format!("INSERT INTO notes VALUES (1, '{}')", super::find_first_group(&db, LIVE).await)).await;
    let expected_impact = Some(preview(&db, &[OTHER]).await.token);
    let outcome = assert_refused_unchanged(&db, &request(LIVE).at_most(0).expected_impact(expected_impact)).await;
    assert_eq!(
        codes(&outcome),
        [
            RefusalCode::SessionConnected,
            RefusalCode::PendingMessages,
            RefusalCode::BlockedByForeignKey,
            RefusalCode::ImpactChanged,
            RefusalCode::TooManyRows,
        ]
    );
    assert_eq!(outcome.impact.unwrap(), preview(&db, &[LIVE]).await);
}

async fn what_is_allowed_goes_through_and_is_recorded(db: TestDb) {
    let both = request(LIVE).allow_connected().allow_pending_messages();
    assert_eq!(delete_sessions(db.database().await, &both).await.allowed, ["allowConnected", "allowPendingMessages"]);
    assert_eq!(count_session(&db, LIVE).await, "0");
    // An unnecessary option is recorded too, because the caller requested it.
    let needless = request(STALE).allow_pending_messages();
    assert_eq!(delete_sessions(db.database().await, &needless).await.allowed, ["allowPendingMessages"]);
    assert_eq!(delete_sessions(db.database().await, &request(OTHER)).await.allowed, Vec::<String>::new());
}

async fn a_malformed_token_is_bad_input(db: TestDb) {
    let token = preview(&db, &[STALE]).await.token;
    let before = db.everything().await;
    let body = token.split('.').nth(1).unwrap();
    let mut malformed = vec![String::new(), "x".to_owned(), "i1..".to_owned(), format!("i2{}", &token[2..])];
    malformed.extend((1..token.len()).step_by(7).map(|length| token[..length].to_owned()));
    malformed.extend([
        token[..token.len() - 1].to_owned(),
        format!("{token}x"),
        format!("{token}."),
        format!("i1.{body}"),
    ]);
    malformed.push(token.replacen(&body[10..12], "##", 1));
    malformed.push(token.to_lowercase());
    for token in malformed {
        let request = request(STALE).expected_impact(token.clone());
        let error = deletion::delete(db.database().await, &request).await.unwrap_err();
        assert_eq!(error.code(), "BAD_USER_INPUT", "{token}");
        assert_eq!(
            error.to_string(),
            "expectedImpact is not an impact token. Send DeletionImpact.token unchanged, or omit expectedImpact."
        );
    }
    assert!(db.everything().await == before);
    delete_sessions(db.database().await, &request(STALE).expected_impact(token)).await;
}

async fn a_request_that_makes_no_sense_is_bad_input(db: TestDb) {
    let before = db.everything().await;
    for (request, message) in [
        (DeletionRequest { session_ids: Vec::new(), ..request(STALE) }, "No session was specified."),
        (request(STALE).at_most(-1), "atMost is negative; it is a number of rows."),
        (request(STALE).idempotency_key(""), "idempotencyKey must have 1 to 255 characters, none of them NUL."),
        (
            request(STALE).idempotency_key("🙂".repeat(256)),
            "idempotencyKey must have 1 to 255 characters, none of them NUL.",
        ),
        (request(STALE).reason("a\0b"), "reason must have at most 2000 characters, none of them NUL."),
        (request(STALE).reason("x".repeat(2_001)), "reason must have at most 2000 characters, none of them NUL."),
    ] {
        match deletion::delete(db.database().await, &request).await {
            Err(Error::BadInput(said)) => assert_eq!(said, message),
            other => panic!("{other:?}"),
        }
    }
    assert!(db.everything().await == before);
    let longest = request(STALE).reason("x".repeat(2_000)).idempotency_key("🙂".repeat(255));
    delete_sessions(db.database().await, &longest).await;
}
