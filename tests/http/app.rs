//! A test server that calls the whole router in process, over a database of its own.

use std::time::Duration;

use api::app_state::AppState;
use api::db::Database;
use api::gateway::Gateway;
use api::http::{Origin, Sockets, router};
use api::limits::Limits;
use api::schema_health::AcceptedFindings;
use api::worker::Workers;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::request::Builder;
use axum::http::{HeaderMap, Request, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt as _;
use uuid::Uuid;

use crate::support::wait::wait_until_finished;
use crate::support::{Contents, TestDb};

/// A server without a socket.
pub struct TestApp {
    router: Router,
    pub state: AppState,
    /// The database, which is deleted when the test drops the server.
    pub db: TestDb,
}

/// The response of a server.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl TestApp {
    pub async fn over(db: TestDb) -> Self {
        let database = db.database().await.clone();
        Self::with(db, database)
    }

    /// Returns a server that queries this gateway.
    pub async fn with_gateway(db: TestDb, gateway: Gateway) -> Self {
        let database = db.database().await.clone();
        let state = AppState::new(database, AcceptedFindings::default(), "tester").with_gateway(Some(gateway));
        Self { router: router(state.clone(), Sockets::default(), &[]), state, db }
    }

    /// Returns a server that allows requests from pages of these origins.
    pub async fn with_origins(origins: &[&str]) -> Self {
        let db = TestDb::sqlite(Contents::Empty).await;
        let state = AppState::new(db.database().await.clone(), AcceptedFindings::default(), "tester");
        let origins: Vec<Origin> = origins.iter().map(|origin| origin.parse().unwrap()).collect();
        Self { router: router(state.clone(), Sockets::default(), &origins), state, db }
    }

    /// Returns a server that uses another connection to the test's database.
    pub fn with(db: TestDb, database: Database) -> Self {
        let state = AppState::new(database, AcceptedFindings::default(), "tester");
        Self { router: router(state.clone(), Sockets::default(), &[]), state, db }
    }

    /// Returns a server with other limits.
    pub async fn limited(db: TestDb, limits: Limits) -> Self {
        let state =
            AppState::new(db.database().await.clone(), AcceptedFindings::default(), "tester").with_limits(limits);
        Self { router: router(state.clone(), Sockets::default(), &[]), state, db }
    }

    /// Returns a server with this state.
    pub fn of(state: AppState, db: TestDb) -> Self {
        Self { router: router(state.clone(), Sockets::default(), &[]), state, db }
    }

    /// Returns a server over an empty database, for tests that read no data.
    pub async fn without_data() -> Self {
        Self::over(TestDb::sqlite(Contents::Empty).await).await
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        Answer { status: parts.status, headers: parts.headers, body: String::from_utf8_lossy(&body).into_owned() }
    }

    /// Sends a query as clients do.
    pub async fn post(&self, query: &str, variables: Value) -> Answer {
        self.send(json_post(&json!({ "query": query, "variables": variables }).to_string())).await
    }

    /// Sends a query, asserts that it has no errors, and returns the data.
    pub async fn data(&self, query: &str, variables: Value) -> Value {
        let mut answer = self.post(query, variables).await.json();
        assert_eq!(answer.get("errors"), None, "{answer:#}");
        answer["data"].take()
    }

    /// Starts workers like a server's, and stops them when this run has finished.
    pub async fn finish_run(&self, run: Uuid) {
        let workers = Workers::start(self.state.queue().clone(), None);
        wait_until_finished(self.state.database(), run).await;
        assert!(workers.stop(Duration::from_mins(1)).await);
    }

    /// Sends a query, asserts that it has exactly one error, and returns the error's code and message.
    pub async fn error(&self, query: &str, variables: Value) -> (String, String) {
        self.post(query, variables).await.error()
    }
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Asserts that the response has exactly one error, and returns its code and message.
    pub fn error(&self) -> (String, String) {
        let answer = self.json();
        let errors = answer["errors"].as_array().unwrap_or_else(|| panic!("no error in {answer:#}"));
        assert_eq!(errors.len(), 1, "{answer:#}");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (text(&errors[0]["extensions"]["code"]), text(&errors[0]["message"]))
    }
}

/// Returns a request builder with a host name of this machine.
pub fn request(method: &str, path: &str) -> Builder {
    Request::builder().method(method).uri(path).header("host", "localhost:8080")
}

/// Returns a POST request with a JSON body.
pub fn json_post(body: &str) -> Request<Body> {
    request("POST", "/graphql").header("content-type", "application/json").body(Body::from(body.to_owned())).unwrap()
}
