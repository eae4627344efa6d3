//! Tests of the ticks of the cleanup schedule.

use api::cleanup::{self, ScheduledCleanup, TickOutcome};
use api::clock::Clock;
use api::db::pagination::PageRequest;
use api::db::{Database, DatabaseSettings};
use api::refusal::RefusalCode;
use api::worker::cron::CronTimes;
use chrono::{DateTime, TimeDelta, Utc};

use super::{block_sessions, create_run, finish, id, ids, impact_of, request, session_ids, skip_reasons, take_run};
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

fn tick_time() -> DateTime<Utc> {
    "2026-02-03T03:00:00Z".parse().unwrap()
}

fn plan(at_most: i64) -> ScheduledCleanup {
    ScheduledCleanup::new("PT24H".parse().unwrap(), at_most).unwrap()
}

async fn list_runs(database: &Database) -> Vec<cleanup::CleanupRun> {
    let page = cleanup::page(database, &PageRequest::first(100)).await.unwrap();
    page.rows.into_iter().map(|(_, run)| run).collect()
}

async fn a_tick_starts_one_run_however_many_processes_see_it(db: TestDb) {
    let database = db.database().await;
    let mut processes = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let database = Database::connect(db.settings()).await.unwrap();
        processes.spawn(async move { plan(1_512).tick(&database, tick_time()).await.unwrap() });
    }
    let outcomes = processes.join_all().await;
    let mut started_runs = outcomes.iter().filter_map(|outcome| match outcome {
        TickOutcome::Started(run) => Some(run),
        _ => None,
    });
    let run = started_runs.next().unwrap();
    assert!(started_runs.next().is_none(), "{outcomes:?}");
    assert_eq!(
        outcomes.iter().filter(|outcome| matches!(outcome, TickOutcome::StartedElsewhere)).count(),
        3,
        "{outcomes:?}"
    );
    assert_eq!(list_runs(database).await, [(**run).clone()]);
    assert_eq!(
        (run.started_by.as_str(), run.terms.reason.as_deref()),
        ("schedule", Some("scheduled for 2026-02-03T03:00:00Z"))
    );
    assert_eq!((run.sessions_total, run.terms.at_most), (9, Some(1_512)));
    assert!(!run.terms.allow_connected && !run.terms.allow_pending_messages);
    assert_eq!(finish(database, run.id, cleanup::BatchSize::default()).await.sessions_deleted, 9);
    // Neither a repeated tick of a slow clock nor the next day's tick finds anything to delete.
    for day in [0, 1] {
        let outcome = plan(1_512).tick(database, tick_time() + TimeDelta::days(day)).await.unwrap();
        assert!(matches!(outcome, TickOutcome::NothingToDo), "{outcome:?}");
    }
}

async fn a_tick_that_would_pass_the_ceiling_starts_nothing(db: TestDb) {
    let database = db.database().await;
    let before = db.everything().await;
    let outcome = plan(1_511).tick(database, tick_time()).await.unwrap();
    let TickOutcome::OverCeiling(refusal) = outcome else { panic!("{outcome:?}") };
    assert_eq!(refusal.code, RefusalCode::TooManyRows);
    assert_eq!(refusal.message, "1512 rows would be deleted, which is more than atMost (1511).");
    assert!(db.everything().await == before);
    // The outcome is not stored, so a higher ceiling takes effect at the same tick.
    let outcome = plan(1_512).tick(database, tick_time()).await.unwrap();
    assert!(matches!(outcome, TickOutcome::Started(_)), "{outcome:?}");
}

async fn a_tick_that_finds_nothing_starts_nothing(db: TestDb) {
    db.exec("UPDATE whatsapp_sessions SET phone_number = '+1' WHERE phone_number IS NULL").await;
    let before = db.everything().await;
    let outcome = plan(1_512).tick(db.database().await, tick_time()).await.unwrap();
    assert!(matches!(outcome, TickOutcome::NothingToDo), "{outcome:?}");
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
    let outcome = plan(100_000).tick(&database, now).await.unwrap();
    let TickOutcome::Started(run) = outcome else { panic!("{outcome:?}") };
    finish(&database, run.id, cleanup::BatchSize::default()).await;
    assert_eq!(session_ids(&db).await.len(), 6);
    assert_eq!(db.rows("SELECT session_name FROM whatsapp_sessions WHERE phone_number IS NULL").await, [["stale-1"]]);
}

async fn processes_that_do_not_agree_start_one_run(db: TestDb) {
    let database = db.database().await;
    let outcome = plan(2_000).tick(database, tick_time()).await.unwrap();
    assert!(matches!(outcome, TickOutcome::Started(_)), "{outcome:?}");
    let outcome = plan(3_000).tick(database, tick_time()).await.unwrap();
    let TickOutcome::Refused(refusals) = outcome else { panic!("{outcome:?}") };
    assert_eq!(refusals[0].code, RefusalCode::IdempotencyKeyReused);
    assert_eq!(
        refusals[0].message,
        "Another process has started this tick's cleanup with other settings: give all servers on this database the same \
         --cleanup-older-than (SESSION_ADMIN_CLEANUP_OLDER_THAN) and --cleanup-at-most (SESSION_ADMIN_CLEANUP_AT_MOST)."
    );
    assert_eq!(list_runs(database).await.len(), 1);
}

