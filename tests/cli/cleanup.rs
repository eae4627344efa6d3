//! Tests of `cleanup`: its criteria, its terms and its exit codes.

use serde_json::{Value, json};

use super::{document, migrate_without_purge, run};
use crate::support::{TestDb, on_both};

on_both!(AsBuilt: before_migrate_a_dry_run_says_what_is_in_the_way);
on_both!(Mended:
    the_stale_sessions_go_as_they_were_shown,
    wrong_criteria_are_wrong_usage,
    cleanup_asks_first_or_wants_yes,
    a_dry_run_changes_nothing_and_gives_the_token,
    what_refuses_one_session_is_skipped_and_named,
    where_nothing_matches_there_is_nothing_to_do,
    the_same_key_answers_again,
);
on_both!(long Mended: what_refuses_the_whole_is_exit_code_3_and_nothing_is_deleted, every_criterion_is_a_flag);

const STALE: &str = "303d5044-0000-4000-8000-000000000001";
const CONNECTED: &str = "c0ffee00-0000-4000-8000-000000000010";
const LIVE: [&str; 4] = ["--status", "connected", "--phone-number", "present"];

/// Returns the number of sessions that a dry run would delete.
fn count_matching(db: &TestDb, flags: &[&str]) -> i64 {
    let (_, report) = document(db, &[&["cleanup", "--dry-run"], flags].concat());
    report["sessionCount"].as_i64().unwrap_or_else(|| panic!("{flags:?}: {report}"))
}

async fn before_migrate_a_dry_run_says_what_is_in_the_way(db: TestDb) {
    let (code, report) = document(&db, &["cleanup", "--dry-run"]);
    assert_eq!((code, &report["sessionCount"], &report["impact"]["deletable"]), (3, &json!(9), &json!(false)));
    assert_eq!(report["skipped"][0]["code"], "BLOCKED_BY_FOREIGN_KEY");
    let (code, error) = document(&db, &["cleanup", "--yes"]);
    assert_eq!((code, &error["error"]["code"]), (1, &json!("MIGRATIONS_PENDING")));
    assert_eq!(db.count("whatsapp_sessions").await, 14);
}

async fn the_stale_sessions_go_as_they_were_shown(db: TestDb) {
    migrate_without_purge(&db).await;
    let (code, report) = document(&db, &["cleanup", "--yes", "--reason", "spring"]);
    assert_eq!(code, 0, "{report}");
    let keys: Vec<&String> = report.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["changes", "impact", "refusals", "run", "sample", "sessionCount", "skipped"]);
    let run_of = &report["run"];
    for (key, expected) in [
        ("status", json!("SUCCEEDED")),
        ("sessionsTotal", json!(9)),
        ("sessionsDeleted", json!(9)),
        ("sessionsSkipped", json!(0)),
        ("rowsDeleted", json!(1_512)),
        ("startedBy", json!("cli:tester")),
        ("reason", json!("spring")),
        ("error", json!(null)),
    ] {
        assert_eq!(run_of[key], expected, "{key}: {run_of}");
    }
    assert_eq!(report["impact"]["rowsDeleted"], run_of["rowsDeleted"]);
    assert_eq!((&report["skipped"], &report["refusals"]), (&json!([]), &json!([])));
    assert_eq!(db.count("whatsapp_sessions").await, 5);
    assert_eq!(db.count("whatsapp_groups").await, 200);
    let id = run_of["id"].as_str().unwrap();
    let batches = document(&db, &["deletions", "--run", id]).1["deletions"].as_array().unwrap().clone();
    let sum: i64 = batches.iter().map(|batch| batch["rowsDeleted"].as_i64().unwrap()).sum();
    assert_eq!(sum, 1_512);
}

async fn every_criterion_is_a_flag(db: TestDb) {
    migrate_without_purge(&db).await;
    for (flags, sessions) in [
        (&[][..], 9),
        (&["--id", STALE, "--id", CONNECTED], 1),
        (&["--status", "qr_pending"], 4),
        (&["--status", "QR_PENDING", "--status", "disconnected"], 6),
        (&["--status", "connected"], 0),
        (&LIVE, 5),
        (&["--phone-number", "either"], 9),
        (&["--status", "connected", "--phone-number", "either"], 5),
        (&["--older-than", "P1D"], 9),
        (&["--older-than", "P36500D"], 0),
        (&["--created-before", "2020-01-01T00:00:00Z"], 0),
        (&["--created-before", "2100-01-01T00:00:00+02:00"], 9),
        (&["--search", "STALE-3"], 1),
        (&["--search", "%"], 0),
        (&["--limit", "2"], 2),
    ] {
        assert_eq!(count_matching(&db, flags), sessions, "{flags:?}");
    }
    let (_, report) = document(&db, &["cleanup", "--dry-run", "--limit", "1"]);
    assert_eq!(report["sample"][0]["id"], STALE, "the least recently updated first");
}

async fn wrong_criteria_are_wrong_usage(db: TestDb) {
    migrate_without_purge(&db).await;
    for wrong in [
        ["--id", "x"],
        ["--status", "gone"],
        ["--phone-number", "maybe"],
        ["--older-than", "24h"],
        ["--created-before", "yesterday"],
        ["--limit", "-1"],
        ["--at-most", "-1"],
        ["--expected-impact", "x"],
    ] {
        let (code, error) = document(&db, &[&["cleanup", "--yes"][..], &wrong].concat());
        assert_eq!((code, &error["error"]["code"]), (2, &json!("BAD_USER_INPUT")), "{wrong:?} {error}");
    }
    assert_eq!(db.count("whatsapp_sessions").await, 14);
}

