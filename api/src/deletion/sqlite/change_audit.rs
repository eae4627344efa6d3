//! Comparing a deletion with SQLite's own counts of changes, to detect rows that triggers deleted or inserted.

use std::collections::HashMap;

use sea_orm::{ConnectionTrait, DatabaseTransaction};

use crate::catalog::TableId;
use crate::db::{Dialect, quote};
use crate::deletion::row_counts::TableRowCounts;
use crate::error::Error;
use crate::impact::plan::Source;
use crate::impact::sql::PlanSql;

/// The counts before a deletion, which are compared with those after it.
pub(in crate::deletion) enum ChangeAudit {
    /// The changes that the connection has made so far, cascades included. This is cheap, and enough where no trigger
    /// adds to them.
    Changes(i64),
    /// The rows of every table: a trigger may change any of them.
    RowCounts(HashMap<String, i64>),
    /// A key that follows a cleared key changes rows twice, and nothing tells these changes from others.
    Impossible,
}

impl ChangeAudit {
    /// Counts before anything is changed.
    pub async fn begin(
        transaction: &DatabaseTransaction,
        sql: &PlanSql<'_>,
        changing: &[TableId],
    ) -> Result<Self, Error> {
        if changing.iter().any(|&table| !sql.table(table).triggers.is_empty()) {
            return Ok(Self::RowCounts(rows(transaction).await?));
        }
        if sql.plan.edges.iter().any(|edge| matches!(edge.source, Source::Updated(_))) {
            return Ok(Self::Impossible);
        }
        Ok(Self::Changes(changes(transaction).await?))
    }

    /// Counts again, and returns the number of changed rows that `counts` does not explain.
    pub async fn unexplained_changes(
        self,
        transaction: &DatabaseTransaction,
        sql: &PlanSql<'_>,
        counts: &HashMap<TableId, TableRowCounts>,
    ) -> Result<i64, Error> {
        match self {
            Self::Impossible => Ok(0),
            Self::Changes(before) => {
                let own: i64 = counts.values().map(|counts| counts.deleted + counts.unlinked).sum();
                Ok((changes(transaction).await? - before - own).abs())
            }
            Self::RowCounts(before) => {
                let now = rows(transaction).await?;
                let unexplained = before.iter().map(|(name, rows)| {
                    let lost = rows - now.get(name).copied().unwrap_or_default();
                    let table = sql.plan.graph.find("main", name);
                    let own = table.and_then(|table| counts.get(&table)).map_or(0, |counts| counts.deleted);
                    // A table that the deletion does not delete from may grow: a trigger may write a log.
                    if own == 0 { lost.max(0) } else { (lost - own).abs() }
                });
                Ok(unexplained.sum())
            }
        }
    }
}

/// Returns the number of rows that the connection has changed so far, those of triggers and cascades included.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Timeout`].
pub(crate) async fn changes(transaction: &DatabaseTransaction) -> Result<i64, Error> {
    let row = transaction.query_one_raw(Dialect::Sqlite.statement("SELECT total_changes() AS changes", [])).await?;
    Ok(row.map(|row| row.try_get("", "changes")).transpose()?.unwrap_or_default())
}

/// Returns the number of rows of each table of the file, by the table's name.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Timeout`].
pub(crate) async fn rows(transaction: &DatabaseTransaction) -> Result<HashMap<String, i64>, Error> {
    let tables = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
    let mut names: Vec<String> = Vec::new();
    for row in transaction.query_all_raw(Dialect::Sqlite.statement(tables, [])).await? {
        names.push(row.try_get("", "name")?);
    }
    let mut found = HashMap::new();
    // SQLite takes 500 SELECTs in one statement.
    for names in names.chunks(400) {
        let count = |(place, name): (usize, &String)| {
            format!("SELECT {place} AS place, count(*) AS row_count FROM main.{}", quote(name))
        };
        let counts: Vec<String> = names.iter().enumerate().map(count).collect();
        let statement = Dialect::Sqlite.statement(counts.join(" UNION ALL "), []);
        for row in transaction.query_all_raw(statement).await? {
            let place = usize::try_from(row.try_get::<i64>("", "place")?).unwrap_or(usize::MAX);
            if let Some(name) = names.get(place) {
                found.insert(name.clone(), row.try_get("", "row_count")?);
            }
        }
    }
    Ok(found)
}
