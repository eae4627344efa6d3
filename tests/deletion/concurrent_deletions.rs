//! Several deletions at once.

use std::collections::BTreeSet;

use api::db::Dialect;
use api::deletion::DeletionRequest;
use api::demo::scenario::STALE_SESSIONS;
use api::refusal::RefusalCode;

use super::concurrent_writers::{DeletionPause, begin, until_waiting};
use super::{OTHER, STALE, codes, id, preview, request};
use crate::support::{TestDb, WithTerms as _, on_both, only};

on_both!(Adopted: overlapping_deletions_never_lose_rows, all_stale_sessions_go_at_once);
only!(postgres Adopted:
    of_two_deletions_of_one_session_one_deletes,
    two_clients_with_one_key_delete_once,
    deletions_of_different_sessions_do_not_wait_for_each_other,
);

async fn of_two_deletions_of_one_session_one_deletes(db: TestDb) {
    let pause = DeletionPause::before_sessions(&db).await;
    let first = begin(&db, request(STALE)).await;
    pause.wait_until_reached(&db).await;
    let second = begin(&db, request(STALE)).await;
    until_waiting(&db, 2).await;
    pause.release().await;
    let first = first.await.unwrap();
    assert!(first.deletion.is_some(), "{:?}", first.refusals);
    assert_eq!(codes(&second.await.unwrap()), [RefusalCode::NotFound]);
    assert_eq!(db.count("session_admin.deletions").await, 1);
}

async fn two_clients_with_one_key_delete_once(db: TestDb) {
    let keyed = request(STALE).idempotency_key("once");
    let pause = DeletionPause::before_sessions(&db).await;
    let first = begin(&db, keyed.clone()).await;
    pause.wait_until_reached(&db).await;
    let second = begin(&db, keyed).await;
    until_waiting(&db, 2).await;
    pause.release().await;
    let (first, second) = (first.await.unwrap(), second.await.unwrap());
    assert!(first.deletion.is_some(), "{:?}", first.refusals);
    assert_eq!((first.deletion, first.impact), (second.deletion, second.impact));
    assert_eq!(db.count("session_admin.deletions").await, 1);
}

async fn deletions_of_different_sessions_do_not_wait_for_each_other(db: TestDb) {
    let pause = DeletionPause::before_sessions(&db).await;
    let first = begin(&db, request(STALE)).await;
    pause.wait_until_reached(&db).await;
    // The second one gets as far: it waits at the gate and for nothing else.
    let second = begin(&db, request(OTHER)).await;
    until_waiting(&db, 2).await;
    let at_gate = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                   AND wait_event_type = 'Lock' AND wait_event = 'advisory'";
    assert_eq!(db.rows(at_gate).await, [["2"]]);
    pause.release().await;
    assert_eq!(first.await.unwrap().refusals, []);
    assert_eq!(second.await.unwrap().refusals, []);
}

async fn overlapping_deletions_never_lose_rows(db: TestDb) {
    for pair in [[8, 7], [6, 5], [4, 3]] {
        let expected = preview(&db, &pair).await;
        let (sessions, groups) = (db.count("whatsapp_sessions").await, db.count("whatsapp_groups").await);
        let together = |sessions: [usize; 2]| DeletionRequest { session_ids: sessions.map(id).to_vec(), ..request(0) };
        let there = begin(&db, together(pair)).await;
        let back = begin(&db, together([pair[1], pair[0]])).await;
        let outcomes = [there.await.unwrap(), back.await.unwrap()];
        let made: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.deletion.as_ref()).collect();
        assert_eq!(made.len(), 1, "{outcomes:?}");
        assert_eq!((made[0].rows_deleted, &made[0].tables), (expected.rows_deleted, &expected.tables));
        let refused = outcomes.iter().find(|outcome| outcome.deletion.is_none()).unwrap();
        assert!(matches!(codes(refused)[..], [RefusalCode::NotFound | RefusalCode::LockTimeout]), "{refused:?}");
        assert_eq!(db.count("whatsapp_sessions").await, sessions - 2);
        let gone = expected.tables.iter().find(|table| table.table == "whatsapp_groups").unwrap().rows_deleted;
        assert_eq!(db.count("whatsapp_groups").await, groups - gone);
    }
}

async fn all_stale_sessions_go_at_once(db: TestDb) {
    let groups = db.count("whatsapp_groups").await;
    let mut left: BTreeSet<usize> = (0..STALE_SESSIONS).collect();
    // Deletions that meet in one webinar may have to make way for each other; they are told so, and go the next time.
    while !left.is_empty() {
        let mut running = Vec::new();
        for &session in &left {
            running.push((session, begin(&db, request(session)).await));
        }
        let before = left.len();
        for (session, outcome) in running {
            let outcome = outcome.await.unwrap();
            if outcome.deletion.is_some() {
                left.remove(&session);
            } else {
                assert_eq!(db.dialect(), Dialect::Postgres, "SQLite's deletions take turns: {:?}", outcome.refusals);
                let codes = codes(&outcome);
                assert!(codes == [RefusalCode::LockTimeout] || codes == [RefusalCode::ImpactChanged], "{outcome:?}");
            }
        }
        assert!(left.len() < before, "no deletion made it");
    }
    assert_eq!(db.count("whatsapp_groups").await, groups - 580);
    assert_eq!(db.count("whatsapp_sessions").await, 5);
    let recorded = format!("SELECT sum(rows_deleted) FROM {}", db.dialect().internal_table("deletions"));
    assert_eq!(db.rows(&recorded).await, [["1512"]]);
}
