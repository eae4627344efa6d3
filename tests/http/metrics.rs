//! Tests of the endpoint `/metrics`.

use std::collections::{BTreeMap, BTreeSet};

use api::cleanup::{self, BatchSize, CleanupRequest, Criteria, RunExecutor};
use api::metrics::Tick;
use api::session::SessionStatus;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use chrono::DateTime;
use serde_json::json;

use super::app::{Answer, TestApp, json_post, request};
use crate::support::{Contents, TestDb, WithTerms as _, on_both};

const DOCUMENT: &str = include_str!("../../docs/reference/metrics.md");

async fn fetch_metrics(app: &TestApp) -> Answer {
    let answer = app.send(request("GET", "/metrics").body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    answer
}

fn assert_has_line(answer: &Answer, line: &str) {
    assert!(answer.body.lines().any(|has| has == line), "{line}\n{}", answer.body);
}

on_both!(Adopted:
    ticks_runs_deletions_and_sessions_are_counted,
    what_is_told_is_what_is_documented,
    the_database_is_asked_once_a_minute,
);
on_both!(AsBuilt: a_deployment_in_trouble_is_told_of);

async fn ticks_runs_deletions_and_sessions_are_counted(db: TestDb) {
    let before = fetch_metrics(&TestApp::over(db.clone()).await).await;
    assert_eq!(before.header("content-type"), Some("text/plain; version=0.0.4"));
    assert!(!before.body.contains("session_admin_schedule_last_tick_timestamp_seconds"), "{}", before.body);
    for line in [
        "session_admin_cleanup_runs{status=\"queued\"} 0",
        "session_admin_cleanup_runs_finished_total{status=\"failed\"} 0",
        "session_admin_stale_sessions 9",
        "session_admin_sessions{status=\"connected\"} 5",
        "session_admin_findings{accepted=\"false\",severity=\"error\"} 0",
    ] {
        assert_has_line(&before, line);
    }
    let app = TestApp::over(db).await;
    let run = cleanup::create_run(app.state.database(), None, &CleanupRequest::default()).await.unwrap().run.unwrap();
    let mut worker =
        RunExecutor::take(app.state.database().clone(), None, run.id, BatchSize::default()).await.unwrap().unwrap();
    while !worker.run_next_batch().await.unwrap().status.has_finished() {}
    let criteria = Criteria { statuses: vec![SessionStatus::Connected], has_phone_number: None, ..Criteria::default() };
    let connected = CleanupRequest { criteria, ..CleanupRequest::default() }.allow_connected().allow_pending_messages();
    assert!(cleanup::create_run(app.state.database(), None, &connected).await.unwrap().run.is_some());
    let moment = DateTime::from_timestamp(1_767_236_400, 0).unwrap();
    for tick in [Tick::Started, Tick::NothingToDo, Tick::NothingToDo, Tick::OverCeiling] {
        app.state.metrics().record_tick(moment, tick);
    }
    let after = fetch_metrics(&app).await;
    for line in [
        "session_admin_cleanup_runs_finished_total{status=\"succeeded\"} 1",
        "session_admin_cleanup_runs_finished_total{status=\"cancelled\"} 0",
        "session_admin_cleanup_runs{status=\"queued\"} 1",
        "session_admin_deletions_total 1",
        "session_admin_rows_deleted_total 1512",
        "session_admin_stale_sessions 0",
        "session_admin_sessions{status=\"connected\"} 5",
        "session_admin_schedule_last_tick_timestamp_seconds 1767236400",
        "session_admin_schedule_ticks_total{outcome=\"failed\"} 0",
        "session_admin_schedule_ticks_total{outcome=\"nothing_to_do\"} 2",
        "session_admin_schedule_ticks_total{outcome=\"over_ceiling\"} 1",
        "session_admin_schedule_ticks_total{outcome=\"started\"} 1",
        "session_admin_pool_connections_max 7",
    ] {
        assert_has_line(&after, line);
    }
}

/// The type and the labels of each metric by its name, without the label `le`.
type Told = BTreeMap<String, (String, BTreeSet<String>)>;

fn read_documented_metrics() -> Told {
    let rows = DOCUMENT.lines().filter_map(|line| line.strip_prefix("| `session_admin_"));
    rows.map(|row| {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let labels = cells[2].split(", ").map(|label| label.trim_matches('`').to_owned());
        let labels = labels.filter(|label| !label.is_empty()).collect();
        (format!("session_admin_{}", cells[0].trim_end_matches('`')), (cells[1].to_owned(), labels))
    })
    .collect()
}

fn parse_metrics(text: &str) -> Told {
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    types
        .map(|line| {
            let (name, kind) = line.split_once(' ').unwrap();
            let parts = ["", "_bucket", "_sum", "_count"].map(|part| format!("{name}{part}"));
            let is_of = |line: &&str| parts.iter().any(|part| line.split(['{', ' ']).next() == Some(part));
            let lines = text.lines().filter(is_of);
            let labels = lines.filter_map(|line| line.split_once('{')).flat_map(|(_, rest)| {
                let labels = rest.split_once('}').unwrap().0.split(',').map(|label| label.split_once('=').unwrap().0);
                labels.map(str::to_owned).collect::<Vec<_>>()
            });
            (name.to_owned(), (kind.to_owned(), labels.filter(|label| label != "le").collect()))
        })
        .collect()
}

async fn what_is_told_is_what_is_documented(db: TestDb) {
    let app = TestApp::over(db).await;
    app.data("{ __typename }", json!({})).await;
    app.state.metrics().record_tick(DateTime::from_timestamp(1, 0).unwrap(), Tick::Started);
    assert_eq!(parse_metrics(&fetch_metrics(&app).await.body), read_documented_metrics());
}

async fn the_database_is_asked_once_a_minute(db: TestDb) {
    let (database, statements) = db.counted().await;
    let app = TestApp::with(db, database);
    let first = fetch_metrics(&app).await;
    assert!(!statements.take().is_empty());
    app.db.exec("DELETE FROM whatsapp_sessions WHERE status = 'connected'").await;
    for _ in 0..3 {
        let again = fetch_metrics(&app).await;
        let line = |answer: &Answer| {
            answer
                .body
                .lines()
                .find(|line| line.starts_with("session_admin_counted_timestamp_seconds"))
                .unwrap()
                .to_owned()
        };
        assert_eq!(line(&again), line(&first));
        assert_has_line(&again, "session_admin_sessions{status=\"connected\"} 5");
    }
    assert_eq!(statements.take(), Vec::<String>::new());
}

/// Before `migrate`, the available metrics are reported, and the others are omitted.
async fn a_deployment_in_trouble_is_told_of(db: TestDb) {
    let answer = fetch_metrics(&TestApp::over(db).await).await;
    assert_has_line(&answer, "session_admin_stale_sessions 9");
    let errors = answer.body.lines().find_map(|line| {
        line.strip_prefix("session_admin_findings{accepted=\"false\",severity=\"error\"} ")?.parse::<u32>().ok()
    });
    assert!(errors.unwrap() > 0, "{}", answer.body);
    assert!(!answer.body.contains("session_admin_deletions_total"), "{}", answer.body);
}

#[tokio::test]
async fn operations_are_counted_by_field_and_code() {
    let app = TestApp::over(TestDb::sqlite(Contents::Adopted).await).await;
    let missing =
        "mutation { deleteSession(input: { id: \"00000000-0000-4000-8000-000000000000\" }) { userErrors { code } } }";
    for query in [
        "query Mine { sessions(first: 1) { totalCount } }",
        "{ ...All } fragment All on Query { sessions(first: 2) { totalCount } }",
        "{ sessions(first: 1) { totalCount } sessionStats { total } }",
        "{ sessions(first: -1) { totalCount } }",
        "{ madeUp }",
        missing,
    ] {
        app.post(query, json!({})).await;
    }
    app.send(json_post("{")).await;
    let answer = fetch_metrics(&app).await;
    for line in [
        "session_admin_operations_total{code=\"OK\",field=\"sessions\",kind=\"query\"} 2",
        "session_admin_operations_total{code=\"OK\",field=\"several\",kind=\"query\"} 1",
        "session_admin_operations_total{code=\"BAD_USER_INPUT\",field=\"sessions\",kind=\"query\"} 1",
        "session_admin_operations_total{code=\"BAD_USER_INPUT\",field=\"none\",kind=\"query\"} 1",
        "session_admin_operations_total{code=\"OK\",field=\"deleteSession\",kind=\"mutation\"} 1",
        "session_admin_operation_duration_seconds_count{field=\"deleteSession\",kind=\"mutation\"} 1",
        "session_admin_http_requests_total{method=\"POST\",route=\"/graphql\",status=\"200\"} 6",
        "session_admin_http_requests_total{method=\"POST\",route=\"/graphql\",status=\"400\"} 1",
        "session_admin_http_request_duration_seconds_count{route=\"/graphql\"} 7",
    ] {
        assert_has_line(&answer, line);
    }
}

#[tokio::test]
async fn names_that_clients_make_up_add_nothing() {
    let app = TestApp::without_data().await;
    let lines = async || fetch_metrics(&app).await.body.lines().filter(|line| line.contains("_total{")).count();
    let ask = async |name: String| {
        app.post(&format!("query {name} {{ {name} }}"), json!({})).await;
        app.post(&format!("query {name} {{ {name}: __typename }}"), json!({})).await;
        app.send(request("GET", &format!("/{name}")).body(Body::empty()).unwrap()).await;
        app.send(request(&name.to_uppercase(), "/graphql").body(Body::empty()).unwrap()).await;
    };
    ask("first".to_owned()).await;
    // A scrape is counted after its response.
    lines().await;
    let before = lines().await;
    for number in 0..20 {
        ask(format!("name{number}")).await;
    }
    assert_eq!(lines().await, before);
}

#[tokio::test]
async fn a_database_that_does_not_answer_leaves_its_numbers_out() {
    let db = TestDb::sqlite(Contents::Empty).await;
    let app = TestApp::over(db).await;
    let answer = fetch_metrics(&app).await;
    assert_has_line(&answer, "session_admin_schedule_ticks_total{outcome=\"failed\"} 0");
    assert!(!answer.body.contains("session_admin_deletions_total"), "{}", answer.body);
}

#[tokio::test]
async fn pages_may_not_read_them() {
    let app = TestApp::without_data().await;
    let request = Request::builder().uri("/metrics").header("host", "attacker.example").body(Body::empty()).unwrap();
    assert_eq!(app.send(request).await.status, StatusCode::FORBIDDEN);
}
