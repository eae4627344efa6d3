//! Who is let in, and what they may do.

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

/// For as long as a test believes a token.
const BELIEVED: Duration = Duration::from_millis(50);

/// A state that believes tokens for a moment only.
async fn state(db: &TestDb, jwt: Option<JwtVerifier>) -> AppState {
    let database = db.database().await.clone();
    let access = Authenticator::with_cache_ttl(database.clone(), jwt, BELIEVED);
    AppState::new(database, AcceptedFindings::default(), "local").with_authenticator(access)
}

/// A server that believes tokens for a moment only.
async fn app(db: TestDb, jwt: Option<JwtVerifier>) -> TestApp {
    TestApp::of(state(&db, jwt).await, db)
}

/// A new token without an end.
async fn token(db: &TestDb, name: &str, role: Role) -> Secret {
    access_token::create(db.database().await, name, role, None).await.unwrap().1
}

/// A token whose time was over a second ago.
async fn expired(db: &TestDb, name: &str, role: Role) -> Secret {
    let secret = token(db, name, role).await;
    let moment = match db.dialect() {
        api::db::Dialect::Postgres => "now() - interval '1 second'",
        api::db::Dialect::Sqlite => "strftime('%Y-%m-%dT%H:%M:%f', 'now', '-1 second') || '000+00:00'",
    };
    let tokens = db.dialect().internal_table("tokens");
    db.exec(&format!("UPDATE {tokens} SET expires_at = {moment} WHERE name = '{name}'")).await;
    secret
}

/// A revoked token.
async fn revoked(db: &TestDb, name: &str, role: Role) -> Secret {
    let secret = token(db, name, role).await;
    access_token::revoke(db.database().await, name).await.unwrap().unwrap();
    secret
}

/// Sends a query with a token, if any, as a client that knows GraphQL over HTTP does.
async fn ask(app: &TestApp, token: Option<&str>, query: &str, variables: Value) -> Answer {
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

/// Who somebody with this token is, as name and role.
async fn viewer(app: &TestApp, token: &str) -> (String, String) {
    let answer = ask(app, Some(token), VIEWER, json!({})).await.json();
    let text =
        |member: &str| answer["data"]["viewer"][member].as_str().unwrap_or_else(|| panic!("{answer:#}")).to_owned();
    (text("name"), text("role"))
}

/// How many rows there are of what somebody could delete or start.
async fn rows(db: &TestDb) -> Vec<usize> {
    let own = |name: &str| db.dialect().internal_table(name);
    let mut counts = Vec::new();
    for table in ["whatsapp_sessions", "whatsapp_groups", &own("deletions"), &own("cleanup_runs")] {
        counts.push(usize::try_from(db.count(table).await).unwrap());
    }
    counts
}
