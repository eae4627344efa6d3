//! Sessions that stand in one another's way.

use std::time::Duration;

use api::cleanup::{BatchSize, CleanupRequest, Criteria, RunStatus};
use api::impact::{impact_of, largest_deletable_set};
use api::refusal::RefusalCode;
use uuid::Uuid;

use super::{
    cleaned, deletions, finish, finish_singly, id, ids, keepers, refuse, request, sessions, started, ties, why_skipped,
};
use crate::support::{TestDb, on_both};

on_both!(Adopted:
    sessions_that_block_each_other_go_together,
    a_session_that_blocks_another_goes_with_it,
    a_ring_of_sessions_goes_together,
    of_sessions_that_block_one_another_the_most_go,
    what_can_go_together_is_the_most_that_can,
    a_ring_that_a_trigger_refuses_keeps_no_others,
);

/// The sessions of each deletion of a run.
async fn together(db: &TestDb, run: Uuid) -> Vec<Vec<Uuid>> {
    let made = deletions(db.database().await, run).await.into_iter();
    made.map(|deletion| deletion.sessions.into_iter().map(|session| session.id).collect()).collect()
}

async fn sessions_that_block_each_other_go_together(db: TestDb) {
    ties(&db, &[(id(1), id(6)), (id(6), id(1))]).await;
    let database = db.database().await;
    for alone in [1, 6] {
        assert!(!impact_of(database, &[id(alone)]).await.unwrap().deletable);
    }
    let run = started(database, &request()).await;
    let run = finish_singly(database, run.id).await;
    assert_eq!((run.status, run.sessions_deleted, run.sessions_skipped), (RunStatus::Succeeded, 9, 0));
    let made = together(&db, run.id).await;
    assert_eq!(made.last(), Some(&ids([1, 6])), "at the end, in one transaction: {made:?}");
    assert_eq!(sessions(&db).await.len(), 5);
}

async fn a_session_that_blocks_another_goes_with_it(db: TestDb) {
    ties(&db, &[(id(6), id(1))]).await;
    let database = db.database().await;
    assert!(!impact_of(database, &[id(1)]).await.unwrap().deletable);
    let run = cleaned(database, &request()).await;
    assert_eq!((run.status, run.sessions_deleted), (RunStatus::Succeeded, 9));
    assert_eq!(together(&db, run.id).await, [ids(0..9)], "in one batch, one transaction");
}

async fn a_ring_of_sessions_goes_together(db: TestDb) {
    let ring: Vec<(Uuid, Uuid)> = (0..9).map(|session| (id(session), id((session + 1) % 9))).collect();
    ties(&db, &ring).await;
    let database = db.database().await;
    let run = started(database, &request()).await;
    let run = finish_singly(database, run.id).await;
    assert_eq!((run.status, run.sessions_deleted), (RunStatus::Succeeded, 9));
    assert_eq!(together(&db, run.id).await, [ids(0..9)], "no part of it could go");
}

async fn of_sessions_that_block_one_another_the_most_go(db: TestDb) {
    // 0 waits for 1, which waits for 2, which nobody lets go; 3 and 4 wait for each other; 5 for a connected session.
    let tied = [(1, 0), (2, 1), (3, 4), (4, 3), (9, 5)].map(|(of, to)| (id(of), id(to)));
    ties(&db, &tied).await;
    keepers(&db, &ids([2])).await;
    let database = db.database().await;
    for first in [true, false] {
        let run = if first {
            finish_singly(database, started(database, &request()).await.id).await
        } else {
            cleaned(database, &request()).await
        };
        let blocked = ids([0, 1, 2, 5]).into_iter().map(|id| (id, RefusalCode::BlockedByForeignKey));
        assert_eq!(why_skipped(database, run.id).await, blocked.collect::<Vec<_>>());
        // The second time there is nothing but what is blocked.
        assert_eq!(run.sessions_deleted, if first { 5 } else { 0 });
        assert_eq!(run.status, if first { RunStatus::Succeeded } else { RunStatus::Failed });
    }
}

