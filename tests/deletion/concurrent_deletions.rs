//! Tests of several deletions that execute at the same time.

use std::collections::BTreeSet;

use api::db::Dialect;
use api::deletion::DeletionRequest;
use api::demo::scenario::STALE_SESSIONS;
use api::refusal::RefusalCode;

use super::concurrent_writers::{DeletionPause, spawn_deletion, wait_for_lock_waiters};
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
    let first = spawn_deletion(&db, request(STALE)).await;
    pause.wait_until_reached(&db).await;
    let second = spawn_deletion(&db, request(STALE)).await;
    wait_for_lock_waiters(&db, 2).await;
    pause.release().await;
    let first = first.await.unwrap();
    assert!(first.deletion.is_some(), "{:?}", first.refusals);
    assert_eq!(codes(&second.await.unwrap()), [RefusalCode::NotFound]);
    assert_eq!(db.count("session_admin.deletions").await, 1);
}

async fn two_clients_with_one_key_delete_once(db: TestDb) {
    let keyed = request(STALE).idempotency_key("once");
    let pause = DeletionPause::before_sessions(&db).await;
    let first = spawn_deletion(&db, keyed.clone()).await;
    pause.wait_until_reached(&db).await;
    let second = spawn_deletion(&db, keyed).await;
    wait_for_lock_waiters(&db, 2).await;
    pause.release().await;
    let (first, second) = (first.await.unwrap(), second.await.unwrap());
    assert!(first.deletion.is_some(), "{:?}", first.refusals);
    assert_eq!((first.deletion, first.impact), (second.deletion, second.impact));
    assert_eq!(db.count("session_admin.deletions").await, 1);
}

async fn deletions_of_different_sessions_do_not_wait_for_each_other(db: TestDb) {
    let pause = DeletionPause::before_sessions(&db).await;
    let first = spawn_deletion(&db, request(STALE)).await;
    pause.wait_until_reached(&db).await;
    // The second deletion gets just as far: it waits only for the advisory lock of the pause.
    let second = spawn_deletion(&db, request(OTHER)).await;
    wait_for_lock_waiters(&db, 2).await;
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
        let forward = spawn_deletion(&db, together(pair)).await;
        let reversed = spawn_deletion(&db, together([pair[1], pair[0]])).await;
        let outcomes = [forward.await.unwrap(), reversed.await.unwrap()];
        let deletions: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.deletion.as_ref()).collect();
        assert_eq!(deletions.len(), 1, "{outcomes:?}");
        assert_eq!((deletions[0].rows_deleted, &deletions[0].tables), (expected.rows_deleted, &expected.tables));
        let refused = outcomes.iter().find(|outcome| outcome.deletion.is_none()).unwrap();
        assert!(matches!(codes(refused)[..], [RefusalCode::NotFound | RefusalCode::LockTimeout]), "{refused:?}");
        assert_eq!(db.count("whatsapp_sessions").await, sessions - 2);
        let deleted_groups =
            expected.tables.iter().find(|table| table.table == "whatsapp_groups").unwrap().rows_deleted;
        assert_eq!(db.count("whatsapp_groups").await, groups - deleted_groups);
    }
}

async fn all_stale_sessions_go_at_once(db: TestDb) {
    let groups = db.count("whatsapp_groups").await;
    let mut remaining: BTreeSet<usize> = (0..STALE_SESSIONS).collect();
    // Deletions that share a webinar may conflict. The refused ones report this and succeed when repeated.
    while !remaining.is_empty() {
        let mut running = Vec::new();
        for &session in &remaining {
            running.push((session, spawn_deletion(&db, request(session)).await));
        }
        let before = remaining.len();
        for (session, outcome) in running {
            let outcome = outcome.await.unwrap();
            if outcome.deletion.is_some() {
                remaining.remove(&session);
            } else {
                assert_eq!(db.dialect(), Dialect::Postgres, "SQLite's deletions take turns: {:?}", outcome.refusals);
                let codes = codes(&outcome);
                assert!(codes == [RefusalCode::LockTimeout] || codes == [RefusalCode::ImpactChanged], "{outcome:?}");
            }
        }
        assert!(remaining.len() < before, "no deletion made it");
    }
    assert_eq!(db.count("whatsapp_groups").await, groups - 580);
    assert_eq!(db.count("whatsapp_sessions").await, 5);
    let recorded = format!("SELECT sum(rows_deleted) FROM {}", db.dialect().internal_table("deletions"));
    assert_eq!(db.rows(&recorded).await, [["1512"]]);
}
