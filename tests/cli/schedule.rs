//! Tests of `serve --cleanup-schedule`.

use std::fs::File;

use api::db::Dialect;
use serde_json::json;
use tempfile::TempDir;

use super::server::Server;
use super::{document, ended, executable, migrate_without_purge};
use crate::support::wait::eventually;
use crate::support::{TestDb, on_both};

on_both!(long Mended:
    two_servers_with_one_schedule_start_one_run_at_a_tick,
    a_tick_that_would_pass_the_ceiling_is_logged_and_counted,
    servers_that_do_not_agree_are_told_so_in_a_sentence,
);

/// Starts a server whose schedule ticks every minute.
fn start_server(db: &TestDb, folder: &TempDir, at_most: &str, log: &str) -> Server {
    let log = File::create(folder.path().join(log)).unwrap();
    let schedule = ["--cleanup-schedule", "* * * * *", "--cleanup-older-than", "PT1H", "--cleanup-at-most", at_most];
    Server::logging(folder.path(), &[&["--database-url", db.url()], &schedule[..]].concat(), log.into())
}

/// Waits for a server's first tick, and returns its count of this outcome.
async fn count_ticks(server: &Server, outcome: &str) -> u32 {
    let metrics = eventually(async || {
        let metrics = server.get("/metrics");
        let ticked = metrics.contains("\nsession_admin_schedule_last_tick_timestamp_seconds ");
        if ticked { Ok(metrics) } else { Err(metrics) }
    })
    .await;
    let line = format!("\nsession_admin_schedule_ticks_total{{outcome=\"{outcome}\"}} ");
    let (_, rest) = metrics.split_once(&line).unwrap();
    rest.split_whitespace().next().unwrap().parse().unwrap()
}

