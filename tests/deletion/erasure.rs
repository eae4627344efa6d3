//! Tests that erasing a deletion removes its archived rows, and the personal data in its record, for good.

use std::path::Path;
use std::time::Duration;

use api::cleanup::{self, BatchSize, CleanupRequest, Criteria, RunExecutor};
use api::clock::Clock;
use api::db::{Database, DatabaseSettings};
use api::deletion;
use api::deletion::audit::query;
use api::deletion::{Deletion, DeletionStatus, ErasureOutcome};
use api::refusal::RefusalCode;
use api::restore::{self, RestoreRequest};
use chrono::TimeDelta;
use uuid::Uuid;

use super::{OTHER, STALE, count_archived_rows, count_archived_tables, count_session, delete_sessions, id, request};
use crate::support::{TestDb, WithTerms as _, on_both, only};

on_both!(Adopted:
    what_a_deletion_kept_goes_with_its_names_and_reason,
    a_deletion_is_erased_once,
    whatever_has_become_of_it_a_deletion_can_be_erased,
    a_run_loses_its_words_with_the_first_of_its_deletions,
    a_run_under_way_keeps_its_search_until_its_end,
);
only!(sqlite Adopted: nothing_of_it_stays_in_the_files, a_reader_keeps_the_log_but_not_the_rows);
only!(postgres Adopted: what_somebody_restores_just_now_is_not_erased);

async fn erase(database: &Database, deletion: Uuid) -> ErasureOutcome {
    deletion::erase(database, deletion, "eraser", &cleanup::RunErasure).await.unwrap()
}

async fn erase_archive(database: &Database, deletion: Uuid) -> Deletion {
    let outcome = erase(database, deletion).await;
    assert_eq!(outcome.refusals, []);
    outcome.deletion.unwrap()
}

/// Asserts that the erasure is refused and changes nothing, and returns the refusal's code.
async fn assert_erasure_refused(db: &TestDb, deletion: Uuid) -> RefusalCode {
    let before = db.everything().await;
    let outcome = erase(db.database().await, deletion).await;
    assert_eq!(outcome.refusals.len(), 1, "{outcome:?}");
    assert!(db.everything().await == before, "a refused erasure changed something");
    outcome.refusals[0].code
}

async fn restore(database: &Database, deletion_id: Uuid) -> restore::RestoreOutcome {
    let request = RestoreRequest { deletion_id, principal: "tester".to_owned(), ..RestoreRequest::default() };
    restore::restore(database, &request).await.unwrap()
}

async fn what_a_deletion_kept_goes_with_its_names_and_reason(db: TestDb) {
    let database = db.database().await;
    let other = delete_sessions(database, &request(OTHER)).await;
    let kept_by_other = count_archived_rows(&db).await;
    assert_eq!(kept_by_other, other.rows_deleted + other.rows_unlinked);
    let with_reason = request(STALE).reason("Ada asked");
    let deletion = delete_sessions(database, &with_reason).await;
    assert_eq!(count_archived_rows(&db).await, kept_by_other + deletion.rows_deleted + deletion.rows_unlinked);
    let erased = erase_archive(database, deletion.id).await;
    let session = deletion.sessions[0].clone();
    let expected = Deletion {
        status: DeletionStatus::Erased,
        reason: None,
        sessions: vec![deletion::DeletedSession { name: None, ..session }],
        erased_at: erased.erased_at,
        erased_by: Some("eraser".to_owned()),
        ..deletion.clone()
    };
    assert!(erased.erased_at >= Some(deletion.deleted_at), "{erased:?}");
    assert_eq!(erased, expected);
    assert_eq!(query::find(database, deletion.id).await.unwrap(), Some(expected));
    assert_eq!((count_archived_rows(&db).await, count_archived_tables(&db, deletion.id).await), (kept_by_other, 0));
    let refusals = restore(database, deletion.id).await.refusals;
    assert_eq!(refusals.iter().map(|refusal| refusal.code).collect::<Vec<_>>(), [RefusalCode::ArchiveGone]);
    // The other deletion is unchanged and can be restored.
    assert_eq!(query::find(database, other.id).await.unwrap(), Some(other.clone()));
    assert_eq!(restore(database, other.id).await.rows_restored, other.rows_deleted);
}

async fn a_deletion_is_erased_once(db: TestDb) {
    let deletion = delete_sessions(db.database().await, &request(STALE)).await;
    assert_eq!(assert_erasure_refused(&db, Uuid::nil()).await, RefusalCode::NotFound);
    erase_archive(db.database().await, deletion.id).await;
    assert_eq!(assert_erasure_refused(&db, deletion.id).await, RefusalCode::ArchiveGone);
}

