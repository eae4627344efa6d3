//! How often the gateway is asked, and how many questions it gets at the same time.

use std::time::{Duration, Instant};

use api::gateway::{GatewaySessionState, GatewaySettings};
use axum::response::IntoResponse as _;
use futures_util::future::join_all;
use serde_json::json;
use uuid::Uuid;

use super::{Server, gateway, id, said, with_status};

fn many(number: u128) -> Vec<Uuid> {
    (1..=number).map(Uuid::from_u128).collect()
}

/// A gateway that takes its time.
fn slow() -> Server {
    Server::new(async |_| {
        tokio::time::sleep(Duration::from_millis(50)).await;
        with_status(200, "{\"status\":\"WORKING\"}")
    })
}

#[tokio::test]
async fn an_answer_is_believed_for_a_while_and_says_when_it_was_given() {
    let server = Server::saying(json!({ "status": "WORKING" }));
    let gateway = gateway(GatewaySettings { cache_ttl: Duration::from_millis(400), ..server.settings() });
    let first = said(&gateway).await;
    assert_eq!(said(&gateway).await, first);
    assert_eq!(said(&gateway.clone()).await, first);
    assert_eq!(server.questions().len(), 1);
    tokio::time::sleep(Duration::from_millis(500)).await;
    let second = said(&gateway).await;
    assert!(second.checked_at > first.checked_at);
    assert_eq!(server.questions().len(), 2);
    gateway.query_if_available(id(1)).await;
    assert_eq!(server.questions().len(), 3);
}

#[tokio::test]
async fn a_cache_of_nothing_asks_every_time() {
    let server = Server::saying(json!({ "status": "WORKING" }));
    let gateway = gateway(GatewaySettings { cache_ttl: Duration::ZERO, ..server.settings() });
    for asked in 1..4 {
        said(&gateway).await;
        assert_eq!(server.questions().len(), asked);
    }
}

#[tokio::test]
async fn whoever_asks_about_the_same_session_at_once_gets_the_same_answer() {
    let server = slow();
    let gateway = server.gateway();
    let answers = join_all((0..20).map(|_| said(&gateway))).await;
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert_eq!(server.questions().len(), 1);
    // Somebody who goes away takes the answer from nobody.
    let given_up = tokio::time::timeout(Duration::from_millis(10), gateway.query_if_available(id(1)));
    let (given_up, waited_for) = tokio::join!(given_up, gateway.query_if_available(id(1)));
    assert!(given_up.is_err());
    assert_eq!(waited_for.state, GatewaySessionState::Connected);
}

#[tokio::test]
async fn sessions_are_asked_about_in_parallel_up_to_a_limit() {
    let server = slow();
    let gateway = gateway(GatewaySettings { max_concurrency: 4, ..server.settings() });
    let sessions = many(40);
    // Two pages at once share the limit.
    let (some, others) = sessions.split_at(20);
    let (some, others) = tokio::join!(gateway.query_if_available_each(some), gateway.query_if_available_each(others));
    assert_eq!((some.len(), others.len()), (20, 20));
    assert_eq!(server.asked_about(), sessions);
    assert_eq!(server.busiest(), 4);
}

#[tokio::test]
async fn a_gateway_that_hangs_does_not_hold_up_a_long_list() {
    let server = Server::new(async |_| {
        tokio::time::sleep(Duration::from_mins(1)).await;
        with_status(200, "{}")
    });
    let settings = GatewaySettings { max_concurrency: 4, timeout: Duration::from_millis(300), ..server.settings() };
    let begun = Instant::now();
    let answers = gateway(settings).query_if_available_each(&many(1_000)).await;
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    assert_eq!(answers.len(), 1_000);
    assert!(answers.values().all(|said| said.state == GatewaySessionState::Unreachable));
    // A question that is under way when the last of them is given up is still waited for.
    let asked = server.questions().len();
    assert!((4..=8).contains(&asked), "{asked}");
    let why = "The gateway did not answer the last 4 questions in time, and was not asked: try again in some seconds.";
    let unasked = answers.values().filter(|said| said.detail.as_deref() == Some(why)).count();
    assert_eq!(unasked, 1_000 - asked);
}

#[tokio::test]
async fn one_session_that_hangs_does_not_keep_the_others_from_being_asked_about() {
    let hanging = many(3);
    let server = Server::new(move |question| {
        let hangs = hanging.contains(&question.session());
        async move {
            if hangs {
                tokio::time::sleep(Duration::from_mins(1)).await;
            }
            "{\"status\":\"WORKING\"}".into_response()
        }
    });
    let settings = GatewaySettings { max_concurrency: 4, timeout: Duration::from_millis(300), ..server.settings() };
    let answers = gateway(settings).query_if_available_each(&many(50)).await;
    let connected = answers.values().filter(|said| said.state == GatewaySessionState::Connected).count();
    assert_eq!((connected, server.questions().len()), (47, 50));
}