async fn what_can_go_together_is_the_most_that_can(db: TestDb) {
    let tied = [(1, 0), (2, 1), (3, 4), (4, 3), (9, 5), (7, 7)].map(|(of, to)| (id(of), id(to)));
    ties(&db, &tied).await;
    keepers(&db, &ids([2, 8])).await;
    let database = db.database().await;
    let all = ids(0..9);
    // Every subset of nine: the largest one that is deletable contains all others.
    let mut union: Vec<usize> = Vec::new();
    for subset in 0..512_usize {
        let members: Vec<usize> = (0..9).filter(|member| subset & (1 << member) != 0).collect();
        // Whoever is tied to a member without being one blocks it.
        let is_in = |session: &usize| members.contains(session);
        let waits = [(1, 0), (2, 1), (3, 4), (4, 3), (9, 5)];
        let fits = waits.iter().all(|(of, to)| !is_in(to) || is_in(of)) && !is_in(&2) && !is_in(&8);
        if fits {
            union.extend(members.iter().filter(|member| !union.contains(member)).copied().collect::<Vec<_>>());
        }
    }
    union.sort_unstable();
    let found = largest_deletable_set(database, &all).await.unwrap();
    assert_eq!(found.deletable, ids(union.clone()));
    let mut blocked: Vec<Uuid> = found.blocked.keys().copied().collect();
    blocked.sort();
    let mut rest: Vec<Uuid> = ids((0..9).filter(|session| !union.contains(session)));
    rest.sort();
    assert_eq!(blocked, rest);
    assert!(found.blocked.values().all(|blockers| !blockers.is_empty()));
    assert!(impact_of(database, &found.deletable).await.unwrap().deletable);
}

async fn a_ring_that_a_trigger_refuses_keeps_no_others(db: TestDb) {
    // A ring of 17, of which the trigger refuses one; behind it pairs, so many that the batches are of many sizes.
    let many = add_sessions(&db, 57).await;
    let partner = |place: usize| match place {
        16 => 0,
        0..16 => place + 1,
        _ => ((place - 17) ^ 1) + 17,
    };
    let tied: Vec<(Uuid, Uuid)> = (0..57).map(|place| (many[place], many[partner(place)])).collect();
    ties(&db, &tied).await;
    refuse(&db, many[0]).await;
    let database = db.database().await;
    let criteria = Criteria { ids: Some(many.clone()), ..Criteria::default() };
    let run = started(database, &CleanupRequest { criteria, ..request() }).await;
    let finished = tokio::time::timeout(Duration::from_mins(1), finish(database, run.id, BatchSize::default())).await;
    let run = finished.expect("the run comes to an end");
    assert_eq!((run.status, run.sessions_deleted, run.sessions_skipped), (RunStatus::Succeeded, 40, 17));
    let left: Vec<Uuid> = why_skipped(database, run.id).await.into_iter().map(|(id, _)| id).collect();
    assert_eq!(left, many[..17]);
}

/// Sessions of one group each, in the order in which they go.
async fn add_sessions(db: &TestDb, count: u128) -> Vec<Uuid> {
    let ids: Vec<Uuid> = (1..=count).map(Uuid::from_u128).collect();
    let moment = "2026-01-01T00:00:00+00:00";
    for (number, id) in ids.iter().enumerate() {
        let group = Uuid::from_u128(1_000_000 + u128::try_from(number).unwrap());
        db.exec(&format!(
            "INSERT INTO whatsapp_sessions (id, session_name, status, created_at, updated_at) \
             VALUES ('{id}', 'added', 'disconnected', '{moment}', '{moment}')"
        ))
        .await;
        db.exec(&format!(
            "INSERT INTO whatsapp_groups (id, session_id, group_jid, group_name, participant_count, created_at, updated_at) \
             VALUES ('{group}', '{id}', 'jid', 'added', 0, '{moment}', '{moment}')"
        ))
        .await;
    }
    ids
}
