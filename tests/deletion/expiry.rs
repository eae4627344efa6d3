//! Archives whose time is over.

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

use super::{LIVE, OTHER, STALE, deleted, entries_of, request, rows_kept};
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

/// The database so many days later.
async fn later(db: &TestDb, days: i64) -> Database {
    let clock = Clock::Fixed(db.settings().clock.now() + TimeDelta::days(days));
    Database::connect(DatabaseSettings { clock, ..db.settings() }).await.unwrap()
}

async fn status(database: &Database, id: Uuid) -> DeletionStatus {
    query::find(database, id).await.unwrap().unwrap().status
}

/// The word in the row itself.
async fn stored(db: &TestDb, id: Uuid) -> String {
    let table = db.dialect().internal_table("deletions");
    db.rows(&format!("SELECT status FROM {table} WHERE id = '{id}'")).await.remove(0).remove(0)
}

async fn restore(database: &Database, deletion_id: Uuid) -> restore::RestoreOutcome {
    let request = RestoreRequest { deletion_id, principal: "tester".to_owned(), ..RestoreRequest::default() };
    restore::restore(database, &request).await.unwrap()
}

/// More kept rows than a transaction erases, put beside those of a deletion.
async fn inflated(db: &TestDb, made: &Deletion, rows: usize) {
    let (tables, kept) = (db.dialect().internal_table("archived_tables"), db.dialect().internal_table("archived_rows"));
    let entry = format!("(SELECT min(id) FROM {tables} WHERE deletion_id = '{}')", made.id);
    db.exec(&match db.dialect() {
        Dialect::Postgres => {
            format!("INSERT INTO {kept} SELECT {entry}, ARRAY[n::text] FROM generate_series(1, {rows}) n")
        }
        Dialect::Sqlite => format!(
            "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {rows}) \
             INSERT INTO {kept} (table_id, v1) SELECT {entry}, n FROM n"
        ),
    })
    .await;
}

async fn what_is_over_is_marked_and_its_rows_go(db: TestDb) {
    let first = deleted(db.database().await, &request(STALE)).await;
    assert_eq!(first.status, DeletionStatus::Restorable);
    assert_eq!(first.restorable_until, Some(first.deleted_at + TimeDelta::days(30)));
    let over = first.rows_deleted + first.rows_unlinked;
    let (soon, afterwards) = (later(&db, 29).await, later(&db, 31).await);
    let second = deleted(&soon, &request(OTHER)).await;
    let before = db.everything().await;
    assert_eq!(deletion::expire(&soon, &cleanup::RunErasure).await.unwrap(), ExpiryCounts::default());
    assert!(db.everything().await == before, "nothing was over");
    // Nobody has marked it yet, and it is over nevertheless.
    assert_eq!(status(&afterwards, first.id).await, DeletionStatus::Expired);
    assert_eq!(restore(&afterwards, first.id).await.refusals[0].code, RefusalCode::ArchiveGone);
    let expired = deletion::expire(&afterwards, &cleanup::RunErasure).await.unwrap();
    assert_eq!(expired, ExpiryCounts { deletions: 1, archives: 1, rows: over.unsigned_abs() });
    assert_eq!(
        (stored(&db, first.id).await.as_str(), stored(&db, second.id).await.as_str()),
        ("EXPIRED", "RESTORABLE")
    );
    assert_eq!(rows_kept(&db).await, second.rows_deleted + second.rows_unlinked);
    assert_eq!(entries_of(&db, first.id).await, 0);
    // The record stays, names and all.
    let record = query::find(&afterwards, first.id).await.unwrap().unwrap();
    assert_eq!(record, Deletion { status: DeletionStatus::Expired, ..first });
    assert_eq!(deletion::expire(&afterwards, &cleanup::RunErasure).await.unwrap(), ExpiryCounts::default());
    assert_eq!(restore(&afterwards, second.id).await.refusals, []);
}

async fn what_has_been_restored_is_not_kept(db: TestDb) {
    let database = db.database().await;
    let made = deleted(database, &request(STALE)).await;
    assert_eq!(restore(database, made.id).await.refusals, []);
    let rows = (made.rows_deleted + made.rows_unlinked).unsigned_abs();
    assert_eq!(
        deletion::expire(database, &cleanup::RunErasure).await.unwrap(),
        ExpiryCounts { deletions: 0, archives: 1, rows }
    );
    assert_eq!((rows_kept(&db).await, entries_of(&db, made.id).await), (0, 0));
    assert_eq!(status(database, made.id).await, DeletionStatus::Restored);
    assert_eq!(restore(database, made.id).await.refusals[0].code, RefusalCode::AlreadyRestored);
}

