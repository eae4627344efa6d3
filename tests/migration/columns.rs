//! Tests of `migrate` on adopted databases whose columns and tables differ: other types, additional ones, missing ones.

use api::demo::scenario;
use serde_json::json;

use super::{FINAL_RULES, fetch_rules};
use crate::cli::{document, run};
use crate::story::{assert_migrates_and_purges, left_without, rows_now};
use crate::support::legacy::{Legacy, Rules};
use crate::support::{TestDb, on_both};

on_both!(Empty:
    an_enum_status_is_read_as_text,
    extra_and_generated_columns_are_left_as_they_are,
    timestamps_may_be_null_and_without_zone,
    a_missing_table_is_done_without_and_not_made,
    a_missing_column_is_done_without_and_not_made,
    the_two_tables_alone_are_enough,
    a_database_with_some_of_the_tables_but_not_the_needed_ones_is_refused,
    without_the_columns_that_tell_a_stale_session_nothing_is_adopted,
    an_empty_database_gets_the_thirteen_tables,
);

async fn build_deployment(db: &TestDb, legacy: Legacy) {
    db.exec_all(&legacy.statements(db.dialect())).await;
    db.exec_all(&scenario::statements(db.dialect(), None)).await;
}

/// Returns the names of all tables but the internal ones and the queue's.
async fn list_tables(db: &TestDb) -> Vec<String> {
    let sql = if db.url().starts_with("sqlite") {
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'session_admin_%' \
         AND name NOT IN ('Jobs', 'Workers') ORDER BY 1"
    } else {
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') ORDER BY 1"
    };
    db.rows(sql).await.into_iter().map(|mut row| row.remove(0)).collect()
}

async fn an_enum_status_is_read_as_text(db: TestDb) {
    build_deployment(&db, Legacy::new(Rules::as_built()).enum_status()).await;
    assert_migrates_and_purges(&db).await;
}

async fn extra_and_generated_columns_are_left_as_they_are(db: TestDb) {
    let legacy = Legacy::new(Rules::as_built())
        .extra_column("whatsapp_sessions", "label text GENERATED ALWAYS AS (lower(session_name)) STORED")
        .extra_column("whatsapp_groups", "\"Our Note\" text DEFAULT 'none (REFERENCES nothing)'")
        .extra_column("webinars", "twice text GENERATED ALWAYS AS (title || ' ' || title) STORED")
        .extra_column("webinars", "price numeric CHECK (price >= 0)");
    build_deployment(&db, legacy).await;
    db.exec("UPDATE webinars SET price = 12.50").await;
    let left = db.snapshot("(SELECT id, title, twice, price FROM webinars)").await;
    // Compares the additional columns too, which `rows_now` does not.
    let groups = "(SELECT id, \"Our Note\" FROM whatsapp_groups WHERE session_id IN
        (SELECT id FROM whatsapp_sessions WHERE status = 'connected'))";
    let (groups_left, sessions_left) =
        (db.snapshot(groups).await, db.snapshot("(SELECT * FROM whatsapp_sessions WHERE status = 'connected')").await);
    let (code, report) = document(&db, &["migrate", "--yes"]);
    assert_eq!((code, &report["pending"]), (0, &json!([])), "{report}");
    assert_eq!(fetch_rules(&db, "public").await, FINAL_RULES);
    assert_eq!(report["purge"]["deletion"]["rowsDeleted"], 1512);
    assert_eq!(db.snapshot("(SELECT id, title, twice, price FROM webinars)").await, left);
    assert_eq!(db.snapshot("(SELECT id, \"Our Note\" FROM whatsapp_groups)").await, groups_left);
    assert_eq!(db.snapshot("whatsapp_sessions").await, sessions_left);
    assert!(db.attempt("UPDATE webinars SET price = -1").await.is_err());
    assert_eq!(db.rows("SELECT DISTINCT twice = title || ' ' || title FROM webinars").await.len(), 1);
}

/// The purge spares a session of unknown age: it may be pairing right now.
async fn timestamps_may_be_null_and_without_zone(db: TestDb) {
    build_deployment(&db, Legacy::new(Rules::as_built()).nullable_timestamps().timestamps_without_zone()).await;
    db.exec("UPDATE whatsapp_sessions SET created_at = NULL, updated_at = NULL WHERE session_name = 'stale-1'").await;
    db.exec("UPDATE whatsapp_sessions SET updated_at = NULL WHERE session_name = 'stale-2'").await;
    db.exec("UPDATE whatsapp_groups SET created_at = NULL, updated_at = NULL").await;
    let left = left_without(&db, "session_name LIKE 'stale-%' AND session_name <> 'stale-1'").await;
    let (code, report) = document(&db, &["migrate", "--yes"]);
    assert_eq!((code, &report["pending"]), (0, &json!([])), "{report}");
    assert_eq!(rows_now(&db).await, left);
    assert_eq!(fetch_rules(&db, "public").await, FINAL_RULES);
    assert_eq!(run(&db, &["doctor"]).code, 0);
}

