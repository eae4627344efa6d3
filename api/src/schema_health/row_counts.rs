//! SQL that counts rows for the checks, and the one statement that runs all counts.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::ConnectionTrait;

use super::check_context::CheckContext;
use crate::catalog::{ForeignKey, TableId};
use crate::db::{Dialect, quote};
use crate::error::Error;

/// Returns SQL that counts the rows of a table; none if the current role cannot count them.
pub(super) fn rows(context: &CheckContext, table: TableId) -> Option<String> {
    context.countable(table).then(|| format!("SELECT count(*) FROM {}", context.sql_table(table)))
}

/// Returns SQL that counts the rows with a value in a foreign key; none if the current role cannot count them.
pub(super) fn referring(context: &CheckContext, key: &ForeignKey) -> Option<String> {
    context.countable(key.table).then(|| {
        format!("SELECT count(*) FROM {} AS child WHERE {}", context.sql_carrier(key), all_not_null(&key.columns))
    })
}

/// Returns SQL that counts the rows of the table `child` that refer to a row which the table `parent` does not have.
pub(super) fn orphans(child: &str, columns: &[String], parent: &str, referenced: &[ReferencedColumn]) -> String {
    format!("SELECT count(*) FROM {child} AS child WHERE {}", is_orphan(columns, parent, referenced))
}

/// A referenced column.
pub(super) struct ReferencedColumn {
    pub name: String,
    /// The COLLATE clause that makes a referring value compare by this column's collation; may be empty.
    pub collation: String,
}

/// Returns the condition that a row `child` refers to a row that does not exist.
pub(super) fn is_orphan(columns: &[String], parent: &str, referenced: &[ReferencedColumn]) -> String {
    let matching: Vec<String> = referenced
        .iter()
        .zip(columns)
        // SQLite compares by the left operand's collation, and the foreign key by the parent's.
        .map(|(parent, child)| format!("parent.{} = child.{}{}", quote(&parent.name), quote(child), parent.collation))
        .collect();
    format!(
        "{} AND NOT EXISTS (SELECT 1 FROM {parent} AS parent WHERE {})",
        all_not_null(columns),
        matching.join(" AND ")
    )
}

/// Returns the condition that all of these columns of `child` have a value.
pub(super) fn all_not_null(columns: &[String]) -> String {
    columns.iter().map(|column| format!("child.{} IS NOT NULL", quote(column))).collect::<Vec<_>>().join(" AND ")
}

/// Runs all counts as one statement and returns the results by their SQL. SQLite limits the terms of a UNION ALL, but
/// not of VALUES.
pub(super) async fn count<'a>(
    conn: &impl ConnectionTrait,
    dialect: Dialect,
    counts: impl Iterator<Item = &'a str>,
) -> Result<BTreeMap<String, i64>, Error> {
    let distinct: Vec<&str> = counts.collect::<BTreeSet<_>>().into_iter().collect();
    if distinct.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows: Vec<String> =
        distinct.iter().enumerate().map(|(number, count)| format!("({number}, ({count}))")).collect();
    let statement = dialect.statement(format!("VALUES {}", rows.join(", ")), []);
    let mut results = BTreeMap::new();
    for row in conn.query_all_raw(statement).await? {
        let number: i32 = row.try_get_by_index(0)?;
        let count = usize::try_from(number).ok().and_then(|number| distinct.get(number));
        if let Some(count) = count {
            results.insert((*count).to_owned(), row.try_get_by_index(1)?);
        }
    }
    Ok(results)
}
