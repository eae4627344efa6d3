//! Tests that a deletion is refused with `IMPACT_CHANGED` when its impact differs from the expected one.

use api::db::Database;
use api::deletion::DeletionRequest;
use api::impact::{self, ImpactChange};
use api::refusal::{Refusal, RefusalCode};

use super::{
    OTHER, STALE, assert_refused, assert_refused_unchanged, delete_sessions, field_path, find_first_group, id, id_type,
    preview, request,
};
use crate::support::{TestDb, WithTerms as _, on_both};

on_both!(Adopted:
    a_row_that_came_after_the_preview_is_named,
    a_row_that_went_after_the_preview_is_named,
    every_table_that_differs_is_named_once,
    the_same_counts_under_another_rule_are_another_impact,
    the_token_of_other_sessions_is_refused,
    equal_states_give_equal_tokens_on_two_connections,
);

const ELSEWHERE: &str = "The sessions or the foreign keys are not those of the preview. Preview again.";

async fn request_after_preview(db: &TestDb, session: usize) -> DeletionRequest {
    request(session).expected_impact(preview(db, &[session]).await.token)
}

fn impact_changed_refusal(message: &str) -> Refusal {
    Refusal { code: RefusalCode::ImpactChanged, message: message.to_owned(), field: Some(field_path("expectedImpact")) }
}

/// Adds an admin, always with the same values, to the first group of a session.
async fn add_admin(db: &TestDb, session: usize) {
    let group = find_first_group(db, session).await;
    let values = format!("'aaaaaaaa-0000-4000-8000-000000000001', '{group}', '+1', '2026-01-01T00:00:00+00:00'");
    db.exec(&format!("INSERT INTO whatsapp_group_admins (id, group_id, phone, created_at) VALUES ({values})")).await;
}

fn admin_change(before: i64, now: i64) -> ImpactChange {
    ImpactChange {
        table: "whatsapp_group_admins".to_owned(),
        rows_deleted_before: before,
        rows_deleted_now: now,
        rows_unlinked_before: 0,
        rows_unlinked_now: 0,
    }
}

async fn a_row_that_came_after_the_preview_is_named(db: TestDb) {
    let request = request_after_preview(&db, STALE).await;
    let before = preview(&db, &[STALE]).await;
    add_admin(&db, STALE).await;
    let outcome = assert_refused_unchanged(&db, &request).await;
    assert_eq!(
        outcome.refusals,
        [impact_changed_refusal("The impact on whatsapp_group_admins has changed since the preview. Preview again.")]
    );
    let rows = before.tables.iter().find(|table| table.table == "whatsapp_group_admins").unwrap().rows_deleted;
    assert_eq!(outcome.changes, [admin_change(rows, rows + 1)]);
    delete_sessions(db.database().await, &request_after_preview(&db, STALE).await).await;
}

async fn a_row_that_went_after_the_preview_is_named(db: TestDb) {
    add_admin(&db, STALE).await;
    let request = request_after_preview(&db, STALE).await;
    let groups = format!("SELECT id FROM whatsapp_groups WHERE session_id = '{}'", id(STALE));
    let rows = db.rows(&format!("SELECT count(*) FROM whatsapp_group_admins WHERE group_id IN ({groups})")).await;
    db.exec(&format!("DELETE FROM whatsapp_group_admins WHERE group_id IN ({groups})")).await;
    let outcome = assert_refused_unchanged(&db, &request).await;
    assert_eq!(outcome.changes, [admin_change(rows[0][0].parse().unwrap(), 0)]);
}

async fn every_table_that_differs_is_named_once(db: TestDb) {
    let request = request_after_preview(&db, STALE).await;
    add_admin(&db, STALE).await;
    let group = find_first_group(&db, STALE).await;
    let free = "SELECT min(CAST(id AS text)) FROM dynamic_links WHERE whatsapp_group_id IS NULL";
    let link = db.rows(free).await[0][0].clone();
    db.exec(&format!("UPDATE dynamic_links SET whatsapp_group_id = '{group}' WHERE id = '{link}'")).await;
    let outcome = assert_refused_unchanged(&db, &request).await;
    let mut tables: Vec<&str> = outcome.changes.iter().map(|change| change.table.as_str()).collect();
    tables.sort_unstable();
    assert_eq!(tables, ["dynamic_links", "whatsapp_group_admins"]);
    let link = outcome.changes.iter().find(|change| change.table == "dynamic_links").unwrap();
    assert_eq!(link.rows_unlinked_now, link.rows_unlinked_before + 1);
    assert_eq!((link.rows_deleted_before, link.rows_deleted_now), (0, 0));
}

