//! Snapshot tests of the rows of internal tables: the audit trail, archives, idempotency keys, runs with their criteria
//! and jobs, access tokens, and the names of principals.

use api::cleanup::ScheduledCleanup;
use api::db::Dialect;
use chrono::{DateTime, Utc};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use super::redaction::Redaction;
use super::small_session::{self, SMALL};
use super::{STALE, assert_snapshot, id_at, of_database};
use crate::cli::server::Server;
use crate::cli::{document, migrate_without_purge};
use crate::support::{TestDb, on_both};

on_both!(Mended: rows_of_a_deletion, rows_of_an_access_token, names_of_principals);
on_both!(long Mended: rows_of_runs);

/// Runs a command, asserts that it succeeds, and returns its document.
fn done(db: &TestDb, arguments: &[&str]) -> serde_json::Value {
    let (code, document) = document(db, arguments);
    assert_eq!(code, 0, "{arguments:?}: {document}");
    document
}

/// Returns the rows of a table as text, with one line for each column's name and value.
async fn rows(db: &TestDb, name: &str, order: &str) -> String {
    let table = db.dialect().internal_table(name);
    let columns = match db.dialect() {
        Dialect::Postgres => format!(
            "SELECT attname FROM pg_attribute WHERE attrelid = '{table}'::regclass AND attnum > 0 AND NOT attisdropped \
             ORDER BY attname COLLATE \"C\""
        ),
        Dialect::Sqlite => {
            format!("SELECT name FROM pragma_table_info('{}') ORDER BY name", table.trim_matches('"'))
        }
    };
    let columns: Vec<String> = db.rows(&columns).await.into_iter().map(|mut row| row.remove(0)).collect();
    let listed: Vec<String> = columns.iter().map(|name| format!("\"{name}\"")).collect();
    let mut connection = db.raw().await;
    if db.dialect() == Dialect::Postgres {
        connection.exec("SET TimeZone = 'UTC'").await;
    }
    let found = connection.rows(&format!("SELECT {} FROM {table} ORDER BY {order}", listed.join(", "))).await;
    connection.close().await;
    let mut text = String::new();
    for row in found {
        text += &format!("\n{name}\n");
        for (column, value) in columns.iter().zip(row) {
            // The numbers of an archive's entries are arbitrary.
            let is_number =
                matches!((name, column.as_str()), ("archived_tables", "id") | ("archived_rows", "table_id"));
            text += &format!("  {column}: {}\n", if is_number { "<number>" } else { &value });
        }
    }
    text
}

/// Compares the rows of internal tables with the snapshot of the database's dialect.
async fn assert_rows_match(db: &TestDb, name: &str, tables: &[(&str, &str)], redaction: &mut Redaction) {
    let mut text = String::new();
    for (table, order) in tables {
        text += &rows(db, table, order).await;
    }
    assert_snapshot(&of_database(db, name), &redaction.apply(&text));
}

/// Returns a redaction that hides the fingerprints of requests, and on PostgreSQL the numbers of tables.
async fn redaction(db: &TestDb) -> Redaction {
    let mut redaction = Redaction::default();
    for row in db.rows(&format!("SELECT fingerprint FROM {}", db.dialect().internal_table("idempotency_keys"))).await {
        redaction.hide(&row[0], "<fingerprint>");
    }
    if db.dialect() == Dialect::Postgres {
        for row in db.rows("SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace").await {
            redaction.hide(&format!("[{}, ", row[0]), "[<table>, ");
        }
    }
    redaction
}

async fn rows_of_a_deletion(db: TestDb) {
    migrate_without_purge(&db).await;
    small_session::add(&db).await;
    let terms = ["--allow-connected", "--allow-pending-messages", "--reason", "No longer needed."];
    done(&db, &[&["delete", SMALL, "--yes", "--idempotency-key", "a key"], &terms[..]].concat());
    let entries = db.dialect().internal_table("archived_tables");
    let order_of_entries = format!(
        "(SELECT kind FROM {entries} WHERE id = table_id) DESC, (SELECT table_name FROM {entries} WHERE id = table_id)"
    );
    let tables = [
        ("deletions", "1"),
        ("deleted_sessions", "position"),
        ("idempotency_keys", "key"),
        ("archived_tables", "kind DESC, table_name"),
        ("archived_rows", &order_of_entries),
    ];
    let mut redaction = redaction(&db).await;
    assert_rows_match(&db, "stored_deletion", &tables, &mut redaction).await;
    let id = id_at(&done(&db, &["deletions", "--session", SMALL])["deletions"][0], "id");
    done(&db, &["restore", &id, "--yes"]);
    assert_rows_match(&db, "stored_deletion_restored", &tables[..1], &mut redaction).await;
    let id = id_at(&done(&db, &["delete", SMALL, "--yes"]), "deletion.id");
    done(&db, &["deletions", "erase", &id, "--yes"]);
    db.exec(&format!("DELETE FROM {} WHERE status = 'RESTORED'", db.dialect().internal_table("deletions"))).await;
    assert_rows_match(&db, "stored_deletion_erased", &tables, &mut redaction).await;
}

