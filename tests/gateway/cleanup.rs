//! Tests of cleanups of sessions that the gateway does not know, and of sessions that the gateway's answer protects.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use api::cleanup::{
    self, BatchSize, CleanupOutcome, CleanupRequest, CleanupRun, Criteria, RunExecutor, RunStatus, ScheduledCleanup,
    SkippedSession, TickOutcome,
};
use api::db::pagination::PageRequest;
use api::deletion;
use api::deletion::audit::query;
use api::gateway::{Gateway, GatewaySessionState, GatewaySettings};
use api::refusal::RefusalCode;
use axum::response::IntoResponse as _;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use uuid::Uuid;

use super::{Server, gateway, id, unreachable_gateway, with_status};
use crate::http::app::TestApp;
use crate::support::{TestDb, WithTerms as _, on_both};

on_both!(Adopted:
    only_sessions_that_the_gateway_does_not_know_are_taken,
    a_preview_and_a_dry_run_are_of_those_that_it_does_not_know,
    a_limit_counts_those_that_it_does_not_know,
    a_gateway_that_cannot_be_reached_makes_no_session_missing,
    a_session_that_comes_back_to_the_gateway_before_its_batch_is_skipped,
    a_connected_session_is_skipped_whatever_the_criteria,
    without_a_gateway_the_criterion_is_wrong,
    a_run_is_not_gone_on_with_where_the_gateway_is_not_known,
    named_sessions_get_the_gateways_reason,
    a_tick_leaves_those_that_the_gateway_says_are_connected,
);

/// Returns a request for a cleanup of the sessions that are missing from the gateway. The stale sessions are the first
/// nine.
pub(super) fn missing_request() -> CleanupRequest {
    let criteria = Criteria { missing_from_gateway: true, ..Criteria::default() };
    CleanupRequest { criteria, principal: "tester".to_owned(), ..CleanupRequest::default() }
}

pub(super) fn stale_request() -> CleanupRequest {
    CleanupRequest { criteria: Criteria::default(), ..missing_request() }
}

/// Starts a gateway that does not know sessions 0 to 3, and answers differently about each other stale session.
pub(super) fn start_mixed_gateway() -> Server {
    Server::new(async |request| {
        let place = (0..14).find(|place| id(*place) == request.session()).unwrap();
        match place {
            0..4 => with_status(404, ""),
            4 => with_status(200, "{\"status\":\"WORKING\"}"),
            5 => with_status(200, "{\"status\":\"STOPPED\"}"),
            6 => with_status(500, ""),
            7 => "nonsense".into_response(),
            _ => with_status(200, "{\"instance\":{\"state\":\"connecting\"}}"),
        }
    })
}

pub(super) async fn create_run(db: &TestDb, gateway: &Gateway, request: &CleanupRequest) -> CleanupOutcome {
    cleanup::create_run(db.database().await, Some(gateway), request).await.unwrap()
}

async fn finish_run(db: &TestDb, gateway: &Gateway, run: Uuid) -> CleanupRun {
    let database = db.database().await.clone();
    let mut worker =
        RunExecutor::take(database, Some(gateway.clone()), run, BatchSize::default()).await.unwrap().unwrap();
    loop {
        let run = worker.run_next_batch().await.unwrap();
        if run.status.has_finished() {
            assert_eq!(run.sessions_total, run.sessions_deleted + run.sessions_skipped, "{run:?}");
            return run;
        }
    }
}

pub(super) async fn clean_up(db: &TestDb, gateway: &Gateway, request: &CleanupRequest) -> CleanupRun {
    finish_run(db, gateway, create_run(db, gateway, request).await.run.unwrap().id).await
}

pub(super) async fn find_skipped(db: &TestDb, run: Uuid) -> Vec<SkippedSession> {
    let page = cleanup::find_skipped(db.database().await, run, &PageRequest::first(100)).await.unwrap();
    let mut skipped: Vec<SkippedSession> = page.rows.into_iter().map(|(_, skipped)| skipped).collect();
    skipped.sort_by_key(|skipped| skipped.session_id);
    skipped
}

/// Returns the indexes in the scenario of the sessions that are deleted.
pub(super) async fn find_deleted_indexes(db: &TestDb) -> Vec<usize> {
    let remaining = db.rows("SELECT CAST(id AS text) FROM whatsapp_sessions").await.into_iter().flatten();
    let remaining: HashSet<Uuid> = remaining.map(|id| id.parse().unwrap()).collect();
    (0..14).filter(|place| !remaining.contains(&id(*place))).collect()
}

