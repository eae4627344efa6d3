//! What a tick of the schedule does.

use api::cleanup::{self, ScheduledCleanup, TickOutcome};
use api::clock::Clock;
use api::db::pagination::PageRequest;
use api::db::{Database, DatabaseSettings};
use api::refusal::RefusalCode;
use api::worker::cron::CronTimes;
use chrono::{DateTime, TimeDelta, Utc};

use super::{finish, id, ids, impact_of, keepers, request, sessions, started, why_skipped, worker_of};
use crate::support::{TestDb, on_both};

on_both!(Adopted:
    a_tick_starts_one_run_however_many_processes_see_it,
    a_tick_that_would_pass_the_ceiling_starts_nothing,
    a_tick_that_finds_nothing_starts_nothing,
    a_session_that_was_updated_lately_is_not_taken,
    processes_that_do_not_agree_start_one_run,
    a_tick_during_the_run_of_an_earlier_one_starts_nothing,
    sessions_that_may_not_go_count_neither_towards_the_ceiling_nor_as_a_reason,
    sessions_that_the_database_would_refuse_are_no_reason_either,
);

fn moment() -> DateTime<Utc> {
    "2026-02-03T03:00:00Z".parse().unwrap()
}

fn plan(at_most: i64) -> ScheduledCleanup {
    ScheduledCleanup::new("PT24H".parse().unwrap(), at_most).unwrap()
}

async fn runs(database: &Database) -> Vec<cleanup::CleanupRun> {
    let page = cleanup::page(database, &PageRequest::first(100)).await.unwrap();
    page.rows.into_iter().map(|(_, run)| run).collect()
}

async fn a_tick_starts_one_run_however_many_processes_see_it(db: TestDb) {
    let database = db.database().await;
    let mut processes = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let database = Database::connect(db.settings()).await.unwrap();
        processes.spawn(async move { plan(1_512).tick(&database, moment()).await.unwrap() });
    }
    let ticked = processes.join_all().await;
    let mut started = ticked.iter().filter_map(|ticked| match ticked {
        TickOutcome::Started(run) => Some(run),
        _ => None,
    });
    let run = started.next().unwrap();
    assert!(started.next().is_none(), "{ticked:?}");
    assert_eq!(ticked.iter().filter(|ticked| matches!(ticked, TickOutcome::StartedElsewhere)).count(), 3, "{ticked:?}");
    assert_eq!(runs(database).await, [(**run).clone()]);
    assert_eq!(
        (run.started_by.as_str(), run.terms.reason.as_deref()),
        ("schedule", Some("scheduled for 2026-02-03T03:00:00Z"))
    );
    assert_eq!((run.sessions_total, run.terms.at_most), (9, Some(1_512)));
    assert!(!run.terms.allow_connected && !run.terms.allow_pending_messages);
    assert_eq!(finish(database, run.id, cleanup::BatchSize::default()).await.sessions_deleted, 9);
    // The next day there is nothing left, and a clock that is late sees this one again.
    for day in [0, 1] {
        let ticked = plan(1_512).tick(database, moment() + TimeDelta::days(day)).await.unwrap();
        assert!(matches!(ticked, TickOutcome::NothingToDo), "{ticked:?}");
    }
}

async fn a_tick_that_would_pass_the_ceiling_starts_nothing(db: TestDb) {
    let database = db.database().await;
    let before = db.everything().await;
    let ticked = plan(1_511).tick(database, moment()).await.unwrap();
    let TickOutcome::OverCeiling(refusal) = ticked else { panic!("{ticked:?}") };
    assert_eq!(refusal.code, RefusalCode::TooManyRows);
    assert_eq!(refusal.message, "1512 rows would be deleted, which is more than atMost (1511).");
    assert!(db.everything().await == before);
    // It is not remembered: who raises the ceiling need not wait for another tick.
    let ticked = plan(1_512).tick(database, moment()).await.unwrap();
    assert!(matches!(ticked, TickOutcome::Started(_)), "{ticked:?}");
}

async fn a_tick_that_finds_nothing_starts_nothing(db: TestDb) {
    db.exec("UPDATE whatsapp_sessions SET phone_number = '+1' WHERE phone_number IS NULL").await;
    let before = db.everything().await;
    let ticked = plan(1_512).tick(db.database().await, moment()).await.unwrap();
    assert!(matches!(ticked, TickOutcome::NothingToDo), "{ticked:?}");
    assert!(db.everything().await == before);
}