async fn without_days_nothing_is_kept(db: TestDb) {
    let settings = DatabaseSettings { archive_retention: TimeDelta::zero(), ..db.settings() };
    let database = Database::connect(settings).await.unwrap();
    let made = deleted(&database, &request(STALE)).await;
    assert_eq!((made.status, made.restorable_until), (DeletionStatus::NotArchived, None));
    let made = deleted(db.database().await, &request(OTHER).without_archive()).await;
    assert_eq!((made.status, made.restorable_until), (DeletionStatus::NotArchived, None));
    assert_eq!(rows_kept(&db).await, 0);
    assert_eq!(restore(&database, made.id).await.refusals[0].code, RefusalCode::ArchiveGone);
}

async fn an_expiry_that_is_stopped_leaves_nothing_that_can_be_restored(db: TestDb) {
    let made = deleted(db.database().await, &request(STALE)).await;
    inflated(&db, &made, 60_000).await;
    let all = rows_kept(&db).await;
    let afterwards = later(&db, 31).await;
    let running = afterwards.clone();
    let running = tokio::spawn(async move { deletion::expire(&running, &cleanup::RunErasure).await });
    wait_until("it has begun", async || rows_kept(&db).await != all).await;
    running.abort();
    assert!(running.await.is_err(), "it ended before it could be stopped");
    let left = rows_kept(&db).await;
    assert!(0 < left && left < all, "{left} of {all}");
    // Not even by a server whose clock is behind.
    assert_eq!(stored(&db, made.id).await, "EXPIRED");
    assert_eq!(restore(db.database().await, made.id).await.refusals[0].code, RefusalCode::ArchiveGone);
    let rest = deletion::expire(&afterwards, &cleanup::RunErasure).await.unwrap();
    assert_eq!((rest.deletions, rest.archives), (0, 1));
    assert_eq!((rows_kept(&db).await, entries_of(&db, made.id).await), (0, 0));
    assert!(rest.rows <= left.unsigned_abs(), "{rest:?} of {left}");
}

async fn several_servers_expire_the_same_archives(db: TestDb) {
    let allowed = |session| request(session).allow_connected().allow_pending_messages();
    let mut all = 0;
    for session in [STALE, OTHER, LIVE, 6, 5] {
        let made = deleted(db.database().await, &allowed(session)).await;
        inflated(&db, &made, 11_000).await;
        all += made.rows_deleted + made.rows_unlinked + 11_000;
    }
    let servers = [later(&db, 31).await, later(&db, 31).await, later(&db, 31).await];
    let [one, two, three] = servers.each_ref().map(|server| deletion::expire(server, &cleanup::RunErasure));
    let (one, two, three) = tokio::join!(one, two, three);
    let expired = [one.unwrap(), two.unwrap(), three.unwrap()];
    assert_eq!(expired.iter().map(|expired| expired.deletions).sum::<u64>(), 5, "{expired:?}");
    assert_eq!(expired.iter().map(|expired| expired.archives).sum::<u64>(), 5, "{expired:?}");
    assert_eq!(expired.iter().map(|expired| expired.rows).sum::<u64>(), all.unsigned_abs(), "{expired:?}");
    assert_eq!((rows_kept(&db).await, db.count(&db.dialect().internal_table("archived_tables")).await), (0, 0));
}

async fn what_somebody_restores_just_now_waits(db: TestDb) {
    let first = deleted(db.database().await, &request(STALE)).await;
    let second = deleted(db.database().await, &request(OTHER)).await;
    let mut restoring = db.raw().await;
    restoring.exec(&format!("BEGIN; SELECT 1 FROM session_admin.deletions WHERE id = '{}' FOR UPDATE", first.id)).await;
    let afterwards = later(&db, 31).await;
    assert_eq!(deletion::expire(&afterwards, &cleanup::RunErasure).await.unwrap().deletions, 1);
    assert_eq!(
        (stored(&db, first.id).await.as_str(), stored(&db, second.id).await.as_str()),
        ("RESTORABLE", "EXPIRED")
    );
    assert_eq!(rows_kept(&db).await, first.rows_deleted + first.rows_unlinked);
    restoring.exec("ROLLBACK").await;
    assert_eq!(deletion::expire(&afterwards, &cleanup::RunErasure).await.unwrap().deletions, 1);
    assert_eq!(rows_kept(&db).await, 0);
}
