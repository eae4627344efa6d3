//! One restore, from lock to commit.

use std::collections::BTreeSet;

use sea_orm::{ConnectionTrait, DatabaseTransaction, TransactionTrait};

use super::entry::{self, Entry};
use super::relink::Lacking;
use super::witness::Witness;
use super::{Conflict, RestoreOutcome, RestoreRequest, altered, conflict, fit, later, on_postgres, on_sqlite, overdue};
use crate::db::{Database, Dialect, Writing};
use crate::deletion::batch::{self, Held};
use crate::deletion::refuse::{counted, lock_timeout};
use crate::deletion::{Deletion, DeletionStatus, archive, broken_references, enforce_foreign_keys, trail};
use crate::error::Error;
use crate::impact::TableImpact;
use crate::refusal::{Refusal, RefusalCode};

/// Of each kind so many conflicts are listed.
pub(super) const LISTED: usize = 1_000;

/// What was put back.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct PutBack {
    /// Rows.
    pub rows: i64,
    /// Rows with a reference set again.
    pub relinked: i64,
    /// References that were kept.
    pub references: i64,
    /// Those that were set again.
    pub references_set: i64,
}

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
    run: &Held,
) -> Result<Option<RestoreOutcome>, Error> {
    attempt(db, request, Some(run)).await
}

