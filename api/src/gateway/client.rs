//! One question over HTTP, and what its answer means.

use std::error::Error as _;
use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Response, StatusCode, redirect};
use serde_json::Value;
use uuid::Uuid;

use super::{GatewaySessionState, Settings};
use crate::error::Error;

use GatewaySessionState::{NotFound, Unknown, Unreachable};

/// The most that is read of an answer, in bytes.
const LONGEST: usize = 64 * 1024;
/// How often an answer may say that it is elsewhere on the same server.
const REDIRECTS: usize = 3;
/// The most letters of an unknown word that are repeated.
const SHOWN: usize = 40;

/// What came of a question.
pub(super) struct Said {
    pub state: GatewaySessionState,
    pub detail: Option<String>,
    /// Whether it was answered in time, whatever was answered; none where nothing was asked.
    pub in_time: Option<bool>,
}

impl Said {
    fn in_time(state: GatewaySessionState, detail: impl Into<Option<String>>) -> Self {
        Self { state, detail: detail.into(), in_time: Some(true) }
    }
}

#[derive(Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    settings: Settings,
}

impl Client {
    pub fn new(settings: Settings) -> Result<Self, Error> {
        // Whoever was first has chosen the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let headers: HeaderMap =
            settings.header.iter().map(|header| (header.name.clone(), header.value.clone())).collect();
        let http = reqwest::Client::builder()
            .user_agent(concat!("session-admin/", env!("CARGO_PKG_VERSION")))
            .default_headers(headers)
            .timeout(settings.timeout)
            .redirect(redirect::Policy::custom(only_within_the_server))
            .build()
            .map_err(|problem| Error::Io {
                what: "The gateway cannot be asked from this machine".to_owned(),
                source: std::io::Error::other(problem.without_url()),
            })?;
        Ok(Self { http, settings })
    }

    pub async fn ask(&self, session: Uuid) -> Said {
        let request = match self.http.get(self.settings.url.of(session)).build() {
            Ok(request) => request,
            Err(problem) => return self.unanswered(&problem),
        };
        let asked = request.url().clone();
        match self.http.execute(request).await {
            Ok(response) => {
                let redirected = *response.url() != asked;
                self.answered(response, redirected).await
            }
            Err(problem) => self.unanswered(&problem),
        }
    }

    async fn answered(&self, response: Response, redirected: bool) -> Said {
        let status = response.status();
        match status {
            // A page that says so elsewhere, such as a login's, says nothing of the session.
            StatusCode::NOT_FOUND if redirected => {
                Said::in_time(Unknown, "The gateway pointed elsewhere, and there is nothing there.".to_owned())
            }
            StatusCode::NOT_FOUND => Said::in_time(NotFound, None),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                let detail = format!("The gateway answered {status}: check its key (--gateway-header).");
                Said::in_time(Unreachable, detail)
            }
            _ if status.is_redirection() => {
                let detail = format!("The gateway answered {status} and pointed to another server, or too often.");
                Said::in_time(Unreachable, detail)
            }
            _ if status.is_success() => match read(response).await {
                Ok(Some(body)) => self.understood(&body),
                Ok(None) => {
                    let detail = format!("The gateway's answer is longer than {} kB.", LONGEST / 1024);
                    Said::in_time(Unknown, detail)
                }
                Err(problem) => self.unanswered(&problem),
            },
            _ => Said::in_time(Unreachable, format!("The gateway answered {status}.")),
        }
    }

    fn understood(&self, body: &[u8]) -> Said {
        let Ok(answer) = serde_json::from_slice::<Value>(body) else {
            return Said::in_time(Unknown, "The gateway's answer is not JSON.".to_owned());
        };
        let Settings { status_path, words, .. } = &self.settings;
        let said: Vec<String> = status_path.0.iter().filter_map(|path| answer.pointer(path).and_then(word)).collect();
        if let Some(state) = said.iter().find_map(|word| words.meaning(word)) {
            return Said::in_time(state, None);
        }
        let detail = match said.first() {
            Some(word) => {
                let word: String = word.chars().take(SHOWN).collect();
                format!("The gateway says {word:?}, which means nothing here: --gateway-word can say what it means.")
            }
            None => format!(
                "The gateway's answer has no status at {}: --gateway-status-path can say where it is.",
                status_path.0.join(" or ")
            ),
        };
        Said::in_time(Unknown, detail)
    }

    /// What is said of a fault holds neither the URL nor a header.
    fn unanswered(&self, problem: &reqwest::Error) -> Said {
        if problem.is_timeout() {
            let detail = format!("The gateway did not answer within {}.", seconds(self.settings.timeout));
            return Said { state: Unreachable, detail: Some(detail), in_time: Some(false) };
        }
        let mut cause = problem.source();
        while let Some(deeper) = cause.and_then(std::error::Error::source) {
            cause = Some(deeper);
        }
        let cause = cause.map(|cause| format!(": {cause}")).unwrap_or_default();
        let what = if problem.is_connect() { "cannot be reached" } else { "broke off its answer" };
        Said::in_time(Unreachable, format!("The gateway {what}{cause}."))
    }
}

/// The whole of an answer; none where it is longer than what is read.
async fn read(mut response: Response) -> reqwest::Result<Option<Vec<u8>>> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > LONGEST {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}

/// A status is a text; some gateways say true or false, or a number.
fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(word) => Some(word.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The key is for the gateway, and for nobody that it names.
fn only_within_the_server(attempt: redirect::Attempt<'_>) -> redirect::Action {
    let from = attempt.previous().last().map(reqwest::Url::origin);
    if attempt.previous().len() <= REDIRECTS && from == Some(attempt.url().origin()) {
        attempt.follow()
    } else {
        attempt.stop()
    }
}

fn seconds(limit: Duration) -> String {
    format!("{} s", limit.as_secs_f64())
}
