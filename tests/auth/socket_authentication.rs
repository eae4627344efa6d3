//! Tests that sockets need a token and are closed when it becomes invalid.

use std::time::Duration;

use api::app_state::AppState;
use api::auth::{Authenticator, Role, access_token as tokens};
use api::clock::Clock;
use api::limits::Limits;
use api::schema_health::AcceptedFindings;
use chrono::TimeDelta;
use serde_json::json;
use tokio::time::Instant;

use super::{CACHE_TTL, create_revoked_token, create_token, state};
use crate::http::websocket::{Client, request, serving};
use crate::support::wait::wait_until;
use crate::support::{TestDb, on_both};

on_both!(Adopted:
    a_socket_begins_with_a_token_of_its_first_message_or_of_its_header,
    a_socket_ends_when_its_token_is_revoked,
    a_token_has_so_many_sockets,
    an_open_socket_of_somebody_without_a_token_ends_when_one_is_needed,
);
on_both!(long Adopted:
    a_socket_ends_when_its_tokens_time_is_over,
    a_socket_ends_with_its_tokens_time_while_the_database_is_away,
);

const ACK: &str = "connection_ack";

async fn open_with_token(address: std::net::SocketAddr, token: &str) -> Client {
    let mut client = Client::open(address).await;
    client.init(Some(json!({ "Authorization": format!("Bearer {token}") }))).await;
    assert_eq!(client.hear().await["type"], ACK);
    client
}

async fn a_socket_begins_with_a_token_of_its_first_message_or_of_its_header(db: TestDb) {
    let good = create_token(&db, "good", Role::Viewer).await;
    let bad = create_revoked_token(&db, "bad", Role::Viewer).await;
    let address = serving(state(&db, None).await).await;
    open_with_token(address, good.expose()).await;
    for (payload, reason) in [
        (None, "Forbidden: the payload of connection_init needs {\"Authorization\": \"Bearer TOKEN\"}."),
        (Some(json!({})), "Forbidden: the payload of connection_init needs {\"Authorization\": \"Bearer TOKEN\"}."),
        (
            Some(json!({ "authorization": format!("Bearer {}", bad.expose()) })),
            "Forbidden: the access token is unknown, revoked or expired.",
        ),
        (Some(json!({ "authorization": good.expose() })), "Forbidden: Authorization is not Bearer TOKEN."),
    ] {
        let mut client = Client::open(address).await;
        client.init(payload.clone()).await;
        assert_eq!(client.closed().await, (4403, reason.to_owned()), "{payload:?}");
    }
    let request_with = |token: &str| {
        let mut request = request(address);
        request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        request
    };
    let mut client = Client::opened(address, request_with(good.expose())).await.unwrap();
    client.init(None).await;
    assert_eq!(client.hear().await["type"], ACK);
    client.subscribe("1", "{ viewer { name } }", json!({})).await;
    assert_eq!(client.data("1").await["viewer"]["name"], "good");
    match Client::opened(address, request_with(bad.expose())).await.err().unwrap() {
        tokio_tungstenite::tungstenite::Error::Http(answer) => assert_eq!(answer.status(), 401),
        other => panic!("{other:?}"),
    }
}

async fn a_token_has_so_many_sockets(db: TestDb) {
    let (one, other) = (create_token(&db, "one", Role::Viewer).await, create_token(&db, "other", Role::Viewer).await);
    let address = serving(state(&db, None).await.with_limits(Limits { sockets_per_token: 2, ..Limits::DEFAULT })).await;
    let (first, mut second) =
        (open_with_token(address, one.expose()).await, open_with_token(address, one.expose()).await);
    let open_third = async || {
        let mut client = Client::open(address).await;
        client.init(Some(json!({ "Authorization": format!("Bearer {}", one.expose()) }))).await;
        client
    };
    let reason = "2 WebSockets are open with this token, which is the maximum. Try again later, or close one.";
    assert_eq!(open_third().await.closed().await, (1013, reason.to_owned()));
    open_with_token(address, other.expose()).await;
    second.subscribe("1", "{ viewer { name } }", json!({})).await;
    assert_eq!(second.data("1").await["viewer"]["name"], "one");
    drop(first);
    wait_until("its place is free", async || open_third().await.hear_or_closed().await.is_ok()).await;
}

async fn a_socket_ends_when_its_token_is_revoked(db: TestDb) {
    let secret = create_token(&db, "ci", Role::Viewer).await;
    let other = create_token(&db, "other", Role::Viewer).await;
    let address = serving(state(&db, None).await).await;
    let mut client = open_with_token(address, secret.expose()).await;
    let mut other_client = open_with_token(address, other.expose()).await;
    tokio::time::sleep(3 * CACHE_TTL).await;
    client.subscribe("1", "{ __typename }", json!({})).await;
    assert_eq!(client.data("1").await["__typename"], "Query");
    client.completed("1").await;
    tokens::revoke(db.database().await, "ci").await.unwrap().unwrap();
    let revoked = Instant::now();
    // The client sends messages all the time, so the socket is not idle.
    let closed = loop {
        match client.say_or_closed(json!({ "type": "ping" })).await {
            Some(closed) => break closed,
            None => assert!(revoked.elapsed() < Duration::from_secs(10)),
        }
    };
    let reason = "Unauthorized: the access token is no longer valid, or one is required now.";
    assert_eq!(closed, (4401, reason.to_owned()));
    other_client.subscribe("1", "{ __typename }", json!({})).await;
    assert_eq!(other_client.data("1").await["__typename"], "Query");
}

async fn a_socket_ends_when_its_tokens_time_is_over(db: TestDb) {
    let soon = Clock::System.now() + TimeDelta::seconds(2);
    let (_, secret) = tokens::create(db.database().await, "brief", Role::Viewer, Some(soon)).await.unwrap();
    let database = db.database().await.clone();
    let authenticator = Authenticator::new(database.clone(), None);
    let address =
        serving(AppState::new(database, AcceptedFindings::default(), "local").with_authenticator(authenticator)).await;
    let mut client = open_with_token(address, secret.expose()).await;
    assert_eq!(client.closed().await.0, 4401);
    assert!(Clock::System.now() >= soon);
}

async fn a_socket_ends_with_its_tokens_time_while_the_database_is_away(db: TestDb) {
    let soon = Clock::System.now() + TimeDelta::seconds(3);
    let (_, secret) = tokens::create(db.database().await, "brief", Role::Viewer, Some(soon)).await.unwrap();
    let address = serving(state(&db, None).await).await;
    let mut client = open_with_token(address, secret.expose()).await;
    db.database().await.clone().close().await.unwrap();
    assert_eq!(client.closed().await.0, 4401);
    assert!(Clock::System.now() >= soon);
}

async fn an_open_socket_of_somebody_without_a_token_ends_when_one_is_needed(db: TestDb) {
    let address = serving(state(&db, None).await).await;
    let mut client = Client::begin(address).await;
    client.subscribe("1", "{ viewer { name role } }", json!({})).await;
    assert_eq!(client.data("1").await["viewer"], json!({ "name": "local", "role": "ADMIN" }));
    client.completed("1").await;
    create_token(&db, "ci", Role::Viewer).await;
    assert_eq!(client.closed().await.0, 4401);
}