async fn a_missing_table_is_done_without_and_not_made(db: TestDb) {
    let legacy = Legacy::new(Rules::as_built()).without_table("workshops").without_table("dynamic_links");
    db.exec_all(&legacy.statements(db.dialect())).await;
    let fill = scenario::statements(db.dialect(), None);
    let fill: Vec<String> = fill
        .into_iter()
        .filter(|insert| {
            !["INSERT INTO workshops ", "INSERT INTO dynamic_links "].iter().any(|to| insert.starts_with(to))
        })
        .collect();
    db.exec_all(&fill).await;
    let before = list_tables(&db).await;
    let (code, report) = document(&db, &["migrate", "--yes"]);
    assert_eq!((code, &report["pending"]), (0, &json!([])), "{report}");
    assert_eq!(list_tables(&db).await, before);
    let goal: Vec<_> =
        FINAL_RULES.into_iter().filter(|rule| rule[0] != "workshops" && rule[0] != "dynamic_links").collect();
    assert_eq!(fetch_rules(&db, "public").await, goal);
    assert_eq!(db.count("whatsapp_sessions").await, 5);
    assert_eq!(run(&db, &["doctor"]).code, 0);
}

async fn a_missing_column_is_done_without_and_not_made(db: TestDb) {
    let legacy = Legacy::new(Rules::as_built())
        .without_column("webinars", "community_group_id")
        .without_column("whatsapp_sessions", "session_name")
        .without_column("whatsapp_sessions", "created_at")
        .without_column("scheduled_whatsapp_messages", "status")
        .without_column("whatsapp_groups", "participant_count");
    db.exec_all(&legacy.statements(db.dialect())).await;
    db.exec(
        "INSERT INTO whatsapp_sessions (id, status, updated_at)
           VALUES ('303d5044-0000-4000-8000-000000000001', 'qr_pending', '2026-01-01T00:00:00+00:00');
         INSERT INTO whatsapp_groups (id, session_id, group_jid, group_name)
           VALUES ('00000001-0000-4000-8000-000000000001', '303d5044-0000-4000-8000-000000000001', 'jid', 'group');
         INSERT INTO webinars (title, whatsapp_group_id) VALUES ('Webinar', '00000001-0000-4000-8000-000000000001')",
    )
    .await;
    let (code, report) = document(&db, &["migrate", "--yes"]);
    assert_eq!((code, &report["pending"]), (0, &json!([])), "{report}");
    let goal: Vec<_> = FINAL_RULES.into_iter().filter(|rule| rule[1] != "community_group_id").collect();
    assert_eq!(fetch_rules(&db, "public").await, goal);
    assert_eq!(db.rows("SELECT title, whatsapp_group_id FROM webinars").await, [["Webinar", "NULL"]]);
    assert_eq!(db.count("whatsapp_sessions").await, 0);
    assert!(db.attempt("SELECT community_group_id FROM webinars").await.is_err());
    assert_eq!(run(&db, &["doctor"]).code, 0);
}

async fn the_two_tables_alone_are_enough(db: TestDb) {
    let id = if db.url().starts_with("sqlite") { "text" } else { "uuid" };
    db.exec(&format!(
        "CREATE TABLE whatsapp_sessions (id {id} PRIMARY KEY, status text, phone_number text);
         CREATE TABLE whatsapp_groups (id {id} PRIMARY KEY, session_id {id} REFERENCES whatsapp_sessions (id))"
    ))
    .await;
    let stale = "303d5044-0000-4000-8000-000000000001";
    db.exec(&format!("INSERT INTO whatsapp_sessions VALUES ('{stale}', 'qr_pending', NULL)")).await;
    assert_eq!(document(&db, &["migrate", "--yes"]).0, 0);
    assert_eq!(list_tables(&db).await, ["whatsapp_groups", "whatsapp_sessions"]);
    assert_eq!(fetch_rules(&db, "public").await, [["whatsapp_groups", "session_id", "CASCADE"]]);
    // The purge spares the session: without timestamps, its age is unknown.
    assert_eq!(db.count("whatsapp_sessions").await, 1);
    assert_eq!(document(&db, &["delete", stale, "--yes"]).0, 0);
}

/// `migrate` writes nothing, because the URL may be that of a wrong database.
async fn a_database_with_some_of_the_tables_but_not_the_needed_ones_is_refused(db: TestDb) {
    db.exec("CREATE TABLE workshops (id integer PRIMARY KEY)").await;
    let before = super::fetch_catalog(&db).await;
    let ended = run(&db, &["migrate", "--yes"]);
    assert_eq!(ended.code, 1, "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stderr.contains("\"whatsapp_sessions\""), "{}", ended.stderr);
    assert_eq!(super::fetch_catalog(&db).await, before);
}

async fn without_the_columns_that_tell_a_stale_session_nothing_is_adopted(db: TestDb) {
    db.exec("CREATE TABLE whatsapp_sessions (id text PRIMARY KEY, status text)").await;
    db.exec("CREATE TABLE whatsapp_groups (id text PRIMARY KEY, session_id text)").await;
    let before = super::fetch_catalog(&db).await;
    let ended = run(&db, &["migrate", "--yes"]);
    assert_eq!(ended.code, 1, "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stderr.contains("phone_number"), "{}", ended.stderr);
    assert_eq!(super::fetch_catalog(&db).await, before);
}

async fn an_empty_database_gets_the_thirteen_tables(db: TestDb) {
    let (code, report) = document(&db, &["migrate", "--yes"]);
    assert_eq!((code, &report["purge"]), (0, &json!(null)), "{report}");
    let mut expected: Vec<&str> = crate::support::legacy_tables::TABLES.iter().map(|table| table.name).collect();
    expected.sort_unstable();
    assert_eq!(list_tables(&db).await, expected);
    assert_eq!(fetch_rules(&db, "public").await, FINAL_RULES);
    // The scenario's rows fit into the new tables.
    db.exec_all(&scenario::statements(db.dialect(), None)).await;
    assert_eq!(run(&db, &["doctor"]).code, 0);
}
