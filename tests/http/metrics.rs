//! `/metrics`.

use api::cleanup::{self, CleanupRequest, Pace, Worker};
use api::metrics::Tick;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use chrono::DateTime;

use super::app::{Answer, TestApp, request};
use crate::support::{Contents, TestDb, both};

async fn metrics(app: &TestApp) -> Answer {
    app.send(request("GET", "/metrics").body(Body::empty()).unwrap()).await
}

const AFTERWARDS: &str = "\
# HELP session_admin_cleanup_runs_finished_total Cleanup runs in the database that have finished, by their status.
# TYPE session_admin_cleanup_runs_finished_total counter
session_admin_cleanup_runs_finished_total{status=\"cancelled\"} 0
session_admin_cleanup_runs_finished_total{status=\"failed\"} 0
session_admin_cleanup_runs_finished_total{status=\"succeeded\"} 1
# HELP session_admin_deletions_total Deletions in the database's audit trail.
# TYPE session_admin_deletions_total counter
session_admin_deletions_total 1
# HELP session_admin_rows_deleted_total Rows that these deletions took, over all tables.
# TYPE session_admin_rows_deleted_total counter
session_admin_rows_deleted_total 1512
# HELP session_admin_schedule_last_tick_timestamp_seconds When this process saw the schedule's last tick, in seconds since \
1970; none before the first.
# TYPE session_admin_schedule_last_tick_timestamp_seconds gauge
session_admin_schedule_last_tick_timestamp_seconds 1767236400
# HELP session_admin_schedule_ticks_total Ticks of the schedule that this process has seen, by what came of them.
# TYPE session_admin_schedule_ticks_total counter
session_admin_schedule_ticks_total{outcome=\"failed\"} 0
session_admin_schedule_ticks_total{outcome=\"nothing_to_do\"} 2
session_admin_schedule_ticks_total{outcome=\"over_ceiling\"} 1
session_admin_schedule_ticks_total{outcome=\"started\"} 1
session_admin_schedule_ticks_total{outcome=\"started_elsewhere\"} 0
session_admin_schedule_ticks_total{outcome=\"under_way\"} 0
";

both!(Adopted: ticks_runs_and_deletions_are_counted);

async fn ticks_runs_and_deletions_are_counted(db: TestDb) {
    let app = TestApp::over(db).await;
    let answer = metrics(&app).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4"));
    assert!(!answer.body.contains("session_admin_schedule_last_tick_timestamp_seconds"), "{}", answer.body);
    assert!(answer.body.contains("\nsession_admin_cleanup_runs_finished_total{status=\"failed\"} 0\n"));
    let run = cleanup::start(app.state.database(), None, &CleanupRequest::default()).await.unwrap().run.unwrap();
    let mut worker = Worker::take(app.state.database().clone(), None, run.id, Pace::default()).await.unwrap().unwrap();
    while !worker.step().await.unwrap().status.has_finished() {}
    let moment = DateTime::from_timestamp(1_767_236_400, 0).unwrap();
    for tick in [Tick::Started, Tick::NothingToDo, Tick::NothingToDo, Tick::OverCeiling] {
        app.state.metrics().ticked(moment, tick);
    }
    assert_eq!(metrics(&app).await.body, AFTERWARDS);
}

#[tokio::test]
async fn a_database_that_does_not_answer_leaves_its_numbers_out() {
    let db = TestDb::sqlite(Contents::Empty).await;
    let app = TestApp::over(db).await;
    let answer = metrics(&app).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.body.contains("session_admin_schedule_ticks_total{outcome=\"failed\"} 0\n"), "{}", answer.body);
    assert!(!answer.body.contains("session_admin_deletions_total"), "{}", answer.body);
}

#[tokio::test]
async fn pages_may_not_read_them() {
    let app = TestApp::without_data().await;
    let request = Request::builder().uri("/metrics").header("host", "attacker.example").body(Body::empty()).unwrap();
    assert_eq!(app.send(request).await.status, StatusCode::FORBIDDEN);
}
