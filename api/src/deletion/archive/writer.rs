//! Opening the archive of a deletion: one entry in `archived_tables` for each table of which something is kept.

use std::collections::HashMap;

use sea_orm::{ConnectionTrait, DatabaseTransaction};
use serde_json::json;
use uuid::Uuid;

use super::layout::{References, Rows, WIDEST};
use super::postgres;
use crate::catalog::TableId;
use crate::db::{Database, Dialect};
use crate::deletion::row_counts::Done;
use crate::error::Error;
use crate::impact::Impact;
use crate::impact::sql::Sql;
use crate::impact::sql::changes::written;

/// Where the rows and the references of one deletion go: the entries in `archived_tables`.
#[derive(Debug, Default)]
pub(in crate::deletion) struct Archive {
    rows: HashMap<TableId, (i64, Rows)>,
    references: HashMap<TableId, (i64, References)>,
}

impl Archive {
    /// The entry that rows of a table go to, where it keeps any.
    pub fn rows(&self, table: TableId) -> Option<&(i64, Rows)> {
        self.rows.get(&table)
    }

    /// The entry that cleared references of a table go to, where it keeps any.
    pub fn references(&self, table: TableId) -> Option<&(i64, References)> {
        self.references.get(&table)
    }

    /// How many of the rows that went or were unlinked were not kept, if so many were.
    pub fn unkept(&self, done: &HashMap<TableId, Done>, kept: i64) -> i64 {
        let went = self.rows.keys().filter_map(|table| Some(done.get(table)?.deleted));
        let unlinked = self.references.keys().filter_map(|table| Some(done.get(table)?.unlinked));
        went.chain(unlinked).sum::<i64>() - kept
    }

    /// Makes the entries of the tables that the impact says something of. A row without a key cannot be found again, so
    /// what is cleared in it is not kept: [`TableImpact::restorable`](crate::impact::TableImpact) said so.
    pub async fn open(
        transaction: &DatabaseTransaction,
        db: &Database,
        deletion: Uuid,
        sql: &Sql<'_>,
        impact: &Impact,
    ) -> Result<Self, Error> {
        let mut archive = Self::default();
        for table in written(sql.plan) {
            let shown = impact.tables.iter().find(|shown| shown.table == sql.table(table).display);
            let Some(shown) = shown else { continue };
            if shown.rows_deleted > 0 {
                archive.rows.insert(table, (0, Rows::of(sql.table(table))));
            }
            if shown.rows_unlinked > 0
                && let Some(references) = References::of(sql, table)
            {
                archive.references.insert(table, (0, references));
            }
        }
        if db.dialect() == Dialect::Sqlite {
            archive.fits(sql)?;
        }
        archive.enter(transaction, db, deletion, sql).await?;
        if db.dialect() == Dialect::Postgres {
            postgres::pin(transaction).await?;
        }
        Ok(archive)
    }

    /// On SQLite a kept row is a row of so many columns and its entry's number.
    fn fits(&self, sql: &Sql<'_>) -> Result<(), Error> {
        let rows = self.rows.iter().map(|(&table, (_, layout))| (table, layout.columns.len()));
        let references = self.references.iter().map(|(&table, (_, layout))| (table, layout.width()));
        let Some((table, width)) = rows.chain(references).find(|&(_, width)| width > WIDEST) else {
            return Ok(());
        };
        let (name, most) = (&sql.table(table).display, WIDEST);
        Err(Error::Unsuitable(format!(
            "To restore a row of {name}, {width} values would have to be kept; on SQLite an archive keeps {most} at most. \
             Nothing was deleted; without an archive it can be (archive: false, --no-archive)."
        )))
    }

    /// Writes the entries, all in one statement, and takes in their numbers.
    async fn enter(
        &mut self,
        transaction: &DatabaseTransaction,
        db: &Database,
        deletion: Uuid,
        sql: &Sql<'_>,
    ) -> Result<(), Error> {
        let entry = |table: TableId, kind: &str, layout: serde_json::Value| {
            let found = sql.table(table);
            json!({ "kind": kind, "schema": found.schema, "name": found.name, "layout": layout })
        };
        let rows = self.rows.iter().map(|(&table, (_, layout))| entry(table, "ROWS", json!(layout)));
        let references = self.references.iter().map(|(&table, (_, layout))| entry(table, "REFERENCES", json!(layout)));
        let entries: Vec<_> = rows.chain(references).collect();
        let table = db.own_table("archived_tables");
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
            Some((table, _)) => Err(Error::Unsuitable(format!(
                "The archive has not taken in {}; look for triggers and rules on {}. Nothing was deleted.",
                sql.table(table).display,
                db.own_table("archived_tables")
            ))),
        }
    }
}
