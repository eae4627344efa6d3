//! One restore, from lock to commit.

use sea_orm::{ConnectionTrait, DatabaseTransaction};

use super::archived_table;
use super::archived_table::Entry;
use super::attempt::Attempt;
use super::checks::{later_deletions, overdue_messages};
use super::refusals::{conflicting, overdue_refused, refused, unfit};
use super::{RestoreOutcome, RestoreRequest, conflict};
use crate::db::{Database, Dialect, Writing};
use crate::deletion::audit::query;
use crate::deletion::commit_hook::CommitHook;
use crate::deletion::refusals::lock_timeout;
use crate::deletion::{Deletion, DeletionStatus, archive, enforce_foreign_keys};
use crate::error::Error;
use crate::refusal::{Refusal, RefusalCode};

/// Puts back every row of a deletion and every reference that it cleared, or does nothing and says why.
///
/// # Errors
/// What is not a refusal: [`Error::Unavailable`], [`Error::Timeout`], [`Error::MissingGrant`].
pub async fn restore(db: &Database, request: &RestoreRequest) -> Result<RestoreOutcome, Error> {
    match attempt(db, request, None).await {
        Err(Error::LockTimeout(source)) => {
            tracing::info!(%source, "a restore gave up waiting for a lock");
            Ok(RestoreOutcome { refusals: vec![lock_timeout("restore")], ..RestoreOutcome::default() })
        }
        // Only a batch of a run is ever left to somebody else.
        other => Ok(other?.unwrap_or_default()),
    }
}

/// The same as a batch of a run that restores; its progress is committed with it. None where another worker has the run.
///
/// # Errors
/// Those of [`restore`], and [`Error::LockTimeout`].
pub(crate) async fn restore_batch(
    db: &Database,
    request: &RestoreRequest,
    run: &dyn CommitHook,
) -> Result<Option<RestoreOutcome>, Error> {
    attempt(db, request, Some(run)).await
}

async fn attempt(
    db: &Database,
    request: &RestoreRequest,
    run: Option<&dyn CommitHook>,
) -> Result<Option<RestoreOutcome>, Error> {
    let enforce = enforce_foreign_keys(db).await?;
    let Writing { transaction, turn: _turn } = db.writing(enforce).await?;
    let step = Step { db, request, transaction: &transaction, enforce };
    match step.of_run(run).await {
        Ok(Some(outcome)) if outcome.refusals.is_empty() && !request.dry_run => {
            match transaction.commit().await.map_err(Error::from) {
                Ok(()) => Ok(Some(outcome)),
                // SQLite looks at the references that a trigger has made only now.
                Err(Error::Refused(said)) => Ok(Some(conflicting(vec![conflict::said(&said)]))),
                Err(error) => Err(error),
            }
        }
        other => {
            // The first error is the one to report.
            let _ = transaction.rollback().await;
            other
        }
    }
}

struct Step<'a> {
    db: &'a Database,
    request: &'a RestoreRequest,
    transaction: &'a DatabaseTransaction,
    /// SQLite looks at the foreign keys itself.
    enforce: bool,
}

