//! Tests of the purge: what it spares, and what happens when it is refused.

use serde_json::{Value, json};

use super::{STALE, left_without, rows_now, table_names};
use crate::cli::{document, run};
use crate::support::{TestDb, on_both};

on_both!(AsBuilt: what_may_still_be_needed_is_spared_and_named);
on_both!(long AsBuilt: a_refused_purge_stays_pending_and_all_else_is_done);
on_both!(Mended:
    a_session_that_was_updated_within_a_day_is_spared,
    a_connected_session_without_a_number_is_spared,
    a_session_with_messages_to_be_sent_is_spared_and_named,
    where_all_are_spared_the_purge_is_done_and_takes_nothing,
    messages_that_were_sent_or_cancelled_spare_nobody,
);

/// Returns an SQL expression for the time this many hours ago, in the format of the stored timestamps.
fn hours_ago(db: &TestDb, hours: u32) -> String {
    if db.url().starts_with("sqlite") {
        format!("strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now', '-{hours} hours')")
    } else {
        format!("now() - interval '{hours} hours'")
    }
}

/// Sets the status of one message of a group of the named session.
async fn set_message_status(db: &TestDb, table: &str, session: &str, status: &str) {
    db.exec(&format!(
        "UPDATE {table} SET status = '{status}' WHERE id = (SELECT m.id FROM {table} AS m JOIN whatsapp_groups AS g
         ON g.id = m.group_id JOIN whatsapp_sessions AS s ON s.id = g.session_id WHERE s.session_name = '{session}'
         ORDER BY m.id LIMIT 1)"
    ))
    .await;
    let sql = format!("SELECT count(*) FROM {table} AS m JOIN whatsapp_groups AS g ON g.id = m.group_id
         JOIN whatsapp_sessions AS s ON s.id = g.session_id WHERE s.session_name = '{session}' AND m.status = '{status}'");
    assert_ne!(db.rows(&sql).await, [["0"]], "{table} has no message of {session}");
}

/// Migrates, and asserts that the purge deletes all stale sessions except `spared`. Returns the report.
async fn assert_purges_all_but(db: &TestDb, spared: &[&str]) -> Value {
    let spared: String = spared.iter().map(|name| format!(" AND session_name <> '{name}'")).collect();
    let purged = format!("{STALE}{spared}");
    let left = left_without(db, &purged).await;
    let (code, report) = document(db, &["migrate", "--yes"]);
    assert_eq!((code, &report["pending"]), (0, &json!([])), "{report}");
    for (table, (now, left)) in table_names().into_iter().zip(rows_now(db).await.iter().zip(&left)) {
        assert_eq!(now, left, "{table}");
    }
    report
}

