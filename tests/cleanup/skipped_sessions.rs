//! Sessions that a run leaves, each with its reason.

use api::cleanup::{BatchSize, CleanupRequest, Criteria, RunStatus};
use api::refusal::RefusalCode;
use api::session::SessionStatus;
use uuid::Uuid;

use super::{
    SINGLY, cleaned, deletions, exists, finish, id, ids, in_trouble, keepers, refuse, request, sessions, skipped,
    start, started, why_skipped,
};
use crate::support::{TestDb, WithTerms as _, on_both};

on_both!(Adopted:
    a_session_that_connects_before_its_batch_is_skipped_and_named,
    a_session_that_changes_before_its_batch_is_skipped_and_named,
    connected_sessions_go_only_if_that_is_allowed,
    sessions_with_messages_to_be_sent_go_only_if_that_is_allowed,
    sessions_that_were_named_and_do_not_fit_are_listed,
    a_session_that_the_database_refuses_does_not_keep_the_others,
    a_session_that_a_trigger_refuses_does_not_keep_the_others,
);
on_both!(AsBuilt: a_run_of_which_the_database_refuses_every_session_has_failed);

async fn a_session_that_connects_before_its_batch_is_skipped_and_named(db: TestDb) {
    let database = db.database().await;
    for pace in [BatchSize::default(), SINGLY] {
        let run = started(database, &CleanupRequest { criteria: limited(4), ..request() }).await;
        let first = skipped_first(&db).await;
        db.exec(&format!(
            "UPDATE whatsapp_sessions SET status = 'connected', phone_number = '+1' WHERE id = '{first}'"
        ))
        .await;
        let run = finish(database, run.id, pace).await;
        assert_eq!((run.status, run.sessions_deleted, run.sessions_skipped), (RunStatus::Succeeded, 3, 1));
        let left = skipped(database, run.id).await;
        assert_eq!((left[0].session_id, left[0].code), (first, RefusalCode::SessionConnected));
        assert_eq!(left[0].message, "It is connected now. Disconnect it first, or set allowConnected.");
        assert!(exists(&db, first).await);
    }
}

fn limited(limit: u32) -> Criteria {
    Criteria { limit: Some(limit), ..Criteria::default() }
}

/// The session whose turn comes second.
async fn skipped_first(db: &TestDb) -> Uuid {
    let preview = api::cleanup::preview(db.database().await, None, &limited(2)).await.unwrap();
    preview.sample[1].id
}

async fn a_session_that_changes_before_its_batch_is_skipped_and_named(db: TestDb) {
    let database = db.database().await;
    let age = Criteria { older_than: Some("PT24H".parse().unwrap()), ..Criteria::default() };
    let run = started(database, &CleanupRequest { criteria: age, ..request() }).await;
    let now = "'2999-01-01T00:00:00+00:00'";
    db.exec(&format!("UPDATE whatsapp_sessions SET updated_at = {now} WHERE id = '{}'", id(0))).await;
    db.exec(&format!("UPDATE whatsapp_sessions SET phone_number = '+1' WHERE id = '{}'", id(4))).await;
    db.exec(&format!("DELETE FROM whatsapp_sessions WHERE id = '{}'", id(8))).await;
    let run = finish(database, run.id, BatchSize::default()).await;
    assert_eq!((run.status, run.sessions_deleted, run.sessions_skipped), (RunStatus::Succeeded, 6, 3));
    let expected =
        [(id(0), RefusalCode::NoLongerMatches), (id(4), RefusalCode::NoLongerMatches), (id(8), RefusalCode::NotFound)];
    assert_eq!(why_skipped(database, run.id).await, expected);
}

fn connected() -> Criteria {
    Criteria { statuses: vec![SessionStatus::Connected], has_phone_number: Some(true), ..Criteria::default() }
}

async fn connected_sessions_go_only_if_that_is_allowed(db: TestDb) {
    let database = db.database().await;
    let wanted = CleanupRequest { criteria: connected(), ..request() }.allow_pending_messages();
    let run = cleaned(database, &wanted).await;
    assert_eq!((run.status, run.sessions_deleted, run.sessions_skipped), (RunStatus::Succeeded, 0, 5));
    let why = why_skipped(database, run.id).await;
    assert_eq!(why, (9..14).map(|session| (id(session), RefusalCode::SessionConnected)).collect::<Vec<_>>());
    let run = cleaned(database, &wanted.allow_connected()).await;
    assert_eq!((run.status, run.sessions_deleted, run.sessions_skipped), (RunStatus::Succeeded, 5, 0));
    let made = deletions(database, run.id).await;
    assert_eq!(made[0].allowed, ["allowConnected", "allowPendingMessages"]);
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
    let run = cleaned(database, &request()).await;
    assert_eq!((run.sessions_deleted, run.sessions_skipped), (8, 1));
    let left = skipped(database, run.id).await;
    assert_eq!((left[0].session_id, left[0].code), (id(0), RefusalCode::PendingMessages));
    assert!(left[0].message.starts_with("1 scheduled message still to be sent would go."), "{}", left[0].message);
    let run = cleaned(database, &request().allow_pending_messages()).await;
    assert_eq!((run.sessions_deleted, run.sessions_skipped), (1, 0));
}

