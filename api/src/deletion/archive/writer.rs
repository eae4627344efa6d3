//! Opening the archive of a deletion: one entry in `archived_tables` for each table of which something is archived.

use std::collections::{BTreeMap, HashMap};

use sea_orm::{ConnectionTrait, DatabaseTransaction};
use serde_json::json;
use uuid::Uuid;

use super::layout::{MAX_WIDTH, ReferenceLayout, RowLayout};
use super::postgres;
use crate::catalog::TableId;
use crate::db::{Database, Dialect};
use crate::deletion::row_counts::TableRowCounts;
use crate::error::Error;
use crate::impact::Impact;
use crate::impact::sql::PlanSql;
use crate::impact::sql::changes::changed_tables;

/// The entries of one deletion's archive, to which its rows and references are written. An empty writer archives
/// nothing.
#[derive(Debug, Default)]
pub(in crate::deletion) struct ArchiveWriter {
    // Sorted, so that entries get their numbers in the same order each time.
    rows: BTreeMap<TableId, (i64, RowLayout)>,
    references: BTreeMap<TableId, (i64, ReferenceLayout)>,
}

impl ArchiveWriter {
    /// Returns the number and the layout of the entry for a table's deleted rows; none where they are not archived.
    pub fn rows(&self, table: TableId) -> Option<&(i64, RowLayout)> {
        self.rows.get(&table)
    }

    /// Returns the number and the layout of the entry for a table's cleared references; none where they are not
    /// archived.
    pub fn references(&self, table: TableId) -> Option<&(i64, ReferenceLayout)> {
        self.references.get(&table)
    }

    /// Returns how many rows were to be archived and were not, if `archived` rows were.
    pub fn unarchived_rows(&self, counts: &HashMap<TableId, TableRowCounts>, archived: i64) -> i64 {
        let deleted = self.rows.keys().filter_map(|table| Some(counts.get(table)?.deleted));
        let unlinked = self.references.keys().filter_map(|table| Some(counts.get(table)?.unlinked));
        deleted.chain(unlinked).sum::<i64>() - archived
    }

    /// Opens the archive of a deletion with an entry for each table that its impact changes.
    ///
    /// A row without a key cannot be found again, so its references are not archived;
    /// [`TableImpact::restorable`](crate::impact::TableImpact) says so beforehand.
    pub async fn open(
        transaction: &DatabaseTransaction,
        db: &Database,
        deletion: Uuid,
        sql: &PlanSql<'_>,
        impact: &Impact,
    ) -> Result<Self, Error> {
        let mut archive = Self::default();
        for table in changed_tables(sql.plan) {
            let previewed = impact.tables.iter().find(|previewed| previewed.table == sql.table(table).display);
            let Some(previewed) = previewed else { continue };
            if previewed.rows_deleted > 0 {
                archive.rows.insert(table, (0, RowLayout::from_table(sql.table(table))));
            }
            if previewed.rows_unlinked > 0
                && let Some(references) = ReferenceLayout::from_sql(sql, table)
            {
                archive.references.insert(table, (0, references));
            }
        }
        if db.dialect() == Dialect::Sqlite {
            archive.check_width(sql)?;
        }
        archive.insert_entries(transaction, db, deletion, sql).await?;
        if db.dialect() == Dialect::Postgres {
            postgres::pin_text_settings(transaction).await?;
        }
        Ok(archive)
    }

    /// Checks that every row fits into the archive's columns on SQLite.
    fn check_width(&self, sql: &PlanSql<'_>) -> Result<(), Error> {
        let rows = self.rows.iter().map(|(&table, (_, layout))| (table, layout.columns.len()));
        let references = self.references.iter().map(|(&table, (_, layout))| (table, layout.width()));
        let Some((table, width)) = rows.chain(references).find(|&(_, width)| width > MAX_WIDTH) else {
            return Ok(());
        };
        let name = &sql.table(table).display;
        Err(Error::IncompatibleDatabase(format!(
            "To restore a row of {name}, {width} values would have to be archived; on SQLite at most {MAX_WIDTH} can \
             be. Nothing was deleted; a deletion without an archive is possible (archive: false, --no-archive)."
        )))
    }

    /// Inserts the entries with one statement, and reads their numbers.
    async fn insert_entries(
        &mut self,
        transaction: &DatabaseTransaction,
        db: &Database,
        deletion: Uuid,
        sql: &PlanSql<'_>,
    ) -> Result<(), Error> {
        let entry = |table: TableId, kind: &str, layout: serde_json::Value| {
            let found = sql.table(table);
            json!({ "kind": kind, "schema": found.schema, "name": found.name, "layout": layout })
        };
        let rows = self.rows.iter().map(|(&table, (_, layout))| entry(table, "ROWS", json!(layout)));
        let references = self.references.iter().map(|(&table, (_, layout))| entry(table, "REFERENCES", json!(layout)));
        let entries: Vec<_> = rows.chain(references).collect();
        let table = db.internal_table("archived_tables");
        let insert = match db.dialect() {
            Dialect::Postgres => format!(
                "INSERT INTO {table} (deletion_id, kind, schema_name, table_name, layout) \
                 SELECT CAST($1 AS uuid), value ->> 'kind', value ->> 'schema', value ->> 'name', value -> 'layout' \
                 FROM jsonb_array_elements(CAST($2 AS jsonb)) AS listed(value) \
                 RETURNING id, kind, schema_name, table_name"
            ),
            Dialect::Sqlite => format!(
                "INSERT INTO {table} (deletion_id, kind, table_name, layout) \
                 SELECT $1, value ->> 'kind', value ->> 'name', value -> 'layout' FROM json_each($2) \
                 RETURNING id, kind, 'main' AS schema_name, table_name"
            ),
        };
        let values = [deletion.to_string().into(), json!(entries).to_string().into()];
        for row in transaction.query_all_raw(db.dialect().statement(insert, values)).await? {
            let (schema, name): (String, String) = (row.try_get("", "schema_name")?, row.try_get("", "table_name")?);
            let id: i64 = row.try_get("", "id")?;
            let Some(table) = sql.plan.graph.find(&schema, &name) else { continue };
            if row.try_get::<String>("", "kind")? == "ROWS" {
                self.rows.entry(table).and_modify(|(number, _)| *number = id);
            } else {
                self.references.entry(table).and_modify(|(number, _)| *number = id);
            }
        }
        let rows = self.rows.iter().map(|(&table, (number, _))| (table, *number));
        let mut numbers = rows.chain(self.references.iter().map(|(&table, (number, _))| (table, *number)));
        match numbers.find(|&(_, number)| number == 0) {
            None => Ok(()),
            Some((table, _)) => Err(Error::IncompatibleDatabase(format!(
                "The archive does not contain {}; look for triggers and rules on {}. Nothing was deleted.",
                sql.table(table).display,
                db.internal_table("archived_tables")
            ))),
        }
    }
}
