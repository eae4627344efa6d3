//! Authentication by `Authorization: Bearer TOKEN` (RFC 6750).

use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response;

use super::request_log;
use crate::auth::{AuthError, Principal};
use crate::graphql::RequestContext;
use crate::graphql::error::{FORBIDDEN, UNAUTHENTICATED, error_with_code, public_error};
use crate::http::app::App;
use crate::http::graphql_over_http::response::Format;

const MISSING: &str = "This server needs an access token: send it as `Authorization: Bearer TOKEN`. `session-admin \
                       token create` creates one.";
const INVALID: &str = "The access token is not valid: it is unknown, revoked or expired, or a JWT that is not meant \
                       for this server. `session-admin token list` shows which tokens are valid, `session-admin token \
                       create` creates another; the server's log has the reason for a JWT.";
const INSUFFICIENT: &str = ", error=\"insufficient_scope\"";

/// Authenticates a request and passes it on with its [`RequestContext`], which the handlers extract.
pub(in crate::http) async fn require_token(State(app): State<App>, request: Request, next: Next) -> Response {
    let principal = match bearer_token(request.headers()) {
        Ok(bearer) => app.state.authenticate(bearer).await,
        Err(error) => Err(error),
    };
    forward_authenticated(app, principal, request, next).await
}

/// Authenticates a request for a route that must respond even while the database does not, and passes it on with its
/// [`RequestContext`].
pub(in crate::http) async fn require_token_cached(State(app): State<App>, request: Request, next: Next) -> Response {
    let principal = match bearer_token(request.headers()) {
        Ok(bearer) => app.state.authenticate_cached(bearer).await,
        Err(error) => Err(error),
    };
    forward_authenticated(app, principal, request, next).await
}

async fn forward_authenticated(
    app: App,
    principal: Result<Principal, AuthError>,
    mut request: Request,
    next: Next,
) -> Response {
    match principal {
        Ok(principal) => {
            request_log::record_principal(principal.name());
            request.extensions_mut().insert(RequestContext::new(app.state, principal));
            next.run(request).await
        }
        Err(error) => refuse(&error, &request),
    }
}

/// Returns the token in a request's header, or `None` if there is no header or it uses another scheme.
///
/// # Errors
/// Returns [`AuthError::Invalid`] if there are several headers or if the value is not visible ASCII.
pub(in crate::http) fn bearer_token(headers: &HeaderMap) -> Result<Option<&str>, AuthError> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(AuthError::Invalid);
    }
    Ok(parse_credentials(value.to_str().map_err(|_| AuthError::Invalid)?))
}

/// Returns the token in `Bearer TOKEN`.
pub(in crate::http) fn parse_credentials(credentials: &str) -> Option<&str> {
    let (scheme, token) = credentials.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Returns the response to a request that is not authenticated.
pub(in crate::http) fn refuse(error: &AuthError, request: &Request) -> Response {
    let format = Format::accepted_by(request.headers());
    let (status, error, challenge) = match error {
        AuthError::Missing => (StatusCode::UNAUTHORIZED, error_with_code(UNAUTHENTICATED, MISSING), Some("")),
        AuthError::Invalid => {
            (StatusCode::UNAUTHORIZED, error_with_code(UNAUTHENTICATED, INVALID), Some(", error=\"invalid_token\""))
        }
        AuthError::NoRole(reason) => (StatusCode::FORBIDDEN, error_with_code(FORBIDDEN, reason), Some(INSUFFICIENT)),
        AuthError::Unknown(error) => {
            (StatusCode::SERVICE_UNAVAILABLE, public_error(error.clone(), request_log::id_of(request)), None)
        }
    };
    tracing::info!(target: "session_admin::http", reason = error.message, "a request was not authorised");
    with_challenge(format.refused(status, error), challenge)
}

/// Adds the challenge which states that a token with another role would suffice.
pub(in crate::http) fn insufficient_scope(response: Response) -> Response {
    with_challenge(response, Some(INSUFFICIENT))
}

/// Adds the challenge which states that the API requires a token, to a response that requires none itself.
pub(in crate::http) fn challenge(response: Response) -> Response {
    with_challenge(response, Some(""))
}

/// Returns the reason for closing a WebSocket that is not authenticated.
pub(in crate::http) const fn close_reason(error: &AuthError) -> &'static str {
    match error {
        AuthError::Missing => "the payload of connection_init needs {\"Authorization\": \"Bearer TOKEN\"}.",
        AuthError::Invalid => "the access token is unknown, revoked or expired.",
        AuthError::NoRole(_) => "the access token has no role on this server.",
        AuthError::Unknown(_) => "the access token cannot be checked now.",
    }
}

fn with_challenge(mut response: Response, parameters: Option<&str>) -> Response {
    if let Some(parameters) = parameters
        && let Ok(challenge) = HeaderValue::try_from(format!("Bearer realm=\"session-admin\"{parameters}"))
    {
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    response
}