async fn attempt(db: &Database, request: &RestoreRequest, run: Option<&Held>) -> Result<Option<RestoreOutcome>, Error> {
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

impl PutBack {
    /// All entries together.
    fn sum(by_entry: &[Self]) -> Self {
        by_entry.iter().fold(Self::default(), |sum, entry| Self {
            rows: sum.rows + entry.rows,
            relinked: sum.relinked + entry.relinked,
            references: sum.references + entry.references,
            references_set: sum.references_set + entry.references_set,
        })
    }
}

impl Step<'_> {
    /// With the run's progress, where it is a batch of one; none where another worker has the run.
    async fn of_run(&self, run: Option<&Held>) -> Result<Option<RestoreOutcome>, Error> {
        let Some(held) = run else { return Ok(Some(self.run().await?)) };
        if batch::claim(self.transaction, self.db, held).await?.is_none() {
            return Ok(None);
        }
        let outcome = self.run().await?;
        if let Some(deletion) = outcome.deletion.as_ref().filter(|_| outcome.refusals.is_empty()) {
            batch::note_restored(self.transaction, self.db, held, deletion, outcome.rows_restored).await?;
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
        let overdue_messages = overdue::count(self.transaction, self.db, &entries).await?;
        let mut outcome = RestoreOutcome { overdue_messages, ..RestoreOutcome::default() };
        if overdue_messages > 0 && !self.request.allow_pending_messages {
            outcome.refusals.push(overdue_refused(overdue_messages));
        }
        let conflicts = match self.put_back(&entries, &deletion).await? {
            Ok(done) => {
                outcome.rows_restored = done.rows;
                outcome.rows_relinked = done.relinked;
                let kept_nowhere: i64 = kept_nowhere(&entries, &deletion).map(|table| table.rows_unlinked).sum();
                outcome.rows_not_relinked = done.references - done.references_set + kept_nowhere;
                later::unlinked_rows_taken(self.transaction, self.db, deletion.id, &entries).await?
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
            archive::on_postgres::pin(self.transaction).await?;
        }
        trail::find_in(self.transaction, self.db, id).await
    }

    /// The entries, with tables that nobody changes until the transaction ends.
    async fn entries(&self, deletion: &Deletion) -> Result<Vec<Entry>, Error> {
        let entries = entry::of_deletion(self.transaction, self.db, deletion.id).await?;
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
        entry::of_deletion(self.transaction, self.db, deletion.id).await
    }

    /// Puts everything back, or says what is in the way; then nothing has been changed.
    async fn put_back(&self, entries: &[Entry], deletion: &Deletion) -> Result<Result<PutBack, Vec<Conflict>>, Error> {
        let mut lost = Vec::new();
        for entry in entries {
            lost.extend(fit::lost(self.transaction, self.db, entry).await?);
        }
        if !lost.is_empty() {
            return Ok(Err(lost));
        }
        let savepoint = self.transaction.begin().await?;
        let told = match self.try_to(&savepoint, entries, deletion).await {
            Ok((done, conflicts)) if conflicts.is_empty() => {
                savepoint.commit().await?;
                return Ok(Ok(done));
            }
            Ok((_, conflicts)) => conflicts,
            Err(Error::Refused(said)) => vec![conflict::said(&said)],
            Err(error) if error.is_of_value() => {
                vec![conflict::whole("", format!("A kept value does not fit its column any more: {}.", error.said()))]
            }
            Err(error) => return Err(error),
        };
        savepoint.rollback().await?;
        let mut found =
            conflict::all(self.transaction, self.db, deletion.id, (entries, &self.lacking(entries, deletion))).await?;
        for entry in entries {
            found.extend(fit::refused(self.transaction, self.db, entry).await?);
        }
        Ok(Err(if found.is_empty() { told } else { found }))
    }

    async fn try_to(
        &self,
        savepoint: &DatabaseTransaction,
        entries: &[Entry],
        deletion: &Deletion,
    ) -> Result<(PutBack, Vec<Conflict>), Error> {
        let witness = Witness::before(savepoint, self.db, entries).await?;
        let (by_entry, mut conflicts) = match self.db.dialect() {
            Dialect::Postgres => {
                (on_postgres::put_back(savepoint, entries, &self.lacking(entries, deletion)).await?, Vec::new())
            }
            Dialect::Sqlite => self.try_on_sqlite(savepoint, entries, deletion).await?,
        };
        let done = PutBack::sum(&by_entry);
        if done.rows != deletion.rows_deleted {
            let rows = counted(deletion.rows_deleted, "row", "rows");
            let message = format!("Of {rows} only {} came back; look for triggers and rules on the tables.", done.rows);
            conflicts.push(conflict::whole("", message));
        }
        conflicts.extend(entries.iter().zip(&by_entry).filter_map(|(entry, done)| {
            let more = done.references_set > done.references;
            let message = "In it more references were set than were kept: its key no longer tells its rows apart.";
            more.then(|| conflict::whole(&entry.display, message.to_owned()))
        }));
        if conflicts.is_empty() {
            conflicts = witness.after(savepoint, self.db, entries, &by_entry).await?;
        }
        if conflicts.is_empty() {
            conflicts = altered::rows(savepoint, self.db.dialect(), entries).await?;
        }
        Ok((done, conflicts))
    }

    /// The tables whose unlinked rows were not kept, by the names that the entries' references have for them.
    fn lacking(&self, entries: &[Entry], deletion: &Deletion) -> Lacking {
        let lacks = |schema: &String, name: &String| {
            let display = if schema == self.db.schema() { name.clone() } else { format!("{schema}.{name}") };
            kept_nowhere(entries, deletion).any(|table| table.table == display)
        };
        let references = entries.iter().flat_map(|entry| &entry.present).flat_map(|present| &present.references);
        let tables = references.map(|reference| &reference.referenced);
        tables.filter(|(schema, name)| lacks(schema, name)).cloned().collect()
    }

    /// SQLite looks at its foreign keys at COMMIT, too late to say what is in the way. Where it does not look at all, or
    /// nothing is committed, every one of them is compared.
    async fn try_on_sqlite(
        &self,
        savepoint: &DatabaseTransaction,
        entries: &[Entry],
        deletion: &Deletion,
    ) -> Result<(Vec<PutBack>, Vec<Conflict>), Error> {
        let check = !self.enforce || self.request.dry_run;
        let broken = if check { broken_references(savepoint).await? } else { BTreeSet::new() };
        let lacking = self.lacking(entries, deletion);
        let done = on_sqlite::put_back(savepoint, entries, &lacking).await?;
        let mut conflicts = conflict::orphans(savepoint, self.db, deletion.id, (entries, &lacking)).await?;
        if check && conflicts.is_empty() {
            let now = broken_references(savepoint).await?;
            let more = now.difference(&broken).map(|(table, ..)| table).collect::<BTreeSet<_>>();
            let rows =
                |table: &String| conflict::whole(table, "A row of it would refer to a row that is gone.".to_owned());
            conflicts.extend(more.into_iter().map(rows));
        }
        Ok((done, conflicts))
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

/// The tables in which rows were unlinked without a key to find them again.
fn kept_nowhere<'a>(entries: &'a [Entry], deletion: &'a Deletion) -> impl Iterator<Item = &'a TableImpact> {
    let kept = |table: &TableImpact| entries.iter().any(|entry| entry.rows().is_none() && entry.display == table.table);
    deletion.tables.iter().filter(move |table| table.rows_unlinked > 0 && !kept(table))
}

fn refused(deletion: Option<Deletion>, refusal: Refusal) -> RestoreOutcome {
    RestoreOutcome { deletion, refusals: vec![refusal], ..RestoreOutcome::default() }
}

/// Why nothing is left to restore.
fn unfit(deletion: &Deletion) -> Option<Refusal> {
    let (code, message) = match deletion.status {
        DeletionStatus::Restorable => return None,
        DeletionStatus::Restored => {
            (RefusalCode::AlreadyRestored, "The deletion has been restored already.".to_owned())
        }
        DeletionStatus::Expired => (
            RefusalCode::ArchiveGone,
            "What the deletion took was kept until its time was over. It can no longer be restored.".to_owned(),
        ),
        DeletionStatus::Erased => {
            (RefusalCode::ArchiveGone, "What the deletion took has been erased. It cannot be restored.".to_owned())
        }
        DeletionStatus::NotArchived => {
            (RefusalCode::ArchiveGone, "Nothing of what the deletion took was kept. It cannot be restored.".to_owned())
        }
    };
    Some(Refusal::about("input.id", code, message))
}

fn overdue_refused(messages: i64) -> Refusal {
    let message = format!(
        "{} pending and overdue, and would be sent at once. Set allowPendingMessages if they are to be.",
        counted(messages, "message that would come back is", "messages that would come back are")
    );
    Refusal::about("input.allowPendingMessages", RefusalCode::PendingMessages, message)
}

fn conflicting(conflicts: Vec<Conflict>) -> RestoreOutcome {
    let counted = counted(i64::try_from(conflicts.len()).unwrap_or(i64::MAX), "conflict stands", "conflicts stand");
    let message = format!("{counted} in the way: nothing was restored. Mend what conflicts lists, then restore again.");
    let refusals = vec![Refusal::plain(RefusalCode::RestoreConflict, message)];
    RestoreOutcome { conflicts, refusals, ..RestoreOutcome::default() }
}