async fn cleanup_asks_first_or_wants_yes(db: TestDb) {
    migrate_without_purge(&db).await;
    let ended = run(&db, &["cleanup"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (2, ""));
    assert!(ended.stderr.contains("--yes"), "{}", ended.stderr);
    assert_eq!(document(&db, &["cleanup"]).0, 2);
    assert_eq!(db.count("whatsapp_sessions").await, 14);
}

async fn a_dry_run_changes_nothing_and_gives_the_token(db: TestDb) {
    migrate_without_purge(&db).await;
    let (code, report) = document(&db, &["cleanup", "--dry-run"]);
    assert_eq!((code, &report["run"], &report["refusals"]), (0, &json!(null), &json!([])), "{report}");
    let ended = run(&db, &["cleanup", "--dry-run"]);
    let token = report["impact"]["token"].as_str().unwrap();
    for part in
        ["│ stale-1 ", "│ whatsapp_groups ", "✓ Dry run: nothing prevents the run.", &format!("Token: {token}\n")]
    {
        assert!(ended.stdout.contains(part), "{part}: {}", ended.stdout);
    }
    assert_eq!(db.count("whatsapp_sessions").await, 14);
    assert_eq!(document(&db, &["cleanup", "--yes", "--expected-impact", token]).0, 0);
    assert_eq!(db.count("whatsapp_sessions").await, 5);
}

async fn what_refuses_the_whole_is_exit_code_3_and_nothing_is_deleted(db: TestDb) {
    migrate_without_purge(&db).await;
    let (_, other) = document(&db, &["cleanup", "--dry-run", "--limit", "3"]);
    let token = other["impact"]["token"].as_str().unwrap();
    for (flags, code) in [(["--at-most", "1511"], "TOO_MANY_ROWS"), (["--expected-impact", token], "IMPACT_CHANGED")] {
        let arguments = [&["cleanup", "--yes"][..], &flags].concat();
        let (exit, report) = document(&db, &arguments);
        assert_eq!((exit, &report["refusals"][0]["code"], &report["run"]), (3, &json!(code), &json!(null)));
        let ended = run(&db, &arguments);
        assert!(ended.stdout.contains("✗ Refused: ") && ended.stdout.ends_with("Nothing was deleted.\n"));
        assert_eq!(ended.code, 3);
    }
    assert_eq!(db.count("whatsapp_sessions").await, 14);
    assert_eq!(document(&db, &["cleanup", "--yes", "--at-most", "1512"]).0, 0);
}

async fn what_refuses_one_session_is_skipped_and_named(db: TestDb) {
    migrate_without_purge(&db).await;
    let arguments = [&["cleanup", "--yes", "--allow-connected"], &LIVE[..]].concat();
    let (code, report) = document(&db, &arguments);
    assert_eq!((code, &report["run"]["status"]), (3, &json!("SUCCEEDED")), "{report}");
    let skipped = report["skipped"].as_array().unwrap();
    assert_eq!((skipped.len(), &report["run"]["sessionsSkipped"]), (4, &json!(4)));
    assert_eq!(
        [&skipped[0]["sessionId"], &skipped[0]["name"], &skipped[0]["code"]],
        [&json!(CONNECTED), &json!("live-1"), &json!("PENDING_MESSAGES")]
    );
    let ended = run(&db, &arguments);
    assert_eq!(ended.code, 3);
    for part in
        ["│ live-1 ", "scheduled messages still to be sent would be deleted", "! 0 of 4 sessions deleted, 4 skipped"]
    {
        assert!(ended.stdout.contains(part), "{part}: {}", ended.stdout);
    }
    let all = [&arguments[..], &["--allow-pending-messages"]].concat();
    assert_eq!(document(&db, &all).0, 0);
    assert_eq!(db.count("whatsapp_sessions").await, 9);
}

async fn where_nothing_matches_there_is_nothing_to_do(db: TestDb) {
    migrate_without_purge(&db).await;
    let (code, report) = document(&db, &["cleanup", "--yes", "--search", "nobody"]);
    assert_eq!((code, &report["sessionCount"], &report["run"]), (0, &json!(0), &json!(null)));
    let ended = run(&db, &["cleanup", "--yes", "--search", "nobody"]);
    assert_eq!(
        (ended.code, ended.stdout.as_str()),
        (0, "No session meets the criteria: there is nothing to clean up.\n")
    );
    assert_eq!(document(&db, &["runs"]).1["runs"], json!([]));
    // A session that was requested by id is reported as skipped.
    let (code, report) = document(&db, &["cleanup", "--yes", "--id", CONNECTED]);
    assert_eq!((code, &report["skipped"][0]["code"]), (3, &json!("NO_LONGER_MATCHES")), "{report}");
}

async fn the_same_key_answers_again(db: TestDb) {
    migrate_without_purge(&db).await;
    let arguments = ["cleanup", "--yes", "--idempotency-key", "once"];
    let (first, created) = document(&db, &arguments);
    let (second, answered) = document(&db, &arguments);
    assert_eq!((first, second), (0, 0), "{answered}");
    let run: fn(&Value) -> &Value = |report| &report["run"]["id"];
    assert_eq!(run(&created), run(&answered));
    let (code, reused) = document(&db, &[&arguments[..], &LIVE].concat());
    assert_eq!((code, &reused["refusals"][0]["code"]), (3, &json!("IDEMPOTENCY_KEY_REUSED")));
}
