//! Snapshot tests of invalid usage and configuration, and of the commands that need no database.

use std::path::Path;

use serde_json::Value;

use super::{Transcript, UNKNOWN, assert_snapshot};
use crate::cli::{Ended, ended, executable};
use crate::support::{Contents, TestDb};

/// Runs a command with `--json` in a folder, without a database.
fn run_in(folder: &Path, arguments: &[&str]) -> Ended {
    let mut command = executable(&[arguments, &["--json"]].concat());
    command.current_dir(folder);
    ended(command)
}

#[tokio::test]
#[ignore = "long: `make test` runs it"]
async fn errors_before_a_database_is_opened() {
    let db = TestDb::sqlite(Contents::Empty).await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("wrong.toml"), "[[accepted]]\nfinding = \"X\"\n").unwrap();
    let mut transcript = Transcript::new(&db);
    for arguments in [
        &[][..],
        &["destroy"],
        &["impact"],
        &["impact", "x"],
        &["delete", "x"],
        &["delete", UNKNOWN, "--at-most", "-1"],
        &["cleanup", "--status", "gone", "--yes"],
        &["cleanup", "--phone-number", "maybe", "--yes"],
        &["cleanup", "--detach", "--dry-run"],
        &["deletions", "--status", "gone"],
        &["deletions", "--limit", "0"],
        &["runs", "--limit", "1001"],
        &["token", "create", "--name", "ci"],
        &["migrate", "--status", "--yes"],
        &["completions", "cmd.exe"],
        &["man", "nothing"],
        &["doctor"],
        &["doctor", "--database-url", "mysql://h/d"],
        &["doctor", "--database-url", "sqlite::memory:"],
        &["doctor", "--database-url", "postgres://u:hunter2@127.0.0.1:1/d"],
        &["doctor", "--schema", "other"],
        &["doctor", "--lock-timeout", "600"],
        &["doctor", "--query-timeout", "0"],
        &["doctor", "--config", "missing.toml"],
        &["doctor", "--config", "wrong.toml"],
        &["cleanup", "--yes", "--gateway-url", "x"],
        &["serve", "--listen", "0.0.0.0:0"],
        &["serve", "--cleanup-schedule", "x", "--cleanup-at-most", "1"],
        &["serve", "--jwt-issuer", "https://issuer.example"],
    ] {
        let ended = run_in(folder.path(), arguments);
        transcript.record(arguments, &ended);
    }
    transcript.assert_matches("usage_errors");
}

#[test]
fn documents_around_texts() {
    let folder = tempfile::tempdir().unwrap();
    let text = |arguments: &[&str], field: &str| {
        let Ended { code, stdout, .. } = run_in(folder.path(), arguments);
        let document: Value = serde_json::from_str(&stdout).unwrap();
        let fields: Vec<&str> = document.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!((code, fields), (0, vec![field]), "{arguments:?}");
        document[field].as_str().unwrap().to_owned()
    };
    assert_eq!(text(&["schema"], "sdl").trim(), include_str!("../../schema.graphql").trim());
    assert!(text(&["completions", "bash"], "script").contains("session-admin"));
    assert!(text(&["man"], "page").contains("session-admin"));
}

#[test]
fn the_end_of_the_help() {
    let Ended { code, stdout, .. } = ended(executable(&["--help"]));
    assert_eq!(code, 0);
    let (_, exit_codes) = stdout.split_once("\nExit codes:").unwrap();
    assert_snapshot("exit_codes", &exit_codes.split_whitespace().collect::<Vec<_>>().join(" "));
}
