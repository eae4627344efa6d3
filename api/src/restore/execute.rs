//! The execution of one restore, from locking the deletion to the commit.

use sea_orm::{ConnectionTrait, DatabaseTransaction};

use super::archived_table::{self, ArchivedTable};
use super::attempt::{PutBackOutcome, RestoreAttempt, unarchived_rows, unarchived_tables};
use super::checks::{later_deletions, overdue_messages};
use super::conflict::database_conflict;
use super::context::RestoreContext;
use super::model::{RestoreOutcome, RestoreRequest};
use super::refusals::{self, conflict_outcome, refused};
use crate::db::{Database, Dialect, WriteTransaction};
use crate::deletion::audit::{query, record};
use crate::deletion::commit_hook::CommitHook;
use crate::deletion::refusals::lock_timeout;
use crate::deletion::{Deletion, archive, enforce_foreign_keys};
use crate::error::Error;
use crate::refusal::{Refusal, RefusalCode};

/// Restores every row of a deletion and every reference that it cleared, or changes nothing and returns the reasons.
///
/// # Errors
/// Returns the errors that are not refusals: [`Error::Unavailable`], [`Error::Timeout`], [`Error::MissingGrant`].
pub async fn restore(db: &Database, request: &RestoreRequest) -> Result<RestoreOutcome, Error> {
    match run_in_transaction(db, request, None).await {
        Err(Error::LockTimeout(source)) => {
            tracing::info!(target: "session_admin::restore", %source, "a restore gave up waiting for a lock");
            Ok(RestoreOutcome { refusals: vec![lock_timeout("restore")], ..RestoreOutcome::default() })
        }
        // Only a batch of a run can return `None`.
        other => Ok(other?.unwrap_or_default()),
    }
}

/// Restores a deletion as a batch of a restoring run and commits the run's progress with it.
///
/// Returns `None` if another worker holds the run.
///
/// # Errors
/// Returns the errors of [`restore`], and [`Error::LockTimeout`].
pub(crate) async fn restore_batch(
    db: &Database,
    request: &RestoreRequest,
    run: &dyn CommitHook,
) -> Result<Option<RestoreOutcome>, Error> {
    run_in_transaction(db, request, Some(run)).await
}

async fn run_in_transaction(
    db: &Database,
    request: &RestoreRequest,
    run: Option<&dyn CommitHook>,
) -> Result<Option<RestoreOutcome>, Error> {
    let enforce = enforce_foreign_keys(db).await?;
    let WriteTransaction { transaction, writer_guard: _writer_guard } = db.begin_write(enforce).await?;
    let restore_tx = RestoreTx { db, request, transaction: &transaction, enforce };
    match restore_tx.execute_for_run(run).await {
        Ok(Some(outcome)) if outcome.refusals.is_empty() && !request.dry_run => {
            match transaction.commit().await.map_err(Error::from) {
                Ok(()) => Ok(Some(outcome)),
                // SQLite checks references that a trigger has created only at COMMIT.
                Err(Error::Refused(message)) => Ok(Some(conflict_outcome(vec![database_conflict(&message)]))),
                Err(error) => Err(error),
            }
        }
        other => {
            // The first error is the one to report, so an error of the rollback is ignored.
            let _ = transaction.rollback().await;
            other
        }
    }
}

struct RestoreTx<'a> {
    db: &'a Database,
    request: &'a RestoreRequest,
    transaction: &'a DatabaseTransaction,
    /// Whether SQLite checks the foreign keys itself.
    enforce: bool,
}

