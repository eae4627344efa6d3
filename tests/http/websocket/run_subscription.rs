//! Tests of the subscription to a cleanup run.

use std::time::Duration;

use api::cleanup::{self, BatchSize, CleanupRequest, RunExecutor};
use api::db::{Database, DatabaseSettings};
use api::demo::scenario::SESSIONS;
use api::http::Sockets;
use serde_json::{Value, json};
use tokio::time::sleep;
use uuid::Uuid;

use super::{Client, server};
use crate::db::proxy::Proxy;
use crate::support::{TestDb, on_both, only};

on_both!(Adopted: a_run_that_does_not_exist_is_an_error);
on_both!(long Adopted:
    every_server_tells_of_a_run_that_another_process_works_on,
    a_run_that_has_finished_is_told_and_completed,
    a_run_is_told_now_at_every_change_and_at_its_end,
    a_client_that_completes_or_goes_away_ends_the_watching,
);
only!(long postgres Adopted: a_database_that_is_away_for_a_moment_does_not_end_the_watching);

const WATCH: &str = "subscription W($id: ID!) { cleanupRun(id: $id) {
    id status sessionsTotal sessionsDeleted sessionsSkipped rowsDeleted finishedAt
    skipped { totalCount nodes { sessionId code } }
    deletions(first: 100) { totalCount nodes { rowsDeleted run { id } sessions { id } } } } }";

/// Creates a run that no worker has started.
pub(super) async fn create_run(db: &TestDb) -> Uuid {
    let request = CleanupRequest { principal: "tester".to_owned(), ..CleanupRequest::default() };
    cleanup::create_run(db.database().await, None, &request).await.unwrap().run.unwrap().id
}

async fn take_run(db: &TestDb, run: Uuid) -> RunExecutor {
    let database = Database::connect(db.settings()).await.unwrap();
    RunExecutor::take(database, None, run, BatchSize::with_row_budget(1)).await.unwrap().unwrap()
}

/// Asserts that the parts of an event are consistent, and that its counts are not lower than those of the event before
/// it.
fn assert_follows(run: &Value, before: &Value) {
    let number = |event: &Value, field: &str| event[field].as_i64().unwrap_or_default();
    for field in ["sessionsDeleted", "sessionsSkipped", "rowsDeleted"] {
        assert!(number(run, field) >= number(before, field), "{before}\n{run}");
    }
    assert_ne!(run, before);
    // The fields of the run may be newer than its row.
    let deletions = run["deletions"]["nodes"].as_array().unwrap();
    assert!(
        deletions.iter().map(|deletion| number(deletion, "rowsDeleted")).sum::<i64>() >= number(run, "rowsDeleted")
    );
    assert!(deletions.iter().all(|deletion| deletion["run"]["id"] == run["id"]));
    assert_eq!(run["deletions"]["totalCount"], deletions.len());
    assert_eq!(run["skipped"]["totalCount"], run["sessionsSkipped"]);
}

async fn a_run_is_told_now_at_every_change_and_at_its_end(db: TestDb) {
    let id = create_run(&db).await;
    db.exec(&format!("UPDATE whatsapp_sessions SET phone_number = '+1' WHERE id = '{}'", SESSIONS[2].id)).await;
    let address = server(db.database().await.clone(), Sockets::default()).await;
    let mut client = Client::begin(address).await;
    client.subscribe("w", WATCH, json!({ "id": id })).await;
    let mut event = client.data("w").await["cleanupRun"].take();
    assert_eq!(
        (&event["status"], &event["sessionsDeleted"], &event["sessionsTotal"]),
        (&json!("QUEUED"), &json!(0), &json!(9))
    );
    let mut worker = take_run(&db, id).await;
    let mut statuses = vec![event["status"].clone()];
    loop {
        let run = worker.run_next_batch().await.unwrap();
        // Each step that changes something is sent before the next one is executed.
        let wanted = [json!(run.status), json!(run.sessions_deleted), json!(run.sessions_skipped)];
        while [&event["status"], &event["sessionsDeleted"], &event["sessionsSkipped"]] != wanted.each_ref() {
            let next = client.data("w").await["cleanupRun"].take();
            assert_follows(&next, &event);
            event = next;
            statuses.push(event["status"].clone());
        }
        if run.status.has_finished() {
            break;
        }
    }
    assert_eq!(event["status"], "SUCCEEDED");
    assert_eq!((&event["sessionsDeleted"], &event["deletions"]["totalCount"]), (&json!(8), &json!(8)));
    assert_eq!(event["skipped"]["nodes"], json!([{ "sessionId": SESSIONS[2].id, "code": "NO_LONGER_MATCHES" }]));
    assert!(statuses.len() >= 10 && event["finishedAt"].is_string(), "{statuses:?}");
    client.completed("w").await;
}

async fn a_run_that_has_finished_is_told_and_completed(db: TestDb) {
    let id = create_run(&db).await;
    let mut worker = take_run(&db, id).await;
    while !worker.run_next_batch().await.unwrap().status.has_finished() {}
    let address = server(db.database().await.clone(), Sockets::default()).await;
    let mut client = Client::begin(address).await;
    client.subscribe("w", WATCH, json!({ "id": id })).await;
    assert_eq!(client.data("w").await["cleanupRun"]["status"], "SUCCEEDED");
    client.completed("w").await;
}

