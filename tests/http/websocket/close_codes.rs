//! Tests of sockets that the server refuses or closes, and of the status or close code.

use std::time::Duration;

use api::http::Sockets;
use serde_json::json;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::run_subscription::create_run;
use super::{Client, request, server, without_data};
use crate::http::client;
use crate::support::{Contents, TestDb};

#[tokio::test]
async fn a_message_that_is_none_of_the_protocols_closes_with_4400() {
    let (_db, address) = without_data().await;
    let payload = json!({ "query": "{ __typename }" });
    for (message, reason) in [
        ("{", "it is not a JSON object."),
        ("[]", "it is not a JSON object."),
        ("{}", "type is missing."),
        (r#"{ "type": 1 }"#, "type is missing."),
        (r#"{ "type": "start" }"#, "the protocol has no such type."),
        (r#"{ "type": "connection_init", "payload": 1 }"#, "payload is not an object."),
        (r#"{ "type": "ping", "payload": "x" }"#, "payload is not an object."),
        (
            &json!({ "type": "subscribe", "payload": payload }).to_string(),
            "id is missing, empty, longer than 256 bytes or not a string.",
        ),
        (
            &json!({ "type": "subscribe", "id": "", "payload": payload }).to_string(),
            "id is missing, empty, longer than 256 bytes or not a string.",
        ),
        (
            &json!({ "type": "subscribe", "id": "x".repeat(257), "payload": payload }).to_string(),
            "id is missing, empty, longer than 256 bytes or not a string.",
        ),
        (
            &json!({ "type": "subscribe", "id": 1, "payload": payload }).to_string(),
            "id is missing, empty, longer than 256 bytes or not a string.",
        ),
        (r#"{ "type": "subscribe", "id": "1" }"#, "subscribe has no payload."),
        (r#"{ "type": "subscribe", "id": "1", "payload": {} }"#, "query is missing or not a string."),
        (
            r#"{ "type": "subscribe", "id": "1", "payload": { "query": "", "variables": [] } }"#,
            "variables is not an object.",
        ),
        (r#"{ "type": "complete" }"#, "id is missing, empty, longer than 256 bytes or not a string."),
    ] {
        let mut client = Client::open(address).await;
        client.send(Message::text(message)).await;
        assert_eq!(client.closed().await, (4400, format!("Invalid message: {reason}")), "{message}");
    }
    let mut client = Client::open(address).await;
    client.send(Message::binary(r#"{ "type": "connection_init" }"#)).await;
    assert_eq!(client.closed().await, (4400, "Invalid message: it is binary.".to_owned()));
}

#[tokio::test]
async fn what_is_no_text_closes_with_1007() {
    let (_db, address) = without_data().await;
    let mut client = Client::open(address).await;
    client.send(Message::Frame(Frame::message(vec![0xff, 0xfe], OpCode::Data(Data::Text), true))).await;
    assert_eq!(client.closed().await, (1007, "The message is not UTF-8.".to_owned()));
}

#[tokio::test]
async fn an_operation_before_the_beginning_closes_with_4401() {
    let (_db, address) = without_data().await;
    let mut client = Client::open(address).await;
    client.subscribe("1", "{ __typename }", json!({})).await;
    assert_eq!(client.closed().await.0, 4401);
}

#[tokio::test]
#[ignore = "long: `make test` runs it"]
async fn a_client_that_does_not_begin_is_closed_with_4408_after_three_seconds() {
    let (_db, address) = without_data().await;
    let (opened, mut client) = (Instant::now(), Client::open(address).await);
    // Other messages do not extend the timeout.
    client.say(json!({ "type": "ping" })).await;
    assert_eq!(client.hear().await, json!({ "type": "pong" }));
    assert_eq!(client.closed().await, (4408, "Connection initialisation timeout".to_owned()));
    assert!((2_900..6_000).contains(&opened.elapsed().as_millis()), "{:?}", opened.elapsed());
}

#[tokio::test]
async fn an_id_that_is_in_use_closes_with_4409() {
    let db = TestDb::sqlite(Contents::Adopted).await;
    let run = create_run(&db).await;
    let address = server(db.database().await.clone(), Sockets::default()).await;
    for (id, reason) in [
        ("one".to_owned(), "Subscriber for one already exists".to_owned()),
        ("ü".repeat(120), format!("Subscriber for {}", "ü".repeat(54))),
    ] {
        let mut client = Client::begin(address).await;
        let query = "subscription W($id: ID!) { cleanupRun(id: $id) { status } }";
        client.subscribe(&id, query, json!({ "id": run })).await;
        assert_eq!(client.data(&id).await["cleanupRun"]["status"], "QUEUED");
        client.subscribe(&id, "{ __typename }", json!({})).await;
        assert_eq!(client.closed().await, (4409, reason));
    }
}

#[tokio::test]
async fn a_second_beginning_closes_with_4429() {
    let (_db, address) = without_data().await;
    let mut client = Client::begin(address).await;
    client.say(json!({ "type": "connection_init" })).await;
    assert_eq!(client.closed().await, (4429, "Too many initialisation requests".to_owned()));
}

#[tokio::test]
async fn a_client_that_does_not_offer_the_protocol_is_closed_with_4406() {
    let (_db, address) = without_data().await;
    for offered in [None, Some("graphql-ws"), Some("graphql-transport-ws2, chat")] {
        let mut request = request(address);
        request.headers_mut().remove("sec-websocket-protocol");
        let stream = tokio::net::TcpStream::connect(address).await.unwrap();
        // This client's library fails if the server selects none of the offered subprotocols.
        let Some(offered) = offered else {
            let (socket, _) = tokio_tungstenite::client_async(request, stream).await.unwrap();
            assert_eq!(Client(socket).closed().await.0, 4406);
            continue;
        };
        request.headers_mut().insert("sec-websocket-protocol", offered.parse().unwrap());
        assert!(tokio_tungstenite::client_async(request, stream).await.is_err(), "{offered}");
    }
    let mut several = request(address);
    several.headers_mut().insert("sec-websocket-protocol", "graphql-ws, graphql-transport-ws".parse().unwrap());
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let (_, answer) = tokio_tungstenite::client_async(several, stream).await.unwrap();
    assert_eq!(answer.headers()["sec-websocket-protocol"], "graphql-transport-ws");
}

#[tokio::test]
async fn a_message_that_is_too_large_closes_with_1009() {
    let (_db, address) = without_data().await;
    for bytes in [1024 * 1024 + 1, 3 * 1024 * 1024] {
        let mut client = Client::begin(address).await;
        client.send(Message::text("x".repeat(bytes))).await;
        assert_eq!(client.closed().await, (1009, "A message has at most 1048576 bytes.".to_owned()));
    }
    // The message has the maximum size, so only its content is invalid.
    let mut client = Client::begin(address).await;
    client.send(Message::text("x".repeat(1024 * 1024))).await;
    assert_eq!(client.closed().await.0, 4400);
}

#[tokio::test]
async fn a_page_of_another_origin_may_not_connect() {
    let (_db, address) = without_data().await;
    for (name, value) in [
        ("origin", "https://attacker.example"),
        ("origin", "null"),
        ("host", "attacker.example"),
        ("sec-fetch-site", "cross-site"),
    ] {
        let mut request = request(address);
        request.headers_mut().insert(name, value.parse().unwrap());
        match Client::opened(address, request).await.err() {
            Some(Error::Http(answer)) => assert_eq!(answer.status(), 403, "{name} {value}"),
            other => panic!("{name} {value}: {other:?}"),
        }
    }
    let mut request = request(address);
    request.headers_mut().insert("origin", format!("http://{address}").parse().unwrap());
    assert!(Client::opened(address, request).await.is_ok());
}

#[tokio::test]
async fn what_is_no_socket_is_told_where_to_go() {
    let (_db, address) = without_data().await;
    let client = client();
    let url = format!("http://{address}/graphql/ws");
    for request in [client.get(&url), client.post(&url).json(&json!({ "query": "{ __typename }" }))] {
        let answer = request.timeout(Duration::from_secs(5)).send().await.unwrap();
        assert!(answer.status().is_client_error());
        assert_eq!(
            answer.text().await.unwrap(),
            "This is a WebSocket with the subprotocol graphql-transport-ws. Queries and mutations can also be sent to \
             /graphql.\n"
        );
    }
}
