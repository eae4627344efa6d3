//! Tests of cleanups through GraphQL.

use std::time::Duration;

use api::db::Dialect;
use api::demo::scenario::{SESSIONS, STALE_SESSIONS};
use serde_json::{Value, json};

use super::migrated_server;
use crate::http::app::TestApp;
use crate::support::{TestDb, on_both};

on_both!(AsBuilt:
    a_cleanup_is_queued_at_once_and_worked_off_by_a_worker,
    a_cleanup_does_what_its_preview_shows,
    a_cleanup_reports_until_it_is_told_to_delete,
    criteria_that_mean_nothing_are_named,
    a_cleanup_outlives_its_client,
);
on_both!(long AsBuilt: criteria_left_out_empty_and_written_out_are_the_same);

const CLEAN: &str = "mutation C($input: CleanUpSessionsInput!) { cleanUpSessions(input: $input) {
    run { __typename id kind status sessionsTotal sessionsDeleted startedAt }
    impact { sessionCount rowsDeleted rowsUnlinked token tables { table rowsDeleted rowsUnlinked } }
    changes { table rowsDeletedBefore rowsDeletedNow }
    userErrors { code message field } } }";

const RUN: &str = "query R($id: ID!) { cleanupRun(id: $id) {
    __typename id kind status criteria sessionsTotal sessionsDeleted sessionsSkipped rowsDeleted rowsUnlinked
    startedBy reason createdAt startedAt finishedAt error
    skipped { totalCount nodes { sessionId code message } }
    deletions { totalCount nodes { id rowsDeleted run { id } sessions { id } } } } }";

const PREVIEW: &str = "query P($criteria: CleanupCriteria!) { cleanupPreview(criteria: $criteria) {
    sessionCount sample { id name stale }
    impact { sessionCount rowsDeleted rowsUnlinked token deletable tables { table rowsDeleted rowsUnlinked } } } }";

pub(super) async fn clean(app: &TestApp, input: Value) -> Value {
    app.data(CLEAN, json!({ "input": input })).await["cleanUpSessions"].take()
}

pub(super) async fn fetch_run(app: &TestApp, id: &Value) -> Value {
    app.data(RUN, json!({ "id": id })).await["cleanupRun"].take()
}

/// Cleans up as `clean` does, and waits until workers have finished the run.
pub(super) async fn clean_up_to_end(app: &TestApp, input: Value) -> Value {
    let mut payload = clean(app, input).await;
    app.finish_run(payload["run"]["id"].as_str().unwrap().parse().unwrap()).await;
    payload["run"] = fetch_run(app, &payload["run"]["id"]).await;
    payload
}

async fn preview(app: &TestApp, criteria: Value) -> Value {
    app.data(PREVIEW, json!({ "criteria": criteria })).await["cleanupPreview"].take()
}

async fn a_cleanup_does_what_its_preview_shows(db: TestDb) {
    let app = migrated_server(db).await;
    let previewed = preview(&app, json!({})).await;
    assert_eq!((&previewed["sessionCount"], &previewed["impact"]["sessionCount"]), (&json!(9), &json!(9)));
    assert_eq!(
        (&previewed["impact"]["rowsDeleted"], &previewed["impact"]["rowsUnlinked"]),
        (&json!(1_512), &json!(173))
    );
    assert_eq!(previewed["impact"]["deletable"], true);
    let sample: Vec<&Value> = previewed["sample"].as_array().unwrap().iter().map(|session| &session["id"]).collect();
    assert_eq!(sample, SESSIONS[..STALE_SESSIONS].iter().map(|session| session.id).collect::<Vec<_>>());
    let input =
        json!({ "dryRun": false, "expectedImpact": previewed["impact"]["token"], "atMost": 1_512, "reason": "old" });
    let payload = clean_up_to_end(&app, input).await;
    assert_eq!((&payload["userErrors"], &payload["changes"]), (&json!([]), &json!([])));
    assert_eq!(payload["impact"]["tables"], previewed["impact"]["tables"]);
    let run = &payload["run"];
    assert_eq!((&run["status"], &run["kind"], &run["error"]), (&json!("SUCCEEDED"), &json!("DELETE"), &Value::Null));
    assert_eq!((&run["sessionsTotal"], &run["sessionsDeleted"]), (&json!(9), &json!(9)));
    assert_eq!((&run["rowsDeleted"], &run["rowsUnlinked"]), (&json!(1_512), &json!(173)));
    assert_eq!((&run["startedBy"], &run["reason"]), (&json!("tester"), &json!("old")));
    assert_eq!(run["skipped"], json!({ "totalCount": 0, "nodes": [] }));
    assert_eq!(run["deletions"]["totalCount"], 1);
    let deletion = &run["deletions"]["nodes"][0];
    assert_eq!((&deletion["rowsDeleted"], &deletion["run"]["id"]), (&json!(1_512), &run["id"]));
    assert_eq!(deletion["sessions"].as_array().unwrap().len(), 9);
    let criteria: Value = serde_json::from_str(run["criteria"].as_str().unwrap()).unwrap();
    assert_eq!(criteria["statuses"], json!(["QR_PENDING", "CONNECTING", "DISCONNECTED"]));
    assert_eq!((&criteria["hasPhoneNumber"], &criteria["olderThan"]), (&json!(false), &Value::Null));
    assert_eq!(app.db.count("whatsapp_sessions").await, 5);
    assert_eq!(preview(&app, json!({})).await["sessionCount"], 0);
}