async fn a_run_that_does_not_exist_is_an_error(db: TestDb) {
    let address = server(db.database().await.clone(), Sockets::default()).await;
    let mut client = Client::begin(address).await;
    let nobody = "00000000-0000-4000-8000-000000000007";
    for (id, words) in [
        (nobody, "No cleanup run has the id 00000000-0000-4000-8000-000000000007."),
        ("x", "\"x\" is not an id: ids are UUIDs, such as 6f9619ff-8b86-4d01-b42d-00cf4fc964ff."),
    ] {
        client.subscribe("w", WATCH, json!({ "id": id })).await;
        let message = client.hear().await;
        let payload = &message["payload"];
        assert_eq!((&message["type"], &payload["data"]), (&json!("next"), &Value::Null), "{message}");
        assert_eq!(payload["errors"][0]["message"], words);
        assert_eq!(payload["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
        assert_eq!(payload["errors"][0]["path"], json!(["cleanupRun"]));
        client.completed("w").await;
    }
}

async fn every_server_tells_of_a_run_that_another_process_works_on(db: TestDb) {
    let id = create_run(&db).await;
    let mut clients = Vec::new();
    for _ in 0..2 {
        let database = Database::connect(db.settings()).await.unwrap();
        let mut client = Client::begin(server(database, Sockets::default()).await).await;
        client.subscribe("w", WATCH, json!({ "id": id })).await;
        assert_eq!(client.data("w").await["cleanupRun"]["status"], "QUEUED");
        clients.push(client);
    }
    let mut worker = take_run(&db, id).await;
    for client in &mut clients {
        assert_eq!(client.data("w").await["cleanupRun"]["status"], "RUNNING");
    }
    while !worker.run_next_batch().await.unwrap().status.has_finished() {}
    for client in &mut clients {
        let mut event = client.data("w").await["cleanupRun"].take();
        while event["status"] == "RUNNING" {
            event = client.data("w").await["cleanupRun"].take();
        }
        assert_eq!((&event["status"], &event["sessionsDeleted"]), (&json!("SUCCEEDED"), &json!(9)));
        client.completed("w").await;
    }
}

async fn a_client_that_completes_or_goes_away_ends_the_watching(db: TestDb) {
    let ids = [create_run(&db).await, create_run(&db).await];
    let (database, counter) = db.counted().await;
    let address = server(database, Sockets::default()).await;
    let query = "subscription W($id: ID!) { cleanupRun(id: $id) { status } }";
    let mut clients = [Client::begin(address).await, Client::begin(address).await];
    for client in &mut clients {
        for id in ids {
            client.subscribe(&id.to_string(), query, json!({ "id": id })).await;
            client.data(&id.to_string()).await;
        }
    }
    let count_queries = async || {
        // A query in flight may still end.
        sleep(Duration::from_millis(300)).await;
        counter.take();
        sleep(Duration::from_secs(2)).await;
        counter.take().len()
    };
    let query_count = count_queries().await;
    assert!((2..=8).contains(&query_count), "one look for all, four times a second: {query_count}");
    let [mut staying, leaving] = clients;
    drop(leaving);
    for id in ids {
        staying.say(json!({ "type": "complete", "id": id.to_string() })).await;
    }
    assert_eq!(count_queries().await, 0, "nobody watches");
    staying.subscribe("again", query, json!({ "id": ids[0] })).await;
    assert_eq!(staying.data("again").await["cleanupRun"]["status"], "QUEUED");
    take_run(&db, ids[0]).await;
    assert_eq!(staying.data("again").await["cleanupRun"]["status"], "RUNNING");
}

async fn a_database_that_is_away_for_a_moment_does_not_end_the_watching(db: TestDb) {
    let id = create_run(&db).await;
    let proxy = Proxy::before(db.url()).await;
    let settings = DatabaseSettings { url: proxy.url(db.url()), ..db.settings() };
    let address = server(Database::connect(settings).await.unwrap(), Sockets::default()).await;
    let mut client = Client::begin(address).await;
    client.subscribe("w", WATCH, json!({ "id": id })).await;
    assert_eq!(client.data("w").await["cleanupRun"]["status"], "QUEUED");
    proxy.cut();
    let mut worker = take_run(&db, id).await;
    while worker.run_next_batch().await.unwrap().sessions_deleted < 3 {}
    let quiet = tokio::time::timeout(Duration::from_secs(1), client.next()).await;
    assert!(quiet.is_err(), "{quiet:?}");
    // A new subscriber receives the error.
    client.subscribe("now", WATCH, json!({ "id": id })).await;
    let message = client.hear().await;
    assert_eq!(message["payload"]["errors"][0]["extensions"]["code"], "UNAVAILABLE", "{message}");
    client.completed("now").await;
    proxy.mend();
    assert_eq!(client.data("w").await["cleanupRun"]["sessionsDeleted"], 3);
    while !worker.run_next_batch().await.unwrap().status.has_finished() {}
    let mut event = Value::Null;
    while event["status"] != "SUCCEEDED" {
        event = client.data("w").await["cleanupRun"].take();
    }
    client.completed("w").await;
}
