//! Keeps web pages out. While no access token is needed, whatever can reach the server may delete, and a page in the
//! operator's browser can reach loopback addresses too, by a form, or by a name that it rebinds to one. Once tokens are
//! needed, the server may have any name: a page does not know the token, and browsers do not send it by themselves.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{HOST, HeaderName, ORIGIN};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::cors::{Origin, allowed};
use crate::http::App;

const FOREIGN: &str = "A page of another origin may not use this server, unless `serve --allow-origin` \
                       (SESSION_ADMIN_ALLOW_ORIGIN) lists its origin.";
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Lets a request pass that was made to this machine by name, and not by another site's page, unless its origin is allowed.
pub(in crate::http) async fn guard(
    State((app, origins)): State<(App, Arc<[Origin]>)>,
    request: Request,
    next: Next,
) -> Response {
    // Where it cannot be told, nobody is let in further on.
    let closed = app.state.access().is_closed().await.unwrap_or(false);
    match check(request.uri(), request.headers(), &origins, closed) {
        Ok(()) => next.run(request).await,
        Err(why) => {
            tracing::warn!(why, origin = origin_of(request.headers()), "refused");
            (StatusCode::FORBIDDEN, format!("{why}\n")).into_response()
        }
    }
}

/// The origin for the log. Nobody has to be a browser: no more than an origin needs, and nothing but visible letters.
fn origin_of(headers: &HeaderMap) -> Option<&str> {
    const LONGEST: usize = 200;
    let origin = headers.get(ORIGIN)?.to_str().unwrap_or("(no text)");
    Some(&origin[..origin.floor_char_boundary(LONGEST)])
}

fn check(uri: &Uri, headers: &HeaderMap, origins: &[Origin], closed: bool) -> Result<(), &'static str> {
    let host = host(uri, headers, closed)?;
    let named = || headers.get_all(ORIGIN).iter();
    let own = |origin: &HeaderValue| origin.to_str().is_ok_and(|origin| is_of(origin, &host));
    if named().any(|origin| !own(origin) && !allowed(origins, origin)) {
        return Err(FOREIGN);
    }
    if named().any(|origin| allowed(origins, origin)) {
        return Ok(());
    }
    // Navigations and images carry no Origin.
    if !closed && headers.get_all(SEC_FETCH_SITE).iter().any(|site| site.as_bytes().eq_ignore_ascii_case(b"cross-site"))
    {
        return Err("A page of another site may not use this server, nor link to it. Type its address yourself.");
    }
    Ok(())
}

/// The one host that the request names: HTTP/1's header, HTTP/2's `:authority`, or both if they are the same.
fn host(uri: &Uri, headers: &HeaderMap, any: bool) -> Result<Authority, &'static str> {
    const WRONG: &str = "Call this server by localhost, 127.0.0.1 or [::1]: until an access token has been made it answers to no other name.";
    let named = headers.get_all(HOST).iter().map(|host| Authority::try_from(host.as_bytes()).ok());
    let mut hosts = named.chain(uri.authority().cloned().map(Some));
    let first = hosts.next().flatten().filter(|host| any || is_loopback(host)).ok_or(WRONG)?;
    if hosts.all(|other| other.as_ref() == Some(&first)) { Ok(first) } else { Err(WRONG) }
}

/// A name that a page cannot rebind: localhost, which browsers resolve themselves, or an address of this machine.
fn is_loopback(authority: &Authority) -> bool {
    let host = authority.host();
    let (address, text) = (host.trim_start_matches('[').trim_end_matches(']'), authority.as_str());
    // Nothing but a host and perhaps a port: no user's name before it, no port that is none.
    let well_formed = text.strip_prefix(host).is_some_and(|port| port.is_empty() || authority.port_u16().is_some())
        && !text.contains('@');
    let loopback = host.eq_ignore_ascii_case("localhost") || address.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    well_formed && loopback
}

/// Whether an origin is that of the host which the request was made to.
fn is_of(origin: &str, host: &Authority) -> bool {
    origin
        .split_once("://")
        .filter(|(scheme, _)| matches!(*scheme, "http" | "https"))
        .is_some_and(|(_, authority)| host == authority)
}
