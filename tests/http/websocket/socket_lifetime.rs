//! Tests of how long a socket stays open.

use std::time::Duration;

use api::app_state::AppState;
use api::http::Sockets;
use api::http::serve;
use api::schema_health::AcceptedFindings;
use futures_util::StreamExt as _;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, timeout};
use tokio_tungstenite::tungstenite::Message;

use super::{Client, server, without_data};
use crate::support::{Contents, TestDb};

#[tokio::test]
async fn pings_are_answered_with_what_they_hold() {
    let (_db, address) = without_data().await;
    let mut client = Client::open(address).await;
    client.say(json!({ "type": "ping", "payload": { "at": 1 } })).await;
    assert_eq!(client.hear().await, json!({ "type": "pong", "payload": { "at": 1 } }));
    client.say(json!({ "type": "pong" })).await;
    client.send(Message::Ping("x".into())).await;
    assert_eq!(client.0.next().await.unwrap().unwrap(), Message::Pong("x".into()));
}

#[tokio::test]
#[ignore = "long: `make test` runs it"]
async fn a_quiet_client_that_is_there_stays_and_one_that_is_not_goes() {
    let db = TestDb::sqlite(Contents::Empty).await;
    let address = server(db.database().await.clone(), Sockets::with_ping_interval(Duration::from_millis(200))).await;
    let (mut reader, mut silent) = (Client::begin(address).await, Client::begin(address).await);
    // A client answers pings while it reads. The other client does not read.
    let quiet = timeout(Duration::from_secs(2), reader.next()).await;
    assert!(quiet.is_err(), "{quiet:?}");
    reader.subscribe("1", "{ __typename }", json!({})).await;
    assert_eq!(reader.data("1").await, json!({ "__typename": "Query" }));
    let ended = silent.next().await;
    assert!(!matches!(ended, Some(Ok(_))), "{ended:?}");
}

#[tokio::test]
async fn a_server_that_stops_says_so_and_does_not_wait() {
    let db = TestDb::sqlite(Contents::Empty).await;
    let state = AppState::new(db.database().await.clone(), AcceptedFindings::default(), "tester");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(serve(listener, state, Sockets::default(), &[], async {
        let _ = stopped.await;
    }));
    // One client listens, one is idle, and one has not initialized the connection.
    let (mut listening, _idle) = (Client::begin(address).await, Client::begin(address).await);
    let _silent = Client::open(address).await;
    sleep(Duration::from_millis(50)).await;
    let start = Instant::now();
    stop.send(()).unwrap();
    assert_eq!(listening.closed().await, (1001, "The server stops.".to_owned()));
    timeout(Duration::from_secs(5), serving).await.unwrap().unwrap().unwrap();
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
}
