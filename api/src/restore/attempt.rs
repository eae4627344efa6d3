//! The attempt to restore a deletion in a savepoint, and the comparison of the result with the archive.

use std::collections::BTreeSet;

use sea_orm::TransactionTrait;

use super::archived_table::ArchivedTable;
use super::checks::side_effects::ChangeAudit;
use super::checks::{altered_rows, diagnose, schema_drift};
use super::conflict::{database_conflict, table_conflict};
use super::context::RestoreContext;
use super::model::Conflict;
use super::references::UnarchivedTables;
use super::row_counts::RestoredCounts;
use super::{postgres, sqlite};
use crate::db::{Database, Dialect};
use crate::deletion::{Deletion, broken_references};
use crate::error::Error;
use crate::impact::TableImpact;
use crate::wording::counted;

/// The outcome of an attempt to restore a deletion.
pub(super) enum PutBackOutcome {
    /// Everything was restored.
    Restored(RestoredCounts),
    /// Conflicts prevented the restore; nothing was changed.
    Blocked(Vec<Conflict>),
}

/// One attempt to restore a deletion.
pub(super) struct RestoreAttempt<'a> {
    context: RestoreContext<'a>,
    deletion: &'a Deletion,
    /// Whether to compare every foreign key before and after the restore. This applies to SQLite only.
    compare_keys: bool,
}

impl<'a> RestoreAttempt<'a> {
    pub const fn new(context: RestoreContext<'a>, deletion: &'a Deletion, compare_keys: bool) -> Self {
        Self { context, deletion, compare_keys }
    }

    /// Restores everything, or returns the conflicts and changes nothing.
    ///
    /// # Errors
    /// Returns every error that is not a conflict.
    pub async fn put_back(&self) -> Result<PutBackOutcome, Error> {
        let context = &self.context;
        let mut drift = Vec::new();
        for table in context.tables {
            drift.extend(schema_drift::schema_drift(context, table).await?);
        }
        if !drift.is_empty() {
            return Ok(PutBackOutcome::Blocked(drift));
        }
        let savepoint = context.tx.begin().await?;
        let result = self.restore_and_verify(&RestoreContext { tx: &savepoint, ..*context }).await;
        let reported = match result {
            Ok((counts, conflicts)) if conflicts.is_empty() => {
                savepoint.commit().await?;
                return Ok(PutBackOutcome::Restored(counts));
            }
            Ok((_, conflicts)) => conflicts,
            Err(Error::Refused(message)) => vec![database_conflict(&message)],
            Err(error) if error.is_data_exception() => {
                let message = format!("An archived value no longer fits its column: {}.", error.database_message());
                vec![table_conflict("", message)]
            }
            Err(error) => return Err(error),
        };
        savepoint.rollback().await?;
        let found = diagnose::all_conflicts(context).await?;
        Ok(PutBackOutcome::Blocked(if found.is_empty() { reported } else { found }))
    }

    /// Restores everything and returns the conflicts between the result and the archive.
    async fn restore_and_verify(&self, context: &RestoreContext<'_>) -> Result<(RestoredCounts, Vec<Conflict>), Error> {
        let audit = ChangeAudit::start(context).await?;
        let (by_table, mut conflicts) = match context.dialect() {
            Dialect::Postgres => (postgres::put_back(context).await?, Vec::new()),
            Dialect::Sqlite => self.restore_on_sqlite(context).await?,
        };
        let counts = RestoredCounts::sum(&by_table);
        if counts.rows != self.deletion.rows_deleted {
            let rows = counted(self.deletion.rows_deleted, "row", "rows");
            let message = format!(
                "Of {rows}, only {} could be restored; look for triggers and rules on the tables.",
                counts.rows
            );
            conflicts.push(table_conflict("", message));
        }
        conflicts.extend(context.tables.iter().zip(&by_table).filter_map(|(table, counts)| {
            let more = counts.references_set > counts.references;
            let message = "More references were set than archived: the table's key no longer identifies its rows.";
            more.then(|| table_conflict(&table.display, message.to_owned()))
        }));
        if conflicts.is_empty() {
            conflicts = audit.unexplained_changes(context, &by_table).await?;
        }
        if conflicts.is_empty() {
            conflicts = altered_rows::find(context).await?;
        }
        Ok((counts, conflicts))
    }

    /// Restores on SQLite, which checks foreign keys at COMMIT, too late to name the conflict.
    ///
    /// If SQLite does not check them or nothing is committed (`compare_keys`), all foreign keys are compared here.
    async fn restore_on_sqlite(
        &self,
        context: &RestoreContext<'_>,
    ) -> Result<(Vec<RestoredCounts>, Vec<Conflict>), Error> {
        let broken_before = if self.compare_keys { broken_references(context.tx).await? } else { BTreeSet::new() };
        let by_table = sqlite::put_back(context).await?;
        let mut conflicts = diagnose::missing_parents(context).await?;
        if self.compare_keys && conflicts.is_empty() {
            let broken = broken_references(context.tx).await?;
            let tables = broken.difference(&broken_before).map(|(table, ..)| table).collect::<BTreeSet<_>>();
            conflicts.extend(tables.into_iter().map(|table| {
                table_conflict(table, "A row of this table would refer to a row that no longer exists.".to_owned())
            }));
        }
        Ok((by_table, conflicts))
    }
}

/// Returns the tables with unlinked rows that were not archived, by the names that the foreign keys of the live tables
/// use.
pub(super) fn unarchived_tables(db: &Database, deletion: &Deletion, tables: &[ArchivedTable]) -> UnarchivedTables {
    let is_unarchived = |(schema, name): &&(String, String)| {
        let display = if schema == db.schema() { name.clone() } else { format!("{schema}.{name}") };
        unarchived(deletion, tables).any(|table| db.dialect().is_same_name(&table.table, &display))
    };
    let references = tables.iter().flat_map(|table| &table.live).flat_map(|live| &live.references);
    references.map(|reference| &reference.whole).filter(is_unarchived).cloned().collect()
}

/// Returns the number of rows that were unlinked but not archived. No key can find them again.
pub(super) fn unarchived_rows(deletion: &Deletion, tables: &[ArchivedTable]) -> i64 {
    unarchived(deletion, tables).map(|table| table.rows_unlinked).sum()
}

fn unarchived<'a>(deletion: &'a Deletion, tables: &'a [ArchivedTable]) -> impl Iterator<Item = &'a TableImpact> {
    let is_archived =
        |impact: &TableImpact| tables.iter().any(|table| table.rows().is_none() && table.display == impact.table);
    deletion.tables.iter().filter(move |impact| impact.rows_unlinked > 0 && !is_archived(impact))
}