async fn a_cleanup_is_queued_at_once_and_worked_off_by_a_worker(db: TestDb) {
    let app = migrated_server(db).await;
    let run = clean(&app, json!({ "dryRun": false })).await["run"].take();
    assert_eq!(
        run,
        json!({ "__typename": "CleanupRun", "id": run["id"], "kind": "DELETE", "status": "QUEUED",
                "sessionsTotal": 9, "sessionsDeleted": 0, "startedAt": null })
    );
    assert_eq!(app.db.count("whatsapp_sessions").await, 14);
    app.finish_run(run["id"].as_str().unwrap().parse().unwrap()).await;
    let ended = fetch_run(&app, &run["id"]).await;
    assert_eq!((&ended["status"], &ended["sessionsDeleted"]), (&json!("SUCCEEDED"), &json!(9)));
    assert_eq!(app.db.count("whatsapp_sessions").await, 5);
}

async fn criteria_left_out_empty_and_written_out_are_the_same(db: TestDb) {
    let app = migrated_server(db).await;
    // One session is spared only because of its phone number, the other one only because of its status.
    for (session, change) in [(0, "phone_number = '+1'"), (1, "status = 'connected'")] {
        let id = SESSIONS[session].id;
        app.db.exec(&format!("UPDATE whatsapp_sessions SET {change} WHERE id = '{id}'")).await;
    }
    let explicit = json!({ "statuses": ["QR_PENDING", "CONNECTING", "DISCONNECTED"], "hasPhoneNumber": false, "ids": null,
                           "olderThan": null, "createdBefore": null, "search": null, "limit": null });
    let fields = "{ sessionCount impact { token } }";
    let left_out = app.data(&format!("{{ cleanupPreview {fields} }}"), json!({})).await;
    assert_eq!(left_out["cleanupPreview"]["sessionCount"], 7);
    let empty = app.data(&format!("{{ cleanupPreview(criteria: {{}}) {fields} }}"), json!({})).await;
    let query = format!("query P($criteria: CleanupCriteria!) {{ cleanupPreview(criteria: $criteria) {fields} }}");
    let variable = app.data(&query, json!({ "criteria": {} })).await;
    let written = app.data(&query, json!({ "criteria": explicit })).await;
    assert_eq!([&empty, &variable, &written], [&left_out; 3]);
    let token = &left_out["cleanupPreview"]["impact"]["token"];
    for input in [json!({}), json!({ "criteria": {} }), json!({ "criteria": explicit, "dryRun": true })] {
        let payload = clean(&app, input).await;
        assert_eq!((&payload["impact"]["token"], &payload["run"]), (token, &Value::Null));
    }
    // Null matches sessions with and without a phone number.
    assert_eq!(preview(&app, json!({ "hasPhoneNumber": null })).await["sessionCount"], 8);
    for nothing in [json!({ "ids": [] }), json!({ "statuses": [] }), json!({ "limit": 0 })] {
        let found = preview(&app, nothing.clone()).await;
        assert_eq!((&found["sessionCount"], &found["sample"]), (&json!(0), &json!([])), "{nothing}");
    }
}