async fn a_session_that_was_updated_lately_is_not_taken(db: TestDb) {
    let now: DateTime<Utc> = "2026-03-01T03:00:00Z".parse().unwrap();
    let settings = DatabaseSettings { clock: Clock::Fixed(now), ..db.settings() };
    let database = Database::connect(settings).await.unwrap();
    for (place, name, updated) in [(1, "stale-1", "2026-02-28 03:00:01"), (2, "stale-2", "2026-02-28 02:59:59")] {
        let changed = format!("UPDATE whatsapp_sessions SET updated_at = '{updated}' WHERE session_name = '{name}'");
        db.exec(&changed).await;
        assert_eq!(
            db.rows(&format!("SELECT 1 FROM whatsapp_sessions WHERE session_name = '{name}'")).await.len(),
            1,
            "{place}"
        );
    }
    let ticked = plan(100_000).tick(&database, now).await.unwrap();
    let TickOutcome::Started(run) = ticked else { panic!("{ticked:?}") };
    finish(&database, run.id, cleanup::BatchSize::default()).await;
    assert_eq!(sessions(&db).await.len(), 6);
    assert_eq!(db.rows("SELECT session_name FROM whatsapp_sessions WHERE phone_number IS NULL").await, [["stale-1"]]);
}

async fn processes_that_do_not_agree_start_one_run(db: TestDb) {
    let database = db.database().await;
    let ticked = plan(2_000).tick(database, moment()).await.unwrap();
    assert!(matches!(ticked, TickOutcome::Started(_)), "{ticked:?}");
    let ticked = plan(3_000).tick(database, moment()).await.unwrap();
    let TickOutcome::Refused(refusals) = ticked else { panic!("{ticked:?}") };
    assert_eq!(refusals[0].code, RefusalCode::IdempotencyKeyReused);
    assert_eq!(
        refusals[0].message,
        "Another process has started this tick's cleanup with other settings: give all servers on this database the same \
         --cleanup-older-than (SESSION_ADMIN_CLEANUP_OLDER_THAN) and --cleanup-at-most (SESSION_ADMIN_CLEANUP_AT_MOST)."
    );
    assert_eq!(runs(database).await.len(), 1);
}

async fn a_tick_during_the_run_of_an_earlier_one_starts_nothing(db: TestDb) {
    let database = db.database().await;
    let ticked = plan(1_512).tick(database, moment()).await.unwrap();
    let TickOutcome::Started(run) = ticked else { panic!("{ticked:?}") };
    let next = moment() + TimeDelta::days(1);
    assert!(matches!(plan(1_512).tick(database, next).await.unwrap(), TickOutcome::UnderWay(id) if id == run.id));
    worker_of(database, run.id, cleanup::BatchSize::default()).await.run_next_batch().await.unwrap();
    assert!(matches!(plan(1_512).tick(database, next).await.unwrap(), TickOutcome::UnderWay(id) if id == run.id));
    // Somebody else's run is no reason.
    assert!(cleanup::cancel(database, run.id, "canceller").await.unwrap().run.is_some());
    let by_hand = started(database, &request()).await;
    let ticked = plan(1_512).tick(database, next).await.unwrap();
    assert!(matches!(ticked, TickOutcome::Started(_)), "{ticked:?}");
    assert_eq!(runs(database).await.iter().filter(|run| !run.status.has_finished()).count(), 2, "{by_hand:?}");
}

