//! Accepting connections, and not more of them than may be open. Who holds one without making a request is let go after a
//! while, or at once when somebody else wants in: half-sent heads and bodies and idle clients keep nobody out. Who waits for an
//! answer, or reads one, is let be.

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

use super::activity::{Client, Loss};
use super::tracked_io::{Handed, Wire};
use crate::admission::client_quota::Allowance;
use crate::limits::Limits;

/// How long it takes before the next try when no connection can be accepted, for want of file handles for example.
const PAUSE: Duration = Duration::from_millis(200);
/// How long a client that is turned away has to read why.
const FAREWELL: Duration = Duration::from_secs(1);
/// Requests at once over one connection of HTTP/2.
const STREAMS: u32 = 100;
/// The bytes of an answer over HTTP/2 that lie with its connection.
const BUFFER: usize = 64 * 1024;

const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\nconnection: close\r\n\
      content-type: text/plain; charset=utf-8\r\ncontent-length: 67\r\n\r\n\
      As many connections are open as this server takes. Try again later.";

/// Serves until `stop` is ready; then nothing new is accepted, and it ends when what is under way has been answered. Who
/// shows no token may have so much under way over one connection.
pub(in crate::http) async fn serve(
    listener: TcpListener,
    router: Router,
    limits: &Limits,
    allowance: Allowance,
    stop: impl Future<Output = ()>,
) {
    let mut stop = std::pin::pin!(stop);
    let mut connections = Connections::new(router, limits, allowance);
    loop {
        tokio::select! {
            biased;
            () = &mut stop => break,
            Some(ended) = connections.running.join_next() => connections.forget(ended.ok()),
            accepted = listener.accept() => match accepted {
                Ok((stream, from)) => connections.open(stream, from),
                Err(error) => {
                    tracing::warn!(%error, "no connection can be accepted");
                    tokio::time::sleep(PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    connections.ending.shutdown().await;
}

/// How long a connection is waited for.
#[derive(Debug, Clone, Copy)]
struct Patience {
    /// Until it makes a request.
    silence: Duration,
    /// Until it has taken an answer.
    answer: Duration,
}

struct Connections {
    router: Router,
    most: usize,
    patience: Patience,
    allowance: Allowance,
    /// Each gives back its number.
    running: JoinSet<u64>,
    /// By their numbers, the oldest first.
    open: BTreeMap<u64, (Client, AbortHandle)>,
    next: u64,
    ending: GracefulShutdown,
}

impl Connections {
    fn new(router: Router, limits: &Limits, allowance: Allowance) -> Self {
        Self {
            router,
            most: limits.connections,
            patience: Patience { silence: limits.head_time, answer: limits.answer_time },
            allowance,
            running: JoinSet::new(),
            open: BTreeMap::new(),
            next: 0,
            ending: GracefulShutdown::new(),
        }
    }

    fn open(&mut self, stream: TcpStream, from: SocketAddr) {
        if self.open.len() >= self.most && !self.make_room() {
            tracing::warn!("a connection was refused: as many are open as may be (--max-clients)");
            tokio::spawn(turn_away(stream));
            return;
        }
        let (number, client) = (self.next, Client::new(Some(from.ip()), self.allowance));
        self.next += 1;
        let served = serve_one(stream, self.router.clone(), client.clone(), self.patience, self.ending.watcher());
        let served = async move {
            served.await;
            number
        };
        self.open.insert(number, (client, self.running.spawn(served)));
    }

    /// Lets the connection go with which the least is lost, and of these the oldest; false where each waits for an answer.
    fn make_room(&mut self) -> bool {
        let losses = self.open.iter().map(|(number, (client, _))| (client.loss(), *number));
        let least = losses.filter(|(loss, _)| *loss < Loss::Answers).min();
        let Some((_, connection)) = least.and_then(|(_, number)| self.open.remove(&number)) else { return false };
        connection.abort();
        true
    }

    /// One has ended by itself, or has been let go.
    fn forget(&mut self, number: Option<u64>) {
        if let Some(number) = number {
            self.open.remove(&number);
        } else {
            self.open.retain(|_, (_, connection)| !connection.is_finished());
        }
    }
}

async fn serve_one(stream: TcpStream, router: Router, client: Client, patience: Patience, ending: Watcher) {
    // Answers are written at once and whole.
    let _ = stream.set_nodelay(true);
    let service = service_fn({
        let client = client.clone();
        move |request: Request<Incoming>| {
            let begun = client.begin();
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(client.clone());
            let answer = router.clone().oneshot(request);
            async move {
                let answer: Result<_, Infallible> = answer.await;
                answer.map(|answer| answer.map(|body| Handed::new(body, begun)))
            }
        }
    });
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http2().max_concurrent_streams(STREAMS).max_send_buf_size(BUFFER).enable_connect_protocol();
    let wire = Wire::new(stream, client.clone());
    let connection = builder.serve_connection_with_upgrades(wire, service).into_owned();
    tokio::select! {
        served = ending.watch(connection) => {
            if let Err(error) = served {
                tracing::debug!(error, "a connection broke");
            }
        }
        () = client.silent(patience.silence) => tracing::debug!("a connection was closed: it made no request in time"),
        () = client.deaf(patience.answer) => tracing::info!("a connection was closed: it did not take an answer in time"),
    }
}

async fn turn_away(mut stream: TcpStream) {
    // Who does not read it has gone away.
    let _ = tokio::time::timeout(FAREWELL, async {
        stream.write_all(FULL).await?;
        stream.shutdown().await?;
        // A connection that is dropped while something is unread takes its last words with it.
        stream.read_to_end(&mut Vec::new()).await
    })
    .await;
}