async fn sessions_that_were_named_and_do_not_fit_are_listed(db: TestDb) {
    let database = db.database().await;
    let unknown = Uuid::from_u128(7);
    let named = [ids([8, 10, 8]), vec![unknown], ids([7])].concat();
    let criteria = Criteria { ids: Some(named), ..Criteria::default() };
    let run = cleaned(database, &CleanupRequest { criteria, ..request() }).await;
    assert_eq!((run.sessions_total, run.sessions_deleted, run.sessions_skipped), (4, 2, 2));
    let expected = [(id(10), RefusalCode::NoLongerMatches), (unknown, RefusalCode::NotFound)];
    assert_eq!(why_skipped(database, run.id).await, expected);
    // Every id that was named is accounted for, also where a limit leaves some.
    let criteria = Criteria { ids: Some(ids([0, 1, 2])), limit: Some(1), ..Criteria::default() };
    let run = cleaned(database, &CleanupRequest { criteria, ..request() }).await;
    assert_eq!((run.sessions_total, run.sessions_deleted), (3, 1));
    assert!(!exists(&db, id(0)).await);
    let messages: Vec<_> = skipped(database, run.id).await.into_iter().map(|skipped| skipped.message).collect();
    assert_eq!(messages, ["It was named, but does not meet the other criteria or is not among the first 1."; 2]);
}

async fn a_session_that_the_database_refuses_does_not_keep_the_others(db: TestDb) {
    keepers(&db, &ids([0, 5])).await;
    let database = db.database().await;
    let run = cleaned(database, &request()).await;
    assert_eq!((run.status, run.sessions_deleted, run.sessions_skipped), (RunStatus::Succeeded, 7, 2));
    let left = skipped(database, run.id).await;
    assert_eq!(left.iter().map(|skipped| skipped.session_id).collect::<Vec<_>>(), ids([0, 5]));
    for skipped in left {
        assert_eq!(skipped.code, RefusalCode::BlockedByForeignKey);
        assert!(skipped.message.starts_with("1 row of keepers that would stay refer"), "{}", skipped.message);
    }
    assert_eq!(run.error, None);
}

async fn a_session_that_a_trigger_refuses_does_not_keep_the_others(db: TestDb) {
    let unloved = id(3);
    refuse(&db, unloved).await;
    let database = db.database().await;
    let run = cleaned(database, &request()).await;
    assert_eq!((run.status, run.sessions_deleted, run.sessions_skipped), (RunStatus::Succeeded, 8, 1));
    let left = skipped(database, run.id).await;
    assert_eq!((left[0].session_id, left[0].code), (unloved, RefusalCode::BlockedByForeignKey));
    assert_eq!(left[0].message, "The database refused: not this one.");
}

async fn a_run_of_which_the_database_refuses_every_session_has_failed(db: TestDb) {
    let database = in_trouble(&db).await;
    let dry = start(database, &CleanupRequest { dry_run: true, ..request() }).await;
    assert_eq!(dry.refusals, [], "one would go");
    assert_eq!((dry.would_go.unwrap().session_count, dry.skipped.len()), (1, 8));
    assert!(!dry.impact.unwrap().deletable);
    // Nothing refers to the last one's groups.
    let criteria = Criteria { ids: Some(ids(0..8)), ..Criteria::default() };
    let before = sessions(&db).await;
    let dry = start(database, &CleanupRequest { criteria: criteria.clone(), dry_run: true, ..request() }).await;
    assert_eq!(dry.refusals.iter().map(|refusal| refusal.code).collect::<Vec<_>>(), [RefusalCode::BlockedByForeignKey]);
    assert_eq!((dry.would_go.unwrap().session_count, dry.skipped.len()), (0, 8));
    let run = cleaned(database, &CleanupRequest { criteria, ..request() }).await;
    assert_eq!((run.status, run.sessions_deleted, run.sessions_skipped), (RunStatus::Failed, 0, 8));
    let left = skipped(database, run.id).await;
    assert!(left.iter().all(|skipped| skipped.code == RefusalCode::BlockedByForeignKey), "{left:?}");
    assert_eq!(run.error, Some(format!("No session could be deleted. {}", left[0].message)));
    assert_eq!(sessions(&db).await, before);
    assert_eq!(deletions(database, run.id).await, []);
    let run = cleaned(database, &request()).await;
    assert_eq!((run.status, run.sessions_deleted, run.sessions_skipped), (RunStatus::Succeeded, 1, 8));
    assert_eq!(run.error, None);
}
