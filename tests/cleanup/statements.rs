//! Tests that the number of statements of a batch does not depend on its number of sessions.

use api::cleanup::{BatchSize, CleanupRequest, Criteria};
use api::db::Dialect;

use super::{create_run, finish, request, run_cleanup};
use crate::support::{TestDb, on_both};

on_both!(long Adopted: a_list_is_fixed_with_one_statement, a_batch_costs_the_same_for_any_number_of_sessions);

/// Creates sessions, each with one group that has one admin.
async fn add_sessions(db: &TestDb, count: usize) {
    let uuid_text = |number: usize, kind: u8| format!("{kind:08x}-aaaa-4000-8000-{number:012}");
    let timestamp = "'2026-01-01T00:00:00+00:00'";
    let rows = |row: &dyn Fn(usize) -> String| (0..count).map(row).collect::<Vec<_>>().join(", ");
    let session = |n| format!("('{}', 'many', 'disconnected', {timestamp}, {timestamp})", uuid_text(n, 1));
    let group = |n| format!("('{}', '{}', 'j', 'g', 0, {timestamp}, {timestamp})", uuid_text(n, 2), uuid_text(n, 1));
    let admin = |n| format!("('{}', '{}', '+1', {timestamp})", uuid_text(n, 3), uuid_text(n, 2));
    db.exec_all(&[
        format!(
            "INSERT INTO whatsapp_sessions (id, session_name, status, created_at, updated_at) VALUES {}",
            rows(&session)
        ),
        format!(
            "INSERT INTO whatsapp_groups (id, session_id, group_jid, group_name, participant_count, created_at, \
             updated_at) VALUES {}",
            rows(&group)
        ),
        format!("INSERT INTO whatsapp_group_admins (id, group_id, phone, created_at) VALUES {}", rows(&admin)),
    ])
    .await;
}

fn request_for(limit: u32) -> CleanupRequest {
    let criteria = Criteria { search: Some("many".to_owned()), limit: Some(limit), ..Criteria::default() };
    CleanupRequest { criteria, ..request() }
}

async fn a_batch_costs_the_same_for_any_number_of_sessions(db: TestDb) {
    add_sessions(&db, 350).await;
    let (database, counter) = db.counted().await;
    let mut costs = Vec::new();
    for sessions in [30, 100, 200] {
        let run = create_run(&database, &request_for(sessions)).await;
        counter.take();
        let run = finish(&database, run.id, BatchSize::default()).await;
        assert_eq!(run.sessions_deleted, i64::from(sessions));
        costs.push(counter.take().len());
    }
    assert_eq!(costs[0], costs[1], "one batch, and one end");
    let limit_of_statements = match db.dialect() {
        Dialect::Postgres => 70,
        Dialect::Sqlite => 150,
    };
    assert!(costs[1] < limit_of_statements, "{costs:?}");
    assert!(costs[2] < 2 * costs[1], "two batches: {costs:?}");
}

async fn a_list_is_fixed_with_one_statement(db: TestDb) {
    add_sessions(&db, 350).await;
    let (database, counter) = db.counted().await;
    let mut costs = Vec::new();
    for sessions in [20, 340] {
        let run = create_run(&database, &request_for(sessions)).await;
        assert_eq!(run.sessions_total, i64::from(sessions));
        costs.push(counter.take().len());
    }
    assert_eq!(costs[0], costs[1]);
    let run = run_cleanup(&database, &request_for(350)).await;
    assert_eq!(run.sessions_deleted, 350);
}
