//! Tests of sessions that block each other's deletion.

use std::time::Duration;

use api::cleanup::{BatchSize, CleanupRequest, Criteria, RunStatus};
use api::impact::{impact_of, largest_deletable_set};
use api::refusal::RefusalCode;
use uuid::Uuid;

use super::{
    block_sessions, create_run, finish, finish_singly, id, ids, list_deletions, refuse_deletion, request, run_cleanup,
    session_ids, skip_reasons, tie_sessions,
};
use crate::support::{TestDb, on_both};

on_both!(Adopted:
    sessions_that_block_each_other_go_together,
    a_session_that_blocks_another_goes_with_it,
    a_ring_of_sessions_goes_together,
    of_sessions_that_block_one_another_the_most_go,
    what_can_go_together_is_the_most_that_can,
);
on_both!(long Adopted: a_ring_that_a_trigger_refuses_keeps_no_others);

/// Returns the sessions of each deletion of a run.
async fn deleted_batches(db: &TestDb, run: Uuid) -> Vec<Vec<Uuid>> {
    let deletions = list_deletions(db.database().await, run).await.into_iter();
    deletions.map(|deletion| deletion.sessions.into_iter().map(|session| session.id).collect()).collect()
}

async fn sessions_that_block_each_other_go_together(db: TestDb) {
    tie_sessions(&db, &[(id(1), id(6)), (id(6), id(1))]).await;
    let database = db.database().await;
    for alone in [1, 6] {
        assert!(!impact_of(database, &[id(alone)]).await.unwrap().deletable);
    }
    let run = create_run(database, &request()).await;
    let run = finish_singly(database, run.id).await;
    assert_eq!((run.status, run.sessions_deleted, run.sessions_skipped), (RunStatus::Succeeded, 9, 0));
    let batches = deleted_batches(&db, run.id).await;
    assert_eq!(batches.last(), Some(&ids([1, 6])), "at the end, in one transaction: {batches:?}");
    assert_eq!(session_ids(&db).await.len(), 5);
}

async fn a_session_that_blocks_another_goes_with_it(db: TestDb) {
    tie_sessions(&db, &[(id(6), id(1))]).await;
    let database = db.database().await;
    assert!(!impact_of(database, &[id(1)]).await.unwrap().deletable);
    let run = run_cleanup(database, &request()).await;
    assert_eq!((run.status, run.sessions_deleted), (RunStatus::Succeeded, 9));
    assert_eq!(deleted_batches(&db, run.id).await, [ids(0..9)], "in one batch, one transaction");
}

async fn a_ring_of_sessions_goes_together(db: TestDb) {
    let ring: Vec<(Uuid, Uuid)> = (0..9).map(|session| (id(session), id((session + 1) % 9))).collect();
    tie_sessions(&db, &ring).await;
    let database = db.database().await;
    let run = create_run(database, &request()).await;
    let run = finish_singly(database, run.id).await;
    assert_eq!((run.status, run.sessions_deleted), (RunStatus::Succeeded, 9));
    assert_eq!(deleted_batches(&db, run.id).await, [ids(0..9)], "no part of it could go");
}

async fn of_sessions_that_block_one_another_the_most_go(db: TestDb) {
    // 0 is blocked by 1, which is blocked by 2, which is always blocked. 3 and 4 block each other. 5 is blocked by a
    // connected session.
    let pairs = [(1, 0), (2, 1), (3, 4), (4, 3), (9, 5)].map(|(first, second)| (id(first), id(second)));
    tie_sessions(&db, &pairs).await;
    block_sessions(&db, &ids([2])).await;
    let database = db.database().await;
    for first in [true, false] {
        let run = if first {
            finish_singly(database, create_run(database, &request()).await.id).await
        } else {
            run_cleanup(database, &request()).await
        };
        let blocked = ids([0, 1, 2, 5]).into_iter().map(|id| (id, RefusalCode::BlockedByForeignKey));
        assert_eq!(skip_reasons(database, run.id).await, blocked.collect::<Vec<_>>());
        // For the second run, only the blocked sessions remain.
        assert_eq!(run.sessions_deleted, if first { 5 } else { 0 });
        assert_eq!(run.status, if first { RunStatus::Succeeded } else { RunStatus::Failed });
    }
}

