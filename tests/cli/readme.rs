//! Tests that the statements and operations of the README and of `docs/` work as documented.

use std::time::Duration;

use api::auth::{Authenticator, access_token};
use api::cleanup::{self, CleanupRequest, Criteria};
use api::db::{Database, DatabaseSettings};
use api::deletion;
use api::session::SessionStatus;
use api::worker::{JobQueue, Workers};

use super::server::Server;
use super::{document, migrate_without_purge, run_in};
use crate::http::websocket::Client;
use crate::support::wait::{wait_until, wait_until_finished};
use crate::support::{Contents, TestDb, WithTerms as _};

const README: &str = include_str!("../../README.md");
const ROLES_AND_GRANTS: &str = include_str!("../../docs/setup/roles-and-grants.md");
const POSTGRESQL: &str = include_str!("../../docs/setup/postgresql.md");
/// The pages with operations, in the order in which they are sent.
const GUIDE: [&str; 4] = [
    include_str!("../../docs/guide/graphql.md"),
    include_str!("../../docs/guide/delete-and-restore.md"),
    include_str!("../../docs/guide/retention-and-erasure.md"),
    include_str!("../../docs/guide/cleanup.md"),
];

/// Returns the fenced blocks of a page in this language.
fn blocks(page: &'static str, language: &str) -> Vec<&'static str> {
    let fence = format!("```{language}\n");
    page.split(fence.as_str()).skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

/// Returns the three SQL blocks of the page about roles: the role's creation, its grants, and the revocation of direct
/// deletes.
pub(super) fn role_statements() -> Vec<&'static str> {
    blocks(ROLES_AND_GRANTS, "sql")
}

/// Creates the documented role with its grants. Returns its name and the database's URL for it.
///
/// Roles belong to the whole server, so the role gets a unique name.
pub(super) async fn documented_role(db: &TestDb) -> (String, String) {
    let role = format!("role_{}", uuid::Uuid::new_v4().simple());
    let [role_statement, grants, ..] = role_statements()[..] else { panic!("the documentation makes no role") };
    assert!(role_statement.starts_with("CREATE ROLE session_admin_api") && !grants.contains("CREATE"));
    for statements in [role_statement, grants] {
        db.exec(&statements.replace("session_admin_api", &role)).await;
    }
    let (scheme, rest) = db.url().split_once("://").unwrap();
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    let url = format!("{scheme}://{role}:change%20me@{host}");
    (role, url)
}

#[tokio::test]
#[ignore = "long: `make test` runs it"]
async fn postgres_the_documented_role_can_do_all_but_migrate() {
    let Some(db) = TestDb::postgres(Contents::Mended).await else { return };
    assert_eq!(document(&db, &["migrate", "--yes"]).0, 0);
    let (role, url) = documented_role(&db).await;
    let as_role = |arguments: &[&str]| document(&db, &[arguments, &["--database-url", &url]].concat());
    let (code, health) = as_role(&["doctor"]);
    assert_eq!((code, &health["findings"]), (0, &serde_json::json!([])), "{health}");
    // Missing grants on the queue are named too, and the suggested fix repairs them.
    db.exec(&format!(
        "REVOKE UPDATE, DELETE ON apalis.jobs FROM {role}; REVOKE USAGE ON SCHEMA apalis FROM {role}; \
         REVOKE INSERT ON session_admin.deletions FROM {role}"
    ))
    .await;
    let (code, health) = as_role(&["doctor"]);
    let finding = &health["findings"][0];
    assert_eq!((code, &finding["key"]), (3, &serde_json::json!("MISSING_GRANT:session_admin")), "{health}");
    let fix = finding["fixes"][0]["statement"].as_str().unwrap();
    let lines: Vec<&str> = fix.split(&format!(" TO \"{role}\"")).collect();
    let missing = [
        "GRANT USAGE ON SCHEMA apalis",
        ";\nGRANT INSERT ON session_admin.\"deletions\"",
        ";\nGRANT DELETE ON apalis.\"jobs\"",
        ";\nGRANT UPDATE ON apalis.\"jobs\"",
        "",
    ];
    // The fix grants only what is missing.
    assert_eq!(lines, missing);
    db.exec(fix).await;
    assert_eq!(as_role(&["doctor"]).0, 0);
    let session = "c0ffee00-0000-4000-8000-000000000010";
    let arguments =
        ["delete", session, "--yes", "--allow-connected", "--allow-pending-messages", "--idempotency-key", "once"];
    let (code, created) = as_role(&arguments);
    assert_eq!((code, &created["deletion"]["status"]), (0, &serde_json::json!("RESTORABLE")), "{created}");
    assert_eq!(db.count("whatsapp_sessions").await, 4);
    let (code, erased) = as_role(&["deletions", "erase", created["deletion"]["id"].as_str().unwrap(), "--yes"]);
    assert_eq!((code, &erased["deletion"]["status"]), (0, &serde_json::json!("ERASED")), "{erased}");
    let database = Database::connect(DatabaseSettings::new(&url)).await.unwrap();
    let criteria = Criteria { statuses: SessionStatus::KNOWN.to_vec(), has_phone_number: None, ..Criteria::default() };
    let cleanup_request =
        CleanupRequest { criteria, ..CleanupRequest::default() }.allow_connected().allow_pending_messages();
    let run = cleanup::create_run(&database, None, &cleanup_request).await.unwrap().run.unwrap();
    // The role can also execute a run from the queue.
    let queue = JobQueue::new(&database);
    queue.push(run.id).await;
    let workers = Workers::start(queue, None);
    wait_until_finished(&database, run.id).await;
    assert!(workers.stop(Duration::from_mins(1)).await);
    assert_eq!(db.count("whatsapp_sessions").await, 0);
    db.exec("UPDATE session_admin.deletions SET restorable_until = deleted_at WHERE status = 'RESTORABLE'").await;
    assert!(deletion::expire(&database, &cleanup::RunErasure).await.unwrap().rows > 1_000);
    assert_eq!(db.count("session_admin.archived_rows").await, 0);
    // The role can look up tokens and record their last use, but can neither create nor revoke them.
    let (_, created) = document(&db, &["token", "create", "--name", "ci", "--role", "viewer"]);
    let authenticator = Authenticator::new(database.clone(), None);
    assert!(authenticator.authenticate(created["token"].as_str()).await.unwrap().is_some());
    let used = async || access_token::list(&database).await.unwrap()[0].last_used_at.is_some();
    wait_until("the token's use is written down", used).await;
    assert_eq!(access_token::revoke(&database, "ci").await.unwrap_err().code(), "INTERNAL");
    for making in [&["token", "create", "--name", "boss", "--role", "admin"][..], &["token", "revoke", "ci"]] {
        let (code, refused) = as_role(making);
        let message = refused["error"]["message"].as_str().unwrap();
        assert!(
            code == 1 && message.starts_with("Only the owner of this program's tables can create and revoke"),
            "{message}"
        );
        assert!(
            message.contains("permission denied for table tokens") && message.contains("DATABASE_URL"),
            "{message}"
        );
    }
    database.close().await.unwrap();
    // The role's own privileges are not reported as a finding.
    assert_eq!(document(&db, &["doctor"]).1["findings"], serde_json::json!([]));
    db.exec(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
}

/// The host has the extension hstore in a separate schema.
#[tokio::test]
#[ignore = "long: `make test` runs it"]
async fn postgres_an_extension_out_of_the_roles_reach_is_named_and_granted() {
    let Some(db) = TestDb::postgres(Contents::Mended).await else { return };
    db.exec("CREATE SCHEMA extensions; CREATE EXTENSION hstore SCHEMA extensions").await;
    migrate_without_purge(&db).await;
    let (role, url) = documented_role(&db).await;
    let doctor = || document(&db, &["doctor", "--database-url", &url]);
    let (code, health) = doctor();
    let finding = &health["findings"][0];
    let fix = format!("GRANT USAGE ON SCHEMA \"extensions\" TO \"{role}\"");
    assert_eq!((code, &finding["key"]), (3, &serde_json::json!("MISSING_GRANT:apalis.jobs")), "{health}");
    assert_eq!(finding["fixes"][0]["statement"], fix, "{health}");
    assert!(finding["message"].as_str().unwrap().contains("may not use the schema extensions"), "{health}");
    assert_eq!(health["findings"].as_array().unwrap().len(), 1, "{health}");
    let folder = tempfile::tempdir().unwrap();
    let log = std::fs::File::create(folder.path().join("log")).unwrap();
    let serve = ["--database-url", &url, "--run-lease", "1"];
    let server = Server::logging(folder.path(), &serve, log.into());
    let answer = server.post("mutation { cleanUpSessions(input: { dryRun: false }) { run { id } } }");
    let run = answer["data"]["cleanUpSessions"]["run"]["id"].as_str().unwrap().parse().unwrap();
    tokio::time::sleep(Duration::from_secs(5)).await;
    let log = std::fs::read_to_string(folder.path().join("log")).unwrap();
    let lines = |part: &str| log.lines().filter(|line| line.contains(part)).collect::<Vec<_>>();
    let again = lines("cleanup runs without a worker cannot be queued again at present");
    assert_eq!(again.len(), 1, "{log}");
    assert!(again[0].contains(" WARN ") && again[0].contains("GRANT USAGE ON SCHEMA"), "{log}");
    // The suggested fix repairs it.
    db.exec(&fix).await;
    assert_eq!(doctor().0, 0);
    wait_until_finished(db.database().await, run).await;
    assert_eq!((server.stop(), db.count("whatsapp_sessions").await), (0, 5));
    db.exec(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
}

#[test]
fn the_documented_accepted_findings_are_valid() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("accepted.toml"), blocks(POSTGRESQL, "toml")[0]).unwrap();
    let ended = run_in(folder.path(), &["serve", "--listen", "0.0.0.0:0", "--config", "accepted.toml"]);
    assert!(ended.stderr.contains("0.0.0.0"), "{}", ended.stderr);
}

#[tokio::test]
#[ignore = "long: `make test` runs it"]
async fn the_documented_operations_answer_from_the_demonstration() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &["--demo"]);
    let url = server.announced["databaseUrl"].as_str().unwrap();
    assert_eq!(run_in(folder.path(), &["migrate", "--yes", "--database-url", url]).code, 0);
    let operations: Vec<_> = GUIDE.into_iter().flat_map(|page| blocks(page, "graphql")).collect();
    let (subscription, queries) = operations.split_last().unwrap();
    assert_eq!(queries.len(), 9);
    // They include the operations of the README.
    let first = blocks(README, "graphql");
    assert!(first.len() == 2 && first.iter().all(|operation| queries.contains(operation)), "{first:?}");
    let answers: Vec<_> = queries.iter().map(|query| server.post(query)).collect();
    for answer in &answers {
        assert!(answer["errors"].is_null(), "{answer}");
    }
    assert_eq!(answers[0]["data"]["schemaHealth"]["healthy"], true);
    assert_eq!(answers[4]["data"]["deleteSession"]["userErrors"], serde_json::json!([]), "{}", answers[4]);
    let run = &answers[7]["data"]["cleanUpSessions"]["run"];
    assert_eq!(run["status"], "QUEUED", "{}", answers[7]);
    let page = server.announced["page"].as_str().unwrap().to_owned();
    let address = page.strip_prefix("http://").unwrap().trim_end_matches('/').parse().unwrap();
    let mut client = Client::begin(address).await;
    client.subscribe("watch", subscription, serde_json::json!({ "id": run["id"] })).await;
    let mut status = run["status"].clone();
    while ["QUEUED", "RUNNING"].contains(&status.as_str().unwrap()) {
        status = client.data("watch").await["cleanupRun"]["status"].take();
    }
    assert_eq!(status, "SUCCEEDED");
    client.completed("watch").await;
    let last = server.post(queries[8])["data"]["cleanupRuns"]["nodes"][0].take();
    assert_eq!((&last["id"], &last["status"]), (&run["id"], &serde_json::json!("SUCCEEDED")));
    assert_eq!(answers[5]["data"]["restoreDeletion"]["userErrors"][0]["code"], "NOT_FOUND", "{}", answers[5]);
    assert_eq!(answers[6]["data"]["eraseDeletionArchive"]["userErrors"][0]["code"], "NOT_FOUND", "{}", answers[6]);
    let created = answers[4]["data"]["deleteSession"]["deletion"]["id"].as_str().unwrap();
    let restored = server.post(&queries[5].replace("00000000-0000-4000-8000-000000000000", created));
    let rows = &answers[4]["data"]["deleteSession"]["deletion"]["rowsDeleted"];
    assert_eq!(&restored["data"]["restoreDeletion"]["rowsRestored"], rows, "{restored}");
    let erased = server.post(&queries[6].replace("3f0c1d2e-0000-4000-8000-000000000001", created));
    assert_eq!(erased["data"]["eraseDeletionArchive"]["userErrors"], serde_json::json!([]), "{erased}");
    assert_eq!(server.stop(), 0);
}
