//! Tests that a run records each session that it skips, with the reason.

use api::cleanup::{BatchSize, CleanupRequest, Criteria, RunStatus};
use api::refusal::RefusalCode;
use api::session::SessionStatus;
use uuid::Uuid;

use super::{
    SINGLY, block_sessions, connect_as_built, create_run, finish, id, ids, list_deletions, list_skipped,
    refuse_deletion, request, run_cleanup, session_exists, session_ids, skip_reasons, try_create_run,
};
use crate::support::{TestDb, WithTerms as _, on_both};

on_both!(Adopted:
    a_session_that_connects_before_its_batch_is_skipped_and_named,
    a_session_that_changes_before_its_batch_is_skipped_and_named,
    connected_sessions_go_only_if_that_is_allowed,
    sessions_with_messages_to_be_sent_go_only_if_that_is_allowed,
    sessions_that_were_named_and_do_not_fit_are_listed,
    a_session_that_the_database_refuses_does_not_keep_the_others,
);
on_both!(long Adopted: a_session_that_a_trigger_refuses_does_not_keep_the_others);
on_both!(AsBuilt: a_run_of_which_the_database_refuses_every_session_has_failed);

async fn a_session_that_connects_before_its_batch_is_skipped_and_named(db: TestDb) {
    let database = db.database().await;
    for pace in [BatchSize::default(), SINGLY] {
        let run = create_run(database, &CleanupRequest { criteria: limit_criteria(4), ..request() }).await;
        let first = second_session(&db).await;
        db.exec(&format!(
            "UPDATE whatsapp_sessions SET status = 'connected', phone_number = '+1' WHERE id = '{first}'"
        ))
        .await;
        let run = finish(database, run.id, pace).await;
        assert_eq!((run.status, run.sessions_deleted, run.sessions_skipped), (RunStatus::Succeeded, 3, 1));
        let skipped = list_skipped(database, run.id).await;
        assert_eq!((skipped[0].session_id, skipped[0].code), (first, RefusalCode::SessionConnected));
        assert_eq!(skipped[0].message, "The session is connected. Disconnect it first, or set allowConnected.");
        assert!(session_exists(&db, first).await);
    }
}

fn limit_criteria(limit: u32) -> Criteria {
    Criteria { limit: Some(limit), ..Criteria::default() }
}

/// Returns the id of the session that a run deletes second.
async fn second_session(db: &TestDb) -> Uuid {
    let preview = api::cleanup::preview(db.database().await, None, &limit_criteria(2)).await.unwrap();
    preview.sample[1].id
}

async fn a_session_that_changes_before_its_batch_is_skipped_and_named(db: TestDb) {
    let database = db.database().await;
    let age = Criteria { older_than: Some("PT24H".parse().unwrap()), ..Criteria::default() };
    let run = create_run(database, &CleanupRequest { criteria: age, ..request() }).await;
    let now = "'2999-01-01T00:00:00+00:00'";
    db.exec(&format!("UPDATE whatsapp_sessions SET updated_at = {now} WHERE id = '{}'", id(0))).await;
    db.exec(&format!("UPDATE whatsapp_sessions SET phone_number = '+1' WHERE id = '{}'", id(4))).await;
    db.exec(&format!("DELETE FROM whatsapp_sessions WHERE id = '{}'", id(8))).await;
    let run = finish(database, run.id, BatchSize::default()).await;
    assert_eq!((run.status, run.sessions_deleted, run.sessions_skipped), (RunStatus::Succeeded, 6, 3));
    let expected =
        [(id(0), RefusalCode::NoLongerMatches), (id(4), RefusalCode::NoLongerMatches), (id(8), RefusalCode::NotFound)];
    assert_eq!(skip_reasons(database, run.id).await, expected);
}

fn connected_criteria() -> Criteria {
    Criteria { statuses: vec![SessionStatus::Connected], has_phone_number: Some(true), ..Criteria::default() }
}

async fn connected_sessions_go_only_if_that_is_allowed(db: TestDb) {
    let database = db.database().await;
    let cleanup_request = CleanupRequest { criteria: connected_criteria(), ..request() }.allow_pending_messages();
    let run = run_cleanup(database, &cleanup_request).await;
    assert_eq!((run.status, run.sessions_deleted, run.sessions_skipped), (RunStatus::Succeeded, 0, 5));
    let reasons = skip_reasons(database, run.id).await;
    assert_eq!(reasons, (9..14).map(|session| (id(session), RefusalCode::SessionConnected)).collect::<Vec<_>>());
    let run = run_cleanup(database, &cleanup_request.allow_connected()).await;
    assert_eq!((run.status, run.sessions_deleted, run.sessions_skipped), (RunStatus::Succeeded, 5, 0));
    let deletions = list_deletions(database, run.id).await;
    assert_eq!(deletions[0].allowed, ["allowConnected", "allowPendingMessages"]);
}

