//! The check that refuses requests of other sites' pages.
//!
//! While no access token is required, everyone who reaches the server may delete sessions. A page in the operator's
//! browser can reach loopback addresses too, by a form or by DNS rebinding. Once tokens are required, any host name is
//! accepted: a page does not know the token, and browsers do not add it automatically.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{HOST, HeaderName, ORIGIN};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::cors::{Origin, is_allowed};
use crate::http::app::App;

const FOREIGN_ORIGIN: &str = "A page of another origin may not use this server, unless `serve --allow-origin` \
                       (SESSION_ADMIN_ALLOW_ORIGIN) lists its origin.";
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Passes a request on if it names a loopback host and was not made by another site's page.
///
/// A page of an allowed origin is accepted. Once tokens are required, any host is accepted.
pub(in crate::http) async fn check_host(
    State((app, origins)): State<(App, Arc<[Origin]>)>,
    request: Request,
    next: Next,
) -> Response {
    // If the database does not respond, the authentication refuses the request.
    let requires_token = app.state.authenticator().requires_token().await.unwrap_or(false);
    match check(request.uri(), request.headers(), &origins, requires_token) {
        Ok(()) => next.run(request).await,
        Err(reason) => {
            tracing::warn!(target: "session_admin::http", reason, origin = origin_for_log(request.headers()), "refused");
            (StatusCode::FORBIDDEN, format!("{reason}\n")).into_response()
        }
    }
}

/// Returns the origin for the log. A client can send any text, so it is truncated and limited to visible ASCII.
fn origin_for_log(headers: &HeaderMap) -> Option<&str> {
    const MAX_LENGTH: usize = 200;
    let origin = headers.get(ORIGIN)?.to_str().unwrap_or("(no text)");
    Some(&origin[..origin.floor_char_boundary(MAX_LENGTH)])
}

fn check(uri: &Uri, headers: &HeaderMap, origins: &[Origin], requires_token: bool) -> Result<(), &'static str> {
    let host = find_host(uri, headers, requires_token)?;
    let request_origins = || headers.get_all(ORIGIN).iter();
    let is_own = |origin: &HeaderValue| origin.to_str().is_ok_and(|origin| is_origin_of(origin, &host));
    if request_origins().any(|origin| !is_own(origin) && !is_allowed(origins, origin)) {
        return Err(FOREIGN_ORIGIN);
    }
    if request_origins().any(|origin| is_allowed(origins, origin)) {
        return Ok(());
    }
    // Navigations and images send no `Origin` header.
    if !requires_token
        && headers.get_all(SEC_FETCH_SITE).iter().any(|site| site.as_bytes().eq_ignore_ascii_case(b"cross-site"))
    {
        return Err("A page of another site may not use this server, nor link to it. Type its address in the browser.");
    }
    Ok(())
}

/// Returns the one host that the request names, in the `Host` header of HTTP/1, in the `:authority` of HTTP/2, or
/// equally in both.
///
/// Only a loopback host is accepted, unless `allow_any` is set.
fn find_host(uri: &Uri, headers: &HeaderMap, allow_any: bool) -> Result<Authority, &'static str> {
    const WRONG_HOST: &str = "Call this server by localhost, 127.0.0.1 or [::1]: it answers to no other name until an \
                              access token is created.";
    let in_headers = headers.get_all(HOST).iter().map(|host| Authority::try_from(host.as_bytes()).ok());
    let mut hosts = in_headers.chain(uri.authority().cloned().map(Some));
    let first = hosts.next().flatten().filter(|host| allow_any || is_loopback(host)).ok_or(WRONG_HOST)?;
    if hosts.all(|other| other.as_ref() == Some(&first)) { Ok(first) } else { Err(WRONG_HOST) }
}

/// Returns whether DNS rebinding is impossible for a host: it is `localhost`, which browsers resolve themselves, or a
/// loopback address.
fn is_loopback(authority: &Authority) -> bool {
    let host = authority.host();
    let (address, text) = (host.trim_start_matches('[').trim_end_matches(']'), authority.as_str());
    // A host with an optional valid port, without user information.
    let well_formed = text.strip_prefix(host).is_some_and(|port| port.is_empty() || authority.port_u16().is_some())
        && !text.contains('@');
    let loopback = host.eq_ignore_ascii_case("localhost") || address.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    well_formed && loopback
}

/// Returns whether an origin is that of the request's host.
fn is_origin_of(origin: &str, host: &Authority) -> bool {
    origin
        .split_once("://")
        .filter(|(scheme, _)| matches!(*scheme, "http" | "https"))
        .is_some_and(|(_, authority)| host == authority)
}
