//! Tests of invalid usage, invalid configuration and a missing database.

use serde_json::Value;

use api::db::Dialect;

use super::{ended, executable, run, run_in};
use crate::support::{TestDb, on_both};

/// Runs a command without a database. Returns the exit code and the output of both streams.
fn run_without_database(arguments: &[&str]) -> (i32, String) {
    let folder = tempfile::tempdir().unwrap();
    let ended = run_in(folder.path(), arguments);
    (ended.code, format!("{}{}", ended.stdout, ended.stderr))
}

#[test]
fn wrong_values_are_named_and_exit_with_2() {
    let cases: [(&[&str], &str); 11] = [
        (&[], "Usage"),
        (&["destroy"], "destroy"),
        (&["impact"], "ID"),
        (&["impact", "x"], "'x'"),
        (&["doctor", "--database-url", "mysql://h/d"], "DATABASE_URL"),
        (&["doctor", "--database-url", "sqlite::memory:"], "DATABASE_URL"),
        (&["doctor", "--schema", "other"], "SESSION_ADMIN_SCHEMA"),
        (&["doctor", "--lock-timeout", "600"], "--deletion-timeout"),
        (&["doctor", "--query-timeout", "0"], "SESSION_ADMIN_QUERY_TIMEOUT"),
        (&["doctor", "--log", "=="], "SESSION_ADMIN_LOG"),
        (&["doctor", "--config", "missing.toml"], "missing.toml"),
    ];
    for (arguments, named) in cases {
        let (code, text) = run_without_database(arguments);
        assert_eq!(code, 2, "{arguments:?}: {text}");
        assert!(text.contains(named), "{arguments:?}: {text}");
    }
}

#[test]
fn with_json_a_complaint_is_a_document_too() {
    for arguments in [&["destroy", "--json"][..], &["impact", "x", "--json"], &["doctor", "--schema", "x", "--json"]] {
        let folder = tempfile::tempdir().unwrap();
        let ended = run_in(folder.path(), arguments);
        let document: Value = serde_json::from_str(&ended.stdout).unwrap();
        assert_eq!((ended.code, document["error"]["code"].as_str()), (2, Some("BAD_USER_INPUT")), "{document}");
        let message = document["error"]["message"].as_str().unwrap();
        assert!(!message.contains('\n') && !message.contains("For more information"), "{message}");
    }
    let folder = tempfile::tempdir().unwrap();
    let ended = run_in(folder.path(), &["impact", "--json"]);
    let document: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(document["error"]["message"], "the following required arguments were not provided: <ID>...");
}

#[test]
fn a_missing_file_is_not_made_by_looking_at_it() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&["doctor"][..], &["migrate", "--status"], &["impact", "303d5044-0000-4000-8000-000000000001"]] {
        let ended = run_in(folder.path(), arguments);
        assert_eq!(ended.code, 2);
        assert!(ended.stderr.contains("session-admin.db"), "{}", ended.stderr);
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
#[ignore = "long: `make test` runs it"]
fn a_database_that_is_not_there_is_a_failure_and_its_password_stays_secret() {
    let mut command = executable(&["doctor", "--json", "--log", "trace"]);
    command.env("DATABASE_URL", "postgres://u:hunter2@127.0.0.1:1/d");
    let ended = ended(command);
    let document: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!((ended.code, document["error"]["code"].as_str()), (1, Some("UNAVAILABLE")), "{document}");
    assert!(!format!("{}{}", ended.stdout, ended.stderr).contains("hunter2"));
}

on_both!(Empty: a_schema_without_the_tables_is_told_in_one_line);

async fn a_schema_without_the_tables_is_told_in_one_line(db: TestDb) {
    let doctor = run(&db, &["doctor"]);
    let (place, name) = match db.dialect() {
        Dialect::Postgres => {
            ("the schema public", "Name the schema that contains it with --schema (SESSION_ADMIN_SCHEMA)")
        }
        Dialect::Sqlite => ("this file", "Name the file that contains it with --database-url (DATABASE_URL)"),
    };
    let message = format!(
        "error: There is no table whatsapp_sessions in {place}. {name}. In an empty database, `session-admin migrate` \
         creates the tables.\n"
    );
    assert_eq!((doctor.code, doctor.stderr), (1, message));
    // At level debug, the log has the whole error, in the text format too.
    let log = run(&db, &["doctor", "--log", "debug"]).stderr;
    assert!(
        log.contains(" DEBUG session_admin::cli: failed error=\"There is no table")
            && !log.contains("IncompatibleDatabase("),
        "{log}"
    );
}

#[test]
fn help_and_version_are_no_errors() {
    assert_eq!(run_without_database(&["--version"]).0, 0);
    let (code, text) = run_without_database(&["--help"]);
    assert!(code == 0 && text.contains("Exit codes: 0 done"), "{text}");
}