async fn sessions_with_messages_to_be_sent_go_only_if_that_is_allowed(db: TestDb) {
    let database = db.database().await;
    let message = format!(
        "UPDATE scheduled_whatsapp_messages SET status = 'pending' WHERE id = (SELECT min(CAST(m.id AS text)) \
         FROM scheduled_whatsapp_messages m JOIN whatsapp_groups g ON g.id = m.group_id WHERE g.session_id = '{}')",
        id(0)
    );
    let message = match db.dialect() {
        api::db::Dialect::Postgres => message.replace("WHERE id =", "WHERE CAST(id AS text) ="),
        api::db::Dialect::Sqlite => message,
    };
    db.exec(&message).await;
    let run = run_cleanup(database, &request()).await;
    assert_eq!((run.sessions_deleted, run.sessions_skipped), (8, 1));
    let skipped = list_skipped(database, run.id).await;
    assert_eq!((skipped[0].session_id, skipped[0].code), (id(0), RefusalCode::PendingMessages));
    assert!(
        skipped[0].message.starts_with("1 scheduled message still to be sent would be deleted."),
        "{}",
        skipped[0].message
    );
    let run = run_cleanup(database, &request().allow_pending_messages()).await;
    assert_eq!((run.sessions_deleted, run.sessions_skipped), (1, 0));
}

async fn sessions_that_were_named_and_do_not_fit_are_listed(db: TestDb) {
    let database = db.database().await;
    let unknown = Uuid::from_u128(7);
    let requested_ids = [ids([8, 10, 8]), vec![unknown], ids([7])].concat();
    let criteria = Criteria { ids: Some(requested_ids), ..Criteria::default() };
    let run = run_cleanup(database, &CleanupRequest { criteria, ..request() }).await;
    assert_eq!((run.sessions_total, run.sessions_deleted, run.sessions_skipped), (4, 2, 2));
    let expected = [(id(10), RefusalCode::NoLongerMatches), (unknown, RefusalCode::NotFound)];
    assert_eq!(skip_reasons(database, run.id).await, expected);
    // Every requested id is accounted for, even if a limit excludes it.
    let criteria = Criteria { ids: Some(ids([0, 1, 2])), limit: Some(1), ..Criteria::default() };
    let run = run_cleanup(database, &CleanupRequest { criteria, ..request() }).await;
    assert_eq!((run.sessions_total, run.sessions_deleted), (3, 1));
    assert!(!session_exists(&db, id(0)).await);
    let messages: Vec<_> = list_skipped(database, run.id).await.into_iter().map(|skipped| skipped.message).collect();
    assert_eq!(
        messages,
        ["The session was given by its id, but does not meet the other criteria, or is not among the first 1."; 2]
    );
}

async fn a_session_that_the_database_refuses_does_not_keep_the_others(db: TestDb) {
    block_sessions(&db, &ids([0, 5])).await;
    let database = db.database().await;
    let run = run_cleanup(database, &request()).await;
    assert_eq!((run.status, run.sessions_deleted, run.sessions_skipped), (RunStatus::Succeeded, 7, 2));
    let skipped = list_skipped(database, run.id).await;
    assert_eq!(skipped.iter().map(|skipped| skipped.session_id).collect::<Vec<_>>(), ids([0, 5]));
    for session in skipped {
        assert_eq!(session.code, RefusalCode::BlockedByForeignKey);
        assert!(session.message.starts_with("1 row of keepers that would remain refer"), "{}", session.message);
    }
    assert_eq!(run.error, None);
}

async fn a_session_that_a_trigger_refuses_does_not_keep_the_others(db: TestDb) {
    let refused_session = id(3);
    refuse_deletion(&db, refused_session).await;
    let database = db.database().await;
    let run = run_cleanup(database, &request()).await;
    assert_eq!((run.status, run.sessions_deleted, run.sessions_skipped), (RunStatus::Succeeded, 8, 1));
    let skipped = list_skipped(database, run.id).await;
    assert_eq!((skipped[0].session_id, skipped[0].code), (refused_session, RefusalCode::BlockedByForeignKey));
    assert_eq!(skipped[0].message, "The database refused: not this one.");
}

async fn a_run_of_which_the_database_refuses_every_session_has_failed(db: TestDb) {
    let database = connect_as_built(&db).await;
    let dry = try_create_run(database, &CleanupRequest { dry_run: true, ..request() }).await;
    assert_eq!(dry.refusals, [], "one would go");
    assert_eq!((dry.would_go.unwrap().session_count, dry.skipped.len()), (1, 8));
    assert!(!dry.impact.unwrap().deletable);
    // The last stale session is left out, because no foreign key blocks its deletion.
    let criteria = Criteria { ids: Some(ids(0..8)), ..Criteria::default() };
    let before = session_ids(&db).await;
    let dry =
        try_create_run(database, &CleanupRequest { criteria: criteria.clone(), dry_run: true, ..request() }).await;
    assert_eq!(dry.refusals.iter().map(|refusal| refusal.code).collect::<Vec<_>>(), [RefusalCode::BlockedByForeignKey]);
    assert_eq!((dry.would_go.unwrap().session_count, dry.skipped.len()), (0, 8));
    let run = run_cleanup(database, &CleanupRequest { criteria, ..request() }).await;
    assert_eq!((run.status, run.sessions_deleted, run.sessions_skipped), (RunStatus::Failed, 0, 8));
    let skipped = list_skipped(database, run.id).await;
    assert!(skipped.iter().all(|skipped| skipped.code == RefusalCode::BlockedByForeignKey), "{skipped:?}");
    assert_eq!(run.error, Some(format!("No session could be deleted. {}", skipped[0].message)));
    assert_eq!(session_ids(&db).await, before);
    assert_eq!(list_deletions(database, run.id).await, []);
    let run = run_cleanup(database, &request()).await;
    assert_eq!((run.status, run.sessions_deleted, run.sessions_skipped), (RunStatus::Succeeded, 1, 8));
    assert_eq!(run.error, None);
}
