//! Tests of `serve`: what it refuses to serve, and its options.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;

use super::server::{Server, terminate};
use super::{document, ended, executable, migrate_without_purge, run, run_in};
use crate::http::websocket::Client;
use crate::support::wait::eventually;
use crate::support::{Contents, TestDb, on_both};

on_both!(AsBuilt: a_database_with_pending_migrations_is_not_served);
on_both!(Mended: that_a_run_is_gone_on_with_is_logged);
on_both!(long Mended: what_a_run_restored_and_what_was_erased_then_is_logged);

async fn a_database_with_pending_migrations_is_not_served(db: TestDb) {
    let (code, error) = document(&db, &["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!((code, error["error"]["code"].as_str()), (1, Some("MIGRATIONS_PENDING")));
    let ended = run(&db, &["serve", "--listen", "127.0.0.1:0"]);
    assert!(ended.code == 1 && ended.stderr.contains("`session-admin migrate`"), "{}", ended.stderr);
}

/// Waits until a server has logged a line that contains `part`, and returns the line.
async fn wait_for_log_line(file: &Path, part: &str) -> String {
    eventually(async || {
        let log = std::fs::read_to_string(file).unwrap();
        let line = log.lines().find(|line| line.contains(part)).map(str::to_owned);
        line.ok_or(log)
    })
    .await
}

async fn what_a_run_restored_and_what_was_erased_then_is_logged(db: TestDb) {
    migrate_without_purge(&db).await;
    let (code, report) = document(&db, &["cleanup", "--yes"]);
    assert_eq!(code, 0, "{report}");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("log");
    let arguments = ["--database-url", db.url(), "--log-format", "json"];
    let server = || {
        let log = std::fs::File::create(&file).unwrap();
        Server::logging(folder.path(), &arguments, log.into())
    };
    let first = server();
    let run = report["run"]["id"].as_str().unwrap();
    first.post(&format!("mutation {{ restoreCleanupRun(input: {{ id: \"{run}\" }}) {{ run {{ id }} }} }}"));
    let ended: Value = serde_json::from_str(&wait_for_log_line(&file, "a cleanup run has ended").await).unwrap();
    let fields = &ended["fields"];
    assert_eq!(
        (&fields["rows_restored"], fields.get("rows_deleted")),
        (&report["run"]["rowsDeleted"], None),
        "{ended}"
    );
    assert_eq!(first.stop(), 0);
    // Soon after its start, a server erases the archives of restored deletions.
    let second = server();
    let erased: Value = serde_json::from_str(&wait_for_log_line(&file, "archives have been erased").await).unwrap();
    let (fields, run) = (&erased["fields"], &report["run"]);
    assert_eq!((&fields["expired"], &fields["erased"]), (&Value::from(0), &Value::from(1)), "{erased}");
    let archived = run["rowsDeleted"].as_i64().unwrap() + run["rowsUnlinked"].as_i64().unwrap();
    assert_eq!(fields["rows"], archived, "{erased}");
    assert_eq!(second.stop(), 0);
}

async fn that_a_run_is_gone_on_with_is_logged(db: TestDb) {
    migrate_without_purge(&db).await;
    let run = |limit: &str| {
        let (code, report) = document(&db, &["cleanup", "--yes", "--detach", "--limit", limit]);
        assert_eq!(code, 0, "{report}");
        report["run"]["id"].as_str().unwrap().to_owned()
    };
    let (interrupted, new) = (run("1"), run("2"));
    // Its worker no longer exists.
    let runs = db.database().await.internal_table("cleanup_runs");
    db.exec(&format!("UPDATE {runs} SET status = 'RUNNING', started_at = created_at WHERE id = '{interrupted}'")).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("log");
    let log = std::fs::File::create(&file).unwrap();
    let server = Server::logging(folder.path(), &["--database-url", db.url()], log.into());
    for id in [&interrupted, &new] {
        wait_for_log_line(&file, &format!("a cleanup run has ended run={id}")).await;
    }
    let log = std::fs::read_to_string(&file).unwrap();
    let goes_on = |id: &str| log.contains(&format!("resuming a cleanup run run={id}"));
    assert!(goes_on(&interrupted) && !goes_on(&new), "{log}");
    assert_eq!(server.stop(), 0);
}

#[tokio::test]
async fn sockets_are_as_many_as_the_flags_say() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &["--max-sockets", "1", "--max-operations", "0"]);
    let page = server.announced["page"].as_str().unwrap();
    let address = page.strip_prefix("http://").unwrap().trim_end_matches('/').parse().unwrap();
    let mut client = Client::begin(address).await;
    assert_eq!(Client::refused(address).await, 503);
    client.subscribe("1", "{ __typename }", serde_json::json!({})).await;
    assert!(client.hear().await["payload"][0]["message"].as_str().unwrap().starts_with("At most 0 operations"));
    assert_eq!(server.stop(), 0);
}

