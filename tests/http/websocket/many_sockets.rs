//! Tests that other clients are served in spite of many sockets, many subscriptions, and clients that do not read.

use std::net::SocketAddr;
use std::time::Duration;

use api::cleanup::{BatchSize, RunExecutor};
use api::db::{Database, DatabaseSettings, Dialect};
use api::http::Sockets;
use api::limits::Limits;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::run_subscription::create_run;
use super::{Client, limited, server, without_data};
use crate::http::client;
use crate::support::{Contents, TestDb, on_both};

on_both!(long Adopted:
    subscriptions_leave_connections_for_others,
    a_client_that_does_not_read_leaves_connections_for_others,
);

/// Starts a server with few connections to the database.
async fn start_server(db: &TestDb, max_connections: u32) -> SocketAddr {
    let settings = DatabaseSettings { max_connections, ..db.settings() };
    server(Database::connect(settings).await.unwrap(), Sockets::default()).await
}

/// Asserts that requests are answered soon, far sooner than the timeout for a database connection.
async fn assert_others_are_served(address: SocketAddr) {
    let client = client();
    for _ in 0..3 {
        let start = Instant::now();
        let answer = client.get(format!("http://{address}/health/ready")).send().await.unwrap();
        // This message comes from the database, which has no migration history.
        let body = answer.text().await.unwrap();
        assert!(body.contains("Migrations are pending"), "{body}");
        let query = json!({ "query": "{ sessions(first: 1) { totalCount } }" });
        let answer = client.post(format!("http://{address}/graphql")).json(&query).send().await.unwrap();
        let answer: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        assert_eq!(answer["data"]["sessions"]["totalCount"], 13, "{answer}");
        assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
        sleep(Duration::from_millis(300)).await;
    }
}

/// Makes every read of deletions and of the sessions of a run take some time.
async fn slow_down_run_tables(db: &TestDb) {
    for name in ["deletions", "cleanup_run_sessions"] {
        let table = db.dialect().internal_table(name);
        // On PostgreSQL a renamed table keeps its schema.
        let (rows, takes_long) = match db.dialect() {
            Dialect::Postgres => (format!("session_admin.made_{name}"), "(SELECT pg_sleep(3)) IS NOT NULL"),
            Dialect::Sqlite => (
                format!("made_{name}"),
                "(WITH RECURSIVE n(v) AS (SELECT 1 UNION ALL SELECT v + 1 FROM n WHERE v < 6000000) \
                 SELECT count(*) FROM n) > 0",
            ),
        };
        db.exec(&format!(
            "ALTER TABLE {table} RENAME TO made_{name}; CREATE VIEW {table} AS SELECT * FROM {rows} WHERE {takes_long}"
        ))
        .await;
    }
}

async fn subscriptions_leave_connections_for_others(db: TestDb) {
    let id = create_run(&db).await;
    let mut worker =
        RunExecutor::take(db.database().await.clone(), None, id, BatchSize::with_row_budget(1)).await.unwrap().unwrap();
    while worker.run_next_batch().await.unwrap().sessions_deleted < 1 {}
    slow_down_run_tables(&db).await;
    let address = start_server(&db, 2).await;
    let mut clients = [Client::begin(address).await, Client::begin(address).await, Client::begin(address).await];
    // Two fields that could be read at the same time.
    let query = "subscription W($id: ID!) { cleanupRun(id: $id) {
        sessionsDeleted skipped { nodes { code } } deletions { nodes { id } } } }";
    for client in &mut clients {
        for number in 0..10 {
            client.subscribe(&number.to_string(), query, json!({ "id": id })).await;
        }
    }
    sleep(Duration::from_millis(500)).await;
    assert_others_are_served(address).await;
    let event = clients[0].hear().await;
    assert_eq!(event["payload"]["data"]["cleanupRun"]["sessionsDeleted"], 1, "{event}");
    // The permits of completed operations are available to others.
    let [staying, ..] = &mut clients;
    for number in 1..10 {
        staying.say(json!({ "type": "complete", "id": number.to_string() })).await;
    }
    let [mut staying, second, third] = clients;
    drop((second, third));
    staying.subscribe("late", "subscription W($id: ID!) { cleanupRun(id: $id) { status } }", json!({ "id": id })).await;
    while staying.hear().await["id"] != "late" {}
}

