//! The reference result of a case: the rows before and after a plain DELETE by the database, identified by their tags.

use std::collections::BTreeMap;

use api::db::{Dialect, quote};

use super::case::{Case, Table};
use crate::support::connection::{RawConnection, Said};

/// Every row by its tag: its table, and its values as text.
pub type Content = BTreeMap<i64, (String, String)>;

/// Numbers of rows deleted and rows unlinked, by table. Unchanged tables are omitted.
pub type Difference = BTreeMap<String, (i64, i64)>;

/// Returns the rows of every table of the case.
pub async fn content(connection: &mut RawConnection, case: &Case) -> Content {
    let selects = case.tables.iter().enumerate().map(|(at, table)| {
        format!("SELECT {at}, whole.tag, {} FROM {} AS whole", values(case, table), case.qualified_name(table))
    });
    let sql = selects.collect::<Vec<_>>().join(" UNION ALL ");
    let rows = connection.rows(&sql).await.into_iter();
    rows.map(|row| {
        let table = &case.tables[row[0].parse::<usize>().unwrap()];
        (row[1].parse().unwrap(), (case.display_name(table), row[2].clone()))
    })
    .collect()
}

fn values(case: &Case, table: &Table) -> String {
    match case.dialect {
        Dialect::Postgres => "whole::text".to_owned(),
        Dialect::Sqlite => {
            let columns = table.columns.iter().map(|column| format!("quote(whole.{})", quote(&column.name)));
            columns.chain(["''".to_owned()]).collect::<Vec<_>>().join(" || ',' || ")
        }
    }
}

/// Executes a plain DELETE of the sessions and returns the rows afterwards. PostgreSQL rolls it back. SQLite checks
/// deferred foreign keys only at the commit, so there it must commit and the caller uses a copy of the database.
///
/// # Errors
///
/// Returns the error with which the database refuses the DELETE.
pub async fn plain_delete(connection: &mut RawConnection, case: &Case, sql: &str) -> Result<Content, Said> {
    connection.exec("BEGIN").await;
    let mut result = connection.attempt(sql).await;
    if result.is_ok() && case.dialect == Dialect::Postgres {
        result = connection.attempt("SET CONSTRAINTS ALL IMMEDIATE").await;
    }
    let content = match result {
        Ok(()) => Ok(content(connection, case).await),
        Err(error) => Err(error),
    };
    if case.dialect == Dialect::Sqlite
        && content.is_ok()
        && let Err(error) = connection.attempt("COMMIT").await
    {
        connection.exec("ROLLBACK").await;
        return Err(error);
    }
    if case.dialect == Dialect::Postgres || content.is_err() {
        // SQLite may have rolled back already.
        let _ = connection.attempt("ROLLBACK").await;
    }
    content
}

/// Returns the numbers of rows that were deleted or unlinked between the two states.
pub fn difference(before: &Content, after: &Content) -> Difference {
    let mut difference = Difference::new();
    for (tag, (table, values)) in before {
        let counts = match after.get(tag) {
            None => (1, 0),
            Some((_, now)) if now != values => (0, 1),
            Some(_) => continue,
        };
        let total = difference.entry(table.clone()).or_default();
        *total = (total.0 + counts.0, total.1 + counts.1);
    }
    assert!(after.keys().all(|tag| before.contains_key(tag)), "a deletion makes no rows");
    difference
}