async fn whatever_has_become_of_it_a_deletion_can_be_erased(db: TestDb) {
    let database = db.database().await;
    let not_kept = delete_sessions(database, &request(STALE).without_archive()).await;
    assert_eq!((not_kept.status, not_kept.restorable_until), (DeletionStatus::NotArchived, None));
    let expired = delete_sessions(database, &request(OTHER)).await;
    let back = delete_sessions(database, &request(6)).await;
    assert_eq!(restore(database, back.id).await.refusals, []);
    let rows_back = db.everything().await;
    let later = Clock::Fixed(database.settings().clock.now() + TimeDelta::days(31));
    let settings = DatabaseSettings { clock: later, ..db.settings() };
    let later = Database::connect(settings).await.unwrap();
    assert_eq!(query::find(&later, expired.id).await.unwrap().unwrap().status, DeletionStatus::Expired);
    for (deletion, status) in
        [(&not_kept, DeletionStatus::Erased), (&expired, DeletionStatus::Erased), (&back, DeletionStatus::Restored)]
    {
        let erased = erase_archive(&later, deletion.id).await;
        assert_eq!((erased.status, erased.erased_at), (status, Some(later.settings().clock.now())));
        assert_eq!((erased.reason, &erased.sessions[0].name), (None, &None));
        assert_eq!(assert_erasure_refused(&db, deletion.id).await, RefusalCode::ArchiveGone);
    }
    assert_eq!(count_archived_rows(&db).await, 0);
    // The restored rows are still in their tables.
    assert_eq!(count_session(&db, 6).await, "1");
    assert!(db.everything().await != rows_back);
}

/// Returns a request for a cleanup of the sessions with `stale-` in their names.
fn stale_cleanup_request() -> CleanupRequest {
    CleanupRequest {
        criteria: Criteria { search: Some("stale-".to_owned()), ..Criteria::default() },
        principal: "tester".to_owned(),
        ..CleanupRequest::default()
    }
    .reason("Ada asked")
}

async fn run_batches(database: &Database, run: Uuid) -> Vec<Deletion> {
    let filter = query::DeletionFilter { run_id: Some(run), ..query::DeletionFilter::default() };
    let page = query::page(database, &filter, &api::db::pagination::PageRequest::first(100)).await.unwrap();
    page.rows.into_iter().map(|(_, deletion)| deletion).collect()
}

async fn a_run_loses_its_words_with_the_first_of_its_deletions(db: TestDb) {
    let database = db.database().await;
    let mut runs = Vec::new();
    for _ in 0..2 {
        let run = cleanup::create_run(database, None, &stale_cleanup_request()).await.unwrap().run.unwrap();
        let mut worker =
            RunExecutor::take(database.clone(), None, run.id, BatchSize::with_row_budget(1)).await.unwrap().unwrap();
        while !worker.run_next_batch().await.unwrap().status.has_finished() {}
        runs.push(cleanup::find(database, run.id).await.unwrap().unwrap());
    }
    let [first, second] = [&runs[0], &runs[1]];
    let deletions = run_batches(database, first.id).await;
    assert!(deletions.len() > 1, "{deletions:?}");
    erase_archive(database, deletions[0].id).await;
    let mut blanked = first.clone();
    (blanked.criteria.search, blanked.terms.reason) = (None, None);
    assert_eq!(cleanup::find(database, first.id).await.unwrap(), Some(blanked));
    assert_eq!(cleanup::find(database, second.id).await.unwrap().as_ref(), Some(second));
    assert_eq!(run_batches(database, first.id).await[1..], deletions[1..]);
}

async fn a_run_under_way_keeps_its_search_until_its_end(db: TestDb) {
    let database = db.database().await;
    let run = cleanup::create_run(database, None, &stale_cleanup_request()).await.unwrap().run.unwrap();
    let mut worker =
        RunExecutor::take(database.clone(), None, run.id, BatchSize::with_row_budget(1)).await.unwrap().unwrap();
    while worker.run_next_batch().await.unwrap().sessions_deleted < 2 {}
    erase_archive(database, run_batches(database, run.id).await[0].id).await;
    let now = cleanup::find(database, run.id).await.unwrap().unwrap();
    assert_eq!((now.criteria, now.terms.reason), (run.criteria.clone(), run.terms.reason.clone()));
    deletion::expire(database, &cleanup::RunErasure).await.unwrap();
    worker.release().await.unwrap();
    // A session that no longer meets the criterion is not deleted, even after the erasure.
    db.exec("UPDATE whatsapp_sessions SET session_name = 'renamed' WHERE session_name LIKE 'stale-%'").await;
    let mut worker = RunExecutor::take(database.clone(), None, run.id, BatchSize::default()).await.unwrap().unwrap();
    while !worker.run_next_batch().await.unwrap().status.has_finished() {}
    let ended = cleanup::find(database, run.id).await.unwrap().unwrap();
    assert_eq!((ended.sessions_deleted, ended.sessions_skipped), (2, run.sessions_total - 2));
    assert_eq!(ended.criteria, run.criteria);
    deletion::expire(database, &cleanup::RunErasure).await.unwrap();
    let blanked = cleanup::find(database, run.id).await.unwrap().unwrap();
    assert_eq!((blanked.criteria.search, blanked.terms.reason), (None, None));
}