async fn a_client_that_does_not_read_leaves_connections_for_others(db: TestDb) {
    let id = create_run(&db).await;
    let mut worker =
        RunExecutor::take(db.database().await.clone(), None, id, BatchSize::with_row_budget(1)).await.unwrap().unwrap();
    while worker.run_next_batch().await.unwrap().sessions_deleted < 1 {}
    db.exec(&format!("UPDATE whatsapp_groups SET group_name = '{}'", "x".repeat(2_000))).await;
    let address = start_server(&db, 4).await;
    let mut client = Client::begin(address).await;
    // Together the responses are larger than the network buffers.
    let query = "{ sessions(first: 13) { nodes { groups(first: 40) { nodes { name again: name } } } } }";
    for number in 0..16 {
        client.subscribe(&number.to_string(), query, json!({})).await;
    }
    sleep(Duration::from_secs(2)).await;
    assert_others_are_served(address).await;
}

/// A client that sends messages without pause still receives its responses, so that nothing accumulates.
#[tokio::test]
async fn a_client_that_never_stops_talking_is_answered() {
    let (_db, address) = without_data().await;
    let (mut talking, mut listening) = Client::begin(address).await.split();
    let talk = async {
        for number in 0.. {
            let payload = json!({ "query": "{ __typename }" });
            talking.say(json!({ "type": "subscribe", "id": format!("{number:0>200}"), "payload": payload })).await;
        }
    };
    let listen = async {
        for _ in 0..500 {
            listening.hear().await;
        }
    };
    tokio::select! {
        () = talk => unreachable!("it never stops"),
        () = listen => {}
    }
}

#[tokio::test]
async fn the_operations_of_a_socket_are_as_many_as_it_is_told() {
    let db = TestDb::sqlite(Contents::Adopted).await;
    let run = create_run(&db).await;
    let address = limited(&db, Limits { operations: 2, ..Limits::DEFAULT }).await;
    let mut client = Client::begin(address).await;
    let query = "subscription W($id: ID!) { cleanupRun(id: $id) { status } }";
    for id in ["one", "two"] {
        client.subscribe(id, query, json!({ "id": run })).await;
        assert_eq!(client.data(id).await["cleanupRun"]["status"], "QUEUED");
    }
    client.subscribe("three", query, json!({ "id": run })).await;
    let message = client.hear().await;
    assert_eq!((&message["type"], &message["id"]), (&json!("error"), &json!("three")));
    let words = "At most 2 operations may be in progress over one WebSocket. Complete one first.";
    assert_eq!(message["payload"][0]["message"], words);
    // Another socket has its own limit.
    let mut other = Client::begin(address).await;
    other.subscribe("three", query, json!({ "id": run })).await;
    assert_eq!(other.data("three").await["cleanupRun"]["status"], "QUEUED");
}

/// The result of an operation that was completed while it executed is not sent, even if another operation uses its id.
#[tokio::test]
#[ignore = "long: `make test` runs it"]
async fn what_comes_of_an_operation_that_was_completed_is_not_told() {
    let (_db, address) = without_data().await;
    let mut client = Client::begin(address).await;
    for _ in 0..50 {
        client.subscribe("1", "{ first: __typename }", json!({})).await;
        client.say(json!({ "type": "complete", "id": "1" })).await;
        client.subscribe("2", "{ second: __typename }", json!({})).await;
        let mut event = client.hear().await;
        while event["id"] == "1" {
            event = client.hear().await;
        }
        assert_eq!((&event["id"], &event["payload"]["data"]), (&json!("2"), &json!({ "second": "Query" })));
        client.completed("2").await;
    }
}
