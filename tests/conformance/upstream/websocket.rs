//! Tests of upstream's deviations from the protocol graphql-transport-ws.

use std::sync::Arc;
use std::time::Duration;

use async_graphql::http::ALL_WEBSOCKET_PROTOCOLS;
use async_graphql_axum::{GraphQLProtocol, GraphQLSubscription, GraphQLWebSocket};
use axum::Router;
use axum::extract::WebSocketUpgrade;
use axum::routing::any;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use super::plain::deviates;
use crate::conformance::library::{Shelf, builder};

type Client = tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

/// Connects to the socket of a plain server, which refuses every `connection_init` if `refuses` is true. Returns the
/// client and the protocol that the server selected.
async fn connect(protocols: &str, refuses: bool) -> (Client, String) {
    let schema = builder().data(Arc::new(Shelf::default())).finish();
    let plain = GraphQLSubscription::new(schema.clone());
    let refusing = any(async move |protocol: GraphQLProtocol, upgrade: WebSocketUpgrade| {
        upgrade.protocols(ALL_WEBSOCKET_PROTOCOLS).on_upgrade(move |socket| {
            let socket = GraphQLWebSocket::new(socket, schema, protocol);
            socket.on_connection_init(async |_| Err("No.".into())).serve()
        })
    });
    let router = Router::new().route_service("/ws", plain).route("/refusing", refusing);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    let path = if refuses { "refusing" } else { "ws" };
    let mut request = format!("ws://{address}/{path}").into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", protocols.parse().unwrap());
    let (client, response) = tokio_tungstenite::connect_async(request).await.unwrap();
    let chosen = response.headers()["sec-websocket-protocol"].to_str().unwrap().to_owned();
    (client, chosen)
}

async fn send(client: &mut Client, message: Value) {
    client.send(Message::text(message.to_string())).await.unwrap();
}

async fn receive(client: &mut Client) -> Message {
    tokio::time::timeout(Duration::from_secs(10), client.next()).await.unwrap().unwrap().unwrap()
}

fn close_code(message: &Message) -> Option<u16> {
    match message {
        Message::Close(Some(frame)) => Some(frame.code.into()),
        _ => None,
    }
}

async fn connect_and_init() -> Client {
    let (mut client, _) = connect("graphql-transport-ws", false).await;
    send(&mut client, json!({ "type": "connection_init" })).await;
    assert!(receive(&mut client).await.to_text().unwrap().contains("connection_ack"));
    client
}

#[tokio::test]
async fn sockets_close_with_codes_of_websocket_itself() {
    let file = "http/websocket/protocol.rs";
    let (mut refused, _) = connect("graphql-transport-ws", true).await;
    send(&mut refused, json!({ "type": "connection_init" })).await;
    let message = receive(&mut refused).await;
    deviates(close_code(&message) == Some(1002), file, ("4403 Forbidden", message));

    let (mut early, _) = connect("graphql-transport-ws", false).await;
    send(&mut early, json!({ "type": "subscribe", "id": "1", "payload": { "query": "{ __typename }" } })).await;
    let message = receive(&mut early).await;
    deviates(close_code(&message) == Some(1011), file, ("4401 Unauthorized", message));

    let mut wrong = connect_and_init().await;
    // Invalid JSON is sent, because upstream's close frame for an unknown message type exceeds the maximum length.
    wrong.send(Message::text("[")).await.unwrap();
    let message = receive(&mut wrong).await;
    deviates(close_code(&message) == Some(1002), file, ("4400 Invalid message", message));
}

#[tokio::test]
async fn a_second_subscription_replaces_the_first_of_its_id() {
    let mut client = connect_and_init().await;
    for _ in 0..2 {
        let payload = json!({ "query": "subscription { books { totalCount } }" });
        send(&mut client, json!({ "type": "subscribe", "id": "1", "payload": payload })).await;
    }
    let message = receive(&mut client).await;
    deviates(close_code(&message).is_none(), "http/websocket/connection.rs", ("4409 Subscriber exists", message));
}

#[tokio::test]
async fn an_operation_that_is_not_executed_has_a_result() {
    let mut client = connect_and_init().await;
    send(&mut client, json!({ "type": "subscribe", "id": "1", "payload": { "query": "{ nothing }" } })).await;
    let message = receive(&mut client).await;
    let message: Value = serde_json::from_str(message.to_text().unwrap()).unwrap();
    deviates(message["type"] == "next", "http/websocket/operations.rs", message);
}

#[tokio::test]
async fn a_server_of_both_protocols_selects_one_and_speaks_the_other() {
    let (mut client, chosen) = connect("graphql-ws, graphql-transport-ws", false).await;
    send(&mut client, json!({ "type": "connection_init" })).await;
    receive(&mut client).await;
    send(&mut client, json!({ "type": "subscribe", "id": "1", "payload": { "query": "{ __typename }" } })).await;
    let message = receive(&mut client).await;
    let message: Value = serde_json::from_str(message.to_text().unwrap()).unwrap();
    let spoken = if message["type"] == "next" { "graphql-transport-ws" } else { "graphql-ws" };
    deviates(spoken != chosen, "http/websocket/mod.rs (the protocol that is offered)", (spoken, chosen));
}
