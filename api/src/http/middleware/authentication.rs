//! Whose request it is: the token behind `Authorization: Bearer` (RFC 6750), and what somebody is told who has none.

use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response;

use super::request_log;
use crate::auth::Denied;
use crate::graphql;
use crate::graphql::error::{FORBIDDEN, UNAUTHENTICATED, coded, of};
use crate::http::App;
use crate::http::graphql_over_http::response::Format;

const MISSING: &str = "This server wants an access token: send it as `Authorization: Bearer TOKEN`. \
                       `session-admin token create` makes one.";
const INVALID: &str = "The access token is not good: it is unknown, revoked or expired, or a JWT that was not made for this \
                       server. `session-admin token list` shows which tokens are good, `session-admin token create` makes \
                       another; what is wrong with a JWT stands in the server's log.";
const INSUFFICIENT: &str = ", error=\"insufficient_scope\"";

/// Lets a request pass with the state of whoever it is of. A handler behind it takes that state, and cannot do without.
pub(in crate::http) async fn admit(State(app): State<App>, request: Request, next: Next) -> Response {
    let state = match shown(request.headers()) {
        Ok(shown) => app.state.of_whoever_shows(shown).await,
        Err(denied) => Err(denied),
    };
    pass(state, request, next).await
}

/// The same, for what is told without the database: an outage is when the numbers are wanted most.
pub(in crate::http) async fn recall(State(app): State<App>, request: Request, next: Next) -> Response {
    let state = match shown(request.headers()) {
        Ok(shown) => app.state.of_whoever_showed(shown).await,
        Err(denied) => Err(denied),
    };
    pass(state, request, next).await
}

async fn pass(state: Result<graphql::State, Denied>, mut request: Request, next: Next) -> Response {
    match state {
        Ok(state) => {
            request_log::note_principal(state.principal().name());
            request.extensions_mut().insert::<graphql::State>(state);
            next.run(request).await
        }
        Err(denied) => refuse(&denied, &request),
    }
}

/// The token in the header of a request; none where it names another scheme, or nothing.
pub(in crate::http) fn shown(headers: &HeaderMap) -> Result<Option<&str>, Denied> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Denied::Invalid);
    }
    Ok(token(value.to_str().map_err(|_| Denied::Invalid)?))
}

/// The token in `Bearer TOKEN`.
pub(in crate::http) fn token(credentials: &str) -> Option<&str> {
    let (scheme, token) = credentials.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The answer to somebody who is not let in.
pub(in crate::http) fn refuse(denied: &Denied, request: &Request) -> Response {
    let format = Format::accepted_by(request.headers());
    let (status, error, challenge) = match denied {
        Denied::Missing => (StatusCode::UNAUTHORIZED, coded(UNAUTHENTICATED, MISSING), Some("")),
        Denied::Invalid => {
            (StatusCode::UNAUTHORIZED, coded(UNAUTHENTICATED, INVALID), Some(", error=\"invalid_token\""))
        }
        Denied::NoRole(why) => (StatusCode::FORBIDDEN, coded(FORBIDDEN, why), Some(INSUFFICIENT)),
        Denied::Unknown(error) => {
            (StatusCode::SERVICE_UNAVAILABLE, of(error.clone(), request_log::id_of(request)), None)
        }
    };
    tracing::info!(why = error.message, "not let in");
    with_challenge(format.refused(status, error), challenge)
}

/// Says that another token would do.
pub(in crate::http) fn insufficient(response: Response) -> Response {
    with_challenge(response, Some(INSUFFICIENT))
}

/// Says that a token will be wanted, in an answer that wants none itself.
pub(in crate::http) fn wanted(response: Response) -> Response {
    with_challenge(response, Some(""))
}

/// What somebody is told over a socket.
pub(in crate::http) const fn words(denied: &Denied) -> &'static str {
    match denied {
        Denied::Missing => "the payload of connection_init wants {\"Authorization\": \"Bearer TOKEN\"}.",
        Denied::Invalid => "the access token is unknown, revoked or expired.",
        Denied::NoRole(_) => "the access token gives no role here.",
        Denied::Unknown(_) => "the access token cannot be looked up now.",
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
