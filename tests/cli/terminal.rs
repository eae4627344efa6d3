//! Tests of questions on a terminal, which `script` (bsdutils) provides.

use std::io::Write;
use std::process::{Command, Stdio};

use super::server::Server;
use super::{document, executable, migrate_without_purge};
use crate::support::{TestDb, on_both};

on_both!(AsBuilt: migrate_asks_and_asks_again_where_the_purge_takes_other_rows);
on_both!(Mended: no_is_no, yes_deletes);
on_both!(Mended: cleanup_asks_and_shows_how_far_it_is);

const SESSION: &str = "303d5044-0000-4000-8000-000000000001";

/// Runs a command on a terminal and types the answers. Returns the exit code and the terminal's output.
fn run_on_terminal(db: &TestDb, command: &str, answers: &str) -> (i32, String) {
    let bare = executable(&[]);
    let mut script = Command::new("script");
    for (name, value) in bare.get_envs() {
        match value {
            Some(value) => script.env(name, value),
            None => script.env_remove(name),
        };
    }
    script.env("DATABASE_URL", db.url()).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    script.args(["-qec", &format!("{} {command}", env!("CARGO_BIN_EXE_session-admin")), "/dev/null"]);
    let mut child = script.spawn().unwrap();
    child.stdin.take().unwrap().write_all(answers.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    (output.status.code().unwrap(), String::from_utf8_lossy(&output.stdout).replace('\r', ""))
}

async fn no_is_no(db: TestDb) {
    let (code, screen) = run_on_terminal(&db, &format!("delete {SESSION}"), "n\n");
    assert!(code == 3 && screen.contains("Delete all this? [y/N]"), "{code} {screen}");
    assert!(screen.contains("Nothing was deleted."), "{screen}");
    assert!(screen.contains("│ whatsapp_sessions "), "{screen}");
    assert_eq!(db.count("whatsapp_sessions").await, 14);
}

async fn yes_deletes(db: TestDb) {
    let (code, screen) = run_on_terminal(&db, "migrate", "n\n");
    assert!(code == 3 && screen.contains("Nothing was changed."), "{code} {screen}");
    db.exec("UPDATE whatsapp_sessions SET phone_number = '+1' WHERE phone_number IS NULL").await;
    assert_eq!(document(&db, &["migrate", "--yes"]).0, 0);
    let (code, screen) = run_on_terminal(&db, &format!("delete {SESSION}"), "y\n");
    assert!(code == 0 && screen.contains("✓ Deleted 1 session"), "{code} {screen}");
    assert_eq!(db.count("whatsapp_sessions").await, 13);
}

async fn migrate_asks_and_asks_again_where_the_purge_takes_other_rows(db: TestDb) {
    let (code, screen) = run_on_terminal(&db, "migrate", "y\nn\n");
    assert!(
        code == 3 && screen.contains("With the repaired foreign keys, the purge has this impact:"),
        "{code} {screen}"
    );
    assert!(screen.contains("the purge stays pending"), "{screen}");
    assert_eq!(document(&db, &["migrate", "--status"]).1["pending"].as_array().unwrap().len(), 1);
    // Other commands work without the purge.
    for command in ["deletions", "runs"] {
        assert_eq!(document(&db, &[command]).0, 0, "{command}");
    }
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let to = std::fs::File::create(&log).unwrap();
    assert_eq!(Server::logging(folder.path(), &["--database-url", db.url()], to.into()).stop(), 0);
    let log = std::fs::read_to_string(log).unwrap();
    let warned = |line: &str| line.contains(" WARN ") && line.contains("the purge of stale sessions is still pending");
    assert!(log.lines().any(warned), "{log}");
    let (code, screen) = run_on_terminal(&db, "migrate", "n\n");
    assert!(
        code == 3 && screen.contains("the purge stays pending. Everything else works without it"),
        "{code} {screen}"
    );
    let (code, screen) = run_on_terminal(&db, "migrate", "y\n");
    assert!(code == 0 && screen.contains("✓ Deleted 9 sessions"), "{code} {screen}");
    assert!(!screen.contains("With the repaired foreign keys"), "{screen}");
}

async fn cleanup_asks_and_shows_how_far_it_is(db: TestDb) {
    migrate_without_purge(&db).await;
    let (code, screen) = run_on_terminal(&db, "cleanup", "n\n");
    assert!(code == 3 && screen.contains("Delete all this? [y/N]"), "{code} {screen}");
    assert!(screen.contains("│ stale-1 ") && screen.ends_with("Nothing was deleted.\n"), "{screen}");
    assert_eq!(db.count("whatsapp_sessions").await, 14);
    let (code, screen) = run_on_terminal(&db, "cleanup", "y\n");
    assert!(
        code == 0 && screen.contains("░ 0 of 9 sessions") && screen.contains("█ 9 of 9 sessions"),
        "{code} {screen}"
    );
    assert!(screen.contains("✓ 9 of 9 sessions deleted, 0 skipped: 1512 rows deleted"), "{screen}");
    let (code, screen) = run_on_terminal(&db, "cleanup --status connected --phone-number present", "y\n");
    assert!(code == 3 && screen.contains("will be skipped. Delete the others?"), "{screen}");
    assert_eq!(db.count("whatsapp_sessions").await, 5);
}
