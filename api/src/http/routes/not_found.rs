//! The handler of paths without a route.

use axum::http::StatusCode;

/// Returns 404.
pub(in crate::http) async fn not_found() -> (StatusCode, &'static str) {
    (StatusCode::NOT_FOUND, "There is nothing here. GraphQL is at /graphql.\n")
}
