//! Tests of `delete` and each of its exit codes.

use serde_json::{Value, json};

use super::{Ended, document, migrate_without_purge, run};
use crate::support::{TestDb, on_both};

on_both!(AsBuilt: a_blocked_deletion_is_refused);
on_both!(Mended:
    a_session_goes_as_it_was_shown,
    delete_asks_first_or_wants_yes,
    a_dry_run_is_taken_back,
    a_malformed_token_is_wrong_usage,
    the_same_key_answers_again,
);
on_both!(long Mended: every_refusal_is_exit_code_3_and_nothing_is_deleted);

const STALE: &str = "303d5044-0000-4000-8000-000000000001";
const CONNECTED: &str = "c0ffee00-0000-4000-8000-000000000010";

fn refusal(document: &Value) -> &str {
    document["refusals"][0]["code"].as_str().unwrap_or_else(|| panic!("{document}"))
}

async fn a_blocked_deletion_is_refused(db: TestDb) {
    let (code, outcome) = document(&db, &["delete", STALE, "--yes"]);
    assert_eq!((code, refusal(&outcome)), (3, "BLOCKED_BY_FOREIGN_KEY"));
    assert_eq!(db.count("whatsapp_sessions").await, 14);
}

async fn a_session_goes_as_it_was_shown(db: TestDb) {
    migrate_without_purge(&db).await;
    let (_, impact) = document(&db, &["impact", STALE]);
    let (code, outcome) = document(&db, &["delete", STALE, "--yes", "--reason", "no longer needed"]);
    assert_eq!(code, 0, "{outcome}");
    assert_eq!(outcome["deletion"]["rowsDeleted"], impact["rowsDeleted"]);
    assert_eq!(outcome["deletion"]["deletedBy"], "cli:tester");
    assert_eq!(outcome["deletion"]["reason"], "no longer needed");
    assert_eq!(outcome["impact"]["token"], impact["token"]);
    assert_eq!(db.count("whatsapp_sessions").await, 13);
}

async fn delete_asks_first_or_wants_yes(db: TestDb) {
    migrate_without_purge(&db).await;
    let ended = run(&db, &["delete", STALE]);
    assert_eq!(ended.code, 2);
    assert!(ended.stderr.contains("--yes"), "{}", ended.stderr);
    assert_eq!(document(&db, &["delete", STALE]).0, 2);
    assert_eq!(db.count("whatsapp_sessions").await, 14);
}

async fn every_refusal_is_exit_code_3_and_nothing_is_deleted(db: TestDb) {
    migrate_without_purge(&db).await;
    let unknown = "00000000-0000-4000-8000-000000000000";
    let token = document(&db, &["impact", CONNECTED]).1["token"].as_str().unwrap().to_owned();
    let cases: [(&[&str], &str); 5] = [
        (&[unknown], "NOT_FOUND"),
        (&[CONNECTED], "SESSION_CONNECTED"),
        (&[CONNECTED, "--allow-connected"], "PENDING_MESSAGES"),
        (&[STALE, "--at-most", "10"], "TOO_MANY_ROWS"),
        (&[STALE, "--expected-impact", &token], "IMPACT_CHANGED"),
    ];
    for (arguments, code) in cases {
        let (exit, outcome) = document(&db, &[&["delete", "--yes"], arguments].concat());
        assert_eq!((exit, refusal(&outcome)), (3, code), "{outcome}");
        let ended = run(&db, &[&["delete", "--yes"], arguments].concat());
        assert_eq!(ended.code, 3);
        assert!(
            ended.stdout.contains("✗ Refused: ") && ended.stdout.ends_with("Nothing was deleted.\n"),
            "{}",
            ended.stdout
        );
        // Messages name the command line's flags, not the API's fields.
        assert!(!["allowConnected", "allowPendingMessages", "atMost"].iter().any(|name| ended.stdout.contains(name)));
    }
    assert_eq!(db.count("whatsapp_sessions").await, 14);
}

async fn a_dry_run_is_taken_back(db: TestDb) {
    migrate_without_purge(&db).await;
    let arguments = ["delete", CONNECTED, "--dry-run", "--allow-connected", "--allow-pending-messages"];
    let (code, outcome) = document(&db, &arguments);
    assert_eq!((code, &outcome["deletion"]), (0, &json!(null)), "{outcome}");
    let ended = run(&db, &arguments);
    assert!(ended.code == 0 && ended.stdout.contains("✓ Dry run: "), "{}", ended.stdout);
    assert_eq!(db.count("whatsapp_sessions").await, 14);
}

async fn a_malformed_token_is_wrong_usage(db: TestDb) {
    migrate_without_purge(&db).await;
    let (code, error) = document(&db, &["delete", STALE, "--yes", "--expected-impact", "x"]);
    assert_eq!((code, &error["error"]["code"]), (2, &json!("BAD_USER_INPUT")));
}

async fn the_same_key_answers_again(db: TestDb) {
    migrate_without_purge(&db).await;
    let arguments = ["delete", STALE, "--yes", "--idempotency-key", "once"];
    let (first, created) = document(&db, &arguments);
    let (second, answered) = document(&db, &arguments);
    assert_eq!((first, second), (0, 0), "{answered}");
    assert_eq!(created["deletion"]["id"], answered["deletion"]["id"]);
    let (code, reused) = document(&db, &["delete", CONNECTED, "--yes", "--idempotency-key", "once"]);
    assert_eq!((code, refusal(&reused)), (3, "IDEMPOTENCY_KEY_REUSED"));
    assert_eq!((&created["repeated"], &answered["repeated"]), (&json!(false), &json!(true)));
    let repeated_output = |ended: Ended| {
        assert!(ended.code == 0 && ended.stdout.contains("Nothing was deleted now: the deletion with this key "));
        assert!(!ended.stdout.contains("✓ Deleted"), "{}", ended.stdout);
        ended.stdout
    };
    let screen = repeated_output(run(&db, &arguments));
    assert!(screen.contains("\nRestorable until "), "{screen}");
    assert_eq!(document(&db, &["restore", created["deletion"]["id"].as_str().unwrap(), "--yes"]).0, 0);
    let screen = repeated_output(run(&db, &arguments));
    assert!(screen.contains("\nRestored at ") && screen.ends_with(" by cli:tester.\n"), "{screen}");
}
