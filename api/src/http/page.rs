//! The page at `/`: GraphiQL, a project of its own in `dashboard/`. What `make dashboard` has made of it is part of this
//! program, so the page needs no other host and no files beside the program.

use axum::body::Body;
use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse as _, Response};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use rust_embed::{EmbeddedFile, RustEmbed};

use super::nothing_here;

/// The files, if they were there when this program was built.
#[derive(RustEmbed)]
#[folder = "../dashboard/dist"]
#[allow_missing = true]
struct Built;

const NOT_BUILT: &str = "<!doctype html>
<html lang=\"en\"><meta charset=\"utf-8\"><title>Session Admin</title>
<p>This program was built without GraphiQL. In the source code, <code>make dashboard</code> makes it (with Node.js and npm), \
and building the program again puts it in here.</p>
<p>The API is at <code>/graphql</code> all the same.</p>
</html>
";

/// The page itself; it may be another one after an upgrade, so browsers ask each time.
pub(super) async fn page(headers: HeaderMap) -> Response {
    match Built::get("index.html") {
        Some(file) => answer(file, "text/html; charset=utf-8", "no-cache", &headers),
        None => Html(NOT_BUILT).into_response(),
    }
}

/// A file that the page refers to. Its name holds a hash of what is in it, so it never changes.
pub(super) async fn asset(Path(path): Path<String>, headers: HeaderMap) -> Response {
    match Built::get(&format!("assets/{path}")) {
        Some(file) => answer(file, content_type(&path), "public, max-age=31536000, immutable", &headers),
        None => nothing_here().await.into_response(),
    }
}

fn answer(file: EmbeddedFile, content_type: &str, cache: &str, headers: &HeaderMap) -> Response {
    let tag = format!("\"{}\"", BASE64_URL_SAFE_NO_PAD.encode(file.metadata.sha256_hash()));
    let cached = headers
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|tags| tags.to_str().ok())
        .flat_map(|tags| tags.split(','))
        .any(|known| known.trim().trim_start_matches("W/") == tag);
    let headers = [(ETAG, tag.as_str()), (CACHE_CONTROL, cache)];
    if cached {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    (headers, [(CONTENT_TYPE, content_type)], Body::from(file.data)).into_response()
}

/// By the name's end, for the kinds of files that Vite makes; a test holds this against those that are there.
fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, end)| end) {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("ttf") => "font/ttf",
        _ => "application/octet-stream",
    }
}
