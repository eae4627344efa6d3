//! Tests of `doctor` and `impact` as gates in CI.

use serde_json::json;

use super::{document, run};
use crate::support::{TestDb, on_both, steps};

on_both!(AsBuilt: doctor_refuses_a_database_in_trouble, impact_says_what_is_in_the_way);
on_both!(FirstFix: doctor_lets_pass_what_is_accepted_by_name);
on_both!(Mended:
    doctor_lets_a_sound_database_pass,
    impact_of_a_session_that_can_go_is_done,
    an_unknown_session_is_wrong_usage,
);

const STALE: &str = "303d5044-0000-4000-8000-000000000001";
const CONNECTED: &str = "c0ffee00-0000-4000-8000-000000000010";

async fn doctor_refuses_a_database_in_trouble(db: TestDb) {
    let (code, health) = document(&db, &["doctor"]);
    assert_eq!((code, &health["healthy"]), (3, &json!(false)));
    assert_eq!(health["findings"][0]["key"], "BLOCKS_DELETION:notification_campaign_groups.group_id");
    assert_eq!(health["pendingMigrations"].as_array().unwrap().len(), steps());
    let text = run(&db, &["doctor"]);
    assert_eq!(text.code, 3);
    assert!(text.stdout.contains("ERROR BLOCKS_DELETION:webinars.whatsapp_group_id"), "{}", text.stdout);
    assert!(text.stdout.ends_with("✗ Not healthy: 10 errors.\n"), "{}", text.stdout);
}

async fn doctor_lets_pass_what_is_accepted_by_name(db: TestDb) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("session-admin.toml");
    let accepted = ["SET_NULL_ON_NOT_NULL", "RULE_DRIFT"].map(|code| {
        format!(
            "[[accepted]]\nfinding = \"{code}:notification_campaign_groups.group_id\"\nreason = \"known until March\"\n"
        )
    });
    std::fs::write(&file, accepted.concat()).unwrap();
    assert_eq!(run(&db, &["doctor"]).code, 3);
    let ended = run(&db, &["doctor", "--config", file.to_str().unwrap()]);
    assert_eq!(ended.code, 0, "{}", ended.stdout);
    assert!(ended.stdout.contains("accepted"), "{}", ended.stdout);
}

async fn doctor_lets_a_sound_database_pass(db: TestDb) {
    let (code, health) = document(&db, &["doctor"]);
    assert_eq!((code, &health["healthy"]), (0, &json!(true)));
    assert_eq!(health["foreignKeys"].as_array().unwrap().len(), 12);
}

async fn impact_says_what_is_in_the_way(db: TestDb) {
    let (code, impact) = document(&db, &["impact", STALE]);
    assert_eq!((code, &impact["deletable"]), (3, &json!(false)));
    assert!(!impact["blockers"].as_array().unwrap().is_empty());
}

async fn impact_of_a_session_that_can_go_is_done(db: TestDb) {
    let (code, impact) = document(&db, &["impact", STALE, CONNECTED]);
    assert_eq!((code, &impact["deletable"], &impact["sessionCount"]), (0, &json!(true), &json!(2)));
    // `impact` warns about what `delete` needs a flag for, but does not refuse it.
    let ended = run(&db, &["impact", CONNECTED]);
    assert_eq!(ended.code, 0);
    for warning in ["! 1 connected session among them.", " still to be sent among them."] {
        assert!(ended.stdout.contains(warning), "{warning}: {}", ended.stdout);
    }
    assert_eq!(document(&db, &["delete", CONNECTED, "--yes"]).0, 3);
}

async fn an_unknown_session_is_wrong_usage(db: TestDb) {
    let unknown = "00000000-0000-4000-8000-000000000000";
    let (code, error) = document(&db, &["impact", unknown]);
    assert_eq!((code, &error["error"]["code"]), (2, &json!("BAD_USER_INPUT")));
    assert!(error["error"]["message"].as_str().unwrap().contains(unknown), "{error}");
    let ended = run(&db, &["impact", unknown]);
    assert_eq!((ended.code, ended.stdout.as_str()), (2, ""));
    assert!(ended.stderr.starts_with("error: "), "{}", ended.stderr);
}