async fn the_same_counts_under_another_rule_are_another_impact(db: TestDb) {
    let kind = id_type(db.dialect());
    let notes = |rule: &str| {
        format!(
            "DROP TABLE IF EXISTS notes; \
             CREATE TABLE notes (id integer PRIMARY KEY, group_id {kind} REFERENCES whatsapp_groups (id) ON DELETE {rule})"
        )
    };
    let without = request_after_preview(&db, STALE).await;
    db.exec(&notes("CASCADE")).await;
    assert_eq!(assert_refused(&db, &without).await, impact_changed_refusal(ELSEWHERE));
    let cascading = request_after_preview(&db, STALE).await;
    for rule in ["SET NULL", "NO ACTION", "RESTRICT", "SET DEFAULT"] {
        db.exec(&notes(rule)).await;
        let outcome = assert_refused_unchanged(&db, &cascading).await;
        assert_eq!(
            (outcome.refusals, outcome.changes),
            (vec![impact_changed_refusal(ELSEWHERE)], Vec::new()),
            "{rule}"
        );
    }
    db.exec(&notes("CASCADE")).await;
    delete_sessions(db.database().await, &cascading).await;
}

async fn the_token_of_other_sessions_is_refused(db: TestDb) {
    // Two sessions without dependent rows, so that all counts are equal.
    for number in [1, 2] {
        let values = format!("'bbbbbbbb-0000-4000-8000-00000000000{number}', 'empty', 'disconnected'");
        let moment = "'2026-01-01T00:00:00+00:00'";
        db.exec(&format!(
            "INSERT INTO whatsapp_sessions (id, session_name, status, created_at, updated_at) \
             VALUES ({values}, {moment}, {moment})"
        ))
        .await;
    }
    let empty = |number: u8| format!("bbbbbbbb-0000-4000-8000-00000000000{number}").parse().unwrap();
    let one = impact::impact_of(db.database().await, &[empty(1)]).await.unwrap();
    let two = impact::impact_of(db.database().await, &[empty(2)]).await.unwrap();
    assert_eq!((one.rows_deleted, two.rows_deleted), (1, 1));
    let request = DeletionRequest { session_ids: vec![empty(2)], ..request(STALE) }.expected_impact(one.token);
    assert_eq!(assert_refused(&db, &request).await, impact_changed_refusal(ELSEWHERE));
    delete_sessions(db.database().await, &request.expected_impact(two.token)).await;
}

async fn equal_states_give_equal_tokens_on_two_connections(db: TestDb) {
    let another = Database::connect(db.settings()).await.unwrap();
    let (ordered, reordered) = (&[id(STALE), id(OTHER)], &[id(OTHER), id(STALE), id(OTHER)]);
    let one = impact::impact_of(db.database().await, ordered).await.unwrap();
    let two = impact::impact_of(&another, reordered).await.unwrap();
    assert_eq!(one, two);
    let alone = impact::impact_of_each(&another, ordered).await.unwrap();
    assert_eq!(alone[&id(STALE)], preview(&db, &[STALE]).await);
    // Changes that do not affect the deletion keep the token, and an undone change restores it.
    add_admin(&db, 0).await;
    db.exec("UPDATE whatsapp_sessions SET session_name = 'another'").await;
    assert_eq!(impact::impact_of(&another, ordered).await.unwrap().token, one.token);
    add_admin_again_and_take_it_back(&db).await;
    assert_eq!(impact::impact_of(&another, ordered).await.unwrap(), one);
}

async fn add_admin_again_and_take_it_back(db: &TestDb) {
    db.exec("DELETE FROM whatsapp_group_admins WHERE id = 'aaaaaaaa-0000-4000-8000-000000000001'").await;
    let before = preview(db, &[STALE, OTHER]).await.token;
    add_admin(db, STALE).await;
    assert_ne!(preview(db, &[STALE, OTHER]).await.token, before);
    db.exec("DELETE FROM whatsapp_group_admins WHERE id = 'aaaaaaaa-0000-4000-8000-000000000001'").await;
}
