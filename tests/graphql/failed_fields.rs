//! Tests of failing fields in this program's own schema: in lists of rows, in events, and for rows that are invalid or
//! are deleted concurrently. `tests/conformance/null_propagation.rs` tests which fields are null then.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use api::cleanup::{self, BatchSize, CleanupRequest, RunExecutor};
use api::db::{Database, Dialect};
use api::demo::scenario::SESSIONS;
use api::http::Sockets;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::http::app::TestApp;
use crate::http::websocket::{Client, server};
use crate::support::connection::RawConnection;
use crate::support::{TestDb, on_both};

on_both!(Adopted:
    a_session_that_goes_meanwhile_takes_the_list_with_it,
    only_the_position_that_failed_is_null,
    a_field_that_may_be_null_is_null_in_every_row,
    a_field_that_is_asked_for_twice_has_one_error,
    an_event_keeps_what_may_be_null,
);

/// Connects to the database, and executes `change_sql` once, after a statement that contains `sql_fragment`.
async fn connect_with_change_after(db: &TestDb, sql_fragment: &str, change_sql: String) -> Database {
    let mut database = Database::connect(db.settings()).await.unwrap();
    let (url, sql_fragment, is_changed) =
        (db.url().to_owned(), sql_fragment.to_owned(), Arc::new(AtomicBool::new(false)));
    database
        .on_statement(move |info| {
            if !info.statement.sql.contains(&sql_fragment) || is_changed.swap(true, Ordering::Relaxed) {
                return;
            }
            let (url, change_sql) = (url.clone(), change_sql.clone());
            // The observer cannot wait on the test's runtime, and the next statement must not be executed earlier.
            let other = std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(async {
                    let mut connection = RawConnection::open(&url).await;
                    connection.exec(&change_sql).await;
                    connection.close().await;
                });
            });
            other.join().unwrap();
        })
        .await;
    database
}

fn delete_session_sql(session: &str) -> String {
    format!("DELETE FROM whatsapp_sessions WHERE id = '{session}'")
}

/// Returns the paths and codes of a response's errors.
fn error_paths_and_codes(answer: &Value) -> Vec<(Value, Value)> {
    let errors = answer["errors"].as_array().unwrap_or_else(|| panic!("no error in {answer:#}"));
    errors.iter().map(|error| (error["path"].clone(), error["extensions"]["code"].clone())).collect()
}

/// Returns the expected failure: `NOT_FOUND` at this path.
fn not_found_at(path: Value) -> Vec<(Value, Value)> {
    vec![(path, json!("NOT_FOUND"))]
}

async fn a_session_that_goes_meanwhile_takes_the_list_with_it(db: TestDb) {
    let database = connect_with_change_after(&db, "\"whatsapp_sessions\"", delete_session_sql(SESSIONS[0].id)).await;
    let app = TestApp::with(db, database);
    let query = "{ sessions(first: 100, orderBy: { field: NAME, direction: ASC }) { nodes { id i: impact { token } } } \
                 other: __typename }";
    let answer = app.post(query, json!({})).await.json();
    assert_eq!(error_paths_and_codes(&answer), not_found_at(json!(["sessions", "nodes", 5, "i"])));
    assert_eq!(answer["data"], json!(null));
    let message = format!("The session {} was deleted during this query. Try again.", SESSIONS[0].id);
    assert_eq!(answer["errors"][0]["message"], message);
    assert_eq!(app.data(query, json!({})).await["sessions"]["nodes"].as_array().unwrap().len(), 13);
}

/// Points one group at a session that does not exist. Returns that group and one with a session.
async fn create_orphan_group(db: &TestDb) -> (String, String) {
    let rows = db.rows("SELECT id FROM whatsapp_groups ORDER BY id LIMIT 2").await;
    let nobody = "00000000-0000-4000-8000-0000000000aa";
    let orphaned = format!("UPDATE whatsapp_groups SET session_id = '{nobody}' WHERE id = '{}'", rows[0][0]);
    db.exec(&match db.dialect() {
        Dialect::Postgres => {
            format!("ALTER TABLE whatsapp_groups DROP CONSTRAINT whatsapp_groups_session_id_fkey; {orphaned}")
        }
        Dialect::Sqlite => format!("PRAGMA foreign_keys = OFF; {orphaned}"),
    })
    .await;
    (rows[0][0].clone(), rows[1][0].clone())
}

async fn only_the_position_that_failed_is_null(db: TestDb) {
    let (orphan, other) = create_orphan_group(&db).await;
    let app = TestApp::over(db).await;
    let query = "query Q($orphan: ID!, $other: ID!) { a: group(id: $other) { ...F } b: group(id: $orphan) { ...F } \
                 c: node(id: $orphan) { id } d: node(id: $orphan) { ... on Group { session { id } } } } \
                 fragment F on Group { id s: session { name } }";
    let answer = app.post(query, json!({ "orphan": orphan, "other": other })).await;
    let (mut failed, data) = (error_paths_and_codes(&answer.json()), &answer.json()["data"]);
    failed.sort_by_key(|(path, _)| path.to_string());
    assert_eq!(failed, [(json!(["b", "s"]), json!("INTERNAL")), (json!(["d", "session"]), json!("INTERNAL"))]);
    assert_eq!((&data["b"], &data["c"]["id"], &data["d"]), (&json!(null), &json!(orphan), &json!(null)));
    assert!(data["a"]["id"] == other && data["a"]["s"]["name"].is_string(), "{data}");
    let places = ["a", "b", "c", "d"].map(|key| answer.body.find(&format!("\"{key}\":")).unwrap());
    assert!(places.is_sorted(), "{}", answer.body);
    let list = "query Q($ids: [ID!]) { groups(filter: { ids: $ids }) { totalCount nodes { id session { id } } } }";
    let answer = app.post(list, json!({ "ids": [orphan, other] })).await.json();
    assert_eq!((error_paths_and_codes(&answer).len(), &answer["data"]), (1, &json!(null)));
}

