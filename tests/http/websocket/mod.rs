//! Tests of `/graphql/ws` over real sockets: the protocol and the operations.

mod close_codes;
mod many_sockets;
mod operations;
mod run_subscription;
mod socket_lifetime;
mod socket_slots;

use std::net::SocketAddr;
use std::time::Duration;

use api::app_state::AppState;
use api::db::Database;
use api::http::{Sockets, router};
use api::limits::Limits;
use api::schema_health::AcceptedFindings;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::Request;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::support::{Contents, TestDb};

const PROTOCOL: &str = "graphql-transport-ws";

/// Starts a server that serves until the test ends.
pub(crate) async fn server(database: Database, sockets: Sockets) -> SocketAddr {
    serving_with(AppState::new(database, AcceptedFindings::default(), "tester"), sockets).await
}

/// Starts a server with these limits.
async fn limited(db: &TestDb, limits: Limits) -> SocketAddr {
    let state = AppState::new(db.database().await.clone(), AcceptedFindings::default(), "tester").with_limits(limits);
    serving_with(state, Sockets::default()).await
}

/// Starts a server that pings its sockets every second.
pub(crate) async fn serving(state: AppState) -> SocketAddr {
    serving_with(state, Sockets::with_ping_interval(Duration::from_secs(1))).await
}

async fn serving_with(state: AppState, sockets: Sockets) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(axum::serve(listener, router(state, sockets, &[])).into_future());
    address
}

/// Starts a server over an empty database, for tests that read no data.
async fn without_data() -> (TestDb, SocketAddr) {
    let db = TestDb::sqlite(Contents::Empty).await;
    let address = server(db.database().await.clone(), Sockets::default()).await;
    (db, address)
}

/// Returns the request that opens a socket.
pub(crate) fn request(address: SocketAddr) -> Request<()> {
    let mut request = format!("ws://{address}/graphql/ws").into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", PROTOCOL.parse().unwrap());
    request
}

/// The client's end of a socket.
pub(crate) struct Client(WebSocketStream<TcpStream>);

impl Client {
    pub(crate) async fn opened(address: SocketAddr, request: Request<()>) -> Result<Self, Error> {
        let stream = TcpStream::connect(address).await.unwrap();
        client_async(request, stream).await.map(|(socket, _)| Self(socket))
    }

    /// Returns the HTTP status with which the server refuses to open a socket.
    pub(crate) async fn refused(address: SocketAddr) -> u16 {
        match Self::opened(address, request(address)).await.err() {
            Some(Error::Http(answer)) => answer.status().as_u16(),
            other => panic!("{other:?}"),
        }
    }

    /// Opens a socket and sends no message.
    pub(crate) async fn open(address: SocketAddr) -> Self {
        Self::opened(address, request(address)).await.unwrap()
    }

    /// Opens a socket and initializes the connection.
    pub(crate) async fn begin(address: SocketAddr) -> Self {
        Self::open(address).await.initialized().await
    }

    /// Opens a socket by a request with this id, and initializes the connection.
    pub(crate) async fn begin_with_request_id(address: SocketAddr, id: &str) -> Self {
        let mut request = request(address);
        request.headers_mut().insert("x-request-id", id.parse().unwrap());
        Self::opened(address, request).await.unwrap().initialized().await
    }

    async fn initialized(self) -> Self {
        let mut client = self;
        client.say(json!({ "type": "connection_init" })).await;
        assert_eq!(client.hear().await, json!({ "type": "connection_ack" }));
        client
    }

    /// Sends `connection_init`.
    pub(crate) async fn init(&mut self, payload: Option<Value>) {
        let mut message = json!({ "type": "connection_init" });
        if let Some(payload) = payload {
            message["payload"] = payload;
        }
        self.say(message).await;
    }

    /// Sends a message and receives one. Returns the close code and reason if the server closes the socket.
    pub(crate) async fn say_or_closed(&mut self, message: Value) -> Option<(u16, String)> {
        let sent = self.0.send(Message::text(message.to_string())).await;
        match self.next().await {
            Some(Ok(Message::Close(Some(frame)))) => Some((frame.code.into(), frame.reason.to_string())),
            Some(Ok(_)) if sent.is_ok() => None,
            other => panic!("{other:?}"),
        }
    }

    /// Splits the socket into its sending and its receiving half.
    fn split(self) -> (Talker, Listener) {
        let (talker, listener) = self.0.split();
        (Talker(talker), Listener(listener))
    }

    pub(crate) async fn say(&mut self, message: Value) {
        self.send(Message::text(message.to_string())).await;
    }

    async fn send(&mut self, message: Message) {
        self.0.send(message).await.unwrap();
    }

    pub(crate) async fn subscribe(&mut self, id: &str, query: &str, variables: Value) {
        let payload = json!({ "query": query, "variables": variables });
        self.say(json!({ "type": "subscribe", "id": id, "payload": payload })).await;
    }

    /// Returns the server's next message. A test that waits too long fails.
    async fn next(&mut self) -> Option<Result<Message, Error>> {
        loop {
            let message = tokio::time::timeout(Duration::from_secs(20), self.0.next()).await.unwrap();
            if !matches!(message, Some(Ok(Message::Ping(_) | Message::Pong(_)))) {
                return message;
            }
        }
    }

    pub(crate) async fn hear(&mut self) -> Value {
        self.hear_or_closed().await.unwrap_or_else(|closed| panic!("{closed:?}"))
    }

    /// Returns the server's next message, or the code and the reason with which the server closes the socket.
    pub(crate) async fn hear_or_closed(&mut self) -> Result<Value, (u16, String)> {
        match self.next().await {
            Some(Ok(Message::Text(text))) => Ok(serde_json::from_str(&text).unwrap()),
            Some(Ok(Message::Close(Some(frame)))) => Err((frame.code.into(), frame.reason.to_string())),
            other => panic!("{other:?}"),
        }
    }

    /// Returns the data of the next result of an operation.
    pub(crate) async fn data(&mut self, id: &str) -> Value {
        let mut message = self.hear().await;
        assert_eq!((&message["type"], &message["id"]), (&json!("next"), &json!(id)), "{message}");
        assert_eq!(message["payload"].get("errors"), None, "{message}");
        message["payload"]["data"].take()
    }

    pub(crate) async fn completed(&mut self, id: &str) {
        assert_eq!(self.hear().await, json!({ "type": "complete", "id": id }));
    }

    /// Returns whether the server has dropped the connection without a close frame.
    pub(crate) async fn is_disconnected(&mut self) -> bool {
        matches!(self.next().await, None | Some(Err(_)))
    }

    /// Returns the code and the reason with which the server closes the socket.
    pub(crate) async fn closed(&mut self) -> (u16, String) {
        self.hear_or_closed().await.unwrap_err()
    }
}

/// The sending half of a socket.
struct Talker(SplitSink<WebSocketStream<TcpStream>, Message>);

impl Talker {
    async fn say(&mut self, message: Value) {
        self.0.send(Message::text(message.to_string())).await.unwrap();
    }
}

/// The receiving half of a socket.
struct Listener(SplitStream<WebSocketStream<TcpStream>>);

impl Listener {
    async fn hear(&mut self) {
        let message = tokio::time::timeout(Duration::from_secs(20), self.0.next()).await.unwrap();
        assert!(matches!(message, Some(Ok(_))), "{message:?}");
    }
}