async fn a_tick_during_the_run_of_an_earlier_one_starts_nothing(db: TestDb) {
    let database = db.database().await;
    let outcome = plan(1_512).tick(database, tick_time()).await.unwrap();
    let TickOutcome::Started(run) = outcome else { panic!("{outcome:?}") };
    let next = tick_time() + TimeDelta::days(1);
    assert!(matches!(plan(1_512).tick(database, next).await.unwrap(), TickOutcome::UnderWay(id) if id == run.id));
    take_run(database, run.id, cleanup::BatchSize::default()).await.run_next_batch().await.unwrap();
    assert!(matches!(plan(1_512).tick(database, next).await.unwrap(), TickOutcome::UnderWay(id) if id == run.id));
    // An unfinished run of another principal does not stop the schedule.
    assert!(cleanup::cancel(database, run.id, "canceller").await.unwrap().run.is_some());
    let by_hand = create_run(database, &request()).await;
    let outcome = plan(1_512).tick(database, next).await.unwrap();
    assert!(matches!(outcome, TickOutcome::Started(_)), "{outcome:?}");
    assert_eq!(list_runs(database).await.iter().filter(|run| !run.status.has_finished()).count(), 2, "{by_hand:?}");
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
    let outcome = plan(others - 1).tick(database, tick_time()).await.unwrap();
    assert!(matches!(outcome, TickOutcome::OverCeiling(_)), "{outcome:?}");
    let outcome = plan(others).tick(database, tick_time()).await.unwrap();
    let TickOutcome::Started(run) = outcome else { panic!("{outcome:?}") };
    assert_eq!((run.sessions_to_go(), run.sessions_skipped), (8, 1));
    assert_eq!(skip_reasons(database, run.id).await, [(id(0), RefusalCode::PendingMessages)]);
    assert_eq!(finish(database, run.id, cleanup::BatchSize::default()).await.sessions_deleted, 8);
    let before = db.everything().await;
    let outcome = plan(1).tick(database, tick_time() + TimeDelta::days(1)).await.unwrap();
    let TickOutcome::AllStay(stay) = outcome else { panic!("{outcome:?}") };
    assert_eq!(
        stay.iter().map(|session| (session.session_id, session.code)).collect::<Vec<_>>(),
        [(id(0), RefusalCode::PendingMessages)]
    );
    assert!(db.everything().await == before);
}

async fn sessions_that_the_database_would_refuse_are_no_reason_either(db: TestDb) {
    let database = db.database().await;
    block_sessions(&db, &ids(0..9)).await;
    let before = db.everything().await;
    let outcome = plan(100_000).tick(database, tick_time()).await.unwrap();
    let TickOutcome::AllStay(stay) = outcome else { panic!("{outcome:?}") };
    assert_eq!(stay.len(), 9);
    assert!(stay.iter().all(|session| session.code == RefusalCode::BlockedByForeignKey), "{stay:?}");
    assert!(db.everything().await == before);
}

#[test]
fn an_age_below_an_hour_and_a_ceiling_below_one_row_are_refused() {
    for (age, at_most, part) in [("PT59M59S", 1, "PT59M59S"), ("PT0S", 1, "PT0S"), ("PT1H", 0, "at least 1")] {
        let error = ScheduledCleanup::new(age.parse().unwrap(), at_most).unwrap_err();
        assert_eq!(error.code(), "BAD_USER_INPUT");
        assert!(error.to_string().contains(part), "{error}");
    }
    ScheduledCleanup::new("PT1H".parse().unwrap(), 1).unwrap();
}

/// Returns the first three times of a cron expression after a time.
fn next_times(expression: &str, after: &str) -> Vec<String> {
    let mut now: DateTime<Utc> = after.parse().unwrap();
    let next = std::iter::from_fn(|| {
        now = CronTimes::read(expression, Clock::Fixed(now)).unwrap().next()?;
        Some(now.format("%a %F %R").to_string())
    });
    next.take(3).collect()
}

#[test]
fn expressions_are_what_cron_takes_them_for() {
    // This is a Sunday.
    let after = "2026-02-01T03:00:00Z";
    assert_eq!(
        next_times("0 3 * * *", after),
        ["Mon 2026-02-02 03:00", "Tue 2026-02-03 03:00", "Wed 2026-02-04 03:00"]
    );
    assert_eq!(
        next_times("*/30 1 * * *", after),
        ["Mon 2026-02-02 01:00", "Mon 2026-02-02 01:30", "Tue 2026-02-03 01:00"]
    );
    assert_eq!(
        next_times("0 3 * * 1", after),
        ["Mon 2026-02-02 03:00", "Mon 2026-02-09 03:00", "Mon 2026-02-16 03:00"]
    );
    assert_eq!(next_times("0 3 * * 7", after), next_times("0 3 * * SUN", after));
    // If both the day of the month and the weekday are given, either matches.
    assert_eq!(
        next_times("0 3 3 * 1", after),
        ["Mon 2026-02-02 03:00", "Tue 2026-02-03 03:00", "Mon 2026-02-09 03:00"]
    );
    assert_eq!(next_times("@weekly", after)[0], "Sun 2026-02-08 00:00");
    for wrong in ["x", "0 3 * *", "0 0 3 * * *", "60 3 * * *", "0 3 30 2 *", "0 3 * * 8", "every day"] {
        let error = CronTimes::read(wrong, Clock::System).unwrap_err();
        assert_eq!(error.code(), "BAD_USER_INPUT", "{wrong}");
        assert!(error.to_string().contains(&format!("(SESSION_ADMIN_CLEANUP_SCHEDULE) is {wrong:?}: ")), "{error}");
    }
}
