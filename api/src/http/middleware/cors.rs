//! The origins whose pages may use the server, besides its own page: none, unless they are listed.

use std::str::FromStr;
use std::time::Duration;

use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, Method, Uri};
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::request_log::X_REQUEST_ID;
use crate::error::Error;

/// How long a browser may cache the answer to a preflight request.
const MAX_AGE: Duration = Duration::from_mins(10);

/// An origin that is allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Any origin.
    Any,
    /// One origin, as browsers write it.
    Of(HeaderValue),
}

impl FromStr for Origin {
    type Err = Error;

    /// Reads `https://admin.example`, or `*`.
    fn from_str(text: &str) -> Result<Self, Error> {
        if text == "*" {
            return Ok(Self::Any);
        }
        canonical(text).and_then(|origin| HeaderValue::try_from(origin).ok()).map(Self::Of).ok_or_else(|| {
            Error::BadInput(format!(
                "--allow-origin (SESSION_ADMIN_ALLOW_ORIGIN) is {text:?}; it takes http:// or https://, a host and perhaps \
                 a port, such as https://admin.example."
            ))
        })
    }
}

/// Returns an origin as browsers write it: in lower case, without the scheme's default port. An origin with a path would match
/// nothing, so it is none.
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

/// Refuses `*` unless a token is required: otherwise any page that the operator opens could delete sessions.
///
/// # Errors
/// [`Error::BadInput`] that says so.
pub fn check_origins(origins: &[Origin], requires_token: bool) -> Result<(), Error> {
    if !requires_token && origins.contains(&Origin::Any) {
        return Err(Error::BadInput(
            "--allow-origin '*' (SESSION_ADMIN_ALLOW_ORIGIN) would let any page that is open in a browser on this machine \
             delete sessions, as no access token has been made. Name the origins. Once there is one \
             (`session-admin token create`), any page may ask."
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

/// Returns the layer that tells browsers which origins are allowed. Credentials that browsers add by themselves are never
/// allowed; a page sends its token itself.
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
