//! Tests of `runs`: listing and showing runs, and resuming an interrupted one.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use api::cleanup::{self, BatchSize, CleanupRequest, RunExecutor};
use serde_json::{Value, json};
use uuid::Uuid;

use super::server::Server;
use super::{document, executable, migrate_without_purge, run};
use crate::support::{TestDb, on_both, only};

on_both!(AsBuilt: before_migrate_there_are_no_runs);
on_both!(Mended:
    runs_are_listed_newest_first_and_shown,
    a_run_that_waits_is_gone_on_with,
    resume_asks_first_or_wants_yes,
    a_run_is_cancelled,
    of_many_skipped_sessions_only_the_number_is_said_until_they_are_asked_for,
    a_detached_run_is_left_to_a_server,
);
on_both!(long Mended: a_run_that_somebody_else_has_is_followed);
only!(postgres Mended: ctrl_c_ends_the_run_with_the_batch_that_is_under_way);

const LIVE: &str = "c0ffee00-0000-4000-8000-000000000010";

async fn before_migrate_there_are_no_runs(db: TestDb) {
    let (code, error) = document(&db, &["runs"]);
    assert_eq!((code, &error["error"]["code"]), (1, &json!("MIGRATIONS_PENDING")));
}

/// Creates a queued run and returns its id.
async fn create_queued_run(db: &TestDb) -> String {
    let request = CleanupRequest { principal: "cli:somebody".to_owned(), ..CleanupRequest::default() };
    let outcome = cleanup::create_run(db.database().await, None, &request).await.unwrap();
    outcome.run.unwrap().id.to_string()
}

async fn runs_are_listed_newest_first_and_shown(db: TestDb) {
    migrate_without_purge(&db).await;
    assert_eq!(run(&db, &["runs"]).stdout, "There are no cleanup runs.\n");
    let cleanup =
        |search| document(&db, &["cleanup", "--yes", "--search", search, "--reason", search]).1["run"].clone();
    let (first, second) = (cleanup("stale-1"), cleanup("stale-2"));
    assert_eq!(document(&db, &["runs"]), (0, json!({ "runs": [second, first], "hasMore": false })));
    assert_eq!(document(&db, &["runs", "--limit", "1"]), (0, json!({ "runs": [second], "hasMore": true })));
    let screen = run(&db, &["runs"]).stdout;
    assert!(screen.contains("┆ succeeded ┆") && screen.contains("┆ stale-2 │"), "{screen}");
    let id = first["id"].as_str().unwrap();
    assert_eq!(document(&db, &["runs", "show", id]), (0, json!({ "run": first, "skipped": [] })));
    let screen = run(&db, &["runs", "show", id]).stdout;
    assert!(screen.contains("by cli:tester: stale-1\n✓ 1 of 1 session deleted, 0 skipped"), "{screen}");
    let (code, error) = document(&db, &["runs", "show", "303d5044-0000-4000-8000-000000000001"]);
    assert_eq!((code, &error["error"]["code"]), (2, &json!("BAD_USER_INPUT")));
}

async fn a_run_that_waits_is_gone_on_with(db: TestDb) {
    migrate_without_purge(&db).await;
    let id = create_queued_run(&db).await;
    let (code, shown_run) = document(&db, &["runs", "show", &id]);
    assert_eq!((code, &shown_run["run"]["status"]), (0, &json!("QUEUED")));
    let screen = run(&db, &["runs", "show", &id]).stdout;
    assert!(screen.contains(&format!("9 sessions are pending. {}", resume_hint(&id))), "{screen}");
    db.exec("UPDATE whatsapp_sessions SET status = 'connected' WHERE session_name = 'stale-4'").await;
    let (code, resumed) = document(&db, &["runs", "resume", &id, "--yes"]);
    assert_eq!((code, &resumed["run"]["sessionsDeleted"]), (3, &json!(8)), "{resumed}");
    assert_eq!(resumed["skipped"][0]["code"], "SESSION_CONNECTED");
    assert_eq!(db.count("whatsapp_sessions").await, 6);
    // Resuming a finished run changes nothing.
    assert_eq!(document(&db, &["runs", "resume", &id, "--yes"]), (3, resumed));
}