async fn sessions_that_may_not_go_count_neither_towards_the_ceiling_nor_as_a_reason(db: TestDb) {
    let database = db.database().await;
    db.exec(&format!(
        "UPDATE scheduled_whatsapp_messages SET status = 'pending' WHERE CAST(id AS text) = (SELECT min(CAST(m.id AS text)) \
         FROM scheduled_whatsapp_messages m JOIN whatsapp_groups g ON g.id = m.group_id WHERE g.session_id = '{}')",
        id(0)
    ))
    .await;
    let others = impact_of(&db, &ids(1..9)).await.rows_deleted;
    assert!(others < 1_512);
    let ticked = plan(others - 1).tick(database, moment()).await.unwrap();
    assert!(matches!(ticked, TickOutcome::OverCeiling(_)), "{ticked:?}");
    let ticked = plan(others).tick(database, moment()).await.unwrap();
    let TickOutcome::Started(run) = ticked else { panic!("{ticked:?}") };
    assert_eq!((run.sessions_to_go(), run.sessions_skipped), (8, 1));
    assert_eq!(why_skipped(database, run.id).await, [(id(0), RefusalCode::PendingMessages)]);
    assert_eq!(finish(database, run.id, cleanup::BatchSize::default()).await.sessions_deleted, 8);
    let before = db.everything().await;
    let ticked = plan(1).tick(database, moment() + TimeDelta::days(1)).await.unwrap();
    let TickOutcome::AllStay(stay) = ticked else { panic!("{ticked:?}") };
    assert_eq!(
        stay.iter().map(|session| (session.session_id, session.code)).collect::<Vec<_>>(),
        [(id(0), RefusalCode::PendingMessages)]
    );
    assert!(db.everything().await == before);
}

async fn sessions_that_the_database_would_refuse_are_no_reason_either(db: TestDb) {
    let database = db.database().await;
    keepers(&db, &ids(0..9)).await;
    let before = db.everything().await;
    let ticked = plan(100_000).tick(database, moment()).await.unwrap();
    let TickOutcome::AllStay(stay) = ticked else { panic!("{ticked:?}") };
    assert_eq!(stay.len(), 9);
    assert!(stay.iter().all(|session| session.code == RefusalCode::BlockedByForeignKey), "{stay:?}");
    assert!(db.everything().await == before);
}

#[test]
fn an_age_below_an_hour_and_a_ceiling_below_one_row_are_refused() {
    for (age, at_most, named) in [("PT59M59S", 1, "PT59M59S"), ("PT0S", 1, "PT0S"), ("PT1H", 0, "at least 1")] {
        let error = ScheduledCleanup::new(age.parse().unwrap(), at_most).unwrap_err();
        assert_eq!(error.code(), "BAD_USER_INPUT");
        assert!(error.to_string().contains(named), "{error}");
    }
    ScheduledCleanup::new("PT1H".parse().unwrap(), 1).unwrap();
}

/// The first times of an expression after this moment.
fn times(expression: &str, after: &str) -> Vec<String> {
    let mut now: DateTime<Utc> = after.parse().unwrap();
    let next = std::iter::from_fn(|| {
        now = CronTimes::read(expression, Clock::Fixed(now)).unwrap().next()?;
        Some(now.format("%a %F %R").to_string())
    });
    next.take(3).collect()
}

#[test]
fn expressions_are_what_cron_takes_them_for() {
    // Sunday.
    let after = "2026-02-01T03:00:00Z";
    assert_eq!(times("0 3 * * *", after), ["Mon 2026-02-02 03:00", "Tue 2026-02-03 03:00", "Wed 2026-02-04 03:00"]);
    assert_eq!(times("*/30 1 * * *", after), ["Mon 2026-02-02 01:00", "Mon 2026-02-02 01:30", "Tue 2026-02-03 01:00"]);
    assert_eq!(times("0 3 * * 1", after), ["Mon 2026-02-02 03:00", "Mon 2026-02-09 03:00", "Mon 2026-02-16 03:00"]);
    assert_eq!(times("0 3 * * 7", after), times("0 3 * * SUN", after));
    // Either day will do.
    assert_eq!(times("0 3 3 * 1", after), ["Mon 2026-02-02 03:00", "Tue 2026-02-03 03:00", "Mon 2026-02-09 03:00"]);
    assert_eq!(times("@weekly", after)[0], "Sun 2026-02-08 00:00");
    for wrong in ["x", "0 3 * *", "0 0 3 * * *", "60 3 * * *", "0 3 30 2 *", "0 3 * * 8", "every day"] {
        let error = CronTimes::read(wrong, Clock::System).unwrap_err();
        assert_eq!(error.code(), "BAD_USER_INPUT", "{wrong}");
        assert!(error.to_string().contains(&format!("(SESSION_ADMIN_CLEANUP_SCHEDULE) is {wrong:?}: ")), "{error}");
    }
}
