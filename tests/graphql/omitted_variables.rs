//! Tests of variables without a value.

use api::demo::scenario::SESSIONS;
use serde_json::json;

use super::migrated_server;
use crate::support::{TestDb, on_both};

on_both!(AsBuilt: a_field_whose_variable_is_left_out_is_left_out);

async fn a_field_whose_variable_is_left_out_is_left_out(db: TestDb) {
    let app = migrated_server(db).await;
    // The session is spared only because it was paired.
    app.db.exec(&format!("UPDATE whatsapp_sessions SET phone_number = '+1' WHERE id = '{}'", SESSIONS[0].id)).await;
    let count_matches = async |query: &str, variables| {
        let data = app.data(query, variables).await;
        data["cleanupPreview"]["sessionCount"].as_i64().unwrap()
    };
    let fields = "query P($paired: Boolean, $of: [SessionStatus!]) {
        cleanupPreview(criteria: { hasPhoneNumber: $paired, statuses: $of }) { sessionCount } }";
    assert_eq!(count_matches(fields, json!({})).await, 8);
    assert_eq!(count_matches(fields, json!({ "paired": null })).await, 9, "null is either");
    assert_eq!(count_matches(fields, json!({ "paired": true })).await, 1);
    assert_eq!(count_matches(fields, json!({ "of": [] })).await, 0);
    let argument = "query P($criteria: CleanupCriteria) { ...all }
        fragment all on Query { cleanupPreview(criteria: $criteria) { sessionCount } }";
    assert_eq!(count_matches(argument, json!({})).await, 8, "an argument, in a fragment");
    let of_default = "query P($paired: Boolean = true) {
        cleanupPreview(criteria: { hasPhoneNumber: $paired }) { sessionCount } }";
    assert_eq!(count_matches(of_default, json!({})).await, 1, "the variable's own default");
    let dry_run = "mutation C($dryRun: Boolean) { cleanUpSessions(input: { dryRun: $dryRun }) { run { id } } }";
    assert_eq!(app.data(dry_run, json!({})).await["cleanUpSessions"]["run"], json!(null));
    assert_eq!(app.db.count("whatsapp_sessions").await, 14);
    let required = "query P($id: ID!) { session(id: $id) { id } }";
    assert_eq!(app.error(required, json!({})).await.0, "BAD_USER_INPUT");
    let unused = "query P($id: ID) { sessionStats { total } }";
    assert!(app.error(unused, json!({})).await.1.contains("is not used"));
}
