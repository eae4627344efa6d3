//! The routes `/` and `/assets/`, which serve GraphiQL from the separate project `dashboard/`.
//!
//! The files that `make dashboard` builds are embedded in the binary, so the page needs no other host and no other
//! files.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse as _, Response};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use rust_embed::RustEmbed;

use super::not_found::not_found;
use crate::http::app::App;
use crate::http::middleware::authentication;

/// The embedded files, if they existed when the binary was built. A file that gzip makes smaller also exists as
/// `NAME.gz`.
#[derive(RustEmbed)]
#[folder = "../dashboard/dist"]
#[allow_missing = true]
struct BuiltFiles;

const NOT_BUILT: &str = "<!doctype html>
<html lang=\"en\"><meta charset=\"utf-8\"><title>Session \
                         Admin</title>
<p>This program was built without GraphiQL. In the source code, <code>make \
                         dashboard</code> builds it (with Node.js and npm); then build the program again.</p>
<p>The \
                         API is at <code>/graphql</code>.</p>
</html>
";

/// Returns the page. Browsers revalidate it on each request because an upgrade may change it.
///
/// A challenge tells the page that a token is required, so that it loads the schema only once it has one.
pub(in crate::http) async fn page(State(app): State<App>, headers: HeaderMap) -> Response {
    let page = file_response("index.html", "no-cache", &headers).unwrap_or_else(|| Html(NOT_BUILT).into_response());
    // If the database does not respond, the first request of the page reports it.
    let requires_token = app.state.authenticator().requires_token().await.unwrap_or(false);
    if requires_token { authentication::challenge(page) } else { page }
}

/// Returns a file of the page. Its name contains a hash of its content, so it never changes.
pub(in crate::http) async fn asset(Path(path): Path<String>, headers: HeaderMap) -> Response {
    match file_response(&format!("assets/{path}"), "public, max-age=31536000, immutable", &headers) {
        Some(response) => response,
        None => not_found().await.into_response(),
    }
}

/// Returns the response with the file of this name, compressed if the client accepts that, or `None` if there is no
/// such file.
fn file_response(name: &str, cache_control: &str, headers: &HeaderMap) -> Option<Response> {
    let compressed = || BuiltFiles::get(&format!("{name}.gz")).filter(|_| accepts_gzip(headers));
    let (file, is_compressed) = match compressed() {
        Some(file) => (file, true),
        None => (BuiltFiles::get(name)?, false),
    };
    let tag = format!("\"{}\"", BASE64_URL_SAFE_NO_PAD.encode(file.metadata.sha256_hash()));
    let is_cached = list_items(headers, &IF_NONE_MATCH).any(|known| known.trim_start_matches("W/") == tag);
    let common = [(ETAG, tag.as_str()), (CACHE_CONTROL, cache_control), (VARY, "accept-encoding")];
    if is_cached {
        return Some((StatusCode::NOT_MODIFIED, common).into_response());
    }
    let mut response = (common, [(CONTENT_TYPE, content_type(name))], Body::from(file.data)).into_response();
    if is_compressed {
        response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    Some(response)
}

/// Returns whether the client accepts gzip. A weight of 0 excludes it.
fn accepts_gzip(headers: &HeaderMap) -> bool {
    list_items(headers, &ACCEPT_ENCODING).any(|item| {
        let (coding, weight) = item.split_once(';').unwrap_or((item, ""));
        let weight = weight.trim().trim_start_matches(['q', 'Q', '=']);
        coding.trim().eq_ignore_ascii_case("gzip") && weight.parse::<f32>().unwrap_or(1.0) > 0.0
    })
}

/// Returns the items of a header that is a comma-separated list.
fn list_items<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let lists = headers.get_all(name).into_iter().filter_map(|list| list.to_str().ok());
    lists.flat_map(|list| list.split(',')).map(str::trim)
}

/// Returns the media type for a file name's extension. A test checks that every embedded file has one.
fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, end)| end) {
        Some("css") => "text/css; charset=utf-8",
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("ttf") => "font/ttf",
        _ => "application/octet-stream",
    }
}
