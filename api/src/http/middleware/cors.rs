//! The CORS policy: the origins, other than the server's own, whose pages may use the server. The default is none.

use std::str::FromStr;
use std::time::Duration;

use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, Method, Uri};
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::request_log::X_REQUEST_ID;
use crate::error::Error;

/// The time that a browser may cache the response to a preflight request.
const MAX_AGE: Duration = Duration::from_mins(10);

/// An allowed origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Any origin.
    Any,
    /// One origin, in the form that browsers send.
    Of(HeaderValue),
}

impl FromStr for Origin {
    type Err = Error;

    /// Parses `https://admin.example` or `*`.
    fn from_str(text: &str) -> Result<Self, Error> {
        if text == "*" {
            return Ok(Self::Any);
        }
        canonical(text).and_then(|origin| HeaderValue::try_from(origin).ok()).map(Self::Of).ok_or_else(|| {
            Error::BadInput(format!(
                "--allow-origin (SESSION_ADMIN_ALLOW_ORIGIN) is {text:?}; it must be http:// or https://, a host and \
                 an optional port, such as https://admin.example."
            ))
        })
    }
}

/// Returns an origin in the form that browsers send: in lower case, without the scheme's default port.
///
/// Returns `None` for an origin with a path, which would never match.
fn canonical(text: &str) -> Option<String> {
    let uri = Uri::from_str(text).ok()?;
    let (scheme, authority) = (uri.scheme_str()?, uri.authority()?);
    let default_port = match scheme {
        "http" => 80,
        "https" => 443,
        _ => return None,
    };
    let host = authority.host().to_ascii_lowercase();
    let port = authority.port_u16();
    let rest = authority.as_str().strip_prefix(authority.host())?;
    let well_formed = uri.path() == "/" && uri.query().is_none() && (rest.is_empty() || port.is_some());
    let port = port.filter(|port| *port != default_port).map_or_else(String::new, |port| format!(":{port}"));
    (well_formed && !host.is_empty()).then(|| format!("{scheme}://{host}{port}"))
}

/// Rejects the origin `*` unless a token is required. Otherwise any page that the operator opens could delete sessions.
///
/// # Errors
/// Returns [`Error::BadInput`] if the list contains `*` and no token is required.
pub fn check_origins(origins: &[Origin], requires_token: bool) -> Result<(), Error> {
    if !requires_token && origins.contains(&Origin::Any) {
        return Err(Error::BadInput(
            "--allow-origin '*' (SESSION_ADMIN_ALLOW_ORIGIN) would let any page that is open in a browser on this \
             machine delete sessions, because there is no access token. List the origins, or create an access token \
             first (`session-admin token create`)."
                .to_owned(),
        ));
    }
    Ok(())
}

/// Returns whether the value of an `Origin` header is among the allowed origins.
pub(in crate::http) fn is_allowed(origins: &[Origin], value: &HeaderValue) -> bool {
    origins.iter().any(|origin| match origin {
        Origin::Any => true,
        Origin::Of(allowed) => allowed == value,
    })
}

/// Returns the layer that tells browsers which origins are allowed.
///
/// Credentials that browsers add automatically are never allowed. A page sends its token explicitly.
pub(in crate::http) fn cors(origins: &[Origin]) -> CorsLayer {
    let listed = origins.iter().filter_map(|origin| match origin {
        Origin::Any => None,
        Origin::Of(allowed) => Some(allowed.clone()),
    });
    let origin = if origins.contains(&Origin::Any) { AllowOrigin::any() } else { AllowOrigin::list(listed) };
    CorsLayer::new()
        .allow_origin(origin)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([AUTHORIZATION, CONTENT_TYPE, X_REQUEST_ID])
        .expose_headers([RETRY_AFTER, WWW_AUTHENTICATE, X_REQUEST_ID])
        .max_age(MAX_AGE)
}