async fn only_sessions_that_the_gateway_does_not_know_are_taken(db: TestDb) {
    let server = start_mixed_gateway();
    let gateway = server.gateway();
    let run = clean_up(&db, &gateway, &missing_request()).await;
    assert_eq!((run.status, run.sessions_deleted, run.sessions_skipped), (RunStatus::Succeeded, 4, 5));
    assert_eq!(find_deleted_indexes(&db).await, [0, 1, 2, 3]);
    let skipped_sessions = find_skipped(&db, run.id).await;
    let reasons: Vec<(RefusalCode, &str)> =
        skipped_sessions.iter().map(|skipped| (skipped.code, skipped.message.as_str())).collect();
    let mut expected = [
        (
            id(4),
            RefusalCode::GatewayDisagrees,
            "According to the gateway, the session is connected. Disconnect it first, or set allowConnected.",
        ),
        (id(5), RefusalCode::NoLongerMatches, "The gateway knows the session: DISCONNECTED."),
        (
            id(6),
            RefusalCode::NoLongerMatches,
            "The gateway did not say whether it knows the session. The gateway answered 500 Internal Server Error.",
        ),
        (
            id(7),
            RefusalCode::NoLongerMatches,
            "The gateway did not say whether it knows the session. The gateway's answer is not JSON.",
        ),
        (id(8), RefusalCode::NoLongerMatches, "The gateway knows the session: CONNECTING."),
    ];
    expected.sort_by_key(|(session, ..)| *session);
    assert_eq!(reasons, expected.map(|(_, code, message)| (code, message)));
    let filter = deletion::DeletionFilter { run_id: Some(run.id), ..deletion::DeletionFilter::default() };
    let page = query::page(db.database().await, &filter, &PageRequest::first(9)).await.unwrap();
    let states = page.rows.iter().flat_map(|(_, deletion)| &deletion.sessions).map(|session| session.gateway);
    assert!(states.clone().count() == 4 && states.clone().all(|state| state == Some(GatewaySessionState::NotFound)));
    // Only the sessions that meet the other criteria are queried, each once while its answer is cached.
    let mut stale: Vec<Uuid> = (0..9).map(id).collect();
    stale.sort_unstable();
    assert_eq!(server.queried_sessions(), stale);
}

async fn a_preview_and_a_dry_run_are_of_those_that_it_does_not_know(db: TestDb) {
    let server = start_mixed_gateway();
    let gateway = server.gateway();
    let preview = cleanup::preview(db.database().await, Some(&gateway), &missing_request().criteria).await.unwrap();
    assert_eq!(preview.session_count, 4);
    let mut sample: Vec<Uuid> = preview.sample.iter().map(|session| session.id).collect();
    sample.sort_unstable();
    let mut expected: Vec<Uuid> = (0..4).map(id).collect();
    expected.sort_unstable();
    assert_eq!(sample, expected);
    let dry = create_run(&db, &gateway, &CleanupRequest { dry_run: true, ..missing_request() }).await;
    assert_eq!((dry.refusals, dry.run), (vec![], None));
    assert_eq!(dry.impact.unwrap().token, preview.impact.token);
    let expected_impact = Some(preview.impact.token);
    let outcome = create_run(&db, &gateway, &missing_request().expected_impact(expected_impact.clone())).await;
    assert_eq!(outcome.refusals, []);
    // The token belongs to the four missing sessions: without the criterion the impact is another.
    let outcome = create_run(&db, &gateway, &stale_request().expected_impact(expected_impact)).await;
    assert_eq!(outcome.refusals[0].code, RefusalCode::ImpactChanged);
    assert_eq!(find_deleted_indexes(&db).await, [0_usize; 0]);
}

async fn a_limit_counts_those_that_it_does_not_know(db: TestDb) {
    let server = start_mixed_gateway();
    let gateway = server.gateway();
    let limited = |limit: u32| {
        let criteria = Criteria { limit: Some(limit), ..missing_request().criteria };
        CleanupRequest { criteria, ..missing_request() }
    };
    let preview = cleanup::preview(db.database().await, Some(&gateway), &limited(3).criteria).await.unwrap();
    assert_eq!(preview.session_count, 3);
    let run = clean_up(&db, &gateway, &limited(3)).await;
    assert_eq!((run.status, run.sessions_deleted), (RunStatus::Succeeded, 3));
    let run = clean_up(&db, &gateway, &limited(3)).await;
    assert_eq!((run.status, run.sessions_deleted), (RunStatus::Succeeded, 1));
    assert_eq!(find_deleted_indexes(&db).await, [0, 1, 2, 3]);
}

