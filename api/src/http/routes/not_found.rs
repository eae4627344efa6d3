//! Every path that no route has.

use axum::http::StatusCode;

/// Answers 404.
pub(in crate::http) async fn not_found() -> (StatusCode, &'static str) {
    (StatusCode::NOT_FOUND, "There is nothing here. GraphQL is at /graphql.\n")
}