async fn a_cleanup_reports_until_it_is_told_to_delete(db: TestDb) {
    let app = migrated_server(db).await;
    let before = app.db.everything().await;
    let payload = clean(&app, json!({})).await;
    assert_eq!((&payload["run"], &payload["userErrors"]), (&Value::Null, &json!([])));
    assert_eq!(payload["impact"]["rowsDeleted"], 1_512);
    let stale = payload["impact"]["token"].clone();
    app.db.exec(&format!("UPDATE whatsapp_sessions SET phone_number = '+1' WHERE id = '{}'", SESSIONS[8].id)).await;
    let changed = app.db.everything().await;
    for dry_run in [true, false] {
        let payload = clean(&app, json!({ "dryRun": dry_run, "expectedImpact": stale, "atMost": 3 })).await;
        let codes: Vec<&Value> = payload["userErrors"].as_array().unwrap().iter().map(|error| &error["code"]).collect();
        assert_eq!((codes, &payload["run"]), (vec![&json!("IMPACT_CHANGED"), &json!("TOO_MANY_ROWS")], &Value::Null));
        assert_eq!(payload["changes"][0]["table"], "whatsapp_sessions");
        assert_eq!(
            (&payload["changes"][0]["rowsDeletedBefore"], &payload["changes"][0]["rowsDeletedNow"]),
            (&json!(9), &json!(8))
        );
    }
    assert!(app.db.everything().await == changed && changed != before);
}

async fn criteria_that_mean_nothing_are_named(db: TestDb) {
    let app = migrated_server(db).await;
    for (criteria, expected) in [
        (json!({ "olderThan": "1 day" }), "olderThan is \"1 day\"; it must be an ISO 8601 duration"),
        (json!({ "olderThan": "P1M" }), "olderThan is \"P1M\"; it must be an ISO 8601 duration"),
        (json!({ "olderThan": "-PT1H" }), "olderThan is \"-PT1H\"; it must be an ISO 8601 duration"),
        (json!({ "limit": -1 }), "criteria.limit is -1"),
        (json!({ "ids": ["nobody"] }), "\"nobody\" is not an id"),
        (json!({ "search": "\0" }), "criteria.search must have"),
    ] {
        let (code, message) = app.error(PREVIEW, json!({ "criteria": criteria })).await;
        assert_eq!(code, "BAD_USER_INPUT");
        assert!(message.contains(expected), "{message}");
        let (code, message) = app.error(CLEAN, json!({ "input": { "criteria": criteria } })).await;
        assert!(code == "BAD_USER_INPUT" && message.contains(expected), "{message}");
    }
    let (code, message) = app.error(CLEAN, json!({ "input": { "expectedImpact": "i1.made.up" } })).await;
    assert!(code == "BAD_USER_INPUT" && message.starts_with("expectedImpact is not an impact token"), "{message}");
    let (code, message) = app.error(CLEAN, json!({ "input": { "atMost": -1 } })).await;
    assert!(code == "BAD_USER_INPUT" && message.starts_with("atMost is negative"), "{message}");
}

async fn a_cleanup_outlives_its_client(db: TestDb) {
    let app = migrated_server(db).await;
    // Another connection locks the table, so that the cleanup begins and cannot end.
    let mut other = app.db.raw().await;
    other
        .exec(match app.db.dialect() {
            Dialect::Postgres => "BEGIN; LOCK TABLE whatsapp_sessions IN ACCESS EXCLUSIVE MODE",
            Dialect::Sqlite => "BEGIN IMMEDIATE",
        })
        .await;
    let cleanup_started = async { while app.state.wait_for_deletions(Duration::from_millis(1)).await {} };
    tokio::select! {
        answer = app.post(CLEAN, json!({ "input": { "dryRun": false } })) => panic!("answered: {answer:?}"),
        () = cleanup_started => {}
    }
    other.exec("ROLLBACK").await;
    assert!(app.state.wait_for_deletions(Duration::from_mins(1)).await);
    let runs = app.data("{ cleanupRuns { nodes { id status } } }", json!({})).await["cleanupRuns"]["nodes"].take();
    assert_eq!((runs.as_array().unwrap().len(), &runs[0]["status"]), (1, &json!("QUEUED")));
    app.finish_run(runs[0]["id"].as_str().unwrap().parse().unwrap()).await;
    assert_eq!(app.db.count("whatsapp_sessions").await, 5);
}
