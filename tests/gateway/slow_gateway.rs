//! Tests that a gateway that is slow for some sessions does not cause other sessions to be deleted.

use std::time::Duration;

use api::cleanup::{CleanupRequest, RunStatus, ScheduledCleanup, TickOutcome};
use api::deletion;
use api::deletion::DeletionRequest;
use api::deletion::audit::query;
use api::gateway::{Gateway, GatewaySessionState, GatewaySettings};
use api::refusal::RefusalCode;
use axum::response::IntoResponse as _;

use super::cleanup::{clean_up, create_run, find_deleted_indexes, find_skipped, stale_request};
use super::{Server, gateway, id};
use crate::support::{TestDb, on_both};

on_both!(Adopted: one_deletion_asks_during_a_pause);
on_both!(long Adopted: a_run_asks_about_each_session_however_slow_it_is_about_others);
on_both!(long Adopted:
    a_gateway_that_answers_nothing_stops_no_run_and_is_asked_about_each,
    a_dry_run_and_a_tick_ask_about_each_as_well,
);

/// Starts a gateway that does not answer in time for these stale sessions, and reports the others as connected. Its
/// client pauses queries after two timeouts in a row.
fn start_gateway_slow_for(slow: std::ops::Range<usize>) -> (Server, Gateway) {
    let server = Server::new(move |request| {
        let slow = slow.clone().any(|place| id(place) == request.session());
        async move {
            if slow {
                tokio::time::sleep(Duration::from_mins(1)).await;
            }
            "{\"status\":\"WORKING\"}".into_response()
        }
    });
    let settings = GatewaySettings { max_concurrency: 2, timeout: Duration::from_millis(500), ..server.settings() };
    (server, gateway(settings))
}

async fn a_run_asks_about_each_session_however_slow_it_is_about_others(db: TestDb) {
    let (server, gateway) = start_gateway_slow_for(0..5);
    let run = clean_up(&db, &gateway, &stale_request()).await;
    assert_eq!((run.status, run.sessions_deleted, run.sessions_skipped), (RunStatus::Succeeded, 5, 4));
    assert_eq!(find_deleted_indexes(&db).await, [0, 1, 2, 3, 4]);
    let skipped_sessions = find_skipped(&db, run.id).await;
    assert!(
        skipped_sessions.iter().all(|skipped| skipped.code == RefusalCode::GatewayDisagrees),
        "{skipped_sessions:?}"
    );
    assert_eq!(server.requests().len(), 9);
}

async fn a_dry_run_and_a_tick_ask_about_each_as_well(db: TestDb) {
    let (_server, gateway) = start_gateway_slow_for(0..5);
    let dry = create_run(&db, &gateway, &CleanupRequest { dry_run: true, ..stale_request() }).await;
    assert_eq!((dry.would_go.unwrap().session_count, dry.skipped.len()), (5, 4));
    let (_server, gateway) = start_gateway_slow_for(0..5);
    let plan = ScheduledCleanup::new("PT24H".parse().unwrap(), 100_000).unwrap().with_gateway(Some(gateway));
    let moment = "2026-02-03T03:00:00Z".parse().unwrap();
    let TickOutcome::Started(run) = plan.tick(db.database().await, moment).await.unwrap() else { panic!() };
    assert_eq!((run.sessions_to_go(), run.sessions_skipped), (5, 4));
}

async fn one_deletion_asks_during_a_pause(db: TestDb) {
    let (_server, gateway) = start_gateway_slow_for(0..5);
    // A read-only query detects that the gateway does not answer, and reports the other sessions as unreachable.
    let states = gateway.query_if_available_each(&[id(0), id(1), id(2), id(3), id(8)]).await;
    assert!(states.values().all(|answer| answer.state == GatewaySessionState::Unreachable), "{states:?}");
    assert!(!states[&id(8)].was_queried);
    let request = DeletionRequest { session_ids: vec![id(8)], principal: "tester".to_owned(), ..Default::default() };
    let outcome =
        deletion::delete(db.database().await, &request.with_gateway_states(Some(&gateway)).await).await.unwrap();
    assert_eq!(outcome.refusals[0].code, RefusalCode::GatewayDisagrees);
}

async fn a_gateway_that_answers_nothing_stops_no_run_and_is_asked_about_each(db: TestDb) {
    let (server, gateway) = start_gateway_slow_for(0..14);
    let run = clean_up(&db, &gateway, &stale_request()).await;
    assert_eq!((run.status, run.sessions_deleted), (RunStatus::Succeeded, 9));
    let filter = deletion::DeletionFilter { run_id: Some(run.id), ..deletion::DeletionFilter::default() };
    let page = query::page(db.database().await, &filter, &api::db::pagination::PageRequest::first(9)).await.unwrap();
    let states = page.rows.iter().flat_map(|(_, deletion)| &deletion.sessions).map(|session| session.gateway);
    assert!(states.clone().count() == 9 && states.clone().all(|state| state == Some(GatewaySessionState::Unreachable)));
    assert_eq!(server.requests().len(), 9);
}