/// Executes a run to its end, and returns it with its deletions, newest first.
async fn execute_cleanup(app: &TestApp) -> (Uuid, Vec<String>) {
    let request = CleanupRequest { principal: "tester".to_owned(), ..CleanupRequest::default() };
    let run = cleanup::create_run(app.db.database().await, None, &request).await.unwrap().run.unwrap().id;
    let mut worker = RunExecutor::take(app.db.database().await.clone(), None, run, BatchSize::with_row_budget(1))
        .await
        .unwrap()
        .unwrap();
    while !worker.run_next_batch().await.unwrap().status.has_finished() {}
    let data = app.data("{ deletions { nodes { id } } }", json!({})).await;
    let nodes = data["deletions"]["nodes"].as_array().unwrap();
    (run, nodes.iter().map(|node| node["id"].as_str().unwrap().to_owned()).collect())
}

/// Returns SQL that makes runs unreadable.
fn break_runs_sql(db: &TestDb) -> String {
    format!("ALTER TABLE {} RENAME COLUMN started_by TO elsewhere", db.dialect().internal_table("cleanup_runs"))
}

/// Returns whether these words occur in this order in a text.
fn contains_in_order(text: &str, words: &[&str]) -> bool {
    let mut rest = text;
    words.iter().all(|word| match rest.split_once(word) {
        Some((_, after)) => {
            rest = after;
            true
        }
        None => false,
    })
}

async fn a_field_that_may_be_null_is_null_in_every_row(db: TestDb) {
    let app = TestApp::over(db).await;
    let (_, deletions) = execute_cleanup(&app).await;
    app.db.exec(&break_runs_sql(&app.db)).await;
    let query = "{ deletions { nodes { deletedBy r: run { id } id } edges { node { r: run { id } id } } \
                 alone: nodes { run { status } } } }";
    let answer = app.post(query, json!({})).await;
    let json = answer.json();
    let list = &json["data"]["deletions"];
    let mut expected = Vec::new();
    for (place, id) in deletions.iter().enumerate() {
        assert_eq!(list["nodes"][place], json!({ "deletedBy": "tester", "r": null, "id": id }));
        assert_eq!(list["edges"][place]["node"], json!({ "r": null, "id": id }));
        assert_eq!(list["alone"][place], json!({ "run": null }));
        for path in [
            json!(["deletions", "nodes", place, "r"]),
            json!(["deletions", "edges", place, "node", "r"]),
            json!(["deletions", "alone", place, "run"]),
        ] {
            expected.push((path, json!("INTERNAL")));
        }
    }
    assert!(contains_in_order(&answer.body, &["nodes", "deletedBy", "\"r\"", "\"id\"", "edges", "\"r\"", "\"id\""]));
    let mut failed = error_paths_and_codes(&json);
    let key = |(path, _): &(Value, Value)| path.to_string();
    failed.sort_by_key(key);
    expected.sort_by_key(key);
    assert_eq!(failed, expected);
    let one = app.post("query Q($id: ID!) { deletion(id: $id) { run { id } } }", json!({ "id": deletions[0] })).await;
    assert_eq!(one.json()["data"], json!({ "deletion": { "run": null } }));
    assert_eq!(error_paths_and_codes(&one.json()), [(json!(["deletion", "run"]), json!("INTERNAL"))]);
}

async fn a_field_that_is_asked_for_twice_has_one_error(db: TestDb) {
    let app = TestApp::over(db).await;
    let (_, deletions) = execute_cleanup(&app).await;
    app.db.exec(&break_runs_sql(&app.db)).await;
    let query = "{ deletions(first: 1) { nodes { run { id } } nodes { id run { status } } } }";
    let answer = app.post(query, json!({})).await.json();
    assert_eq!(answer["data"], json!({ "deletions": { "nodes": [{ "run": null, "id": deletions[0] }] } }));
    assert_eq!(error_paths_and_codes(&answer), [(json!(["deletions", "nodes", 0, "run"]), json!("INTERNAL"))]);
}

async fn an_event_keeps_what_may_be_null(db: TestDb) {
    let app = TestApp::over(db).await;
    let (run, deletions) = execute_cleanup(&app).await;
    let read = app.db.dialect().internal_table("deletions");
    let address =
        server(connect_with_change_after(&app.db, &read, break_runs_sql(&app.db)).await, Sockets::default()).await;
    let mut client = Client::begin(address).await;
    let query = "subscription S($id: ID!) { r: cleanupRun(id: $id) { deletions { nodes { run { id } id } } status } }";
    client.subscribe("1", query, json!({ "id": run })).await;
    let payload = client.hear().await["payload"].take();
    let nodes: Vec<Value> = deletions.iter().map(|id| json!({ "run": null, "id": id })).collect();
    assert_eq!(payload["data"], json!({ "r": { "deletions": { "nodes": nodes }, "status": "SUCCEEDED" } }));
    let expected = (0..deletions.len()).map(|place| json!(["r", "deletions", "nodes", place, "run"]));
    let mut paths: Vec<Value> = error_paths_and_codes(&payload).into_iter().map(|(path, _)| path).collect();
    paths.sort_by_key(Value::to_string);
    assert_eq!(paths, expected.collect::<Vec<_>>());
}