async fn rows_of_runs(db: TestDb) {
    migrate_without_purge(&db).await;
    small_session::add(&db).await;
    let terms = ["--yes", "--detach", "--reason", "Every flag.", "--allow-connected", "--allow-pending-messages"];
    let criteria = [
        ["--id", SMALL],
        ["--status", "disconnected"],
        ["--phone-number", "absent"],
        ["--older-than", "P1D"],
        ["--created-before", "2026-01-02T00:00:00Z"],
        ["--search", "SMALL"],
        ["--limit", "5"],
        ["--at-most", "3"],
        ["--idempotency-key", "a key"],
    ];
    let run = id_at(&done(&db, &[&["cleanup"], &criteria.concat()[..], &terms].concat()), "run.id");
    let mut redaction = redaction(&db).await;
    let jobs = match db.dialect() {
        Dialect::Postgres => "SELECT job_type, convert_from(job, 'UTF8'), idempotency_key, status FROM apalis.jobs",
        Dialect::Sqlite => "SELECT job_type, CAST(job AS text), idempotency_key, status FROM Jobs",
    };
    let jobs = db.rows(jobs).await;
    let stored = db.rows(&format!("SELECT job FROM {}", db.dialect().internal_table("cleanup_runs"))).await;
    assert_eq!((jobs.len(), &jobs[0][2]), (1, &stored[0][0]), "the run names its job");
    assert_snapshot("stored_job", &redaction.apply(&jobs[0].join("\n")));
    let tables =
        [("cleanup_runs", "created_at"), ("cleanup_run_sessions", "run_id, position"), ("idempotency_keys", "key")];
    assert_rows_match(&db, "stored_run_queued", &tables, &mut redaction).await;
    done(&db, &["runs", "resume", &run, "--yes"]);
    done(&db, &["runs", "restore", &run, "--yes"]);
    let waiting = id_at(&done(&db, &["cleanup", "--yes", "--detach", "--limit", "1"]), "run.id");
    done(&db, &["runs", "cancel", &waiting]);
    let (_, gateway) = document(
        &db,
        &["cleanup", "--yes", "--detach", "--missing-from-gateway", "--gateway-url", "http://127.0.0.1:1/{id}"],
    );
    assert_ne!(gateway["run"], serde_json::Value::Null, "{gateway}");
    let midnight: DateTime<Utc> = "2026-02-03T00:00:00Z".parse().unwrap();
    ScheduledCleanup::new("PT24H".parse().unwrap(), 5_000).unwrap().tick(db.database().await, midnight).await.unwrap();
    let tables = [("cleanup_runs", "created_at"), ("idempotency_keys", "key")];
    // The rows are in the order of creation, because ids are random.
    let mut redaction = self::redaction(&db).await;
    assert_rows_match(&db, "stored_runs", &tables, &mut redaction).await;
}

/// A token is stored as the SHA-256 of the whole secret. Changing this would invalidate existing tokens.
async fn rows_of_an_access_token(db: TestDb) {
    migrate_without_purge(&db).await;
    let created = done(&db, &["token", "create", "--name", "ci", "--role", "operator"]);
    let hash = Sha256::digest(id_at(&created, "token")).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let mut redaction = Redaction::default();
    redaction.hide(&hash, "<SHA-256 of the token, in hex>");
    assert_rows_match(&db, "stored_token", &[("tokens", "name")], &mut redaction).await;
}

async fn names_of_principals(db: TestDb) {
    migrate_without_purge(&db).await;
    small_session::add(&db).await;
    let folder = TempDir::new().unwrap();
    let delete = |server: &Server, headers: &str, session: &str| {
        let mutation =
            format!("mutation {{ deleteSession(input: {{ id: \"{session}\" }}) {{ userErrors {{ code }} }} }}");
        let body = serde_json::json!({ "query": mutation }).to_string();
        let answer = server.ask("POST /graphql", headers, &body);
        assert!(answer.ends_with("{\"data\":{\"deleteSession\":{\"userErrors\":[]}}}"), "{answer}");
    };
    let server = Server::start(folder.path(), &["--database-url", db.url()]);
    delete(&server, "", SMALL);
    assert_eq!(server.stop(), 0);
    let token = id_at(&done(&db, &["token", "create", "--name", "ci", "--role", "operator"]), "token");
    let server = Server::start(folder.path(), &["--database-url", db.url()]);
    delete(&server, &format!("Authorization: Bearer {token}\r\n"), STALE);
    assert_eq!(server.stop(), 0);
    done(&db, &["delete", super::OTHER_STALE, "--yes"]);
    let names = format!("SELECT deleted_by FROM {} ORDER BY deleted_at", db.dialect().internal_table("deletions"));
    assert_eq!(db.rows(&names).await, [["local"], ["ci"], ["cli:tester"]]);
}