/// Returns the hint that is printed for an unfinished run.
fn resume_hint(id: &str) -> String {
    format!(
        "`session-admin runs resume {id}` resumes or follows it, and a running server resumes it, too; \
         `session-admin runs cancel {id}` cancels it."
    )
}

async fn resume_asks_first_or_wants_yes(db: TestDb) {
    migrate_without_purge(&db).await;
    let id = create_queued_run(&db).await;
    assert_eq!(document(&db, &["runs", "resume", &id]).0, 2);
    assert_eq!(db.count("whatsapp_sessions").await, 14);
}

async fn a_run_is_cancelled(db: TestDb) {
    migrate_without_purge(&db).await;
    let id = create_queued_run(&db).await;
    let (code, answer) = document(&db, &["runs", "cancel", &id]);
    assert_eq!((code, &answer["run"]["status"], &answer["refusals"]), (0, &json!("CANCELLED"), &json!([])), "{answer}");
    assert_eq!((&answer["run"]["cancelledBy"], &answer["run"]["kind"]), (&json!("cli:tester"), &json!("DELETE")));
    let screen = run(&db, &["runs", "show", &id]).stdout;
    assert!(screen.contains("! Cancelled by cli:tester.\n0 of 9 sessions deleted, 9 skipped"), "{screen}");
    let screen = run(&db, &["runs"]).stdout;
    assert!(screen.contains("┆ delete ┆ cancelled ┆"), "{screen}");
    let ended = run(&db, &["runs", "cancel", &id]);
    assert_eq!((ended.code, ended.stdout.contains("The run has finished: there is nothing to cancel.")), (3, true));
    let (code, answer) = document(&db, &["runs", "cancel", "303d5044-0000-4000-8000-000000000001"]);
    assert_eq!((code, &answer["refusals"][0]["code"]), (3, &json!("NOT_FOUND")));
    assert_eq!(document(&db, &["runs", "resume", &id, "--yes"]).0, 3, "it has ended");
    assert_eq!(db.count("whatsapp_sessions").await, 14);
}

async fn of_many_skipped_sessions_only_the_number_is_said_until_they_are_asked_for(db: TestDb) {
    migrate_without_purge(&db).await;
    for (more, listed) in [(11, true), (1, false)] {
        for _ in 0..more {
            db.exec(&format!(
                "INSERT INTO whatsapp_sessions (id, session_name, status, created_at, updated_at) VALUES \
                 ('{}', 'another', 'disconnected', '2026-01-01T00:00:00+00:00', '2026-01-01T00:00:00+00:00')",
                Uuid::new_v4()
            ))
            .await;
        }
        let id = create_queued_run(&db).await;
        let cancelled = run(&db, &["runs", "cancel", &id]).stdout;
        assert!(cancelled.lines().count() <= 2, "{cancelled}");
        let resumed = run(&db, &["runs", "resume", &id, "--yes"]);
        assert_eq!((resumed.code, resumed.stdout.contains("│ another ")), (3, listed), "{}", resumed.stdout);
        let instead = format!("21 sessions were skipped; `session-admin runs show {id}` lists them.\n! Cancelled by");
        assert_eq!(resumed.stdout.contains(&instead), !listed, "{}", resumed.stdout);
        let shown_text = run(&db, &["runs", "show", &id]).stdout;
        assert!(shown_text.contains("│ another ") && !shown_text.contains("lists them"), "{shown_text}");
        // The JSON document lists all skipped sessions.
        let skipped = document(&db, &["runs", "resume", &id, "--yes"]).1["skipped"].as_array().unwrap().len();
        assert_eq!(skipped, if listed { 20 } else { 21 });
    }
}

async fn a_detached_run_is_left_to_a_server(db: TestDb) {
    migrate_without_purge(&db).await;
    let ended = run(&db, &["cleanup", "--yes", "--detach"]);
    assert!(
        ended.code == 0 && ended.stdout.contains("is queued: 9 sessions. A running server executes it"),
        "{}",
        ended.stdout
    );
    assert_eq!(db.count("whatsapp_sessions").await, 14);
    let server = Server::start(Path::new("."), &["--database-url", db.url()]);
    let began = Instant::now();
    while document(&db, &["runs"]).1["runs"][0]["status"] != "SUCCEEDED" {
        assert!(began.elapsed() < Duration::from_secs(30), "{}", document(&db, &["runs"]).1);
    }
    assert_eq!(db.count("whatsapp_sessions").await, 5);
    assert_eq!(server.stop(), 0);
    assert_eq!(
        document(&db, &["cleanup", "--yes", "--detach", "--at-most", "0", "--id", LIVE]).0,
        0,
        "nothing matches"
    );
}

