//! A gateway that is slow about some sessions: no other one goes because of that.

use std::time::Duration;

use api::cleanup::{CleanupRequest, RunStatus, ScheduledCleanup, TickOutcome};
use api::deletion;
use api::deletion::DeletionRequest;
use api::deletion::audit::query;
use api::gateway::{Gateway, GatewaySessionState, GatewaySettings};
use api::refusal::RefusalCode;
use axum::response::IntoResponse as _;

use super::cleanup::{cleaned, gone, skipped, stale, start};
use super::{Server, gateway, id};
use crate::support::{TestDb, on_both};

on_both!(Adopted:
    a_run_asks_about_each_session_however_slow_it_is_about_others,
    a_dry_run_and_a_tick_ask_about_each_as_well,
    one_deletion_asks_during_a_pause,
    a_gateway_that_answers_nothing_stops_no_run_and_is_asked_about_each,
);

/// It does not answer about these stale sessions in time, and says of the others that they are connected. After two
/// time-outs in a row it is left alone.
fn slow_about(slow: std::ops::Range<usize>) -> (Server, Gateway) {
    let server = Server::new(move |question| {
        let slow = slow.clone().any(|place| id(place) == question.session());
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
    let (server, gateway) = slow_about(0..5);
    let run = cleaned(&db, &gateway, &stale()).await;
    assert_eq!((run.status, run.sessions_deleted, run.sessions_skipped), (RunStatus::Succeeded, 5, 4));
    assert_eq!(gone(&db).await, [0, 1, 2, 3, 4]);
    let left = skipped(&db, run.id).await;
    assert!(left.iter().all(|left| left.code == RefusalCode::GatewayDisagrees), "{left:?}");
    assert_eq!(server.questions().len(), 9);
}

async fn a_dry_run_and_a_tick_ask_about_each_as_well(db: TestDb) {
    let (_server, gateway) = slow_about(0..5);
    let dry = start(&db, &gateway, &CleanupRequest { dry_run: true, ..stale() }).await;
    assert_eq!((dry.would_go.unwrap().session_count, dry.skipped.len()), (5, 4));
    let (_server, gateway) = slow_about(0..5);
    let plan = ScheduledCleanup::new("PT24H".parse().unwrap(), 100_000).unwrap().with_gateway(Some(gateway));
    let moment = "2026-02-03T03:00:00Z".parse().unwrap();
    let TickOutcome::Started(run) = plan.tick(db.database().await, moment).await.unwrap() else { panic!() };
    assert_eq!((run.sessions_to_go(), run.sessions_skipped), (5, 4));
}

async fn one_deletion_asks_during_a_pause(db: TestDb) {
    let (_server, gateway) = slow_about(0..5);
    // Whoever only looks finds out that it does not answer, and is told so of the others.
    let shown = gateway.query_if_available_each(&[id(0), id(1), id(2), id(3), id(8)]).await;
    assert!(shown.values().all(|said| said.state == GatewaySessionState::Unreachable), "{shown:?}");
    assert!(!shown[&id(8)].was_queried);
    let request = DeletionRequest { session_ids: vec![id(8)], principal: "tester".to_owned(), ..Default::default() };
    let outcome =
        deletion::delete(db.database().await, &request.with_gateway_states(Some(&gateway)).await).await.unwrap();
    assert_eq!(outcome.refusals[0].code, RefusalCode::GatewayDisagrees);
}

async fn a_gateway_that_answers_nothing_stops_no_run_and_is_asked_about_each(db: TestDb) {
    let (server, gateway) = slow_about(0..14);
    let run = cleaned(&db, &gateway, &stale()).await;
    assert_eq!((run.status, run.sessions_deleted), (RunStatus::Succeeded, 9));
    let filter = deletion::DeletionFilter { run_id: Some(run.id), ..deletion::DeletionFilter::default() };
    let made = query::page(db.database().await, &filter, &api::db::pagination::PageRequest::first(9)).await.unwrap();
    let said = made.rows.iter().flat_map(|(_, deletion)| &deletion.sessions).map(|session| session.gateway);
    assert!(said.clone().count() == 9 && said.clone().all(|said| said == Some(GatewaySessionState::Unreachable)));
    assert_eq!(server.questions().len(), 9);
}
