//! One query over HTTP, and the interpretation of its answer.

use std::error::Error as _;
use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Response, StatusCode, redirect};
use serde_json::Value;
use uuid::Uuid;

use super::model::GatewaySessionState;
use super::settings::GatewaySettings;
use crate::error::Error;

use GatewaySessionState::{NotFound, Unknown, Unreachable};

/// The longest answer that is read, in bytes.
const MAX_ANSWER_BYTES: usize = 64 * 1024;
/// The most redirects that are followed, all on the same server.
const MAX_REDIRECTS: usize = 3;
/// The most characters of an unknown status word that a message quotes.
const MAX_QUOTED_CHARS: usize = 40;

/// The result of one query.
pub(super) struct ProbeResult {
    pub state: GatewaySessionState,
    pub detail: Option<String>,
    /// Whether the gateway answered in time, whatever the answer; none if it was not queried.
    pub in_time: Option<bool>,
}

impl ProbeResult {
    fn in_time(state: GatewaySessionState, detail: impl Into<Option<String>>) -> Self {
        Self { state, detail: detail.into(), in_time: Some(true) }
    }
}

/// An HTTP client for the gateway.
#[derive(Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    settings: GatewaySettings,
}

impl Client {
    pub fn new(settings: GatewaySettings) -> Result<Self, Error> {
        // It fails if a default has been installed already; the program always installs this one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let headers: HeaderMap =
            settings.header.iter().map(|header| (header.name.clone(), header.value.clone())).collect();
        let http = reqwest::Client::builder()
            .user_agent(concat!("session-admin/", env!("CARGO_PKG_VERSION")))
            .default_headers(headers)
            .timeout(settings.timeout)
            .redirect(redirect::Policy::custom(follow_on_same_server))
            .build()
            .map_err(|problem| Error::Io {
                what: "The HTTP client for the gateway cannot be created".to_owned(),
                source: std::io::Error::other(problem.without_url()),
            })?;
        Ok(Self { http, settings })
    }

    /// Queries the gateway about one session.
    pub async fn query(&self, session: Uuid) -> ProbeResult {
        let request = match self.http.get(self.settings.url.session_url(session)).build() {
            Ok(request) => request,
            Err(problem) => return self.failed(&problem),
        };
        let requested = request.url().clone();
        match self.http.execute(request).await {
            Ok(response) => {
                let redirected = *response.url() != requested;
                self.interpret(response, redirected).await
            }
            Err(problem) => self.failed(&problem),
        }
    }

    async fn interpret(&self, response: Response, redirected: bool) -> ProbeResult {
        let status = response.status();
        match status {
            // A missing page after a redirect, such as one to a login, says nothing about the session.
            StatusCode::NOT_FOUND if redirected => {
                ProbeResult::in_time(Unknown, "The gateway redirected to a page that does not exist.".to_owned())
            }
            StatusCode::NOT_FOUND => ProbeResult::in_time(NotFound, None),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                let detail = format!("The gateway answered {status}: check its key (--gateway-header).");
                ProbeResult::in_time(Unreachable, detail)
            }
            _ if status.is_redirection() => {
                let detail = format!("The gateway answered {status} and redirected to another server or too often.");
                ProbeResult::in_time(Unreachable, detail)
            }
            _ if status.is_success() => match read_body(response).await {
                Ok(Some(body)) => self.interpret_body(&body),
                Ok(None) => {
                    let detail = format!("The gateway's answer is longer than {} kB.", MAX_ANSWER_BYTES / 1024);
                    ProbeResult::in_time(Unknown, detail)
                }
                Err(problem) => self.failed(&problem),
            },
            _ => ProbeResult::in_time(Unreachable, format!("The gateway answered {status}.")),
        }
    }

    fn interpret_body(&self, body: &[u8]) -> ProbeResult {
        let Ok(answer) = serde_json::from_slice::<Value>(body) else {
            return ProbeResult::in_time(Unknown, "The gateway's answer is not JSON.".to_owned());
        };
        let GatewaySettings { status_path, words, .. } = &self.settings;
        let found: Vec<String> =
            status_path.0.iter().filter_map(|path| answer.pointer(path).and_then(status_word)).collect();
        if let Some(state) = found.iter().find_map(|word| words.meaning(word)) {
            return ProbeResult::in_time(state, None);
        }
        let detail = match found.first() {
            Some(word) => {
                let word: String = word.chars().take(MAX_QUOTED_CHARS).collect();
                format!(
                    "The gateway reports the status {word:?}, which is unknown. Set its meaning with --gateway-word."
                )
            }
            None => format!(
                "The gateway's answer has no status at {}. Set its path with --gateway-status-path.",
                status_path.0.join(" or ")
            ),
        };
        ProbeResult::in_time(Unknown, detail)
    }

    /// Returns the result of a query that failed. Its detail contains neither the URL nor a header.
    fn failed(&self, problem: &reqwest::Error) -> ProbeResult {
        if problem.is_timeout() {
            let detail = format!("The gateway did not answer within {}.", seconds(self.settings.timeout));
            return ProbeResult { state: Unreachable, detail: Some(detail), in_time: Some(false) };
        }
        let mut cause = problem.source();
        while let Some(inner) = cause.and_then(std::error::Error::source) {
            cause = Some(inner);
        }
        let cause = cause.map(|cause| format!(": {cause}")).unwrap_or_default();
        let what = if problem.is_connect() { "cannot be reached" } else { "did not complete its answer" };
        ProbeResult::in_time(Unreachable, format!("The gateway {what}{cause}."))
    }
}

/// Reads an answer; none if it is too long.
async fn read_body(mut response: Response) -> reqwest::Result<Option<Vec<u8>>> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > MAX_ANSWER_BYTES {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}

/// Returns the status word of a JSON value; none if it is no scalar. Some gateways have booleans or numbers as the
/// status.
fn status_word(value: &Value) -> Option<String> {
    match value {
        Value::String(word) => Some(word.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Follows redirects on the same server only: another server must not receive the gateway's key.
fn follow_on_same_server(attempt: redirect::Attempt<'_>) -> redirect::Action {
    let from = attempt.previous().last().map(reqwest::Url::origin);
    if attempt.previous().len() <= MAX_REDIRECTS && from == Some(attempt.url().origin()) {
        attempt.follow()
    } else {
        attempt.stop()
    }
}

fn seconds(limit: Duration) -> String {
    format!("{} s", limit.as_secs_f64())
}
