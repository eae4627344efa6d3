//! Tests of schema health, and of requests while the database is unavailable.

use serde_json::json;

use super::migrated_server;
use crate::http::app::TestApp;
use crate::support::{TestDb, on_both};

on_both!(FirstFix:
    the_diagnosis_names_what_blocks,
    a_mended_schema_is_healthy,
    a_database_that_is_away_is_told_as_such,
);

const HEALTH: &str = "{ schemaHealth { healthy pendingMigrations
    findings { key code severity table constraint message rowsAtRisk accepted fixes { statement consequence } }
    foreignKeys { constraint table columns referencedTable referencedColumns onDelete nullable indexed validated } } }";

async fn the_diagnosis_names_what_blocks(db: TestDb) {
    let health = TestApp::over(db).await.data(HEALTH, json!({})).await["schemaHealth"].take();
    assert_eq!(health["healthy"], false);
    let findings = health["findings"].as_array().unwrap();
    let contradiction = findings.iter().find(|finding| finding["code"] == "SET_NULL_ON_NOT_NULL").unwrap();
    assert_eq!(contradiction["table"], "notification_campaign_groups");
    assert_eq!((&contradiction["severity"], &contradiction["accepted"]), (&json!("ERROR"), &json!(false)));
    assert!(!contradiction["fixes"].as_array().unwrap().is_empty());
}

async fn a_mended_schema_is_healthy(db: TestDb) {
    let health = migrated_server(db).await.data(HEALTH, json!({})).await["schemaHealth"].take();
    assert_eq!(health["healthy"], true, "{:#}", health["findings"]);
    assert_eq!(health["pendingMigrations"], json!(["m20260101_000007_stale_purge"]));
    assert!(health["foreignKeys"].as_array().unwrap().len() >= 12);
}

async fn a_database_that_is_away_is_told_as_such(db: TestDb) {
    let app = TestApp::over(db.clone()).await;
    db.database().await.clone().close().await.unwrap();
    let (code, message) = app.error("{ sessions { totalCount } }", json!({})).await;
    assert_eq!(code, "UNAVAILABLE");
    assert!(message.starts_with("The database cannot be reached."), "{message}");
}
