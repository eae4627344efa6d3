//! Tests of deleting a session through GraphQL.

use std::time::Duration;

use api::db::Dialect;
use api::demo::scenario::SESSIONS;
use axum::body::Body;
use axum::http::StatusCode;
use chrono::{DateTime, TimeDelta};
use serde_json::{Value, json};

use super::migrated_server;
use crate::http::app::{TestApp, request};
use crate::support::{TestDb, on_both};

on_both!(AsBuilt:
    a_session_goes_as_its_impact_shows,
    a_refusal_is_data_and_nothing_is_deleted,
    a_mutation_by_get_deletes_nothing,
);
on_both!(AsBuilt:
    a_default_left_out_is_the_same_as_explicit,
    a_dry_run_deletes_nothing,
    a_deletion_that_is_unknown_is_null,
);
on_both!(AsBuilt:
    without_an_archive_nothing_is_kept,
    a_deletion_is_erased_with_its_names,
    what_a_restore_cannot_bring_back_is_said,
);
on_both!(AsBuilt: a_deletion_outlives_its_client, internal_errors_are_masked_and_carry_the_request_s_id);

const DELETE: &str = "mutation D($input: DeleteSessionInput!) { deleteSession(input: $input) {
    deletion { __typename id status sessions { id name } rowsDeleted rowsUnlinked deletedBy reason deletedAt allowed
      restorableUntil restoredAt restoredBy erasedAt erasedBy tables { table rowsDeleted rowsUnlinked restorable } }
    impact { rowsDeleted rowsUnlinked token }
    changes { table rowsDeletedBefore rowsDeletedNow rowsUnlinkedBefore rowsUnlinkedNow }
    userErrors { code message field } } }";

async fn delete(app: &TestApp, input: Value) -> Value {
    app.data(DELETE, json!({ "input": input })).await["deleteSession"].take()
}

async fn a_session_goes_as_its_impact_shows(db: TestDb) {
    let app = migrated_server(db).await;
    let id = SESSIONS[0].id;
    let impact = "query Q($id: ID!) { session(id: $id) { impact { rowsDeleted rowsUnlinked token } } }";
    let previewed = app.data(impact, json!({ "id": id })).await["session"]["impact"].take();
    let (token, rows_deleted) = (&previewed["token"], &previewed["rowsDeleted"]);
    let input = json!({ "id": id, "expectedImpact": token, "atMost": rows_deleted, "reason": "left over" });
    let payload = delete(&app, input).await;
    assert_eq!((&payload["userErrors"], &payload["changes"]), (&json!([]), &json!([])));
    assert_eq!(payload["impact"], previewed);
    let deletion = &payload["deletion"];
    assert_eq!(deletion["sessions"], json!([{ "id": id, "name": "stale-1" }]));
    assert_eq!(
        (&deletion["rowsDeleted"], &deletion["rowsUnlinked"]),
        (&previewed["rowsDeleted"], &previewed["rowsUnlinked"])
    );
    assert_eq!((&deletion["status"], &deletion["deletedBy"]), (&json!("RESTORABLE"), &json!("tester")));
    let moment = |field: &str| DateTime::parse_from_rfc3339(deletion[field].as_str().unwrap()).unwrap();
    assert_eq!(moment("restorableUntil") - moment("deletedAt"), TimeDelta::days(30));
    for field in ["restoredAt", "restoredBy", "erasedAt", "erasedBy"] {
        assert_eq!(deletion[field], Value::Null, "{field}");
    }
    assert_eq!((&deletion["reason"], &deletion["allowed"]), (&json!("left over"), &json!([])));
    assert!(deletion["deletedAt"].as_str().unwrap().ends_with('Z'), "{deletion:#}");
    assert_eq!(app.db.count("whatsapp_sessions").await, 13);

    let query =
        "query Q($id: ID!) { deletion(id: $id) { __typename id status sessions { id name } rowsDeleted rowsUnlinked
        deletedBy reason deletedAt allowed restorableUntil restoredAt restoredBy erasedAt erasedBy
        tables { table rowsDeleted rowsUnlinked restorable } } }";
    let audit = app.data(query, json!({ "id": deletion["id"] })).await;
    assert_eq!(&audit["deletion"], deletion);
}

async fn without_an_archive_nothing_is_kept(db: TestDb) {
    let app = migrated_server(db).await;
    let deletion = delete(&app, json!({ "id": SESSIONS[0].id, "archive": false })).await["deletion"].take();
    assert_eq!((&deletion["status"], &deletion["restorableUntil"]), (&json!("NOT_ARCHIVED"), &Value::Null));
    assert_eq!(app.db.count(&app.db.dialect().internal_table("archived_rows")).await, 0);
}

