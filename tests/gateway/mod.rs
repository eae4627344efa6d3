//! Tests of the gateway: how it is queried, how its answers are interpreted, and how deletions and cleanups use them.
//! The gateway is a real HTTP server on a local port.

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

/// Returns the id of a session of the scenario.
fn id(session: usize) -> Uuid {
    SESSIONS[session].id.parse().unwrap()
}

/// A request that the gateway received.
#[derive(Debug, Clone)]
struct ReceivedRequest {
    path: String,
    headers: HeaderMap,
}

impl ReceivedRequest {
    /// Returns the id of the session that the request is about.
    fn session(&self) -> Uuid {
        let ids: Vec<Uuid> = self.path.split('/').filter_map(|part| part.parse().ok()).collect();
        assert_eq!(ids.len(), 1, "{}", self.path);
        ids[0]
    }
}

/// A gateway for tests. It runs in its own thread, so that it also answers while a test waits for a command. It stops
/// when it is dropped.
pub(crate) struct Server {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<ReceivedRequest>>>,
    /// The largest number of requests that were answered at the same time.
    busiest: Arc<AtomicUsize>,
    _stop: oneshot::Sender<()>,
}

impl Server {
    /// Starts a gateway that answers each request with the result of `answer`.
    fn new<F: Future<Output = Response> + Send + 'static>(
        answer: impl Fn(ReceivedRequest) -> F + Clone + Send + Sync + 'static,
    ) -> Self {
        let requests: Arc<Mutex<Vec<ReceivedRequest>>> = Arc::default();
        let (busy, busiest) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (seen, most) = (Arc::clone(&requests), Arc::clone(&busiest));
        let router = Router::new().fallback(async move |request: Request| {
            let received =
                ReceivedRequest { path: request.uri().path().to_owned(), headers: request.headers().clone() };
            seen.lock().unwrap().push(received.clone());
            most.fetch_max(busy.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            let answer = answer(received).await;
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
        Self { address, requests, busiest, _stop: stop }
    }

    /// Starts a gateway that answers every request with the same JSON.
    fn with_answer(answer: Value) -> Self {
        Self::new(move |_| {
            let answer = answer.to_string();
            async move { answer.into_response() }
        })
    }

    /// Starts a gateway that answers like WAHA, with a status for each session. Sessions without a status are unknown
    /// to it.
    pub(crate) fn of_sessions(status: impl Fn(Uuid) -> Option<&'static str> + Clone + Send + Sync + 'static) -> Self {
        Self::new(move |request| {
            let status = status(request.session());
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

    /// Returns the settings of a client of this gateway, with answers cached for a minute.
    fn settings(&self) -> GatewaySettings {
        GatewaySettings { cache_ttl: Duration::from_mins(1), ..settings(&self.url()) }
    }

    fn gateway(&self) -> Gateway {
        gateway(self.settings())
    }

    /// Returns the requests received so far.
    fn requests(&self) -> Vec<ReceivedRequest> {
        self.requests.lock().unwrap().clone()
    }

    /// Returns the sessions queried so far, ordered by id.
    fn queried_sessions(&self) -> Vec<Uuid> {
        let mut sessions: Vec<Uuid> = self.requests().iter().map(ReceivedRequest::session).collect();
        sessions.sort_unstable();
        sessions
    }

    fn max_concurrent_requests(&self) -> usize {
        self.busiest.load(Ordering::SeqCst)
    }
}

fn settings(url: &str) -> GatewaySettings {
    GatewaySettings::new(UrlTemplate::parse(url).unwrap())
}

fn gateway(settings: GatewaySettings) -> Gateway {
    Gateway::new(settings, Clock::System).unwrap()
}

/// Returns a client of a gateway that does not exist.
fn unreachable_gateway() -> Gateway {
    gateway(settings(&format!("http://user:hunter2@{}/{{id}}", nobodys_port())))
}

/// Returns the address of a local port without a listener.
pub(crate) fn nobodys_port() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// Queries the gateway about one session and returns the answer.
async fn query_gateway(gateway: &Gateway) -> GatewayState {
    gateway.query_if_available(id(0)).await
}

async fn query_state(gateway: &Gateway) -> GatewaySessionState {
    query_gateway(gateway).await.state
}

fn with_status(status: u16, body: &'static str) -> Response {
    Response::builder().status(status).body(Body::from(body)).unwrap()
}
