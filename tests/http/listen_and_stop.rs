//! Tests of listening and stopping, over a real socket.

use std::net::SocketAddr;
use std::time::Duration;

use api::app_state::AppState;
use api::http::serve;
use api::http::{Sockets, check_listen};
use api::schema_health::AcceptedFindings;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::client;
use crate::support::{Contents, TestDb};

async fn create_state() -> (TestDb, AppState) {
    let db = TestDb::sqlite(Contents::Empty).await;
    let state = AppState::new(db.database().await.clone(), AcceptedFindings::default(), "tester");
    (db, state)
}

#[test]
fn loopback_addresses_are_listened_on() {
    for address in ["127.0.0.1:8080", "127.1.2.3:0", "[::1]:8080", "[::ffff:127.0.0.1]:8080"] {
        check_listen(address.parse().unwrap(), false).unwrap();
    }
}

#[test]
fn any_other_address_is_refused_while_no_token_is_needed_and_the_message_says_why() {
    for address in ["0.0.0.0:8080", "[::]:8080", "192.168.0.1:8080", "[::ffff:10.0.0.1]:8080", "[fe80::1]:8080"] {
        let address = address.parse::<SocketAddr>().unwrap();
        check_listen(address, true).unwrap();
        let error = check_listen(address, false).unwrap_err();
        assert_eq!(error.code(), "BAD_USER_INPUT");
        let message = error.to_string();
        assert!(
            message.starts_with(&format!("The server does not listen on {address}: without access tokens")),
            "{message}"
        );
    }
}

#[tokio::test]
async fn a_listener_that_is_open_to_other_machines_is_not_served() {
    let (_db, state) = create_state().await;
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let error = serve(listener, state, Sockets::default(), &[], std::future::pending()).await.unwrap_err();
    assert_eq!(error.code(), "BAD_USER_INPUT");
}

#[tokio::test]
async fn told_to_stop_it_stops_though_a_client_keeps_its_connection() {
    let (_db, state) = create_state().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(serve(listener, state, Sockets::default(), &[], async {
        let _ = stopped.await;
    }));
    let client = client();
    let answer = client.get(format!("http://{address}/health/live")).send().await.unwrap();
    assert_eq!(answer.text().await.unwrap(), "ok\n");
    stop.send(()).unwrap();
    tokio::time::timeout(Duration::from_secs(5), server).await.unwrap().unwrap().unwrap();
    assert!(client.get(format!("http://{address}/health/live")).send().await.is_err());
}
