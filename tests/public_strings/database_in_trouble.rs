//! Snapshot tests of the documents of `doctor` and `migrate`, and of the other commands before `migrate`.

use super::{CONNECTED, STALE, Transcript, UNKNOWN};
use crate::support::{TestDb, on_both};

on_both!(AsBuilt: every_command_before_migrate, a_migration_of_a_database_in_trouble, a_purge_that_is_refused);
on_both!(FirstFix: a_rule_that_contradicts_its_column);
on_both!(Empty: a_database_without_tables);

async fn every_command_before_migrate(db: TestDb) {
    let mut transcript = Transcript::new(&db);
    transcript.run(&["migrate", "--status"]);
    transcript.run(&["migrate"]);
    transcript.run(&["impact", STALE]);
    transcript.run(&["delete", STALE, "--yes"]);
    transcript.run(&["delete", CONNECTED, "--yes"]);
    transcript.run(&["cleanup", "--dry-run", "--limit", "1"]);
    for command in [
        &["cleanup", "--yes"][..],
        &["restore", UNKNOWN, "--yes"],
        &["restore", UNKNOWN, "--dry-run"],
        &["deletions"],
        &["deletions", "show", UNKNOWN],
        &["deletions", "erase", UNKNOWN, "--yes"],
        &["runs"],
        &["runs", "show", UNKNOWN],
        &["runs", "cancel", UNKNOWN],
        &["runs", "restore", UNKNOWN, "--yes"],
        &["runs", "resume", UNKNOWN, "--yes"],
        &["token", "list"],
        &["token", "create", "--name", "ci", "--role", "viewer"],
        &["token", "revoke", "ci"],
    ] {
        transcript.run(command);
    }
    transcript.assert_matches("before_migrate");
    let mut transcript = Transcript::new(&db);
    transcript.run(&["doctor"]);
    transcript.assert_matches_per_database("doctor_before_migrate");
}

async fn a_migration_of_a_database_in_trouble(db: TestDb) {
    db.exec(
        "UPDATE scheduled_whatsapp_messages SET status = 'pending' WHERE id IN (SELECT m.id \
         FROM scheduled_whatsapp_messages AS m JOIN whatsapp_groups AS g ON g.id = m.group_id \
         JOIN whatsapp_sessions AS s ON s.id = g.session_id WHERE s.session_name = 'stale-1')",
    )
    .await;
    let mut transcript = Transcript::new(&db);
    transcript.run(&["migrate", "--yes"]);
    transcript.run(&["migrate", "--status"]);
    transcript.run(&["migrate", "--yes"]);
    transcript.run(&["doctor"]);
    transcript.assert_matches("migrate");
}

async fn a_purge_that_is_refused(db: TestDb) {
    let kind = if db.url().starts_with("sqlite") { "text" } else { "uuid" };
    db.exec(&format!(
        "CREATE TABLE keeper (id integer PRIMARY KEY, group_id {kind} REFERENCES whatsapp_groups (id)); \
         INSERT INTO keeper SELECT 1, g.id FROM whatsapp_groups AS g JOIN whatsapp_sessions AS s ON s.id = g.session_id \
         WHERE s.session_name = 'stale-9' LIMIT 1"
    ))
    .await;
    let mut transcript = Transcript::new(&db);
    transcript.run(&["migrate", "--yes"]);
    transcript.run(&["migrate", "--status"]);
    transcript.assert_matches("migrate_refused");
}

async fn a_rule_that_contradicts_its_column(db: TestDb) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("session-admin.toml");
    let accepted = "[[accepted]]\nfinding = \"RULE_DRIFT:notification_campaign_groups.group_id\"\nreason = \"known\"\n";
    std::fs::write(&file, accepted).unwrap();
    let file = file.to_str().unwrap();
    let mut transcript = Transcript::new(&db);
    transcript.hide(file, "<file>");
    transcript.run(&["doctor", "--config", file]);
    transcript.assert_matches_per_database("doctor_contradicting_rule");
    let mut transcript = Transcript::new(&db);
    transcript.run(&["impact", STALE]);
    transcript.assert_matches("impact_contradicting_rule");
}

async fn a_database_without_tables(db: TestDb) {
    let mut transcript = Transcript::new(&db);
    for command in [&["doctor"][..], &["impact", STALE], &["delete", STALE, "--yes"], &["cleanup", "--dry-run"]] {
        transcript.run(command);
    }
    transcript.run(&["migrate", "--yes"]);
    transcript.assert_matches_per_database("without_tables");
}
