//! Counting rows: what the checks want counted, as SQL, and the one statement that counts it all.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::ConnectionTrait;

use super::check_context::Scene;
use crate::catalog::{ForeignKey, TableId};
use crate::db::{Dialect, quote};
use crate::error::Error;

/// All rows of a table; none where this role cannot count them.
pub(super) fn rows(scene: &Scene, table: TableId) -> Option<String> {
    scene.countable(table).then(|| format!("SELECT count(*) FROM {}", scene.sql_table(table)))
}

/// The rows that refer to something through this key.
pub(super) fn referring(scene: &Scene, key: &ForeignKey) -> Option<String> {
    scene
        .countable(key.table)
        .then(|| format!("SELECT count(*) FROM {} AS child WHERE {}", scene.sql_carrier(key), set(&key.columns)))
}

/// The rows of `child` (as SQL names it) with a value in these columns that no row of `parent` has.
pub(super) fn orphans(child: &str, columns: &[String], parent: &str, to: &[To]) -> String {
    format!("SELECT count(*) FROM {child} AS child WHERE {}", orphaned(columns, parent, to))
}

/// A column that is referred to.
pub(super) struct To {
    pub name: String,
    /// What follows a value for it to compare as this column's do, where it may have another collation.
    pub collation: String,
}

/// The condition on `child` by which [`orphans`] counts.
pub(super) fn orphaned(columns: &[String], parent: &str, to: &[To]) -> String {
    let matching: Vec<String> = to
        .iter()
        .zip(columns)
        // The parent's column first: SQLite compares by the left operand's collation, as the key itself does.
        .map(|(to, here)| format!("parent.{} = child.{}{}", quote(&to.name), quote(here), to.collation))
        .collect();
    format!("{} AND NOT EXISTS (SELECT 1 FROM {parent} AS parent WHERE {})", set(columns), matching.join(" AND "))
}

/// The condition that every one of these columns of `child` has a value.
pub(super) fn set(columns: &[String]) -> String {
    columns.iter().map(|column| format!("child.{} IS NOT NULL", quote(column))).collect::<Vec<_>>().join(" AND ")
}

/// Runs all the counts as one statement. VALUES, since SQLite limits the terms of a UNION ALL and not those of VALUES.
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
    let mut counted = BTreeMap::new();
    for row in conn.query_all_raw(statement).await? {
        let number: i32 = row.try_get_by_index(0)?;
        let asked = usize::try_from(number).ok().and_then(|number| distinct.get(number));
        if let Some(asked) = asked {
            counted.insert((*asked).to_owned(), row.try_get_by_index(1)?);
        }
    }
    Ok(counted)
}
