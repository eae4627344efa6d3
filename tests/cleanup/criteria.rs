//! Tests of which sessions criteria match, and in what order.

use api::cleanup::{Criteria, preview};
use api::clock::Clock;
use api::db::{Database, DatabaseSettings};
use api::demo::scenario::{self, STALE_SESSIONS};
use api::session::SessionStatus;
use uuid::Uuid;

use super::{id, ids, impact_of};
use crate::support::legacy::{Legacy, Rules};
use crate::support::{TestDb, on_both};

on_both!(Adopted:
    a_preview_of_the_stale_sessions_is_the_impact_of_all_of_them,
    a_list_without_anything_takes_nothing,
    a_phone_number_is_wanted_or_not_or_either,
    a_session_that_was_updated_lately_is_too_young,
    a_limit_takes_the_least_recently_updated_first,
    a_search_finds_parts_and_nothing_else,
    criteria_are_joined_by_and,
    an_adopted_table_without_times_has_an_order_too,
);
on_both!(Empty: a_session_without_any_time_is_never_old, sessions_without_a_time_go_last);

/// Returns the ids of the sessions that a cleanup would delete, in its order.
async fn matching_sessions(database: &Database, criteria: &Criteria) -> Vec<Uuid> {
    let preview = preview(database, None, criteria).await.unwrap();
    assert_eq!(preview.session_count, i64::try_from(preview.sample.len()).unwrap(), "more than a sample");
    assert_eq!(preview.impact.session_count, preview.session_count);
    preview.sample.into_iter().map(|session| session.id).collect()
}

async fn connect_at(db: &TestDb, now: &str) -> Database {
    let clock = Clock::Fixed(now.parse().unwrap());
    Database::connect(DatabaseSettings { clock, ..db.settings() }).await.unwrap()
}

fn older_than(age: &str) -> Criteria {
    Criteria { older_than: Some(age.parse().unwrap()), ..Criteria::default() }
}

async fn a_preview_of_the_stale_sessions_is_the_impact_of_all_of_them(db: TestDb) {
    let stale = ids(0..STALE_SESSIONS);
    let preview = preview(db.database().await, None, &Criteria::default()).await.unwrap();
    assert_eq!(preview.impact, impact_of(&db, &stale).await);
    assert_eq!((preview.impact.rows_deleted, preview.impact.rows_unlinked), (1_512, 173));
    assert_eq!(preview.session_count, 9);
    assert_eq!(
        preview.sample.iter().map(|session| session.id).collect::<Vec<_>>(),
        stale,
        "least recently updated first"
    );
}

async fn a_list_without_anything_takes_nothing(db: TestDb) {
    let none = impact_of(&db, &[]).await;
    assert_eq!((none.session_count, none.rows_deleted, none.tables.len(), none.deletable), (0, 0, 0, true));
    for criteria in [
        Criteria { ids: Some(Vec::new()), ..Criteria::default() },
        Criteria { statuses: Vec::new(), ..Criteria::default() },
        Criteria { limit: Some(0), ..Criteria::default() },
    ] {
        let preview = preview(db.database().await, None, &criteria).await.unwrap();
        assert_eq!((preview.session_count, preview.sample.len()), (0, 0), "{criteria:?}");
        assert_eq!(preview.impact, none);
    }
}

async fn a_phone_number_is_wanted_or_not_or_either(db: TestDb) {
    db.exec(&format!("UPDATE whatsapp_sessions SET phone_number = '+1' WHERE id = '{}'", id(3))).await;
    let database = db.database().await;
    let criteria_with = |has_phone_number| Criteria { has_phone_number, ..Criteria::default() };
    assert_eq!(matching_sessions(database, &criteria_with(Some(true))).await, [id(3)]);
    assert_eq!(matching_sessions(database, &criteria_with(Some(false))).await, ids([0, 1, 2, 4, 5, 6, 7, 8]));
    assert_eq!(matching_sessions(database, &criteria_with(None)).await, ids(0..9));
}

async fn a_session_that_was_updated_lately_is_too_young(db: TestDb) {
    let set = async |session: usize, updated: &str| {
        db.exec(&format!("UPDATE whatsapp_sessions SET updated_at = {updated} WHERE id = '{}'", id(session))).await;
    };
    set(0, "'2026-11-20T12:00:00+00:00'").await;
    set(1, "'2026-11-20T12:00:00.001+00:00'").await;
    set(2, "'2026-11-20T11:59:59.999+00:00'").await;
    let database = connect_at(&db, "2026-11-21T12:00:00Z").await;
    assert_eq!(matching_sessions(&database, &older_than("PT24H")).await, ids([3, 4, 5, 6, 7, 8, 2]));
    assert_eq!(matching_sessions(&database, &older_than("PT23H59M")).await.len(), 9);
    assert_eq!(matching_sessions(&database, &older_than("P36500D")).await, ids([]));
}

