//! [`Plain`], an unmodified server of async-graphql-axum with the library schema.

use std::fmt::Debug;
use std::sync::Arc;

use async_graphql_axum::GraphQL;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderMap, Request, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::conformance::library::{Schema, Shelf, builder};

/// A server built as in the documentation of async-graphql-axum.
pub struct Plain {
    router: Router,
    pub schema: Schema,
    pub shelf: Arc<Shelf>,
}

#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

impl Plain {
    pub fn new() -> Self {
        Self::over(Shelf::default())
    }

    pub fn over(shelf: Shelf) -> Self {
        let shelf = Arc::new(shelf);
        let schema = builder().data(Arc::clone(&shelf)).finish();
        let router = Router::new().route_service("/graphql", GraphQL::new(schema.clone()));
        Self { router: router.layer(DefaultBodyLimit::max(10_000)), schema, shelf }
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let (parts, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        Answer { status: parts.status, headers: parts.headers, body: String::from_utf8(body.to_vec()).unwrap() }
    }

    pub async fn post(&self, query: &str, variables: Value) -> Value {
        self.send(json_post(&json!({ "query": query, "variables": variables }).to_string())).await.json()
    }
}

pub fn json_post(body: &str) -> Request<Body> {
    post_as("application/json", body)
}

pub fn post_as(content_type: &str, body: &str) -> Request<Body> {
    let request = Request::post("/graphql").header("content-type", content_type);
    request.body(Body::from(body.to_owned())).unwrap()
}

/// Asserts that upstream still deviates. `file` is the file in `api/src` that compensates for it.
#[track_caller]
pub fn deviates(does: bool, file: &str, observed: impl Debug) {
    assert!(
        does,
        "upstream keeps the rule now. Delete what api/src/{file} does for it, this test, and the row in \
         api/src/conformance/README.md. Observed: {observed:?}"
    );
}

/// Asserts that upstream executes an operation that it should refuse.
#[track_caller]
pub fn is_executed(answer: &Value, file: &str) {
    deviates(answer.get("errors").is_none(), file, answer);
}
