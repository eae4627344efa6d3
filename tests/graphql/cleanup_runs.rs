//! Tests that cleanup runs, and the sessions that they skipped, can be queried, listed and cancelled through GraphQL.

use api::demo::scenario::SESSIONS;
use serde_json::{Value, json};

use super::cleanup::{clean, clean_up_to_end, fetch_run};
use super::migrated_server;
use crate::http::app::TestApp;
use crate::support::{TestDb, on_both};

on_both!(AsBuilt:
    a_run_that_is_queued_is_cancelled_at_once,
    a_run_that_has_finished_or_is_unknown_is_not_cancelled,
    what_was_skipped_is_listed_with_its_reason,
    a_run_is_found_by_its_id_from_everywhere,
);
on_both!(long AsBuilt: the_lists_of_runs_go_both_ways, a_page_of_runs_costs_the_same_for_any_number_of_them);

const CANCEL: &str = "mutation X($input: CancelCleanupRunInput!) { cancelCleanupRun(input: $input) {
    run { id status sessionsDeleted sessionsSkipped finishedAt
      skipped(first: 1) { nodes { sessionId code message } } }
    userErrors { code message field } } }";

async fn cancel(app: &TestApp, id: &Value) -> Value {
    app.data(CANCEL, json!({ "input": { "id": id } })).await["cancelCleanupRun"].take()
}

async fn a_run_that_is_queued_is_cancelled_at_once(db: TestDb) {
    let app = migrated_server(db).await;
    let id = clean(&app, json!({ "dryRun": false })).await["run"]["id"].take();
    let payload = cancel(&app, &id).await;
    assert_eq!(payload["userErrors"], json!([]));
    let run = &payload["run"];
    assert_eq!((&run["id"], &run["status"]), (&id, &json!("CANCELLED")));
    assert_eq!((&run["sessionsDeleted"], &run["sessionsSkipped"]), (&json!(0), &json!(9)));
    assert!(run["finishedAt"].is_string(), "{run}");
    let skipped = &run["skipped"]["nodes"][0];
    assert_eq!(
        (&skipped["code"], &skipped["message"]),
        (&json!("RUN_FINISHED"), &json!("tester cancelled the run before it reached this session."))
    );
    // The run's job is still in the queue, and does nothing.
    app.finish_run(id.as_str().unwrap().parse().unwrap()).await;
    assert_eq!(app.db.count("whatsapp_sessions").await, 14);
}

async fn a_run_that_has_finished_or_is_unknown_is_not_cancelled(db: TestDb) {
    let app = migrated_server(db).await;
    let run = clean_up_to_end(&app, json!({ "dryRun": false })).await["run"].take();
    let payload = cancel(&app, &run["id"]).await;
    assert_eq!((&payload["run"], &payload["userErrors"][0]["code"]), (&Value::Null, &json!("RUN_FINISHED")));
    assert_eq!(fetch_run(&app, &run["id"]).await, run);
    let payload = cancel(&app, &json!(SESSIONS[0].id)).await;
    assert_eq!((&payload["run"], &payload["userErrors"][0]["code"]), (&Value::Null, &json!("NOT_FOUND")));
    assert_eq!(payload["userErrors"][0]["field"], json!(["input", "id"]));
    let (code, _) = app.error(CANCEL, json!({ "input": { "id": "nobody" } })).await;
    assert_eq!(code, "BAD_USER_INPUT");
}

async fn what_was_skipped_is_listed_with_its_reason(db: TestDb) {
    let app = migrated_server(db).await;
    let unknown = "00000000-0000-4000-8000-000000000007";
    let ids: Vec<&str> = [SESSIONS[0].id, unknown, SESSIONS[9].id, SESSIONS[10].id].to_vec();
    let run = clean_up_to_end(&app, json!({ "dryRun": false, "criteria": { "ids": ids } })).await["run"].take();
    assert_eq!(
        (&run["sessionsTotal"], &run["sessionsDeleted"], &run["sessionsSkipped"]),
        (&json!(4), &json!(1), &json!(3))
    );
    let skipped = &run["skipped"];
    assert_eq!(skipped["totalCount"], 3);
    assert_eq!(
        (&skipped["nodes"][0]["sessionId"], &skipped["nodes"][0]["code"]),
        (&json!(unknown), &json!("NOT_FOUND"))
    );
    for place in [1, 2] {
        assert_eq!(skipped["nodes"][place]["sessionId"], SESSIONS[8 + place].id);
        assert_eq!(skipped["nodes"][place]["code"], "NO_LONGER_MATCHES");
    }
    let page = "query S($id: ID!, $after: String, $last: Int, $first: Int) { cleanupRun(id: $id) {
        skipped(first: $first, after: $after, last: $last) {
          edges { cursor } nodes { sessionId } pageInfo { hasNextPage hasPreviousPage } } } }";
    let one = app.data(page, json!({ "id": run["id"], "first": 1 })).await["cleanupRun"]["skipped"].take();
    assert_eq!((&one["nodes"][0]["sessionId"], &one["pageInfo"]["hasNextPage"]), (&json!(unknown), &json!(true)));
    let after = &one["edges"][0]["cursor"];
    let rest =
        app.data(page, json!({ "id": run["id"], "first": 5, "after": after })).await["cleanupRun"]["skipped"].take();
    assert_eq!(rest["nodes"].as_array().unwrap().len(), 2);
    assert_eq!(rest["pageInfo"], json!({ "hasNextPage": false, "hasPreviousPage": true }));
    let last = app.data(page, json!({ "id": run["id"], "last": 1 })).await["cleanupRun"]["skipped"].take();
    assert_eq!(last["nodes"], json!([{ "sessionId": SESSIONS[10].id }]));
}