/// Returns how often a text occurs in the database's files.
fn count_in_files(db: &TestDb, text: &str) -> usize {
    let file = db.url().strip_prefix("sqlite://").unwrap();
    let folder = Path::new(file).parent().unwrap();
    let files = std::fs::read_dir(folder).unwrap().map(|entry| std::fs::read(entry.unwrap().path()).unwrap());
    files.map(|bytes| bytes.windows(text.len()).filter(|part| *part == text.as_bytes()).count()).sum()
}

const MARKER: &str = "Ada Lovelace +44 20 7946";

/// A session, one of its groups, an unlinked row and the reason contain the text. After the erasure it is neither in
/// the database file nor in the write-ahead log.
async fn nothing_of_it_stays_in_the_files(db: TestDb) {
    let of_session = format!("session_id = '{}'", id(STALE));
    db.exec(&format!(
        "UPDATE whatsapp_sessions SET session_name = 'session of {MARKER}' WHERE id = '{}'; \
         UPDATE whatsapp_groups SET group_name = 'group of {MARKER}' || group_name WHERE {of_session}; \
         UPDATE whatsapp_group_admins SET phone = 'admin {MARKER}' WHERE group_id IN \
         (SELECT id FROM whatsapp_groups WHERE {of_session}); PRAGMA wal_checkpoint(TRUNCATE)",
        id(STALE)
    ))
    .await;
    let before = count_in_files(&db, MARKER);
    assert!(before > 20, "{before}");
    let database = Database::connect(db.settings()).await.unwrap();
    let run = cleanup::create_run(
        &database,
        None,
        &CleanupRequest {
            criteria: Criteria { search: Some(MARKER.to_owned()), ..Criteria::default() },
            principal: "tester".to_owned(),
            ..CleanupRequest::default()
        }
        .reason(format!("{MARKER} asked")),
    )
    .await
    .unwrap()
    .run
    .unwrap();
    let mut worker = RunExecutor::take(database.clone(), None, run.id, BatchSize::default()).await.unwrap().unwrap();
    while !worker.run_next_batch().await.unwrap().status.has_finished() {}
    let deletions = run_batches(&database, run.id).await;
    assert_eq!(deletions.len(), 1, "{deletions:?}");
    assert!(deletions[0].rows_deleted > 20 && count_in_files(&db, MARKER) > before, "it is kept");
    let erased = erase_archive(&database, deletions[0].id).await;
    assert_eq!(erased.status, DeletionStatus::Erased);
    assert_eq!(count_in_files(&db, MARKER), 0, "it is somewhere yet");
    assert_eq!(db.rows("PRAGMA integrity_check").await, [["ok"]]);
}

/// A reader with an older snapshot needs the log. The erasure succeeds nevertheless, and the log is emptied later.
async fn a_reader_keeps_the_log_but_not_the_rows(db: TestDb) {
    let settings = DatabaseSettings { lock_timeout: Duration::from_millis(200), ..db.settings() };
    let database = Database::connect(settings).await.unwrap();
    let deletion = delete_sessions(&database, &request(STALE)).await;
    let mut reader = db.raw().await;
    reader.exec("BEGIN; SELECT count(*) FROM session_admin_archived_rows").await;
    assert_eq!(erase_archive(&database, deletion.id).await.status, DeletionStatus::Erased);
    assert_eq!(count_archived_rows(&db).await, 0);
    assert!(!database.truncate_wal().await.unwrap(), "there is a reader");
    reader.exec("ROLLBACK").await;
    deletion::expire(&database, &cleanup::RunErasure).await.unwrap();
    let log = format!("{}-wal", db.url().strip_prefix("sqlite://").unwrap());
    assert_eq!(std::fs::metadata(log).unwrap().len(), 0);
}

async fn what_somebody_restores_just_now_is_not_erased(db: TestDb) {
    let settings = DatabaseSettings { lock_timeout: Duration::from_millis(200), ..db.settings() };
    let database = Database::connect(settings).await.unwrap();
    let deletion = delete_sessions(&database, &request(STALE)).await;
    let mut restoring = db.raw().await;
    restoring
        .exec(&format!("BEGIN; SELECT 1 FROM session_admin.deletions WHERE id = '{}' FOR UPDATE", deletion.id))
        .await;
    let before = db.everything().await;
    let outcome = erase(&database, deletion.id).await;
    assert_eq!(outcome.refusals[0].code, RefusalCode::LockTimeout);
    assert!(db.everything().await == before);
    restoring.exec("ROLLBACK").await;
    erase_archive(&database, deletion.id).await;
}
