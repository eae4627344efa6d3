//! Tests of archives whose retention period has ended.

use api::cleanup;
use api::clock::Clock;
use api::db::{Database, DatabaseSettings, Dialect};
use api::deletion;
use api::deletion::audit::query;
use api::deletion::{Deletion, DeletionStatus, ExpiryCounts};
use api::refusal::RefusalCode;
use api::restore::{self, RestoreRequest};
use chrono::TimeDelta;
use uuid::Uuid;

use super::{LIVE, OTHER, STALE, count_archived_rows, count_archived_tables, delete_sessions, request};
use crate::support::wait::wait_until;
use crate::support::{TestDb, WithTerms as _, on_both, only};

on_both!(Adopted:
    what_is_over_is_marked_and_its_rows_go,
    what_has_been_restored_is_not_kept,
    without_days_nothing_is_kept,
    an_expiry_that_is_stopped_leaves_nothing_that_can_be_restored,
    several_servers_expire_the_same_archives,
);
only!(postgres Adopted: what_somebody_restores_just_now_waits);

/// Connects to the database with a clock that is this many days ahead.
async fn connect_days_later(db: &TestDb, days: i64) -> Database {
    let clock = Clock::Fixed(db.settings().clock.now() + TimeDelta::days(days));
    Database::connect(DatabaseSettings { clock, ..db.settings() }).await.unwrap()
}

async fn find_status(database: &Database, id: Uuid) -> DeletionStatus {
    query::find(database, id).await.unwrap().unwrap().status
}

/// Returns the status that is stored in the deletion's row.
async fn read_stored_status(db: &TestDb, id: Uuid) -> String {
    let table = db.dialect().internal_table("deletions");
    db.rows(&format!("SELECT status FROM {table} WHERE id = '{id}'")).await.remove(0).remove(0)
}

async fn restore(database: &Database, deletion_id: Uuid) -> restore::RestoreOutcome {
    let request = RestoreRequest { deletion_id, principal: "tester".to_owned(), ..RestoreRequest::default() };
    restore::restore(database, &request).await.unwrap()
}

/// Adds archived rows to those of a deletion: more than one transaction erases.
async fn add_archived_rows(db: &TestDb, deletion: &Deletion, rows: usize) {
    let (tables, archived_rows) =
        (db.dialect().internal_table("archived_tables"), db.dialect().internal_table("archived_rows"));
    let entry = format!("(SELECT min(id) FROM {tables} WHERE deletion_id = '{}')", deletion.id);
    db.exec(&match db.dialect() {
        Dialect::Postgres => {
            format!("INSERT INTO {archived_rows} SELECT {entry}, ARRAY[n::text] FROM generate_series(1, {rows}) n")
        }
        Dialect::Sqlite => format!(
            "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {rows}) \
             INSERT INTO {archived_rows} (table_id, v1) SELECT {entry}, n FROM n"
        ),
    })
    .await;
}

async fn what_is_over_is_marked_and_its_rows_go(db: TestDb) {
    let first = delete_sessions(db.database().await, &request(STALE)).await;
    assert_eq!(first.status, DeletionStatus::Restorable);
    assert_eq!(first.restorable_until, Some(first.deleted_at + TimeDelta::days(30)));
    let over = first.rows_deleted + first.rows_unlinked;
    let (soon, afterwards) = (connect_days_later(&db, 29).await, connect_days_later(&db, 31).await);
    let second = delete_sessions(&soon, &request(OTHER)).await;
    let before = db.everything().await;
    assert_eq!(deletion::expire(&soon, &cleanup::RunErasure).await.unwrap(), ExpiryCounts::default());
    assert!(db.everything().await == before, "nothing was over");
    // The row is not marked yet, but the archive has expired nevertheless.
    assert_eq!(find_status(&afterwards, first.id).await, DeletionStatus::Expired);
    assert_eq!(restore(&afterwards, first.id).await.refusals[0].code, RefusalCode::ArchiveGone);
    let expired = deletion::expire(&afterwards, &cleanup::RunErasure).await.unwrap();
    assert_eq!(expired, ExpiryCounts { deletions: 1, archives: 1, rows: over.unsigned_abs() });
    assert_eq!(
        (read_stored_status(&db, first.id).await.as_str(), read_stored_status(&db, second.id).await.as_str()),
        ("EXPIRED", "RESTORABLE")
    );
    assert_eq!(count_archived_rows(&db).await, second.rows_deleted + second.rows_unlinked);
    assert_eq!(count_archived_tables(&db, first.id).await, 0);
    // The record stays, including the names.
    let record = query::find(&afterwards, first.id).await.unwrap().unwrap();
    assert_eq!(record, Deletion { status: DeletionStatus::Expired, ..first });
    assert_eq!(deletion::expire(&afterwards, &cleanup::RunErasure).await.unwrap(), ExpiryCounts::default());
    assert_eq!(restore(&afterwards, second.id).await.refusals, []);
}

