//! GraphiQL, to try queries in a browser.

use axum::http::HeaderName;
use axum::http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS};
use axum::response::{Html, IntoResponse};

use async_graphql::http::GraphiQLSource;

/// The library's page has no setting for the query that it starts with; this stands where one would go.
const LAST_OPTION: &str = "defaultEditorToolsVisibility: true,";

const STARTER: &str = "\
# What is there, and what would deleting each session do? Nothing here changes anything.
{
  schemaHealth { healthy findings { severity message } }
  sessions(first: 10) {
    totalCount
    nodes {
      id
      name
      status
      stale
      impact { rowsDeleted rowsUnlinked deletable pendingMessages blockers { message } token }
    }
  }
}
";

/// The page. Its scripts and styles come from a CDN for now, so it needs the internet; they are to be served from here.
pub(super) async fn page() -> impl IntoResponse {
    const HEADERS: [(HeaderName, &str); 3] =
        [(X_FRAME_OPTIONS, "DENY"), (X_CONTENT_TYPE_OPTIONS, "nosniff"), (CACHE_CONTROL, "no-store")];
    (HEADERS, Html(html()))
}

fn html() -> String {
    let page = GraphiQLSource::build()
        .endpoint("/graphql")
        .subscription_endpoint("/graphql/ws")
        .version("4.1.2")
        .title("Session Admin")
        .finish();
    let starter = serde_json::Value::from(STARTER);
    page.replace(LAST_OPTION, &format!("{LAST_OPTION}\n          defaultQuery: {starter},"))
}
