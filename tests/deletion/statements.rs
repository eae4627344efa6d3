//! Tests that the number of statements does not depend on the number of sessions.

use api::db::Dialect;
use api::deletion::DeletionRequest;
use api::impact;
use uuid::Uuid;

use super::{delete, request};
use crate::support::{TestDb, on_both};

on_both!(Adopted: an_impact_costs_the_same_for_any_number_of_sessions);
on_both!(Adopted: a_deletion_costs_the_same_for_any_number_of_sessions);

/// Creates sessions, each with one group that has an admin and a link.
async fn create_sessions(db: &TestDb, count: usize) -> Vec<Uuid> {
    let text = |number: usize, kind: u8| format!("{kind:08x}-aaaa-4000-8000-{number:012}");
    let moment = "'2026-01-01T00:00:00+00:00'";
    let rows = |row: &dyn Fn(usize) -> String| (0..count).map(row).collect::<Vec<_>>().join(", ");
    let session = |n| format!("('{}', 's', 'disconnected', {moment}, {moment})", text(n, 1));
    let group = |n| format!("('{}', '{}', 'j', 'g', 0, {moment}, {moment})", text(n, 2), text(n, 1));
    let admin = |n| format!("('{}', '{}', '+1', {moment})", text(n, 3), text(n, 2));
    let link = |n| format!("('{}', 'slug-{n}', 'u', '{}', {moment})", text(n, 4), text(n, 2));
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
        format!(
            "INSERT INTO dynamic_links (id, slug, target_url, whatsapp_group_id, created_at) VALUES {}",
            rows(&link)
        ),
    ])
    .await;
    (0..count).map(|number| text(number, 1).parse().unwrap()).collect()
}

async fn an_impact_costs_the_same_for_any_number_of_sessions(db: TestDb) {
    let ids = create_sessions(&db, 1_000).await;
    let (database, counter) = db.counted().await;
    let mut costs = Vec::new();
    for count in [1, 50, 1_000] {
        let impact = impact::impact_of(&database, &ids[..count]).await.unwrap();
        assert_eq!(impact.rows_deleted, i64::try_from(3 * count).unwrap());
        costs.push(counter.take());
    }
    for count in [1, 50] {
        let impacts = impact::impact_of_each(&database, &ids[..count]).await.unwrap();
        assert_eq!(impacts.len(), count);
        costs.push(counter.take());
    }
    // One statement reads the catalog, one counts.
    assert!(costs.iter().all(|statements| statements.len() == 2), "{costs:#?}");
    // Few sessions are counted with another statement than many. Within each range the text does not change either.
    assert_eq!((&costs[1], &costs[3]), (&costs[2], &costs[4]));
}

async fn a_deletion_costs_the_same_for_any_number_of_sessions(db: TestDb) {
    let ids = create_sessions(&db, 101).await;
    let (database, counter) = db.counted().await;
    let mut costs = Vec::new();
    for sessions in [&ids[..1], &ids[1..]] {
        let outcome = delete(&database, &DeletionRequest { session_ids: sessions.to_vec(), ..request(0) }).await;
        let deletion = outcome.deletion.unwrap_or_else(|| panic!("{:?}", outcome.refusals));
        assert_eq!(deletion.rows_deleted, i64::try_from(3 * sessions.len()).unwrap());
        assert_eq!(deletion.rows_unlinked, i64::try_from(sessions.len()).unwrap());
        costs.push(counter.take());
    }
    assert_eq!(costs[0].len(), costs[1].len());
    let most = match db.dialect() {
        Dialect::Postgres => 40,
        // On SQLite no statement changes several tables.
        Dialect::Sqlite => 120,
    };
    assert!(costs[0].len() > 5 && costs[0].len() < most, "{}: {:#?}", costs[0].len(), costs[0]);
}
