//! The gateway: what its answers mean, how it is asked, and what deletions and cleanups make of it. It is a real HTTP
//! server on a port of this machine.

mod cleanup;
mod command;
mod configuration;
mod deletion;
mod dry_run;
mod query_counts;
mod responses;
mod session_field;
mod slow_gateway;
mod workers;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use api::clock::Clock;
use api::demo::scenario::SESSIONS;
use api::gateway::{Gateway, GatewaySessionState, GatewaySettings, GatewayState, UrlTemplate};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use uuid::Uuid;

/// The id of a session of the scenario.
fn id(session: usize) -> Uuid {
    SESSIONS[session].id.parse().unwrap()
}

/// A question that the gateway was asked.
#[derive(Debug, Clone)]
struct Question {
    path: String,
    headers: HeaderMap,
}

impl Question {
    /// The session that it is about.
    fn session(&self) -> Uuid {
        let ids: Vec<Uuid> = self.path.split('/').filter_map(|part| part.parse().ok()).collect();
        assert_eq!(ids.len(), 1, "{}", self.path);
        ids[0]
    }
}

/// A gateway. It runs in a thread of its own, so that it also answers while a test waits for a command; it stops when it
/// is dropped.
pub(crate) struct Server {
    address: SocketAddr,
    questions: Arc<Mutex<Vec<Question>>>,
    /// The most questions that were being answered at the same time.
    busiest: Arc<AtomicUsize>,
    _stop: oneshot::Sender<()>,
}

impl Server {
    /// Answers each question as `answer` says.
    fn new<F: Future<Output = Response> + Send + 'static>(
        answer: impl Fn(Question) -> F + Clone + Send + Sync + 'static,
    ) -> Self {
        let questions: Arc<Mutex<Vec<Question>>> = Arc::default();
        let (busy, busiest) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (seen, most) = (Arc::clone(&questions), Arc::clone(&busiest));
        let router = Router::new().fallback(async move |request: Request| {
            let question = Question { path: request.uri().path().to_owned(), headers: request.headers().clone() };
            seen.lock().unwrap().push(question.clone());
            most.fetch_max(busy.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            let answer = answer(question).await;
            busy.fetch_sub(1, Ordering::SeqCst);
            answer
        });
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let serving = axum::serve(TcpListener::from_std(listener).unwrap(), router);
                tokio::select! {
                    ended = serving => ended.unwrap(),
                    _ = stopped => {}
                }
            });
        });
        Self { address, questions, busiest, _stop: stop }
    }

    /// Answers every question with the same JSON.
    fn saying(answer: Value) -> Self {
        Self::new(move |_| {
            let answer = answer.to_string();
            async move { answer.into_response() }
        })
    }

    /// Answers as WAHA does, with a status for each session; those that have none it does not know.
    pub(crate) fn of_sessions(status: impl Fn(Uuid) -> Option<&'static str> + Clone + Send + Sync + 'static) -> Self {
        Self::new(move |question| {
            let status = status(question.session());
            async move {
                match status {
                    Some(status) => json!({ "status": status }).to_string().into_response(),
                    None => StatusCode::NOT_FOUND.into_response(),
                }
            }
        })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/api/sessions/{{id}}", self.address)
    }

    /// Where it is, with answers that are believed for a minute.
    fn settings(&self) -> GatewaySettings {
        GatewaySettings { cache_ttl: Duration::from_mins(1), ..settings(&self.url()) }
    }

    fn gateway(&self) -> Gateway {
        gateway(self.settings())
    }

    /// What it was asked so far.
    fn questions(&self) -> Vec<Question> {
        self.questions.lock().unwrap().clone()
    }

    /// The sessions that it was asked about so far, in the order of their ids.
    fn asked_about(&self) -> Vec<Uuid> {
        let mut sessions: Vec<Uuid> = self.questions().iter().map(Question::session).collect();
        sessions.sort_unstable();
        sessions
    }

    fn busiest(&self) -> usize {
        self.busiest.load(Ordering::SeqCst)
    }
}

fn settings(url: &str) -> GatewaySettings {
    GatewaySettings::new(UrlTemplate::parse(url).unwrap())
}

fn gateway(settings: GatewaySettings) -> Gateway {
    Gateway::new(settings, Clock::System).unwrap()
}

/// A gateway that is not there.
fn nowhere() -> Gateway {
    gateway(settings(&format!("http://user:hunter2@{}/{{id}}", nobodys_port())))
}

/// A port that nobody listens on.
pub(crate) fn nobodys_port() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// What is said of some session.
async fn said(gateway: &Gateway) -> GatewayState {
    gateway.query_if_available(id(0)).await
}

async fn state(gateway: &Gateway) -> GatewaySessionState {
    said(gateway).await.state
}

fn with_status(status: u16, body: &'static str) -> Response {
    Response::builder().status(status).body(Body::from(body)).unwrap()
}
