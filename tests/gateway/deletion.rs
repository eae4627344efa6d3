//! Tests that a session that the gateway reports as connected is not deleted, and that the audit record contains the
//! gateway's answers.

use std::collections::HashMap;
use std::time::Duration;

use api::cleanup::{BatchSize, RunExecutor};
use api::db::{Database, Dialect};
use api::deletion;
use api::deletion::audit::query;
use api::deletion::{DeletionOutcome, DeletionRequest};
use api::gateway::{Gateway, GatewaySessionState, GatewaySettings};
use api::refusal::RefusalCode;
use axum::response::IntoResponse as _;
use serde_json::json;
use uuid::Uuid;

use super::{Server, gateway, id, unreachable_gateway, with_status};
use crate::http::app::TestApp;
use crate::support::WithTerms as _;
use crate::support::connection::RawConnection;
use crate::support::{TestDb, on_both};

on_both!(Adopted:
    a_session_that_the_gateway_says_is_connected_is_refused_unless_that_is_allowed,
    what_the_gateway_said_is_in_the_audit_record,
    a_gateway_that_cannot_be_reached_stops_nothing_and_the_record_says_so,
    a_dry_run_is_refused_likewise,
    a_mutation_asks_first,
    nothing_is_asked_under_locks,
);

/// The index of a stale session whose deletion nothing else blocks.
const STALE: usize = 8;

fn request(session: usize) -> DeletionRequest {
    DeletionRequest { session_ids: vec![id(session)], principal: "tester".to_owned(), ..DeletionRequest::default() }
}

async fn delete(database: &Database, gateway: &Gateway, request: DeletionRequest) -> DeletionOutcome {
    deletion::delete(database, &request.with_gateway_states(Some(gateway)).await).await.unwrap()
}

async fn a_session_that_the_gateway_says_is_connected_is_refused_unless_that_is_allowed(db: TestDb) {
    let server = Server::with_answer(json!({ "instance": { "state": "open" } }));
    let (gateway, before) = (server.gateway(), db.everything().await);
    let outcome = delete(db.database().await, &gateway, request(STALE)).await;
    assert_eq!(outcome.refusals.len(), 1, "{:?}", outcome.refusals);
    let refusal = &outcome.refusals[0];
    assert_eq!(refusal.code, RefusalCode::GatewayDisagrees);
    let message = "According to the gateway, 1 session that would be deleted is connected. Disconnect it first, or \
                   set allowConnected.";
    assert_eq!(refusal.message, message);
    assert_eq!(refusal.field, Some(vec!["input".to_owned(), "allowConnected".to_owned()]));
    assert!(outcome.impact.is_some());
    assert!(db.everything().await == before);
    let outcome = delete(db.database().await, &gateway, request(STALE).allow_connected()).await;
    let deletion = outcome.deletion.unwrap();
    assert_eq!(deletion.allowed, ["allowConnected"]);
    assert_eq!(deletion.sessions[0].gateway, Some(GatewaySessionState::Connected));
}

async fn what_the_gateway_said_is_in_the_audit_record(db: TestDb) {
    let statuses: HashMap<Uuid, Option<&'static str>> =
        [(id(6), Some("SCAN_QR_CODE")), (id(7), None), (id(8), Some("FAILED"))].into();
    let server = Server::of_sessions(move |session| statuses[&session]);
    let together = DeletionRequest { session_ids: vec![id(6), id(7), id(8)], ..request(STALE) };
    let deletion = delete(db.database().await, &server.gateway(), together).await.deletion.unwrap();
    let states: Vec<_> = deletion.sessions.iter().map(|session| session.gateway).collect();
    let expected = [GatewaySessionState::QrPending, GatewaySessionState::NotFound, GatewaySessionState::Disconnected];
    assert_eq!(states, expected.map(Some));
    assert_eq!(query::find(db.database().await, deletion.id).await.unwrap(), Some(deletion));
    // The record has no gateway state where the gateway was not queried.
    let deletion = deletion::delete(db.database().await, &request(5)).await.unwrap().deletion.unwrap();
    assert_eq!(query::find(db.database().await, deletion.id).await.unwrap().unwrap().sessions[0].gateway, None);
}

async fn a_gateway_that_cannot_be_reached_stops_nothing_and_the_record_says_so(db: TestDb) {
    let broken = Server::new(async |_| with_status(500, ""));
    let garbled = Server::new(async |_| "nonsense".into_response());
    let cases = [
        (unreachable_gateway(), GatewaySessionState::Unreachable),
        (broken.gateway(), GatewaySessionState::Unreachable),
        (garbled.gateway(), GatewaySessionState::Unknown),
    ];
    for (session, (gateway, expected)) in cases.into_iter().enumerate() {
        let outcome = delete(db.database().await, &gateway, request(session)).await;
        let deletion = outcome.deletion.unwrap_or_else(|| panic!("{:?}", outcome.refusals));
        let recorded = query::find(db.database().await, deletion.id).await.unwrap().unwrap();
        assert_eq!(recorded.sessions[0].gateway, Some(expected));
    }
}