async fn the_lists_of_runs_go_both_ways(db: TestDb) {
    let app = migrated_server(db).await;
    let mut run_ids = Vec::new();
    for session in [8, 7, 6] {
        let input = json!({ "dryRun": false, "criteria": { "ids": [SESSIONS[session].id] } });
        run_ids.push(clean_up_to_end(&app, input).await["run"]["id"].clone());
    }
    run_ids.reverse();
    let query =
        "query R($first: Int, $last: Int, $before: String) { cleanupRuns(first: $first, last: $last, before: $before) {
        totalCount nodes { id sessionsDeleted } edges { cursor } pageInfo { hasNextPage hasPreviousPage } } }";
    let all = app.data(query, json!({})).await["cleanupRuns"].take();
    let ids = |page: &Value| -> Vec<Value> {
        page["nodes"].as_array().unwrap().iter().map(|run| run["id"].clone()).collect()
    };
    assert_eq!((ids(&all), &all["totalCount"]), (run_ids.clone(), &json!(3)));
    let before = &all["edges"][2]["cursor"];
    let page = app.data(query, json!({ "last": 1, "before": before })).await["cleanupRuns"].take();
    assert_eq!(ids(&page), [run_ids[1].clone()]);
    assert_eq!(page["pageInfo"], json!({ "hasNextPage": true, "hasPreviousPage": true }));
}

async fn a_run_is_found_by_its_id_from_everywhere(db: TestDb) {
    let app = migrated_server(db).await;
    let input = json!({ "dryRun": false, "idempotencyKey": "once" });
    let queued = clean(&app, input.clone()).await["run"].take();
    assert_eq!(clean(&app, input.clone()).await["run"], queued, "it is answered as it is");
    let run = clean_up_to_end(&app, input.clone()).await["run"].take();
    let again = clean(&app, input).await["run"].take();
    assert_eq!([&again["id"], &again["status"]], [&queued["id"], &run["status"]]);
    let id = json!({ "id": run["id"] });
    let node = app.data("query N($id: ID!) { node(id: $id) { __typename id } }", id.clone()).await;
    assert_eq!(node["node"], json!({ "__typename": "CleanupRun", "id": run["id"] }));
    let query = "query R($id: ID!) { cleanupRun(id: $id) { id status }
        deletions(filter: { runId: $id }) { totalCount nodes { run { id } } } }";
    let found = app.data(query, id).await;
    assert_eq!(found["cleanupRun"], json!({ "id": run["id"], "status": "SUCCEEDED" }));
    assert_eq!(found["deletions"], json!({ "totalCount": 1, "nodes": [{ "run": { "id": run["id"] } }] }));
    let nobody = json!({ "id": SESSIONS[0].id });
    let found = app.data(query, nobody).await;
    assert_eq!((&found["cleanupRun"], &found["deletions"]["totalCount"]), (&Value::Null, &json!(0)));
}

async fn a_page_of_runs_costs_the_same_for_any_number_of_them(db: TestDb) {
    let app = migrated_server(db).await;
    for session in [8, 7, 6, 5] {
        let ids = [SESSIONS[session].id, SESSIONS[9].id];
        clean_up_to_end(&app, json!({ "dryRun": false, "criteria": { "ids": ids } })).await;
    }
    let (database, counter) = app.db.counted().await;
    let app = TestApp::with(app.db.clone(), database);
    let runs = "query R($first: Int) { cleanupRuns(first: $first) { nodes { id
        skipped(first: 1) { totalCount nodes { sessionId } }
        deletions(last: 1) { totalCount nodes { sessions { id } run { id } } } } } }";
    let deletions = "query D($first: Int) { deletions(first: $first) { nodes { id run { id status } } } }";
    // One statement for the list, and one for each field: skipped, deletions, their count, their runs. The list's
    // statement already counts the skipped sessions.
    for (list, query, statements) in [("cleanupRuns", runs, 5), ("deletions", deletions, 2)] {
        let mut costs = Vec::new();
        for first in [1, 4] {
            counter.take();
            let data = app.data(query, json!({ "first": first })).await;
            let nodes = data[list]["nodes"].as_array().unwrap();
            assert_eq!(nodes.len(), first);
            for run in nodes.iter().filter(|_| list == "cleanupRuns") {
                assert_eq!((&run["skipped"]["totalCount"], &run["deletions"]["totalCount"]), (&json!(1), &json!(1)));
                assert_eq!(run["skipped"]["nodes"], json!([{ "sessionId": SESSIONS[9].id }]));
                assert_eq!(run["deletions"]["nodes"][0]["run"]["id"], run["id"]);
            }
            costs.push(counter.take().len());
        }
        assert_eq!(costs, [statements; 2], "{list}");
    }
}
