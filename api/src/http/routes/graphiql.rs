//! The page at `/`: GraphiQL, a project of its own in `dashboard/`. What `make dashboard` has made of it is part of this
//! program, so the page needs no other host and no files beside the program.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse as _, Response};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use rust_embed::RustEmbed;

use crate::http::middleware::authentication;
use crate::http::{App, nothing_here};

/// The files, if they were there when this program was built; beside each that gzip makes smaller, that too, as `NAME.gz`.
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

/// The page itself; it may be another one after an upgrade, so browsers ask each time. It asks for the schema only once it has
/// a token, if it is told here that one is needed.
pub(in crate::http) async fn page(State(app): State<App>, headers: HeaderMap) -> Response {
    let page = answer("index.html", "no-cache", &headers).unwrap_or_else(|| Html(NOT_BUILT).into_response());
    // Where it cannot be told, the page finds out.
    if app.state.access().is_closed().await.unwrap_or(false) { authentication::wanted(page) } else { page }
}

/// A file that the page refers to. Its name holds a hash of what is in it, so it never changes.
pub(in crate::http) async fn asset(Path(path): Path<String>, headers: HeaderMap) -> Response {
    match answer(&format!("assets/{path}"), "public, max-age=31536000, immutable", &headers) {
        Some(answer) => answer,
        None => nothing_here().await.into_response(),
    }
}

/// The file of this name, compressed for those who take that, if there is one.
fn answer(name: &str, cache: &str, headers: &HeaderMap) -> Option<Response> {
    let compressed = || Built::get(&format!("{name}.gz")).filter(|_| takes_gzip(headers));
    let (file, is_compressed) = match compressed() {
        Some(file) => (file, true),
        None => (Built::get(name)?, false),
    };
    let tag = format!("\"{}\"", BASE64_URL_SAFE_NO_PAD.encode(file.metadata.sha256_hash()));
    let cached = listed(headers, &IF_NONE_MATCH).any(|known| known.trim_start_matches("W/") == tag);
    let common = [(ETAG, tag.as_str()), (CACHE_CONTROL, cache), (VARY, "accept-encoding")];
    if cached {
        return Some((StatusCode::NOT_MODIFIED, common).into_response());
    }
    let mut answer = (common, [(CONTENT_TYPE, content_type(name))], Body::from(file.data)).into_response();
    if is_compressed {
        answer.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    Some(answer)
}

/// Whether gzip is among the encodings that the client takes, and not with the weight 0, which rules it out.
fn takes_gzip(headers: &HeaderMap) -> bool {
    listed(headers, &ACCEPT_ENCODING).any(|one| {
        let (coding, weight) = one.split_once(';').unwrap_or((one, ""));
        let weight = weight.trim().trim_start_matches(['q', 'Q', '=']);
        coding.trim().eq_ignore_ascii_case("gzip") && weight.parse::<f32>().unwrap_or(1.0) > 0.0
    })
}

/// What a header lists, with commas.
fn listed<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let lists = headers.get_all(name).into_iter().filter_map(|list| list.to_str().ok());
    lists.flat_map(|list| list.split(',')).map(str::trim)
}

/// By the name's end, for the kinds of files that Vite makes; a test holds this against those that are there.
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