const ERASE: &str = "mutation E($id: ID!) { eraseDeletionArchive(input: { id: $id }) {
    deletion { id status reason erasedAt erasedBy rowsDeleted sessions { id name } } userErrors { code message field } } }";

async fn a_deletion_is_erased_with_its_names(db: TestDb) {
    let app = migrated_server(db).await;
    let deletion = delete(&app, json!({ "id": SESSIONS[0].id, "reason": "Ada asked" })).await["deletion"].take();
    let erase = async |id: &Value| app.data(ERASE, json!({ "id": id })).await["eraseDeletionArchive"].take();
    let mut payload = erase(&deletion["id"]).await;
    assert_eq!(payload["userErrors"], json!([]));
    let at = payload["deletion"]["erasedAt"].take();
    assert!(at.as_str().unwrap() >= deletion["deletedAt"].as_str().unwrap(), "{at}");
    let expected = json!({
        "id": deletion["id"], "status": "ERASED", "reason": null, "erasedAt": null, "erasedBy": "tester",
        "rowsDeleted": deletion["rowsDeleted"], "sessions": [{ "id": SESSIONS[0].id, "name": null }],
    });
    assert_eq!(payload["deletion"], expected);
    assert_eq!(app.db.count(&app.db.dialect().internal_table("archived_rows")).await, 0);
    let payload = erase(&deletion["id"]).await;
    assert_eq!(payload["userErrors"][0]["code"], "ARCHIVE_GONE");
    assert_eq!((&payload["userErrors"][0]["field"], &payload["deletion"]["erasedAt"]), (&json!(["input", "id"]), &at));
    let payload = erase(&json!("00000000-0000-4000-8000-000000000000")).await;
    assert_eq!((&payload["userErrors"][0]["code"], &payload["deletion"]), (&json!("NOT_FOUND"), &Value::Null));
    let list = "{ deletions(filter: { statuses: [ERASED] }) { nodes { id erasedAt erasedBy restorableUntil } } }";
    let listed = app.data(list, json!({})).await["deletions"]["nodes"].take();
    assert_eq!(
        (&listed[0]["id"], &listed[0]["erasedAt"], &listed[0]["erasedBy"]),
        (&deletion["id"], &at, &json!("tester"))
    );
    assert_eq!(listed[0]["restorableUntil"], deletion["restorableUntil"]);
}

/// An unlinked row of a table without a key cannot be identified again.
async fn what_a_restore_cannot_bring_back_is_said(db: TestDb) {
    let app = migrated_server(db).await;
    let group = format!("SELECT id FROM whatsapp_groups WHERE session_id = '{}' LIMIT 1", SESSIONS[0].id);
    let id_type = match app.db.dialect() {
        Dialect::Postgres => "uuid",
        Dialect::Sqlite => "text",
    };
    app.db
        .exec(&format!(
            "CREATE TABLE keyless (group_id {id_type} REFERENCES whatsapp_groups (id) ON DELETE SET NULL); \
             INSERT INTO keyless {group}"
        ))
        .await;
    let query = "query Q($id: ID!) { session(id: $id) { impact { tables { table rowsUnlinked restorable } } } }";
    let impact = app.data(query, json!({ "id": SESSIONS[0].id })).await["session"]["impact"].take();
    let not_restorable = |tables: &Value| -> Vec<Value> {
        tables.as_array().unwrap().iter().filter(|table| table["restorable"] == json!(false)).cloned().collect()
    };
    let expected = json!({ "table": "keyless", "rowsUnlinked": 1, "restorable": false });
    assert_eq!(not_restorable(&impact["tables"]), [expected]);
    let deletion = delete(&app, json!({ "id": SESSIONS[0].id })).await["deletion"].take();
    assert_eq!(not_restorable(&deletion["tables"]).len(), 1);
}

async fn a_refusal_is_data_and_nothing_is_deleted(db: TestDb) {
    let app = migrated_server(db).await;
    let (stale, live) = (SESSIONS[0].id, SESSIONS[9].id);
    let other =
        app.data("query Q($id: ID!) { session(id: $id) { impact { token } } }", json!({ "id": SESSIONS[1].id })).await;
    for (input, code) in [
        (json!({ "id": "00000000-0000-4000-8000-000000000000" }), "NOT_FOUND"),
        (json!({ "id": live }), "SESSION_CONNECTED"),
        (json!({ "id": stale, "atMost": 3 }), "TOO_MANY_ROWS"),
        (json!({ "id": stale, "expectedImpact": other["session"]["impact"]["token"] }), "IMPACT_CHANGED"),
    ] {
        let payload = delete(&app, input.clone()).await;
        let codes: Vec<_> = payload["userErrors"].as_array().unwrap().iter().map(|error| &error["code"]).collect();
        assert!(codes.contains(&&json!(code)), "{input}: {payload:#}");
        assert_eq!(payload["deletion"], Value::Null, "{input}");
    }
    assert_eq!(app.db.count("whatsapp_sessions").await, 14);
}

