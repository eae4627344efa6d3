//! Tests the whole procedure with all business tables in a schema with a name other than public.

use api::demo::scenario;
use serde_json::{Value, json};

use crate::cli::document;
use crate::cli::server::Server;
use crate::support::legacy::{Legacy, Rules};
use crate::support::{Contents, TestDb};

const SESSION: &str = "c0ffee00-0000-4000-8000-000000000010";

#[tokio::test]
#[ignore = "long: `make test` runs it"]
async fn postgres_everything_works_in_a_schema_of_another_name() {
    let Some(db) = TestDb::postgres(Contents::Empty).await else { return };
    let statements = [
        Legacy::new(Rules::as_built()).in_schema("app").statements(db.dialect()),
        scenario::statements(db.dialect(), Some("app")),
    ];
    db.exec_all(&statements.concat()).await;
    let run_command = |arguments: &[&str]| document(&db, &[arguments, &["--schema", "app"]].concat());
    assert_eq!(run_command(&["doctor"]).0, 3);
    let (code, migrated) = run_command(&["migrate", "--yes"]);
    assert_eq!((code, &migrated["purge"]["deletion"]["rowsDeleted"]), (0, &json!(1_512)), "{migrated}");
    let (code, health) = run_command(&["doctor"]);
    assert_eq!((code, &health["findings"]), (0, &json!([])), "{health}");
    let (code, impact) = run_command(&["impact", SESSION]);
    assert_eq!((code, &impact["rowsDeleted"], &impact["rowsUnlinked"]), (0, &json!(136), &json!(55)), "{impact}");
    let tables = impact["tables"].as_array().unwrap().iter().map(|table| table["table"].as_str().unwrap());
    assert!(tables.clone().all(|table| !table.contains("public")), "{:?}", tables.collect::<Vec<_>>());
    let before = db.everything().await;
    let terms = ["--allow-connected", "--allow-pending-messages", "--yes"];
    let (code, deleted) = run_command(
        &[&["delete", SESSION, "--expected-impact", impact["token"].as_str().unwrap()], &terms[..]].concat(),
    );
    assert_eq!((code, &deleted["deletion"]["rowsDeleted"]), (0, &json!(136)), "{deleted}");
    assert_eq!(db.count("app.whatsapp_sessions").await, 4);
    let (code, restored) =
        run_command(&["restore", deleted["deletion"]["id"].as_str().unwrap(), "--allow-pending-messages", "--yes"]);
    assert_eq!((code, &restored["rowsRestored"]), (0, &json!(136)), "{restored}");
    let business = |all: &str| all.split("\napp.").skip(1).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(business(&db.everything().await).len(), business(&before).len());
    assert_eq!(db.count("app.whatsapp_sessions").await, 5);

    // Covers the server, its lists, and a run that its workers execute.
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &["--database-url", db.url(), "--schema", "app"]);
    let query =
        "{ sessions(first: 9) { totalCount nodes { groupCount } } sessionStats { stale } schemaHealth { healthy } }";
    let answer = server.post(query);
    assert_eq!(answer["errors"], Value::Null, "{answer}");
    assert_eq!(answer["data"]["sessions"]["totalCount"], 5, "{answer}");
    assert!(server.get("/metrics").contains("\nsession_admin_sessions{status=\"connected\"} 5\n"));
    let response = server.post(
        "mutation { cleanUpSessions(input: { criteria: { statuses: [CONNECTED], hasPhoneNumber: null }, dryRun: false, \
         allowConnected: true, allowPendingMessages: true }) { run { id } userErrors { message } } }",
    );
    assert_eq!(response["data"]["cleanUpSessions"]["userErrors"], json!([]), "{response}");
    db.wait_for("SELECT count(*) FROM app.whatsapp_sessions", "0").await;
    assert_eq!(server.stop(), 0);
    let in_public = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace";
    assert_eq!(db.rows(in_public).await, Vec::<Vec<String>>::new());
}