fn session_names(sessions: &Value) -> Vec<&str> {
    let mut names: Vec<&str> =
        sessions.as_array().unwrap().iter().map(|session| session["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    names
}

async fn a_session_that_was_updated_within_a_day_is_spared(db: TestDb) {
    for (session, hours) in [("stale-2", 23), ("stale-3", 25)] {
        let at = hours_ago(&db, hours);
        db.exec(&format!("UPDATE whatsapp_sessions SET updated_at = {at} WHERE session_name = '{session}'")).await;
    }
    let report = assert_purges_all_but(&db, &["stale-2"]).await;
    assert_eq!(session_names(&report["purge"]["deletion"]["sessions"]).len(), 8);
}

async fn a_connected_session_without_a_number_is_spared(db: TestDb) {
    db.exec("UPDATE whatsapp_sessions SET phone_number = NULL WHERE session_name = 'live-1'").await;
    db.exec("UPDATE whatsapp_sessions SET phone_number = '+1' WHERE session_name = 'stale-1'").await;
    db.exec("UPDATE whatsapp_sessions SET status = 'connected' WHERE session_name = 'stale-2'").await;
    db.exec("UPDATE whatsapp_sessions SET status = 'a later word' WHERE session_name = 'stale-3'").await;
    assert_purges_all_but(&db, &["stale-1", "stale-2", "stale-3"]).await;
}

async fn a_session_with_messages_to_be_sent_is_spared_and_named(db: TestDb) {
    set_message_status(&db, "scheduled_webinar_messages", "stale-1", "pending").await;
    set_message_status(&db, "scheduled_whatsapp_messages", "stale-4", "pending").await;
    let report = assert_purges_all_but(&db, &["stale-1", "stale-4"]).await;
    assert_eq!(session_names(&report["spared"]), ["stale-1", "stale-4"]);
    assert_eq!(report["spared"][0]["pendingMessages"], 1, "{report}");
    assert_eq!(session_names(&report["purge"]["deletion"]["sessions"]).len(), 7);
}

/// In the schema as built, the impact of a session does not contain webinar messages: the repaired foreign keys add
/// them.
async fn what_may_still_be_needed_is_spared_and_named(db: TestDb) {
    set_message_status(&db, "scheduled_webinar_messages", "stale-1", "pending").await;
    let at = hours_ago(&db, 1);
    db.exec(&format!("UPDATE whatsapp_sessions SET updated_at = {at} WHERE session_name = 'stale-9'")).await;
    let left = left_without(&db, "session_name LIKE 'stale-%' AND session_name NOT IN ('stale-1', 'stale-9')").await;
    let ended = run(&db, &["migrate", "--yes"]);
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    let spared = "Not purged: stale-1, because 1 message is still to be sent.";
    assert!(ended.stdout.contains(spared), "{}", ended.stdout);
    assert!(ended.stdout.contains("✓ Deleted 7 sessions"), "{}", ended.stdout);
    assert_eq!(rows_now(&db).await, left);
}

async fn where_all_are_spared_the_purge_is_done_and_takes_nothing(db: TestDb) {
    db.exec("UPDATE whatsapp_sessions SET phone_number = '+1' WHERE session_name NOT IN ('stale-1', 'live-1')").await;
    set_message_status(&db, "scheduled_webinar_messages", "stale-1", "pending").await;
    let left = rows_now(&db).await;
    let ended = run(&db, &["migrate", "--yes"]);
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains("Not purged: stale-1, because 1 message is still to be sent."), "{}", ended.stdout);
    assert_eq!(rows_now(&db).await, left);
    assert_eq!(run(&db, &["migrate"]).stdout, "Nothing is pending.\n");
}

async fn messages_that_were_sent_or_cancelled_spare_nobody(db: TestDb) {
    set_message_status(&db, "scheduled_webinar_messages", "stale-1", "cancelled").await;
    set_message_status(&db, "scheduled_whatsapp_messages", "stale-4", "failed").await;
    let report = assert_purges_all_but(&db, &[]).await;
    assert_eq!(report["spared"], json!([]));
}

async fn a_refused_purge_stays_pending_and_all_else_is_done(db: TestDb) {
    let id = if db.url().starts_with("sqlite") { "text" } else { "uuid" };
    db.exec(&format!("CREATE TABLE keeper (id integer PRIMARY KEY, group_id {id} REFERENCES whatsapp_groups (id))"))
        .await;
    db.exec(
        "INSERT INTO keeper SELECT 1, g.id FROM whatsapp_groups AS g JOIN whatsapp_sessions AS s ON s.id = g.session_id
         WHERE s.session_name = 'stale-5' LIMIT 1",
    )
    .await;
    let before = rows_now(&db).await;
    let ended = run(&db, &["migrate", "--yes"]);
    assert_eq!(ended.code, 3, "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains("keeper") && ended.stdout.contains("The purge stays pending."), "{}", ended.stdout);
    assert_eq!(rows_now(&db).await, before);
    let keys = crate::migration::fetch_rules(&db, "public").await;
    assert_eq!(keys.into_iter().filter(|key| key[0] != "keeper").collect::<Vec<_>>(), crate::migration::FINAL_RULES);
    let (code, status) = document(&db, &["migrate", "--status"]);
    assert_eq!((code, &status["pending"]), (0, &json!(["m20260101_000007_stale_purge"])));
    assert_eq!(document(&db, &["doctor"]).0, 3);
    // The purge is refused again for the same reason.
    let (code, report) = document(&db, &["migrate", "--yes"]);
    assert_eq!((code, &report["purge"]["refusals"][0]["code"]), (3, &json!("BLOCKED_BY_FOREIGN_KEY")), "{report}");
    assert_eq!(rows_now(&db).await, before);
    db.exec("DROP TABLE keeper").await;
    super::assert_migrates_and_purges(&db).await;
}