async fn a_default_left_out_is_the_same_as_explicit(db: TestDb) {
    let app = migrated_server(db).await;
    for id in [SESSIONS[0].id, SESSIONS[9].id] {
        let left_out = delete(&app, json!({ "id": id, "atMost": 0 })).await;
        let explicit = json!({
            "id": id, "atMost": 0, "allowConnected": false, "allowPendingMessages": false, "dryRun": false,
            "expectedImpact": null, "reason": null, "idempotencyKey": null,
        });
        assert_eq!(delete(&app, explicit).await, left_out);
        let literal = format!(
            "mutation {{ deleteSession(input: {{ id: \"{id}\", atMost: 0 }}) {{ userErrors {{ code message field }} }} }}"
        );
        assert_eq!(app.data(&literal, json!({})).await["deleteSession"]["userErrors"], left_out["userErrors"]);
    }
}

async fn a_dry_run_deletes_nothing(db: TestDb) {
    let app = migrated_server(db).await;
    let payload = delete(&app, json!({ "id": SESSIONS[0].id, "dryRun": true })).await;
    assert_eq!((&payload["deletion"], &payload["userErrors"]), (&Value::Null, &json!([])));
    assert!(payload["impact"]["rowsDeleted"].as_i64().unwrap() > 120, "{payload:#}");
    assert_eq!(app.db.count("whatsapp_sessions").await, 14);
}

async fn a_deletion_that_is_unknown_is_null(db: TestDb) {
    let query = "{ deletion(id: \"00000000-0000-4000-8000-000000000000\") { id } }";
    assert_eq!(migrated_server(db).await.data(query, json!({})).await, json!({ "deletion": null }));
}

async fn a_mutation_by_get_deletes_nothing(db: TestDb) {
    let app = migrated_server(db).await;
    let delete =
        format!("mutation%7BdeleteSession(input%3A%7Bid%3A%22{}%22%7D)%7BuserErrors%7Bcode%7D%7D%7D", SESSIONS[0].id);
    for method in ["GET", "HEAD"] {
        let answer = app.send(request(method, &format!("/graphql?query={delete}")).body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    }
    assert_eq!(app.db.count("whatsapp_sessions").await, 14);
}

async fn a_deletion_outlives_its_client(db: TestDb) {
    let app = migrated_server(db).await;
    // Another connection locks the table, so that the deletion begins and cannot end.
    let mut other = app.db.raw().await;
    other
        .exec(match app.db.dialect() {
            Dialect::Postgres => "BEGIN; LOCK TABLE whatsapp_sessions IN ACCESS EXCLUSIVE MODE",
            Dialect::Sqlite => "BEGIN IMMEDIATE",
        })
        .await;
    let deletion_started = async {
        while app.state.wait_for_deletions(Duration::from_millis(1)).await {}
        // The lock may be granted before the request's future is polled again, which starts the detached task.
        tokio::task::yield_now().await;
    };
    tokio::select! {
        answer = app.post(DELETE, json!({ "input": { "id": SESSIONS[0].id } })) => panic!("answered: {answer:?}"),
        () = deletion_started => {}
    }
    other.exec("ROLLBACK").await;
    assert!(app.state.wait_for_deletions(Duration::from_secs(30)).await);
    assert_eq!(app.db.count("whatsapp_sessions").await, 13);
}

async fn internal_errors_are_masked_and_carry_the_request_s_id(db: TestDb) {
    let app = migrated_server(db).await;
    let table = app.db.dialect().internal_table("deletions");
    app.db.exec(&format!("ALTER TABLE {table} RENAME COLUMN reason TO elsewhere")).await;
    let body = json!({ "query": "{ deletion(id: \"00000000-0000-4000-8000-000000000000\") { id } }" }).to_string();
    let ask = request("POST", "/graphql").header("content-type", "application/json").header("x-request-id", "find-me");
    let answer = app.send(ask.body(Body::from(body)).unwrap()).await;
    assert_eq!(answer.status, StatusCode::OK);
    let error = &answer.json()["errors"][0];
    assert_eq!(error["extensions"], json!({ "code": "INTERNAL", "correlationId": "find-me" }), "{error:#}");
    assert_eq!(error["message"], "The server failed. Its log has the cause under find-me.");
}