async fn a_dry_run_is_refused_likewise(db: TestDb) {
    let server = Server::with_answer(json!({ "status": "WORKING" }));
    let dry = DeletionRequest { dry_run: true, ..request(STALE) };
    let outcome = delete(db.database().await, &server.gateway(), dry.clone()).await;
    assert_eq!(outcome.refusals[0].code, RefusalCode::GatewayDisagrees);
    let allowed = dry.allow_connected();
    assert_eq!(delete(db.database().await, &server.gateway(), allowed).await.refusals, []);
    assert_eq!(db.count("whatsapp_sessions").await, 14);
}

async fn a_mutation_asks_first(db: TestDb) {
    let server = Server::of_sessions(|session| (session == id(7)).then_some("WORKING"));
    let app = TestApp::with_gateway(db, server.gateway()).await;
    let mutation = "mutation M($id: ID!) { deleteSession(input: { id: $id }) {
        deletion { id sessions { id gateway } } userErrors { code field } } }";
    let refused = app.data(mutation, json!({ "id": id(7) })).await;
    let errors = json!([{ "code": "GATEWAY_DISAGREES", "field": ["input", "allowConnected"] }]);
    assert_eq!(refused, json!({ "deleteSession": { "deletion": null, "userErrors": errors } }));
    let mut deleted = app.data(mutation, json!({ "id": id(8) })).await["deleteSession"].take();
    assert_eq!(deleted["deletion"]["sessions"], json!([{ "id": id(8), "gateway": "NOT_FOUND" }]));
    let again = "query Q($id: ID!) { deletion(id: $id) { sessions { gateway } } }";
    let found = app.data(again, json!({ "id": deleted["deletion"]["id"].take() })).await;
    assert_eq!(found, json!({ "deletion": { "sessions": [{ "gateway": "NOT_FOUND" }] } }));
}

/// Starts a gateway that writes to the session before it answers. If it were queried while locks are held, it would
/// wait for them.
fn start_writing_gateway(db: &TestDb) -> Server {
    let (url, dialect) = (db.url().to_owned(), db.dialect());
    Server::new(move |request| {
        let (url, session) = (url.clone(), request.session());
        async move {
            let mut connection = RawConnection::open(&url).await;
            let patience = match dialect {
                Dialect::Postgres => "SET lock_timeout = '300ms'",
                Dialect::Sqlite => "PRAGMA busy_timeout = 300",
            };
            connection.exec(patience).await;
            let update = format!("UPDATE whatsapp_sessions SET status = status WHERE id = '{session}'");
            let update_result = connection.attempt(&update).await;
            connection.close().await;
            with_status(if update_result.is_ok() { 404 } else { 500 }, "")
        }
    })
}

async fn nothing_is_asked_under_locks(db: TestDb) {
    let server = start_writing_gateway(&db);
    // Without a cache every query sends a request.
    let gateway = gateway(GatewaySettings { cache_ttl: Duration::ZERO, ..server.settings() });
    let app = TestApp::with_gateway(db, gateway).await;
    let mutation = "mutation M($id: ID!) { deleteSession(input: { id: $id }) { deletion { sessions { gateway } } } }";
    let deleted = app.data(mutation, json!({ "id": id(STALE) })).await;
    assert_eq!(deleted["deleteSession"]["deletion"]["sessions"], json!([{ "gateway": "NOT_FOUND" }]));
    let mutation = "mutation { cleanUpSessions(input: { criteria: { missingFromGateway: true }, dryRun: false }) {
        run { id } userErrors { message } } }";
    let response = app.data(mutation, json!({})).await;
    let run = response["cleanUpSessions"]["run"]["id"].as_str().unwrap();
    let (database, gateway) = (app.state.database().clone(), app.state.gateway().cloned());
    let worker =
        RunExecutor::take(database, gateway, run.parse().unwrap(), BatchSize::default()).await.unwrap().unwrap();
    worker.run_to_end(std::future::pending(), |_| ()).await.unwrap();
    let query = "query R($id: ID!) { cleanupRun(id: $id) { sessionsDeleted skipped(first: 9) { nodes { message } }
        deletions { nodes { sessions { gateway } } } } }";
    let cleaned = app.data(query, json!({ "id": run })).await;
    assert_eq!(cleaned["cleanupRun"]["sessionsDeleted"], 8, "{cleaned}");
    assert!(!cleaned.to_string().contains("UNREACHABLE"), "{cleaned}");
    // One request for the deletion, and two for each of the eight sessions: before the run is created, and before its
    // batch.
    assert_eq!(server.requests().len(), 1 + 2 * 8);
}