async fn two_servers_with_one_schedule_start_one_run_at_a_tick(db: TestDb) {
    migrate_without_purge(&db).await;
    let folder = TempDir::new().unwrap();
    let servers = [start_server(&db, &folder, "1512", "one"), start_server(&db, &folder, "1512", "other")];
    let mut started = 0;
    for server in &servers {
        started += count_ticks(server, "started").await;
        assert_eq!(count_ticks(server, "failed").await, 0);
    }
    assert_eq!(started, 1);
    let (_, listed) = document(&db, &["runs"]);
    let runs = listed["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 1, "{listed}");
    assert_eq!((&runs[0]["startedBy"], &runs[0]["sessionsTotal"]), (&json!("schedule"), &json!(9)));
    for server in servers {
        assert_eq!(server.stop(), 0);
    }
}

async fn a_tick_that_would_pass_the_ceiling_is_logged_and_counted(db: TestDb) {
    migrate_without_purge(&db).await;
    let folder = TempDir::new().unwrap();
    let server = start_server(&db, &folder, "1511", "log");
    assert_eq!(count_ticks(&server, "over_ceiling").await, 1);
    assert_eq!(server.stop(), 0);
    let log = std::fs::read_to_string(folder.path().join("log")).unwrap();
    let line = log.lines().find(|line| line.contains("1512 rows would be deleted")).unwrap_or_else(|| panic!("{log}"));
    assert!(line.contains(" WARN ") && line.contains("raise --cleanup-at-most"), "{line}");
    assert_eq!(document(&db, &["runs"]).1["runs"], json!([]));
    assert_eq!(db.count("whatsapp_sessions").await, 14);
}

async fn servers_that_do_not_agree_are_told_so_in_a_sentence(db: TestDb) {
    migrate_without_purge(&db).await;
    // Every deletion is refused, so that both servers find stale sessions.
    db.exec(match db.dialect() {
        Dialect::Postgres => {
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$; \
             CREATE TRIGGER refuse BEFORE DELETE ON whatsapp_sessions FOR EACH ROW EXECUTE FUNCTION refuse()"
        }
        Dialect::Sqlite => {
            "CREATE TRIGGER refuse BEFORE DELETE ON whatsapp_sessions BEGIN SELECT RAISE(ABORT, 'no'); END"
        }
    })
    .await;
    let folder = TempDir::new().unwrap();
    let servers = [start_server(&db, &folder, "2000", "one"), start_server(&db, &folder, "3000", "other")];
    let mut outcomes = (0, 0);
    for server in &servers {
        outcomes.0 += count_ticks(server, "started").await;
        outcomes.1 += count_ticks(server, "failed").await;
    }
    for server in servers {
        assert_eq!(server.stop(), 0);
    }
    assert_eq!(outcomes, (1, 1));
    let log = ["one", "other"].map(|log| std::fs::read_to_string(folder.path().join(log)).unwrap()).concat();
    let line = log.lines().find(|line| line.contains("with other settings")).unwrap_or_else(|| panic!("{log}"));
    assert!(line.contains(" WARN ") && line.contains("the same --cleanup-older-than"), "{line}");
    assert!(!log.contains("Refusal {"), "{log}");
    // Each server logs its settings at its start.
    for at_most in ["2000", "3000"] {
        let settings = format!("more than PT1H ago, at most {at_most} rows a time");
        let line = log.lines().find(|line| line.contains(&settings)).unwrap_or_else(|| panic!("{log}"));
        assert!(line.contains("schedule=* * * * *") && line.contains("next=\"20"), "{line}");
    }
}

#[test]
fn a_server_without_a_schedule_says_so() {
    let folder = TempDir::new().unwrap();
    let log = File::create(folder.path().join("log")).unwrap();
    assert_eq!(Server::logging(folder.path(), &["--cleanup-schedule", ""], log.into()).stop(), 0);
    let log = std::fs::read_to_string(folder.path().join("log")).unwrap();
    assert!(log.contains("no --cleanup-schedule: stale sessions are cleaned up on request only"), "{log}");
}

#[test]
fn a_schedule_that_makes_no_sense_is_refused_at_start_with_2() {
    let schedule = |more: &[&'static str]| [&["--cleanup-schedule", "0 3 * * *"], more].concat();
    let cases: [(Vec<&str>, &str); 9] = [
        (vec!["--cleanup-schedule", "x", "--cleanup-at-most", "1"], "SESSION_ADMIN_CLEANUP_SCHEDULE"),
        (vec!["--cleanup-schedule", "0 0 3 * * *", "--cleanup-at-most", "1"], "It must have five fields, in UTC"),
        (schedule(&[]), "needs --cleanup-at-most (SESSION_ADMIN_CLEANUP_AT_MOST)"),
        (schedule(&["--cleanup-at-most", "0"]), "SESSION_ADMIN_CLEANUP_AT_MOST"),
        (
            schedule(&["--cleanup-at-most", "1", "--cleanup-older-than", "PT30M"]),
            "is PT30M; it must be at least one hour (PT1H)",
        ),
        (schedule(&["--cleanup-at-most", "1", "--cleanup-older-than", "soon"]), "--cleanup-older-than"),
        (vec!["--cleanup-at-most", "1"], "SESSION_ADMIN_CLEANUP_AT_MOST) is an option of --cleanup-schedule"),
        (vec!["--cleanup-older-than", "PT2H"], "which is not given, so nothing would ever be cleaned up"),
        (
            vec!["--cleanup-schedule", "", "--cleanup-at-most", "1"],
            "which is empty, so nothing would ever be cleaned up",
        ),
    ];
    for (arguments, named) in cases {
        let folder = TempDir::new().unwrap();
        let mut command = executable(&[&["serve", "--listen", "127.0.0.1:0"], arguments.as_slice()].concat());
        command.current_dir(folder.path());
        let ended = ended(command);
        assert!(ended.code == 2 && ended.stderr.contains(named), "{arguments:?}: {} {}", ended.code, ended.stderr);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}

#[test]
fn an_empty_variable_is_no_schedule() {
    let folder = TempDir::new().unwrap();
    let mut command = executable(&["serve", "--listen", "0.0.0.0:0"]);
    command.current_dir(folder.path()).env("SESSION_ADMIN_CLEANUP_SCHEDULE", "");
    let ended = ended(command);
    assert!(ended.stderr.contains("0.0.0.0") && !ended.stderr.contains("cleanup"), "{}", ended.stderr);
}
