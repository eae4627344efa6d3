//! Tests that the codes of refusals and errors stay the same and occur in the snapshots.

use std::path::Path;

use api::error::Error;
use serde_json::json;
use tempfile::TempDir;

use super::redaction::Redaction;
use super::{UNKNOWN, assert_snapshot, id_at};
use crate::cli::server::Server;
use crate::cli::{document, ended, executable, migrate_without_purge};
use crate::support::{Contents, TestDb};

/// The codes of refusals, which the schema documents.
const REFUSALS: [&str; 14] = [
    "ALREADY_RESTORED",
    "ARCHIVE_GONE",
    "BLOCKED_BY_FOREIGN_KEY",
    "GATEWAY_DISAGREES",
    "IDEMPOTENCY_KEY_REUSED",
    "IMPACT_CHANGED",
    "LOCK_TIMEOUT",
    "NOT_FOUND",
    "NO_LONGER_MATCHES",
    "PENDING_MESSAGES",
    "RESTORE_CONFLICT",
    "RUN_FINISHED",
    "SESSION_CONNECTED",
    "TOO_MANY_ROWS",
];

/// The codes of errors.
const ERRORS: [&str; 10] = [
    "BAD_USER_INPUT",
    "FORBIDDEN",
    "INTERNAL",
    "MIGRATIONS_PENDING",
    "NOT_FOUND",
    "QUERY_TOO_COMPLEX",
    "RATE_LIMITED",
    "TIMEOUT",
    "UNAUTHENTICATED",
    "UNAVAILABLE",
];

/// Returns all snapshots as one text, with whitespace collapsed to one space.
fn snapshots() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/public_strings/snapshots");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let files = files.filter(|file| file.extension().is_some_and(|extension| extension == "snap"));
    let text: String = files.map(|file| std::fs::read_to_string(file).unwrap()).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn every_code_of_a_refusal_is_in_a_document() {
    let schema = ended(executable(&["schema"])).stdout;
    let (_, codes) = schema.split_once("enum UserErrorCode {").unwrap();
    let is_code = |line: &&str| !line.is_empty() && line.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    let codes: Vec<&str> = codes.split('}').next().unwrap().lines().map(str::trim).filter(is_code).collect();
    assert_eq!(codes, REFUSALS);
    let snapshots = snapshots();
    for code in REFUSALS {
        assert!(snapshots.contains(&format!("\"code\": \"{code}\", \"message\": ")), "{code}");
    }
}

#[test]
fn every_code_of_an_error_is_in_an_answer() {
    let snapshots = snapshots();
    let missing: Vec<&str> = ERRORS
        .into_iter()
        .filter(|code| {
            let document = format!("\"error\": {{ \"code\": \"{code}\"");
            !snapshots.contains(&document) && !snapshots.contains(&format!("\"extensions\":{{\"code\":\"{code}\""))
        })
        .collect();
    // This error occurs only if an object is deleted during a request.
    assert_eq!(missing, ["NOT_FOUND"]);
    assert_eq!(Error::NotFound(String::new()).code(), "NOT_FOUND");
}

/// Appends the status and the body of a response to the text.
fn record(text: &mut String, what: &str, answer: &str) {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    *text += &format!("{what}\n{}\n{}\n\n", head.lines().next().unwrap(), body.trim_end());
}

#[tokio::test]
async fn codes_over_http() {
    let db = TestDb::sqlite(Contents::Mended).await;
    migrate_without_purge(&db).await;
    let folder = TempDir::new().unwrap();
    let mut text = String::new();
    let mut ask = |server: &Server, headers: &str, query: &str| {
        let answer = server.ask("POST /graphql", headers, &json!({ "query": query }).to_string());
        record(&mut text, query, &answer);
    };
    let database = ["--database-url", db.url()];
    let server = Server::start(folder.path(), &[&database[..], &["--max-requests-a-minute", "4"]].concat());
    ask(&server, "", "{ __typename }");
    ask(&server, "", "{ nothing }");
    ask(&server, "", "{ session(id: \"x\") { id } }");
    ask(&server, "", &"{ a ".repeat(70));
    ask(&server, "", "{ __typename }");
    drop(server);
    let token = id_at(&document(&db, &["token", "create", "--name", "ci", "--role", "viewer"]).1, "token");
    let server = Server::start(folder.path(), &database);
    let delete = format!("mutation {{ deleteSession(input: {{ id: \"{UNKNOWN}\" }}) {{ userErrors {{ code }} }} }}");
    ask(&server, "", &delete);
    ask(&server, &format!("Authorization: Bearer {token}\r\n"), &delete);
    drop(server);
    // The demonstration's database begins without internal tables.
    let server = Server::start(folder.path(), &["--demo"]);
    ask(&server, "", "{ deletions(first: 1) { totalCount } }");
    for path in ["/health/live", "/health/ready"] {
        record(&mut text, path, &server.get(path));
    }
    let (before, after) = text.split_once("Try again in ").unwrap();
    let after = after.trim_start_matches(|c: char| c.is_ascii_digit());
    let text = format!("{before}Try again in <n>{after}");
    assert_snapshot("http_codes", &Redaction::default().apply(&text));
}