async fn what_can_go_together_is_the_most_that_can(db: TestDb) {
    let pairs = [(1, 0), (2, 1), (3, 4), (4, 3), (9, 5), (7, 7)].map(|(first, second)| (id(first), id(second)));
    tie_sessions(&db, &pairs).await;
    block_sessions(&db, &ids([2, 8])).await;
    let database = db.database().await;
    let all = ids(0..9);
    // Of all subsets of nine, the largest deletable one contains all the other deletable ones.
    let mut union: Vec<usize> = Vec::new();
    for subset in 0..512_usize {
        let members: Vec<usize> = (0..9).filter(|member| subset & (1 << member) != 0).collect();
        // A session outside the subset blocks the members that depend on it.
        let is_member = |session: &usize| members.contains(session);
        let dependencies = [(1, 0), (2, 1), (3, 4), (4, 3), (9, 5)];
        let is_deletable = dependencies.iter().all(|(first, second)| !is_member(second) || is_member(first))
            && !is_member(&2)
            && !is_member(&8);
        if is_deletable {
            union.extend(members.iter().filter(|member| !union.contains(member)).copied().collect::<Vec<_>>());
        }
    }
    union.sort_unstable();
    let found = largest_deletable_set(database, &all).await.unwrap();
    assert_eq!(found.deletable, ids(union.clone()));
    let mut blocked: Vec<Uuid> = found.blocked.keys().copied().collect();
    blocked.sort();
    let mut others: Vec<Uuid> = ids((0..9).filter(|session| !union.contains(session)));
    others.sort();
    assert_eq!(blocked, others);
    assert!(found.blocked.values().all(|blockers| !blockers.is_empty()));
    assert!(impact_of(database, &found.deletable).await.unwrap().deletable);
}

async fn a_ring_that_a_trigger_refuses_keeps_no_others(db: TestDb) {
    // A trigger refuses one session of a ring of 17. Enough pairs follow for batches of different sizes.
    let sessions = add_sessions(&db, 57).await;
    let partner = |place: usize| match place {
        16 => 0,
        0..16 => place + 1,
        _ => ((place - 17) ^ 1) + 17,
    };
    let pairs: Vec<(Uuid, Uuid)> = (0..57).map(|place| (sessions[place], sessions[partner(place)])).collect();
    tie_sessions(&db, &pairs).await;
    refuse_deletion(&db, sessions[0]).await;
    let database = db.database().await;
    let criteria = Criteria { ids: Some(sessions.clone()), ..Criteria::default() };
    let run = create_run(database, &CleanupRequest { criteria, ..request() }).await;
    let finished = tokio::time::timeout(Duration::from_mins(1), finish(database, run.id, BatchSize::default())).await;
    let run = finished.expect("the run comes to an end");
    assert_eq!((run.status, run.sessions_deleted, run.sessions_skipped), (RunStatus::Succeeded, 40, 17));
    let skipped: Vec<Uuid> = skip_reasons(database, run.id).await.into_iter().map(|(id, _)| id).collect();
    assert_eq!(skipped, sessions[..17]);
}

/// Creates sessions of one group each, and returns their ids in the order of deletion.
async fn add_sessions(db: &TestDb, count: u128) -> Vec<Uuid> {
    let ids: Vec<Uuid> = (1..=count).map(Uuid::from_u128).collect();
    let timestamp = "2026-01-01T00:00:00+00:00";
    for (number, id) in ids.iter().enumerate() {
        let group = Uuid::from_u128(1_000_000 + u128::try_from(number).unwrap());
        db.exec(&format!(
            "INSERT INTO whatsapp_sessions (id, session_name, status, created_at, updated_at) \
             VALUES ('{id}', 'added', 'disconnected', '{timestamp}', '{timestamp}')"
        ))
        .await;
        db.exec(&format!(
            "INSERT INTO whatsapp_groups (id, session_id, group_jid, group_name, participant_count, created_at, updated_at) \
             VALUES ('{group}', '{id}', 'jid', 'added', 0, '{timestamp}', '{timestamp}')"
        ))
        .await;
    }
    ids
}
