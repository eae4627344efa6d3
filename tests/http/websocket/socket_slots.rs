//! Tests of the slots of sockets: which sockets get one, and which sockets are closed to free one.

use api::limits::Limits;
use serde_json::json;
use tokio_tungstenite::tungstenite::Error;

use super::{Client, limited, request, without_data};
use crate::http::limits::assert_answers_query;
use crate::support::wait::wait_until;
use crate::support::{Contents, TestDb};

async fn assert_answers(client: &mut Client) {
    client.subscribe("1", "{ __typename }", json!({})).await;
    assert_eq!(client.data("1").await, json!({ "__typename": "Query" }));
    client.completed("1").await;
}

#[tokio::test]
#[ignore = "long: `make test` runs it"]
async fn a_thousand_sockets_keep_nobody_out() {
    let (_db, address) = without_data().await;
    let mut sockets = Vec::new();
    for _ in 0..256 {
        sockets.push(Client::begin(address).await);
    }
    for _ in 256..1_000 {
        assert_eq!(Client::refused(address).await, 503);
    }
    assert_answers_query(address).await;
    assert_answers(&mut sockets.pop().unwrap()).await;
}

#[tokio::test]
#[ignore = "long: `make test` runs it"]
async fn a_thousand_sockets_that_never_begin_keep_nobody_out() {
    let (_db, address) = without_data().await;
    let mut first = Client::begin(address).await;
    let mut strangers = Vec::new();
    for _ in 0..1_000 {
        strangers.push(Client::open(address).await);
    }
    assert_answers_query(address).await;
    // Initialized sockets stay open, whether they are opened before or after the uninitialized ones.
    let mut last = Client::begin(address).await;
    for _ in 0..300 {
        strangers.push(Client::open(address).await);
    }
    assert_answers(&mut first).await;
    assert_answers(&mut last).await;
    // The oldest uninitialized sockets were closed to free their slots.
    for stranger in &mut strangers[..900] {
        assert!(stranger.is_disconnected().await);
    }
}

#[tokio::test]
async fn a_socket_too_many_is_refused_until_another_closes() {
    let db = TestDb::sqlite(Contents::Empty).await;
    let address = limited(&db, Limits { sockets: 2, ..Limits::DEFAULT }).await;
    let (first, mut second) = (Client::begin(address).await, Client::begin(address).await);
    let refused = Client::opened(address, request(address)).await.err();
    let Some(Error::Http(answer)) = refused else { panic!("{refused:?}") };
    assert_eq!((answer.status().as_u16(), answer.headers()["retry-after"].to_str().unwrap()), (503, "5"));
    assert_answers(&mut second).await;
    drop(first);
    wait_until("its place is free", async || Client::opened(address, request(address)).await.is_ok()).await;
}
