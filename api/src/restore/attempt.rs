//! Putting everything back, held against what was kept; or what is in the way.

use std::collections::BTreeSet;

use sea_orm::{DatabaseTransaction, TransactionTrait};

use super::archived_table::Entry;
use super::checks::side_effects::Witness;
use super::checks::{altered_rows, schema_drift};
use super::references::Lacking;
use super::{Conflict, conflict, postgres, sqlite};
use crate::db::{Database, Dialect};
use crate::deletion::refusals::counted;
use crate::deletion::{Deletion, broken_references};
use crate::error::Error;
use crate::impact::TableImpact;

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

/// One attempt to put back what a deletion took.
pub(super) struct Attempt<'a> {
    transaction: &'a DatabaseTransaction,
    db: &'a Database,
    deletion: &'a Deletion,
    entries: &'a [Entry],
    /// Tables with unlinked rows that were not kept, by the names that the entries' references have for them.
    lacking: Lacking,
    /// Every foreign key of SQLite's is compared.
    compare: bool,
}

impl<'a> Attempt<'a> {
    pub fn new(
        transaction: &'a DatabaseTransaction,
        db: &'a Database,
        (deletion, entries): (&'a Deletion, &'a [Entry]),
        compare: bool,
    ) -> Self {
        let lacks = |(schema, name): &&(String, String)| {
            let display = if schema == db.schema() { name.clone() } else { format!("{schema}.{name}") };
            kept_nowhere(entries, deletion).any(|table| db.dialect().same_name(&table.table, &display))
        };
        let references = entries.iter().flat_map(|entry| &entry.present).flat_map(|present| &present.references);
        let lacking = references.map(|reference| &reference.whole).filter(lacks).cloned().collect();
        Self { transaction, db, deletion, entries, lacking, compare }
    }

    /// Rows that were unlinked without a key to find them again.
    pub fn kept_nowhere(&self) -> i64 {
        kept_nowhere(self.entries, self.deletion).map(|table| table.rows_unlinked).sum()
    }

    /// Puts everything back, or says what is in the way; then nothing has been changed.
    pub async fn put_back(&self) -> Result<Result<PutBack, Vec<Conflict>>, Error> {
        let mut lost = Vec::new();
        for entry in self.entries {
            lost.extend(schema_drift::lost(self.transaction, self.db, entry).await?);
        }
        if !lost.is_empty() {
            return Ok(Err(lost));
        }
        let savepoint = self.transaction.begin().await?;
        let told = match self.try_to(&savepoint).await {
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
            conflict::all(self.transaction, self.db, self.deletion.id, (self.entries, &self.lacking)).await?;
        for entry in self.entries {
            found.extend(schema_drift::refused(self.transaction, self.db, entry).await?);
        }
        Ok(Err(if found.is_empty() { told } else { found }))
    }

    async fn try_to(&self, savepoint: &DatabaseTransaction) -> Result<(PutBack, Vec<Conflict>), Error> {
        let witness = Witness::before(savepoint, self.db, self.entries).await?;
        let (by_entry, mut conflicts) = match self.db.dialect() {
            Dialect::Postgres => (postgres::put_back(savepoint, self.entries, &self.lacking).await?, Vec::new()),
            Dialect::Sqlite => self.try_on_sqlite(savepoint).await?,
        };
        let done = PutBack::sum(&by_entry);
        if done.rows != self.deletion.rows_deleted {
            let rows = counted(self.deletion.rows_deleted, "row", "rows");
            let message = format!("Of {rows} only {} came back; look for triggers and rules on the tables.", done.rows);
            conflicts.push(conflict::whole("", message));
        }
        conflicts.extend(self.entries.iter().zip(&by_entry).filter_map(|(entry, done)| {
            let more = done.references_set > done.references;
            let message = "In it more references were set than were kept: its key no longer tells its rows apart.";
            more.then(|| conflict::whole(&entry.display, message.to_owned()))
        }));
        if conflicts.is_empty() {
            conflicts = witness.after(savepoint, self.db, self.entries, &by_entry).await?;
        }
        if conflicts.is_empty() {
            conflicts = altered_rows::rows(savepoint, self.db.dialect(), self.entries).await?;
        }
        Ok((done, conflicts))
    }

    /// SQLite looks at its foreign keys at COMMIT, too late to say what is in the way. Where it does not look at all, or
    /// nothing is committed, every one of them is compared.
    async fn try_on_sqlite(&self, savepoint: &DatabaseTransaction) -> Result<(Vec<PutBack>, Vec<Conflict>), Error> {
        let broken = if self.compare { broken_references(savepoint).await? } else { BTreeSet::new() };
        let done = sqlite::put_back(savepoint, self.entries, &self.lacking).await?;
        let wanted = (self.entries, &self.lacking);
        let mut conflicts = conflict::orphans(savepoint, self.db, self.deletion.id, wanted).await?;
        if self.compare && conflicts.is_empty() {
            let now = broken_references(savepoint).await?;
            let more = now.difference(&broken).map(|(table, ..)| table).collect::<BTreeSet<_>>();
            let rows =
                |table: &String| conflict::whole(table, "A row of it would refer to a row that is gone.".to_owned());
            conflicts.extend(more.into_iter().map(rows));
        }
        Ok((done, conflicts))
    }
}

/// The tables in which rows were unlinked without a key to find them again.
fn kept_nowhere<'a>(entries: &'a [Entry], deletion: &'a Deletion) -> impl Iterator<Item = &'a TableImpact> {
    let kept = |table: &TableImpact| entries.iter().any(|entry| entry.rows().is_none() && entry.display == table.table);
    deletion.tables.iter().filter(move |table| table.rows_unlinked > 0 && !kept(table))
}