async fn a_session_without_any_time_is_never_old(db: TestDb) {
    create_nullable_times(&db).await;
    db.exec(&format!("UPDATE whatsapp_sessions SET updated_at = NULL WHERE id IN ('{}', '{}')", id(0), id(1))).await;
    db.exec(&format!("UPDATE whatsapp_sessions SET created_at = NULL WHERE id = '{}'", id(1))).await;
    let database = connect_at(&db, "2026-11-21T12:00:00Z").await;
    // The age of a session that was never updated counts from its creation.
    assert_eq!(matching_sessions(&database, &older_than("PT1H")).await, ids([0, 2, 3, 4, 5, 6, 7, 8]));
}

async fn sessions_without_a_time_go_last(db: TestDb) {
    create_nullable_times(&db).await;
    db.exec(&format!("UPDATE whatsapp_sessions SET created_at = NULL, updated_at = NULL WHERE id = '{}'", id(0))).await;
    assert_eq!(matching_sessions(db.database().await, &Criteria::default()).await, ids([1, 2, 3, 4, 5, 6, 7, 8, 0]));
}

async fn a_limit_takes_the_least_recently_updated_first(db: TestDb) {
    db.exec(&format!(
        "UPDATE whatsapp_sessions SET updated_at = '2026-01-01T00:00:00+00:00' WHERE id IN ('{}', '{}')",
        id(5),
        id(6)
    ))
    .await;
    let first = Criteria { limit: Some(3), ..Criteria::default() };
    let mut oldest = ids([5, 6]);
    oldest.sort();
    assert_eq!(matching_sessions(db.database().await, &first).await, [oldest, ids([0])].concat(), "ties by id");
}

async fn a_search_finds_parts_and_nothing_else(db: TestDb) {
    db.exec(&format!("UPDATE whatsapp_sessions SET session_name = '100%_Off' WHERE id = '{}'", id(4))).await;
    let database = db.database().await;
    let search = |text: &str| Criteria { search: Some(text.to_owned()), ..Criteria::default() };
    assert_eq!(matching_sessions(database, &search("TALE-7")).await, [id(6)]);
    assert_eq!(matching_sessions(database, &search("%_o")).await, [id(4)]);
    assert_eq!(matching_sessions(database, &search("%")).await, [id(4)]);
    assert_eq!(matching_sessions(database, &search("8842D937")).await, [id(2)], "part of the id");
    assert_eq!(matching_sessions(database, &search("live")).await, ids([]), "the others are connected");
}

async fn criteria_are_joined_by_and(db: TestDb) {
    let database = db.database().await;
    let statuses = vec![SessionStatus::QrPending];
    let criteria_for = |sessions: &[usize]| Criteria {
        ids: Some(ids(sessions.iter().copied())),
        statuses: statuses.clone(),
        created_before: Some("2026-01-10T00:00:00Z".parse().unwrap()),
        ..Criteria::default()
    };
    let matching = matching_sessions(database, &Criteria { statuses: statuses.clone(), ..Criteria::default() }).await;
    assert_eq!(matching, ids([0, 2, 3, 5]));
    // Session 1 is connecting, 5 was created later, 10 is connected.
    assert_eq!(matching_sessions(database, &criteria_for(&[0, 1, 2, 5, 10])).await, ids([0, 2]));
}

async fn an_adopted_table_without_times_has_an_order_too(db: TestDb) {
    for column in ["created_at", "updated_at"] {
        db.exec(&format!("ALTER TABLE whatsapp_sessions DROP COLUMN {column}")).await;
    }
    let mut stale = ids(0..9);
    stale.sort();
    assert_eq!(matching_sessions(db.database().await, &Criteria::default()).await, stale);
    assert_eq!(matching_sessions(db.database().await, &older_than("PT0S")).await, ids([]), "nobody can tell");
}

/// Creates the business tables and data with nullable times, as an adopted deployment may have them.
async fn create_nullable_times(db: &TestDb) {
    let dialect = db.dialect();
    let mut statements = Legacy::new(Rules::mended()).nullable_timestamps().statements(dialect);
    statements.extend(scenario::statements(dialect, None));
    db.exec_all(&statements).await;
}