impl Step<'_> {
    /// With the run's progress, where it is a batch of one; none where another worker has the run.
    async fn of_run(&self, run: Option<&dyn CommitHook>) -> Result<Option<RestoreOutcome>, Error> {
        let Some(run) = run else { return Ok(Some(self.run().await?)) };
        if run.begin(self.transaction).await?.is_none() {
            return Ok(None);
        }
        let outcome = self.run().await?;
        if let Some(deletion) = outcome.deletion.as_ref().filter(|_| outcome.refusals.is_empty()) {
            run.commit(self.transaction, deletion, outcome.rows_restored).await?;
        }
        Ok(Some(outcome))
    }

    async fn run(&self) -> Result<RestoreOutcome, Error> {
        let Some(deletion) = self.locked().await? else {
            let message = format!("No deletion has the id {}.", self.request.deletion_id);
            return Ok(refused(None, Refusal::about("input.id", RefusalCode::NotFound, message)));
        };
        if let Some(refusal) = unfit(&deletion) {
            return Ok(refused(Some(deletion), refusal));
        }
        let entries = self.entries(&deletion).await?;
        let overdue_messages = overdue_messages::count(self.transaction, self.db, &entries).await?;
        let mut outcome = RestoreOutcome { overdue_messages, ..RestoreOutcome::default() };
        if overdue_messages > 0 && !self.request.allow_pending_messages {
            outcome.refusals.push(overdue_refused(overdue_messages));
        }
        // SQLite looks at its foreign keys when it commits, if at all.
        let compare = !self.enforce || self.request.dry_run;
        let attempt = Attempt::new(self.transaction, self.db, (&deletion, &entries), compare);
        let conflicts = match attempt.put_back().await? {
            Ok(done) => {
                outcome.rows_restored = done.rows;
                outcome.rows_relinked = done.relinked;
                outcome.rows_not_relinked = done.references - done.references_set + attempt.kept_nowhere();
                later_deletions::unlinked_rows_taken(self.transaction, self.db, deletion.id, &entries).await?
            }
            Err(conflicts) => conflicts,
        };
        if !conflicts.is_empty() {
            let conflicting = conflicting(conflicts);
            outcome.refusals.extend(conflicting.refusals);
            outcome.conflicts = conflicting.conflicts;
        }
        if !outcome.refusals.is_empty() {
            (outcome.rows_restored, outcome.rows_relinked, outcome.rows_not_relinked) = (0, 0, 0);
        }
        outcome.deletion = Some(if outcome.refusals.is_empty() { self.mark(deletion).await? } else { deletion });
        Ok(outcome)
    }

    /// The deletion, which nobody else restores or erases until the transaction ends.
    async fn locked(&self) -> Result<Option<Deletion>, Error> {
        let (dialect, id) = (self.db.dialect(), self.request.deletion_id);
        if dialect == Dialect::Postgres {
            let lock =
                format!("SELECT 1 FROM {} WHERE id = CAST($1 AS uuid) FOR UPDATE", self.db.own_table("deletions"));
            self.transaction.execute_raw(dialect.statement(lock, [id.to_string().into()])).await?;
            archive::postgres::pin(self.transaction).await?;
        }
        query::find_in(self.transaction, self.db, id).await
    }

    /// The entries, with tables that nobody changes until the transaction ends.
    async fn entries(&self, deletion: &Deletion) -> Result<Vec<Entry>, Error> {
        let entries = archived_table::of_deletion(self.transaction, self.db, deletion.id).await?;
        if self.db.dialect() == Dialect::Sqlite {
            return Ok(entries);
        }
        let mut names: Vec<String> =
            entries.iter().filter_map(|entry| Some(entry.present.as_ref()?.relation(Dialect::Postgres))).collect();
        names.sort_unstable();
        names.dedup();
        if !names.is_empty() {
            let lock = format!("LOCK TABLE {} IN ROW EXCLUSIVE MODE", names.join(", "));
            self.transaction.execute_unprepared(&lock).await?;
        }
        archived_table::of_deletion(self.transaction, self.db, deletion.id).await
    }

    /// Writes down that the deletion has been restored.
    async fn mark(&self, deletion: Deletion) -> Result<Deletion, Error> {
        let dialect = self.db.dialect();
        let now = self.db.settings().clock.now();
        let sql = format!(
            "UPDATE {} SET status = 'RESTORED', restored_at = $2, restored_by = $3 WHERE id = {}",
            self.db.own_table("deletions"),
            dialect.uuid_parameter(1)
        );
        let values = [deletion.id.to_string().into(), dialect.time(now), self.request.principal.clone().into()];
        self.transaction.execute_raw(dialect.statement(sql, values)).await?;
        if self.request.dry_run {
            return Ok(deletion);
        }
        let restored_by = Some(self.request.principal.clone());
        Ok(Deletion { status: DeletionStatus::Restored, restored_at: Some(now), restored_by, ..deletion })
    }
}
