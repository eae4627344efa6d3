//! What SQLite itself says of a deletion: rows that went, or came back, beside those that the statements took.

use std::collections::HashMap;

use sea_orm::{ConnectionTrait, DatabaseTransaction};

use crate::catalog::TableId;
use crate::db::{Dialect, quote};
use crate::deletion::row_counts::Done;
use crate::error::Error;
use crate::impact::plan::Source;
use crate::impact::sql::Sql;

/// What is held against the same after the deletion.
pub(in crate::deletion) enum Witness {
    /// Every change that the connection has made, cascades included. The cheap one, where no trigger adds to it.
    Changes(i64),
    /// The rows of every table: a trigger may do anything to any of them.
    Rows(HashMap<String, i64>),
    /// A key that follows a cleared key changes rows twice over, and nothing else can tell.
    Nothing,
}

impl Witness {
    /// Looks before anything is changed.
    pub async fn before(transaction: &DatabaseTransaction, sql: &Sql<'_>, written: &[TableId]) -> Result<Self, Error> {
        if written.iter().any(|&table| !sql.table(table).triggers.is_empty()) {
            return Ok(Self::Rows(rows(transaction).await?));
        }
        if sql.plan.edges.iter().any(|edge| matches!(edge.source, Source::Cleared(_))) {
            return Ok(Self::Nothing);
        }
        Ok(Self::Changes(changes(transaction).await?))
    }

    /// Looks again, and gives the rows that `done` does not explain.
    pub async fn after(
        self,
        transaction: &DatabaseTransaction,
        sql: &Sql<'_>,
        done: &HashMap<TableId, Done>,
    ) -> Result<i64, Error> {
        match self {
            Self::Nothing => Ok(0),
            Self::Changes(before) => {
                let ours: i64 = done.values().map(|done| done.deleted + done.unlinked).sum();
                Ok((changes(transaction).await? - before - ours).abs())
            }
            Self::Rows(before) => {
                let now = rows(transaction).await?;
                let beside = before.iter().map(|(name, rows)| {
                    let lost = rows - now.get(name).copied().unwrap_or_default();
                    let table = sql.plan.graph.find("main", name);
                    let ours = table.and_then(|table| done.get(&table)).map_or(0, |done| done.deleted);
                    // A table that nothing goes from may grow: a trigger that keeps a log.
                    if ours == 0 { lost.max(0) } else { (lost - ours).abs() }
                });
                Ok(beside.sum())
            }
        }
    }
}

pub(crate) async fn changes(transaction: &DatabaseTransaction) -> Result<i64, Error> {
    let row = transaction.query_one_raw(Dialect::Sqlite.statement("SELECT total_changes() AS n", [])).await?;
    Ok(row.map(|row| row.try_get("", "n")).transpose()?.unwrap_or_default())
}

/// The rows of each table of the file, in one statement.
pub(crate) async fn rows(transaction: &DatabaseTransaction) -> Result<HashMap<String, i64>, Error> {
    let listed = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
    let mut counts = Vec::new();
    for row in transaction.query_all_raw(Dialect::Sqlite.statement(listed, [])).await? {
        let name: String = row.try_get("", "name")?;
        counts.push(format!("SELECT '{}' AS name, count(*) AS n FROM main.{}", name.replace('\'', "''"), quote(&name)));
    }
    // SQLite takes 500 SELECTs in one statement.
    let mut found = HashMap::new();
    for some in counts.chunks(400) {
        let statement = Dialect::Sqlite.statement(some.join(" UNION ALL "), []);
        for row in transaction.query_all_raw(statement).await? {
            found.insert(row.try_get("", "name")?, row.try_get("", "n")?);
        }
    }
    Ok(found)
}
