//! Tests of authentication and authorization.

mod forbidden_operations;
mod invalid_tokens;
mod jwt;
mod role_matrix;
mod socket_authentication;
mod token_lifecycle;

use std::time::Duration;

use api::app_state::AppState;
use api::auth::access_token;
use api::auth::access_token::Secret;
use api::auth::{Authenticator, JwtVerifier, Role};
use api::schema_health::AcceptedFindings;
use axum::body::Body;
use serde_json::{Value, json};

use crate::http::app::{Answer, TestApp, request};
use crate::support::TestDb;

/// How long the servers of these tests cache a valid token.
const CACHE_TTL: Duration = Duration::from_millis(50);

/// Creates the state of a server that caches tokens only briefly.
async fn state(db: &TestDb, jwt: Option<JwtVerifier>) -> AppState {
    let database = db.database().await.clone();
    let authenticator = Authenticator::with_cache_ttl(database.clone(), jwt, CACHE_TTL);
    AppState::new(database, AcceptedFindings::default(), "local").with_authenticator(authenticator)
}

/// Creates a server that caches tokens only briefly.
async fn app(db: TestDb, jwt: Option<JwtVerifier>) -> TestApp {
    TestApp::of(state(&db, jwt).await, db)
}

/// Creates a token that does not expire.
async fn create_token(db: &TestDb, name: &str, role: Role) -> Secret {
    access_token::create(db.database().await, name, role, None).await.unwrap().1
}

/// Creates a token that expired a second ago.
async fn create_expired_token(db: &TestDb, name: &str, role: Role) -> Secret {
    let secret = create_token(db, name, role).await;
    let expiry = match db.dialect() {
        api::db::Dialect::Postgres => "now() - interval '1 second'",
        api::db::Dialect::Sqlite => "strftime('%Y-%m-%dT%H:%M:%f', 'now', '-1 second') || '000+00:00'",
    };
    let tokens = db.dialect().internal_table("tokens");
    db.exec(&format!("UPDATE {tokens} SET expires_at = {expiry} WHERE name = '{name}'")).await;
    secret
}

/// Creates a token and revokes it.
async fn create_revoked_token(db: &TestDb, name: &str, role: Role) -> Secret {
    let secret = create_token(db, name, role).await;
    access_token::revoke(db.database().await, name).await.unwrap().unwrap();
    secret
}

/// Sends a query as a GraphQL-over-HTTP client does, with a token if there is one.
async fn send_query(app: &TestApp, token: Option<&str>, query: &str, variables: Value) -> Answer {
    let mut request = request("POST", "/graphql")
        .header("content-type", "application/json")
        .header("accept", "application/graphql-response+json");
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let body = json!({ "query": query, "variables": variables }).to_string();
    app.send(request.body(Body::from(body)).unwrap()).await
}

const VIEWER: &str = "{ viewer { name role } }";

/// Returns the name and the role of the principal with this token.
async fn query_viewer(app: &TestApp, token: &str) -> (String, String) {
    let answer = send_query(app, Some(token), VIEWER, json!({})).await.json();
    let text =
        |member: &str| answer["data"]["viewer"][member].as_str().unwrap_or_else(|| panic!("{answer:#}")).to_owned();
    (text("name"), text("role"))
}

/// Returns the numbers of sessions, groups, deletions and runs.
async fn count_rows(db: &TestDb) -> Vec<usize> {
    let internal = |name: &str| db.dialect().internal_table(name);
    let mut counts = Vec::new();
    for table in ["whatsapp_sessions", "whatsapp_groups", &internal("deletions"), &internal("cleanup_runs")] {
        counts.push(usize::try_from(db.count(table).await).unwrap());
    }
    counts
}