async fn what_has_been_restored_is_not_kept(db: TestDb) {
    let database = db.database().await;
    let deletion = delete_sessions(database, &request(STALE)).await;
    assert_eq!(restore(database, deletion.id).await.refusals, []);
    let rows = (deletion.rows_deleted + deletion.rows_unlinked).unsigned_abs();
    assert_eq!(
        deletion::expire(database, &cleanup::RunErasure).await.unwrap(),
        ExpiryCounts { deletions: 0, archives: 1, rows }
    );
    assert_eq!((count_archived_rows(&db).await, count_archived_tables(&db, deletion.id).await), (0, 0));
    assert_eq!(find_status(database, deletion.id).await, DeletionStatus::Restored);
    assert_eq!(restore(database, deletion.id).await.refusals[0].code, RefusalCode::AlreadyRestored);
}

async fn without_days_nothing_is_kept(db: TestDb) {
    let settings = DatabaseSettings { archive_retention: TimeDelta::zero(), ..db.settings() };
    let database = Database::connect(settings).await.unwrap();
    let deletion = delete_sessions(&database, &request(STALE)).await;
    assert_eq!((deletion.status, deletion.restorable_until), (DeletionStatus::NotArchived, None));
    let deletion = delete_sessions(db.database().await, &request(OTHER).without_archive()).await;
    assert_eq!((deletion.status, deletion.restorable_until), (DeletionStatus::NotArchived, None));
    assert_eq!(count_archived_rows(&db).await, 0);
    assert_eq!(restore(&database, deletion.id).await.refusals[0].code, RefusalCode::ArchiveGone);
}

async fn an_expiry_that_is_stopped_leaves_nothing_that_can_be_restored(db: TestDb) {
    let deletion = delete_sessions(db.database().await, &request(STALE)).await;
    add_archived_rows(&db, &deletion, 60_000).await;
    let all = count_archived_rows(&db).await;
    let afterwards = connect_days_later(&db, 31).await;
    let running = afterwards.clone();
    let running = tokio::spawn(async move { deletion::expire(&running, &cleanup::RunErasure).await });
    wait_until("it has begun", async || count_archived_rows(&db).await != all).await;
    running.abort();
    assert!(running.await.is_err(), "it ended before it could be stopped");
    let remaining = count_archived_rows(&db).await;
    assert!(0 < remaining && remaining < all, "{remaining} of {all}");
    // A server with a clock that is behind treats the archive as expired too.
    assert_eq!(read_stored_status(&db, deletion.id).await, "EXPIRED");
    assert_eq!(restore(db.database().await, deletion.id).await.refusals[0].code, RefusalCode::ArchiveGone);
    let rest = deletion::expire(&afterwards, &cleanup::RunErasure).await.unwrap();
    assert_eq!((rest.deletions, rest.archives), (0, 1));
    assert_eq!((count_archived_rows(&db).await, count_archived_tables(&db, deletion.id).await), (0, 0));
    assert!(rest.rows <= remaining.unsigned_abs(), "{rest:?} of {remaining}");
}

async fn several_servers_expire_the_same_archives(db: TestDb) {
    let allowed = |session| request(session).allow_connected().allow_pending_messages();
    let mut all = 0;
    for session in [STALE, OTHER, LIVE, 6, 5] {
        let deletion = delete_sessions(db.database().await, &allowed(session)).await;
        add_archived_rows(&db, &deletion, 11_000).await;
        all += deletion.rows_deleted + deletion.rows_unlinked + 11_000;
    }
    let servers =
        [connect_days_later(&db, 31).await, connect_days_later(&db, 31).await, connect_days_later(&db, 31).await];
    let [one, two, three] = servers.each_ref().map(|server| deletion::expire(server, &cleanup::RunErasure));
    let (one, two, three) = tokio::join!(one, two, three);
    let expired = [one.unwrap(), two.unwrap(), three.unwrap()];
    assert_eq!(expired.iter().map(|expired| expired.deletions).sum::<u64>(), 5, "{expired:?}");
    assert_eq!(expired.iter().map(|expired| expired.archives).sum::<u64>(), 5, "{expired:?}");
    assert_eq!(expired.iter().map(|expired| expired.rows).sum::<u64>(), all.unsigned_abs(), "{expired:?}");
    assert_eq!(
        (count_archived_rows(&db).await, db.count(&db.dialect().internal_table("archived_tables")).await),
        (0, 0)
    );
}

async fn what_somebody_restores_just_now_waits(db: TestDb) {
    let first = delete_sessions(db.database().await, &request(STALE)).await;
    let second = delete_sessions(db.database().await, &request(OTHER)).await;
    let mut restoring = db.raw().await;
    restoring.exec(&format!("BEGIN; SELECT 1 FROM session_admin.deletions WHERE id = '{}' FOR UPDATE", first.id)).await;
    let afterwards = connect_days_later(&db, 31).await;
    assert_eq!(deletion::expire(&afterwards, &cleanup::RunErasure).await.unwrap().deletions, 1);
    assert_eq!(
        (read_stored_status(&db, first.id).await.as_str(), read_stored_status(&db, second.id).await.as_str()),
        ("RESTORABLE", "EXPIRED")
    );
    assert_eq!(count_archived_rows(&db).await, first.rows_deleted + first.rows_unlinked);
    restoring.exec("ROLLBACK").await;
    assert_eq!(deletion::expire(&afterwards, &cleanup::RunErasure).await.unwrap().deletions, 1);
    assert_eq!(count_archived_rows(&db).await, 0);
}
