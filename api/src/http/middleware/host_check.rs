//! Refuses requests that other sites' pages make.
//!
//! While no access token is required, everything that reaches the server may delete. A page in the operator's browser reaches
//! loopback addresses too: by a form, or by a host name that it rebinds to one (DNS rebinding). Once tokens are required, the
//! server may have any name: a page does not know the token, and browsers do not add it by themselves.

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

const FOREIGN: &str = "A page of another origin may not use this server, unless `serve --allow-origin` \
                       (SESSION_ADMIN_ALLOW_ORIGIN) lists its origin.";
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Passes a request that names this machine as its host and was not made by another site's page, unless the page's origin is
/// allowed.
pub(in crate::http) async fn check_host(
    State((app, origins)): State<(App, Arc<[Origin]>)>,
    request: Request,
    next: Next,
) -> Response {
    // Where the database cannot tell, the authentication refuses the request.
    let requires_token = app.state.authenticator().requires_token().await.unwrap_or(false);
    match check(request.uri(), request.headers(), &origins, requires_token) {
        Ok(()) => next.run(request).await,
        Err(why) => {
            tracing::warn!(target: "session_admin::http", why, origin = origin_for_log(request.headers()), "refused");
            (StatusCode::FORBIDDEN, format!("{why}\n")).into_response()
        }
    }
}

/// Returns the origin for the log. The client need not be a browser, so the text is cut and has visible ASCII only.
fn origin_for_log(headers: &HeaderMap) -> Option<&str> {
    const MAX_LENGTH: usize = 200;
    let origin = headers.get(ORIGIN)?.to_str().unwrap_or("(no text)");
    Some(&origin[..origin.floor_char_boundary(MAX_LENGTH)])
}

fn check(uri: &Uri, headers: &HeaderMap, origins: &[Origin], requires_token: bool) -> Result<(), &'static str> {
    let host = find_host(uri, headers, requires_token)?;
    let origins_sent = || headers.get_all(ORIGIN).iter();
    let is_own = |origin: &HeaderValue| origin.to_str().is_ok_and(|origin| is_origin_of(origin, &host));
    if origins_sent().any(|origin| !is_own(origin) && !is_allowed(origins, origin)) {
        return Err(FOREIGN);
    }
    if origins_sent().any(|origin| is_allowed(origins, origin)) {
        return Ok(());
    }
    // Navigations and images send no Origin.
    if !requires_token
        && headers.get_all(SEC_FETCH_SITE).iter().any(|site| site.as_bytes().eq_ignore_ascii_case(b"cross-site"))
    {
        return Err("A page of another site may not use this server, nor link to it. Type its address yourself.");
    }
    Ok(())
}

/// Returns the one host that the request names, in the header of HTTP/1, the `:authority` of HTTP/2, or the same in both.
/// Only a loopback host is accepted, unless any is (`any`).
fn find_host(uri: &Uri, headers: &HeaderMap, any: bool) -> Result<Authority, &'static str> {
    const WRONG: &str = "Call this server by localhost, 127.0.0.1 or [::1]: until an access token has been made it answers to no other name.";
    let in_headers = headers.get_all(HOST).iter().map(|host| Authority::try_from(host.as_bytes()).ok());
    let mut hosts = in_headers.chain(uri.authority().cloned().map(Some));
    let first = hosts.next().flatten().filter(|host| any || is_loopback(host)).ok_or(WRONG)?;
    if hosts.all(|other| other.as_ref() == Some(&first)) { Ok(first) } else { Err(WRONG) }
}

/// Returns whether a page cannot rebind the host: it is `localhost`, which browsers resolve themselves, or a loopback address.
fn is_loopback(authority: &Authority) -> bool {
    let host = authority.host();
    let (address, text) = (host.trim_start_matches('[').trim_end_matches(']'), authority.as_str());
    // A host and perhaps a valid port, without user information.
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