#[test]
fn only_loopback_is_listened_on() {
    let folder = tempfile::tempdir().unwrap();
    let ended = run_in(folder.path(), &["serve", "--listen", "0.0.0.0:0"]);
    assert_eq!(ended.code, 2, "{}", ended.stderr);
    assert_eq!(run_in(folder.path(), &["serve", "--listen", "here"]).code, 2);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn pages_of_the_origins_that_are_listed_are_let_in() {
    let folder = tempfile::tempdir().unwrap();
    let origins = ["--allow-origin", "https://a.example", "--allow-origin", "http://b.example:3000/"];
    let server = Server::start(folder.path(), &origins);
    for (origin, status) in [
        ("https://a.example", "HTTP/1.1 200"),
        ("http://b.example:3000", "HTTP/1.1 200"),
        ("https://c.example", "HTTP/1.1 403"),
    ] {
        let answer = server.ask("GET /graphql?query={__typename}", &format!("Origin: {origin}\r\n"), "");
        assert!(answer.starts_with(status), "{origin}: {answer}");
        let allowed = answer.contains(&format!("access-control-allow-origin: {origin}\r\n"));
        assert_eq!(allowed, status.ends_with("200"), "{origin}: {answer}");
    }
    assert_eq!(server.stop(), 0);
}

#[test]
fn limits_are_options() {
    let folder = tempfile::tempdir().unwrap();
    for (option, value) in [
        ("--max-depth", "31"),
        ("--max-page", "101"),
        ("--max-requests", "0"),
        ("--max-clients", "x"),
        ("--max-body", "0"),
        ("--head-timeout", "0"),
        ("--request-timeout", "86401"),
    ] {
        let ended = run_in(folder.path(), &["serve", option, value]);
        assert!(ended.code == 2 && ended.stderr.contains(option), "{option}: {} {}", ended.code, ended.stderr);
    }
    let server = Server::start(folder.path(), &["--max-root-fields", "1", "--max-requests-a-minute", "2"]);
    let refused = server.post("{ a: __typename b: __typename }");
    let message = "An operation has more than 1 fields at its root; a fragment counts wherever it is spread.";
    assert_eq!(refused["errors"][0]["message"], message);
    assert_eq!(server.post("{ __typename }")["data"]["__typename"], "Query");
    assert_eq!(server.post("{ __typename }")["errors"][0]["extensions"]["code"], "RATE_LIMITED");
    assert_eq!(server.stop(), 0);
}

#[test]
fn what_is_no_origin_is_wrong_usage() {
    let folder = tempfile::tempdir().unwrap();
    let any = run_in(folder.path(), &["serve", "--allow-origin", "*"]);
    assert!(any.code == 2 && any.stderr.contains("List the origins"), "{}", any.stderr);
    let with_environment = |origins: &str| {
        // The port is in use, so that the server cannot start in any case.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let mut command = executable(&["serve", "--listen", &listener.local_addr().unwrap().to_string()]);
        command.current_dir(folder.path()).env("SESSION_ADMIN_ALLOW_ORIGIN", origins);
        let ended = ended(command);
        (ended.code, ended.stderr)
    };
    let (code, error) = with_environment("https://a.example,b.example");
    assert!(code == 2 && error.contains("--allow-origin (SESSION_ADMIN_ALLOW_ORIGIN) is \"b.example\""), "{error}");
    for accepted in ["", "https://a.example,https://b.example"] {
        let (code, error) = with_environment(accepted);
        assert!(code == 1 && error.contains("--listen"), "{accepted}: {error}");
    }
}

#[test]
fn a_port_that_is_taken_is_a_failure() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let ended = run_in(folder.path(), &["serve", "--listen", &listener.local_addr().unwrap().to_string()]);
    assert_eq!(ended.code, 1, "{}", ended.stderr);
    let messages: Vec<&str> = ended.stderr.lines().filter(|line| line.contains("in use")).collect();
    assert!(messages.len() == 1 && messages[0].starts_with("error: --listen"), "it is said once: {}", ended.stderr);
}

