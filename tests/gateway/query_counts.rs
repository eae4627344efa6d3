//! Tests of how many requests the gateway receives, in total and at the same time.

use std::time::{Duration, Instant};

use api::gateway::{GatewaySessionState, GatewaySettings};
use axum::response::IntoResponse as _;
use futures_util::future::join_all;
use serde_json::json;
use uuid::Uuid;

use super::{Server, gateway, id, query_gateway, with_status};

fn session_ids(number: u128) -> Vec<Uuid> {
    (1..=number).map(Uuid::from_u128).collect()
}

/// Starts a gateway that answers after 50 milliseconds.
fn start_slow_gateway() -> Server {
    Server::new(async |_| {
        tokio::time::sleep(Duration::from_millis(50)).await;
        with_status(200, "{\"status\":\"WORKING\"}")
    })
}

#[tokio::test]
async fn an_answer_is_believed_for_a_while_and_says_when_it_was_given() {
    let server = Server::with_answer(json!({ "status": "WORKING" }));
    let gateway = gateway(GatewaySettings { cache_ttl: Duration::from_millis(400), ..server.settings() });
    let first = query_gateway(&gateway).await;
    assert_eq!(query_gateway(&gateway).await, first);
    assert_eq!(query_gateway(&gateway.clone()).await, first);
    assert_eq!(server.requests().len(), 1);
    tokio::time::sleep(Duration::from_millis(500)).await;
    let second = query_gateway(&gateway).await;
    assert!(second.checked_at > first.checked_at);
    assert_eq!(server.requests().len(), 2);
    gateway.query_if_available(id(1)).await;
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn a_cache_of_nothing_asks_every_time() {
    let server = Server::with_answer(json!({ "status": "WORKING" }));
    let gateway = gateway(GatewaySettings { cache_ttl: Duration::ZERO, ..server.settings() });
    for request_count in 1..4 {
        query_gateway(&gateway).await;
        assert_eq!(server.requests().len(), request_count);
    }
}

#[tokio::test]
async fn whoever_asks_about_the_same_session_at_once_gets_the_same_answer() {
    let server = start_slow_gateway();
    let gateway = server.gateway();
    let answers = join_all((0..20).map(|_| query_gateway(&gateway))).await;
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert_eq!(server.requests().len(), 1);
    // A caller that stops waiting does not cancel the query for the other callers.
    let given_up = tokio::time::timeout(Duration::from_millis(10), gateway.query_if_available(id(1)));
    let (given_up, waited_for) = tokio::join!(given_up, gateway.query_if_available(id(1)));
    assert!(given_up.is_err());
    assert_eq!(waited_for.state, GatewaySessionState::Connected);
}

#[tokio::test]
async fn sessions_are_asked_about_in_parallel_up_to_a_limit() {
    let server = start_slow_gateway();
    let gateway = gateway(GatewaySettings { max_concurrency: 4, ..server.settings() });
    let sessions = session_ids(40);
    // Two pages queried at the same time share the limit.
    let (some, others) = sessions.split_at(20);
    let (some, others) = tokio::join!(gateway.query_if_available_each(some), gateway.query_if_available_each(others));
    assert_eq!((some.len(), others.len()), (20, 20));
    assert_eq!(server.queried_sessions(), sessions);
    assert_eq!(server.max_concurrent_requests(), 4);
}

#[tokio::test]
async fn a_gateway_that_hangs_does_not_hold_up_a_long_list() {
    let server = Server::new(async |_| {
        tokio::time::sleep(Duration::from_mins(1)).await;
        with_status(200, "{}")
    });
    let settings = GatewaySettings { max_concurrency: 4, timeout: Duration::from_millis(300), ..server.settings() };
    let start = Instant::now();
    let answers = gateway(settings).query_if_available_each(&session_ids(1_000)).await;
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    assert_eq!(answers.len(), 1_000);
    assert!(answers.values().all(|answer| answer.state == GatewaySessionState::Unreachable));
    // Requests in flight when the fourth request in a row times out are still awaited.
    let request_count = server.requests().len();
    assert!((4..=8).contains(&request_count), "{request_count}");
    let pause_message =
        "The gateway did not answer the last 4 requests in time, so no request was sent. Try again in a few seconds.";
    let unasked = answers.values().filter(|answer| answer.detail.as_deref() == Some(pause_message)).count();
    assert_eq!(unasked, 1_000 - request_count);
}

#[tokio::test]
async fn one_session_that_hangs_does_not_keep_the_others_from_being_asked_about() {
    let hanging = session_ids(3);
    let server = Server::new(move |request| {
        let hangs = hanging.contains(&request.session());
        async move {
            if hangs {
                tokio::time::sleep(Duration::from_mins(1)).await;
            }
            "{\"status\":\"WORKING\"}".into_response()
        }
    });
    let settings = GatewaySettings { max_concurrency: 4, timeout: Duration::from_millis(300), ..server.settings() };
    let answers = gateway(settings).query_if_available_each(&session_ids(50)).await;
    let connected = answers.values().filter(|answer| answer.state == GatewaySessionState::Connected).count();
    assert_eq!((connected, server.requests().len()), (47, 50));
}