async fn a_gateway_that_cannot_be_reached_makes_no_session_missing(db: TestDb) {
    let run = clean_up(&db, &unreachable_gateway(), &missing_request()).await;
    assert_eq!((run.status, run.sessions_deleted, run.sessions_skipped), (RunStatus::Succeeded, 0, 9));
    for skipped in find_skipped(&db, run.id).await {
        assert_eq!(skipped.code, RefusalCode::NoLongerMatches);
        let unknown = "The gateway did not say whether it knows the session. The gateway cannot be reached: ";
        assert!(skipped.message.starts_with(unknown) && !skipped.message.contains("hunter2"), "{}", skipped.message);
    }
    assert_eq!(find_deleted_indexes(&db).await, [0_usize; 0]);
}

/// The sessions that a gateway knows, each with its status.
type Known = Arc<Mutex<Vec<(Uuid, &'static str)>>>;

/// Starts a gateway whose known sessions a test can change, and a client that does not cache its answers.
pub(super) fn start_changeable_gateway(known: &[(Uuid, &'static str)]) -> (Server, Gateway, Known) {
    let known = Arc::new(Mutex::new(known.to_vec()));
    let shared = Arc::clone(&known);
    let server = Server::of_sessions(move |session| {
        shared.lock().unwrap().iter().find(|(known, _)| *known == session).map(|(_, status)| *status)
    });
    let gateway = gateway(GatewaySettings { cache_ttl: Duration::ZERO, ..server.settings() });
    (server, gateway, known)
}

async fn a_session_that_comes_back_to_the_gateway_before_its_batch_is_skipped(db: TestDb) {
    let (_server, gateway, known) = start_changeable_gateway(&[]);
    let run = create_run(&db, &gateway, &missing_request()).await.run.unwrap();
    assert_eq!((run.sessions_total, run.sessions_skipped), (9, 0));
    known.lock().unwrap().extend([(id(2), "WORKING"), (id(3), "SCAN_QR_CODE")]);
    let run = finish_run(&db, &gateway, run.id).await;
    assert_eq!((run.status, run.sessions_deleted, run.sessions_skipped), (RunStatus::Succeeded, 7, 2));
    assert_eq!(find_deleted_indexes(&db).await, [0, 1, 4, 5, 6, 7, 8]);
    let mut why: Vec<_> =
        find_skipped(&db, run.id).await.into_iter().map(|skipped| (skipped.session_id, skipped.code)).collect();
    why.sort_by_key(|(session, _)| *session);
    let mut expected = [(id(2), RefusalCode::GatewayDisagrees), (id(3), RefusalCode::NoLongerMatches)];
    expected.sort_by_key(|(session, _)| *session);
    assert_eq!(why, expected);
}

async fn a_connected_session_is_skipped_whatever_the_criteria(db: TestDb) {
    let (_server, gateway, _) = start_changeable_gateway(&[(id(1), "WORKING"), (id(2), "STOPPED")]);
    let run = clean_up(&db, &gateway, &stale_request()).await;
    assert_eq!((run.status, run.sessions_deleted, run.sessions_skipped), (RunStatus::Succeeded, 8, 1));
    let skipped_sessions = find_skipped(&db, run.id).await;
    assert_eq!((skipped_sessions[0].session_id, skipped_sessions[0].code), (id(1), RefusalCode::GatewayDisagrees));
    let run = clean_up(&db, &gateway, &stale_request().allow_connected()).await;
    assert_eq!((run.status, run.sessions_deleted), (RunStatus::Succeeded, 1));
}

async fn without_a_gateway_the_criterion_is_wrong(db: TestDb) {
    let app = TestApp::over(db).await;
    let expected = "missingFromGateway needs a gateway, and none is configured. Set --gateway-url \
                    (SESSION_ADMIN_GATEWAY_URL).";
    for query in [
        "{ cleanupPreview(criteria: { missingFromGateway: true }) { sessionCount } }",
        "mutation { cleanUpSessions(input: { criteria: { missingFromGateway: true } }) { userErrors { code } } }",
        "mutation { cleanUpSessions(input: { criteria: { missingFromGateway: true }, dryRun: false }) \
         { userErrors { code } } }",
    ] {
        assert_eq!(app.error(query, json!({})).await, ("BAD_USER_INPUT".to_owned(), expected.to_owned()));
    }
    // An omitted value, null and false are equivalent.
    for criteria in [json!({}), json!({ "missingFromGateway": null }), json!({ "missingFromGateway": false })] {
        let query = "query Q($criteria: CleanupCriteria!) { cleanupPreview(criteria: $criteria) { sessionCount } }";
        let preview = app.data(query, json!({ "criteria": criteria })).await;
        assert_eq!(preview["cleanupPreview"]["sessionCount"], 9);
    }
}

async fn a_run_is_not_gone_on_with_where_the_gateway_is_not_known(db: TestDb) {
    let (_server, gateway, _) = start_changeable_gateway(&[]);
    let run = create_run(&db, &gateway, &missing_request()).await.run.unwrap();
    let database = db.database().await.clone();
    let error = RunExecutor::take(database, None, run.id, BatchSize::default()).await.unwrap_err();
    assert_eq!(error.code(), "BAD_USER_INPUT");
    assert_eq!(find_deleted_indexes(&db).await, [0_usize; 0]);
    assert_eq!(finish_run(&db, &gateway, run.id).await.sessions_deleted, 9);
}

async fn named_sessions_get_the_gateways_reason(db: TestDb) {
    let (_server, gateway, _) = start_changeable_gateway(&[(id(1), "STOPPED")]);
    let unknown = Uuid::from_u128(7);
    let criteria = Criteria { ids: Some(vec![id(0), id(1), id(9), unknown]), ..missing_request().criteria };
    let run = clean_up(&db, &gateway, &CleanupRequest { criteria, ..missing_request() }).await;
    assert_eq!((run.sessions_total, run.sessions_deleted, run.sessions_skipped), (4, 1, 3));
    let skipped_sessions = find_skipped(&db, run.id).await;
    let skip_reason = |session: Uuid| {
        let skipped = skipped_sessions.iter().find(|skipped| skipped.session_id == session).unwrap();
        (skipped.code, skipped.message.as_str())
    };
    assert_eq!(skip_reason(id(1)), (RefusalCode::NoLongerMatches, "The gateway knows the session: DISCONNECTED."));
    let other = "The session was given by its id, but does not meet the other criteria.";
    assert_eq!(skip_reason(id(9)), (RefusalCode::NoLongerMatches, other));
    assert_eq!(skip_reason(unknown).0, RefusalCode::NotFound);
    // The run records the requested criteria.
    assert!(run.criteria.missing_from_gateway);
    let to_json = |criteria: &Criteria| serde_json::to_value(criteria).unwrap();
    assert_eq!(to_json(&run.criteria)["missingFromGateway"], true);
    assert_eq!(to_json(&Criteria::default()).get("missingFromGateway"), None);
}

async fn a_tick_leaves_those_that_the_gateway_says_are_connected(db: TestDb) {
    let (_server, gateway, known) = start_changeable_gateway(&[(id(0), "WORKING"), (id(1), "STOPPED")]);
    let plan = ScheduledCleanup::new("PT24H".parse().unwrap(), 100_000).unwrap().with_gateway(Some(gateway.clone()));
    let moment: DateTime<Utc> = "2026-02-03T03:00:00Z".parse().unwrap();
    let TickOutcome::Started(run) = plan.tick(db.database().await, moment).await.unwrap() else { panic!() };
    assert_eq!((run.sessions_to_go(), run.sessions_skipped), (8, 1));
    finish_run(&db, &gateway, run.id).await;
    assert_eq!(find_deleted_indexes(&db).await, [1, 2, 3, 4, 5, 6, 7, 8]);
    let before = db.everything().await;
    let TickOutcome::AllStay(stay) = plan.tick(db.database().await, moment + TimeDelta::days(1)).await.unwrap() else {
        panic!()
    };
    assert_eq!((stay.len(), stay[0].code), (1, RefusalCode::GatewayDisagrees));
    assert!(db.everything().await == before);
    known.lock().unwrap().clear();
    let ticked = plan.tick(db.database().await, moment + TimeDelta::days(2)).await.unwrap();
    assert!(matches!(ticked, TickOutcome::Started(_)), "{ticked:?}");
}
