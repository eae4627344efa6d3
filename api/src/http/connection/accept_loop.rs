//! The accept loop, which limits the number of open connections.
//!
//! A connection without a request is closed after a timeout. When the limit is reached, a new connection evicts the one
//! whose loss costs least, so that idle clients and incomplete requests exclude nobody. A connection that waits for a
//! response or reads one is never evicted.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioExecutor;
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};
use tower::ServiceExt as _;

use super::activity::{ConnectionActivity, EvictionCost};
use super::tracked_io::{TrackedBody, TrackedStream};
use crate::admission::client_quota::ClientLimits;
use crate::limits::Limits;

/// The delay after a failed accept, which may be caused by a lack of file descriptors.
const ACCEPT_RETRY: Duration = Duration::from_millis(200);
/// The time that a rejected client has to read the response.
const CLOSE_GRACE: Duration = Duration::from_secs(1);
/// The maximum number of concurrent requests on one HTTP/2 connection.
const MAX_STREAMS: u32 = 100;
/// The size of the send buffer of an HTTP/2 connection, in bytes.
const SEND_BUFFER: usize = 64 * 1024;

const FULL_RESPONSE: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\nconnection: \
                               close\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: 59\r\n\r\nThe \
                               maximum number of connections is open. Try again later.";

/// Serves connections until `stop` is ready.
///
/// It then stops accepting and returns when all requests in progress have been answered. `client_limits` apply per
/// connection to callers without a token.
pub(in crate::http) async fn serve(
    listener: TcpListener,
    router: Router,
    limits: &Limits,
    client_limits: ClientLimits,
    stop: impl Future<Output = ()>,
) {
    let mut stop = std::pin::pin!(stop);
    let mut connections = Connections::new(router, limits, client_limits);
    loop {
        tokio::select! {
            biased;
            () = &mut stop => break,
            Some(ended) = connections.tasks.join_next() => connections.remove_finished(ended.ok()),
            accepted = listener.accept() => match accepted {
                Ok((stream, from)) => connections.open(stream, from),
                Err(error) => {
                    tracing::warn!(target: "session_admin::http", %error, "no connection can be accepted");
                    tokio::time::sleep(ACCEPT_RETRY).await;
                }
            },
        }
    }
    drop(listener);
    connections.graceful_shutdown.shutdown().await;
}

/// The timeouts after which a connection is closed.
#[derive(Debug, Clone, Copy)]
struct ConnectionTimeouts {
    /// The timeout of a connection without a request.
    idle: Duration,
    /// The timeout of a response that the client does not read.
    unread: Duration,
}

struct Connections {
    router: Router,
    max_open: usize,
    timeouts: ConnectionTimeouts,
    client_limits: ClientLimits,
    /// Each task returns the number of its connection.
    tasks: JoinSet<u64>,
    /// The open connections by number, the oldest first.
    open: BTreeMap<u64, (ConnectionActivity, AbortHandle)>,
    next_number: u64,
    graceful_shutdown: GracefulShutdown,
}

impl Connections {
    fn new(router: Router, limits: &Limits, client_limits: ClientLimits) -> Self {
        Self {
            router,
            max_open: limits.connections,
            timeouts: ConnectionTimeouts { idle: limits.head_timeout, unread: limits.response_timeout },
            client_limits,
            tasks: JoinSet::new(),
            open: BTreeMap::new(),
            next_number: 0,
            graceful_shutdown: GracefulShutdown::new(),
        }
    }

    fn open(&mut self, stream: TcpStream, from: SocketAddr) {
        if self.open.len() >= self.max_open && !self.evict_one() {
            tracing::warn!(target: "session_admin::http", "a connection was refused: the maximum number is open (--max-clients)");
            tokio::spawn(reject(stream));
            return;
        }
        let (number, activity) = (self.next_number, ConnectionActivity::new(Some(from.ip()), self.client_limits));
        self.next_number += 1;
        let shutdown = self.graceful_shutdown.watcher();
        let serving = serve_connection(stream, self.router.clone(), activity.clone(), self.timeouts, shutdown);
        let task = async move {
            serving.await;
            number
        };
        self.open.insert(number, (activity, self.tasks.spawn(task)));
    }

    /// Closes the connection whose eviction costs least, and of several the oldest.
    ///
    /// Returns false if every connection waits for a response.
    fn evict_one(&mut self) -> bool {
        let costs = self.open.iter().map(|(number, (activity, _))| (activity.eviction_cost(), *number));
        let cheapest = costs.filter(|(cost, _)| *cost < EvictionCost::Responses).min();
        let Some((_, connection)) = cheapest.and_then(|(_, number)| self.open.remove(&number)) else { return false };
        connection.abort();
        true
    }

    /// Removes a connection whose task has ended. Without a number (the task was aborted or panicked), removes all
    /// connections whose tasks have ended.
    fn remove_finished(&mut self, number: Option<u64>) {
        if let Some(number) = number {
            self.open.remove(&number);
        } else {
            self.open.retain(|_, (_, connection)| !connection.is_finished());
        }
    }
}

async fn serve_connection(
    stream: TcpStream,
    router: Router,
    activity: ConnectionActivity,
    timeouts: ConnectionTimeouts,
    shutdown: Watcher,
) {
    // Responses are written whole, so Nagle's algorithm would only delay them.
    let _ = stream.set_nodelay(true);
    let service = service_fn({
        let activity = activity.clone();
        move |request: Request<Incoming>| {
            let active_request = activity.begin_request();
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(activity.clone());
            let response = router.clone().oneshot(request);
            async move {
                let response: Result<_, Infallible> = response.await;
                response.map(|response| response.map(|body| TrackedBody::new(body, active_request)))
            }
        }
    });
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http2().max_concurrent_streams(MAX_STREAMS).max_send_buf_size(SEND_BUFFER).enable_connect_protocol();
    let stream = TrackedStream::new(stream, activity.clone());
    let connection = builder.serve_connection_with_upgrades(stream, service).into_owned();
    tokio::select! {
        served = shutdown.watch(connection) => {
            if let Err(error) = served {
                tracing::debug!(target: "session_admin::http", error, "a connection broke");
            }
        }
        () = activity.idle_for(timeouts.idle) => tracing::debug!(target: "session_admin::http", "a connection was closed: it made no request in time"),
        () = activity.unread_for(timeouts.unread) => tracing::info!(target: "session_admin::http", "a connection was closed: it did not read a response in time"),
    }
}

async fn reject(mut stream: TcpStream) {
    // An error is ignored because the connection is closed in any case.
    let _ = tokio::time::timeout(CLOSE_GRACE, async {
        stream.write_all(FULL_RESPONSE).await?;
        stream.shutdown().await?;
        // Dropping a socket with unread input resets it, and the client would lose the response.
        stream.read_to_end(&mut Vec::new()).await
    })
    .await;
}