#[test]
fn what_machines_ask_every_few_seconds_is_not_logged_unless_something_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("log");
    let server = Server::logging(folder.path(), &[], std::fs::File::create(&file).unwrap().into());
    for path in ["/metrics", "/health/live", "/health/ready"] {
        assert!(server.get(path).starts_with("HTTP/1.1 200"), "{path}");
    }
    assert!(server.ask("POST /metrics", "", "").starts_with("HTTP/1.1 405"));
    assert_eq!(server.stop(), 0);
    let log = std::fs::read_to_string(file).unwrap();
    let answered: Vec<&str> = log.lines().filter(|line| line.contains("answered")).collect();
    assert!(answered.len() == 1 && answered[0].contains("status=405"), "{log}");
}

#[test]
fn a_new_default_file_is_migrated_and_served() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &[]);
    assert!(server.get("/health/live").starts_with("HTTP/1.1 200"));
    assert_eq!(server.stop(), 0);
    // At the second start, no migrations are pending.
    assert_eq!(Server::start(folder.path(), &[]).stop(), 0);
    assert_eq!(run_in(folder.path(), &["doctor"]).code, 0);
}

#[tokio::test]
async fn sqlite_a_default_file_that_is_not_new_is_left_to_migrate() {
    let folder = tempfile::tempdir().unwrap();
    let db = TestDb::sqlite(Contents::AsBuilt).await;
    db.exec(&format!("VACUUM INTO '{}'", folder.path().join("session-admin.db").display())).await;
    let ended = run_in(folder.path(), &["serve", "--listen", "127.0.0.1:0"]);
    assert!(ended.code == 1 && ended.stderr.contains("`session-admin migrate`"), "{}", ended.stderr);
}

#[test]
fn the_demonstration_serves_a_deployment_in_trouble_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &["--demo"]);
    let url = server.announced["databaseUrl"].as_str().unwrap().to_owned();
    let file = url.strip_prefix("sqlite://").unwrap().to_owned();
    assert!(server.get("/health/live").starts_with("HTTP/1.1 200"));
    let with_url = |arguments: &[&str]| run_in(folder.path(), &[arguments, &["--database-url", &url]].concat()).code;
    assert_eq!(with_url(&["doctor"]), 3);
    assert_eq!(with_url(&["migrate", "--yes"]), 0);
    assert_eq!(with_url(&["doctor"]), 0);
    assert_eq!(server.stop(), 0);
    assert!(!Path::new(&file).exists());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// The three suggested commands are executed one after the other.
#[test]
fn the_terminal_says_what_to_try() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = executable(&["serve", "--demo", "--listen", "127.0.0.1:0"]);
    let mut child = command.current_dir(folder.path()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| line.starts_with("GraphiQL: http://127.0.0.1:")));
    assert!(lines.any(|line| line.ends_with("In another terminal:")));
    for (expected_command, code, answer) in [
        ("doctor", 3, "✗ Not healthy"),
        ("migrate", 0, "✓ Deleted 9 sessions"),
        ("cleanup --dry-run", 3, "What deleting 5 sessions does:"),
    ] {
        let line = lines.next().unwrap();
        let (_, arguments) = line.split_once("session-admin ").unwrap();
        assert!(arguments.starts_with(expected_command), "{line}");
        // Without a terminal, the command cannot ask.
        let yes = (expected_command == "migrate").then_some("--yes");
        let arguments: Vec<&str> = arguments.split(' ').chain(yes).collect();
        let ended = run_in(folder.path(), &arguments);
        assert!(ended.code == code && ended.stdout.contains(answer), "{line}: {} {}", ended.code, ended.stdout);
    }
    assert_eq!(terminate(&mut child), 0);
}

#[test]
fn a_database_that_the_demonstration_leaves_alone_is_said_to_be() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("log");
    let demonstrate = |arguments: &[&str]| {
        let log = std::fs::File::create(&file).unwrap();
        let server = Server::logging(folder.path(), &[&["--demo"], arguments].concat(), log.into());
        assert_eq!(server.stop(), 0);
        std::fs::read_to_string(&file).unwrap()
    };
    let warning = "--demo serves its own database and ignores --database-url (DATABASE_URL)";
    assert!(demonstrate(&["--database-url", "sqlite://mine.db"]).contains(warning));
    assert!(!demonstrate(&[]).contains(warning) && !folder.path().join("mine.db").exists());
}