impl RestoreTx<'_> {
    /// Executes the restore and records the progress of its run, if there is one. Returns `None` if another worker
    /// holds the run.
    async fn execute_for_run(&self, run: Option<&dyn CommitHook>) -> Result<Option<RestoreOutcome>, Error> {
        let Some(run) = run else { return Ok(Some(self.execute().await?)) };
        if run.begin(self.transaction).await?.is_none() {
            return Ok(None);
        }
        let outcome = self.execute().await?;
        if let Some(deletion) = outcome.deletion.as_ref().filter(|_| outcome.refusals.is_empty()) {
            run.commit(self.transaction, deletion, outcome.rows_restored).await?;
        }
        Ok(Some(outcome))
    }

    /// Restores the deletion, or returns the reasons why it cannot be restored. The caller ends the transaction.
    async fn execute(&self) -> Result<RestoreOutcome, Error> {
        let Some(deletion) = self.lock_deletion().await? else {
            let message = format!("No deletion has the id {}.", self.request.deletion_id);
            return Ok(refused(None, Refusal::for_field("input.id", RefusalCode::NotFound, message)));
        };
        if let Some(refusal) = refusals::not_restorable(&deletion) {
            return Ok(refused(Some(deletion), refusal));
        }
        let tables = self.lock_tables(&deletion).await?;
        let context = RestoreContext {
            tx: self.transaction,
            db: self.db,
            deletion_id: deletion.id,
            tables: &tables,
            unarchived_tables: &unarchived_tables(self.db, &deletion, &tables),
        };
        let overdue_messages = overdue_messages::count(&context).await?;
        let mut outcome = RestoreOutcome { overdue_messages, ..RestoreOutcome::default() };
        if overdue_messages > 0 && !self.request.allow_pending_messages {
            outcome.refusals.push(refusals::overdue_messages(overdue_messages));
        }
        // SQLite checks foreign keys at COMMIT, if at all.
        let compare_keys = !self.enforce || self.request.dry_run;
        let attempt = RestoreAttempt::new(context, &deletion, compare_keys);
        let conflicts = match attempt.put_back().await? {
            PutBackOutcome::Restored(counts) => {
                outcome.rows_restored = counts.rows;
                outcome.rows_relinked = counts.relinked;
                outcome.rows_not_relinked =
                    counts.references - counts.references_set + unarchived_rows(&deletion, &tables);
                later_deletions::deleted_unlinked_rows(&context).await?
            }
            PutBackOutcome::Blocked(conflicts) => conflicts,
        };
        if !conflicts.is_empty() {
            let blocked = conflict_outcome(conflicts);
            outcome.refusals.extend(blocked.refusals);
            outcome.conflicts = blocked.conflicts;
        }
        if !outcome.refusals.is_empty() {
            (outcome.rows_restored, outcome.rows_relinked, outcome.rows_not_relinked) = (0, 0, 0);
        }
        outcome.deletion =
            Some(if outcome.refusals.is_empty() { self.mark_restored(deletion).await? } else { deletion });
        Ok(outcome)
    }

    /// Loads the deletion and locks it against other restores and erasures until the transaction ends.
    async fn lock_deletion(&self) -> Result<Option<Deletion>, Error> {
        if self.db.dialect() == Dialect::Postgres {
            archive::postgres::pin_text_settings(self.transaction).await?;
        }
        query::find_locked(self.transaction, self.db, self.request.deletion_id).await
    }

    /// Loads the archived tables and locks the live ones against schema changes until the transaction ends.
    async fn lock_tables(&self, deletion: &Deletion) -> Result<Vec<ArchivedTable>, Error> {
        let tables = archived_table::load(self.transaction, self.db, deletion.id).await?;
        if self.db.dialect() == Dialect::Sqlite {
            return Ok(tables);
        }
        let mut names: Vec<String> =
            tables.iter().filter_map(|table| Some(table.live.as_ref()?.relation(Dialect::Postgres))).collect();
        names.sort_unstable();
        names.dedup();
        if !names.is_empty() {
            let lock = format!("LOCK TABLE {} IN ROW EXCLUSIVE MODE", names.join(", "));
            self.transaction.execute_unprepared(&lock).await?;
        }
        archived_table::load(self.transaction, self.db, deletion.id).await
    }

    /// Marks the deletion as restored and returns its new record. A dry run returns the record unchanged.
    async fn mark_restored(&self, deletion: Deletion) -> Result<Deletion, Error> {
        let principal = &self.request.principal;
        let restored = record::mark_restored(self.transaction, self.db, deletion.clone(), principal).await?;
        Ok(if self.request.dry_run { deletion } else { restored })
    }
}