async fn a_run_that_somebody_else_has_is_followed(db: TestDb) {
    migrate_without_purge(&db).await;
    let id = create_queued_run(&db).await;
    let database = db.database().await;
    let mut worker = RunExecutor::take(database.clone(), None, id.parse().unwrap(), BatchSize::with_row_budget(1))
        .await
        .unwrap()
        .unwrap();
    let mut command = executable(&["runs", "resume", &id, "--yes", "--json"]);
    let follower = command.env("DATABASE_URL", db.url()).stdout(Stdio::piped()).spawn().unwrap();
    while !worker.run_next_batch().await.unwrap().status.has_finished() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let output = follower.wait_with_output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &report["run"]["sessionsDeleted"]), (Some(0), &json!(9)), "{report}");
    // A dropped worker's run is taken over when its lease has expired.
    let id = create_queued_run(&db).await;
    drop(RunExecutor::take(database.clone(), None, id.parse().unwrap(), BatchSize::default()).await.unwrap().unwrap());
    let until = cleanup::find(database, id.parse().unwrap()).await.unwrap().unwrap();
    let until = until.free_from(chrono::DateTime::UNIX_EPOCH).unwrap().format("%F %T UTC");
    let ended = run(&db, &["runs", "resume", &id, "--yes", "--json"]);
    assert_eq!(serde_json::from_str::<Value>(&ended.stdout).unwrap()["run"]["status"], "SUCCEEDED");
    assert_eq!(
        ended.stderr,
        format!(
            "Another worker had the run a moment ago. This command follows it, or takes over at {until} if that worker \
             has stopped.\n"
        )
    );
}

async fn ctrl_c_ends_the_run_with_the_batch_that_is_under_way(db: TestDb) {
    migrate_without_purge(&db).await;
    db.exec(
        "CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS \
         $$ BEGIN PERFORM pg_advisory_xact_lock(4712); RETURN OLD; END $$; \
         CREATE TRIGGER hold BEFORE DELETE ON whatsapp_sessions FOR EACH ROW EXECUTE FUNCTION hold()",
    )
    .await;
    let mut gate = db.raw().await;
    gate.exec("SELECT pg_advisory_lock(4712)").await;
    // The first session has more rows than the budget of the first batch, so that the run has several batches.
    db.exec(
        "INSERT INTO whatsapp_group_admins (id, group_id, phone) SELECT gen_random_uuid(), g.id, '+1' \
         FROM (SELECT g.id FROM whatsapp_groups g JOIN whatsapp_sessions s ON s.id = g.session_id \
         WHERE s.session_name = 'stale-1' LIMIT 1) g, generate_series(1, 6000)",
    )
    .await;
    let mut command = executable(&["cleanup", "--yes", "--lock-timeout", "60"]);
    command.env("DATABASE_URL", db.url()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    let held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4712 AND NOT granted \
                AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    db.wait_for(held, "1").await;
    let signal = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(signal.success());
    tokio::time::sleep(Duration::from_millis(200)).await;
    gate.close().await;
    let output = child.wait_with_output().unwrap();
    let screen = String::from_utf8(output.stdout).unwrap();
    let (_, listed) = document(&db, &["runs"]);
    let run_of = &listed["runs"][0];
    assert_eq!((output.status.code(), &run_of["status"]), (Some(1), &json!("RUNNING")), "{listed}");
    // The current batch was finished, and no other was started.
    assert_eq!((&run_of["sessionsDeleted"], db.count("whatsapp_sessions").await), (&json!(1), 13), "{listed}");
    let id = run_of["id"].as_str().unwrap();
    assert!(screen.contains(&format!("8 sessions are pending. {}", resume_hint(id))), "{screen}");
    let (code, resumed) = document(&db, &["runs", "resume", id, "--yes"]);
    assert_eq!((code, &resumed["run"]["sessionsDeleted"]), (0, &json!(9)), "{resumed}");
    assert_eq!(db.count("whatsapp_sessions").await, 5);
}
