//! The creation of missing indexes on SQLite.

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr};
use sea_orm_migration::SchemaManagerConnection;

use super::{catalog::find_table, transaction::begin_immediate};
use crate::{
    error::Error,
    identifier::{column_list, quote_identifier},
    query::fetch_rows,
};

/// Creates those of `indexes` (table and columns) that do not exist, and an index on each foreign key of `tables`
/// without one.
///
/// Everything is created in one transaction. Tables and columns that do not exist are skipped.
pub(crate) async fn create_missing_indexes(
    db: &SchemaManagerConnection<'_>,
    indexes: &[(&str, &[&str])],
    tables: &[&str],
) -> Result<(), Error> {
    let transaction = begin_immediate(db).await?;
    match create_in_transaction(&transaction, indexes, tables).await {
        Ok(()) => Ok(transaction.commit().await?),
        Err(error) => {
            transaction.rollback().await?;
            Err(error.into())
        }
    }
}

async fn create_in_transaction(
    db: &DatabaseTransaction,
    indexes: &[(&str, &[&str])],
    tables: &[&str],
) -> Result<(), DbErr> {
    for (table, columns) in indexes {
        let Some(table) = find_table(db, table).await? else {
            continue;
        };
        let columns: Vec<_> = columns.iter().map(|column| (*column).to_owned()).collect();
        let existing = find_indexes(db, &table.name).await?;
        if has_columns(db, &table.name, &columns).await? && !existing.iter().any(|index| begins_with(index, &columns)) {
            create_index(db, &table.name, &columns).await?;
        }
    }
    for table in tables {
        let Some(table) = find_table(db, table).await? else {
            continue;
        };
        for columns in find_foreign_key_columns(db, &table.name).await? {
            // The indexes are read again each time, because the index created last may serve this key too.
            let existing = find_indexes(db, &table.name).await?;
            if !existing.iter().any(|index| begins_with_any_order(index, &columns)) {
                create_index(db, &table.name, &columns).await?;
            }
        }
    }
    Ok(())
}

fn begins_with(index: &[String], columns: &[String]) -> bool {
    index.len() >= columns.len() && index.iter().zip(columns).all(|(a, b)| a.eq_ignore_ascii_case(b))
}

fn begins_with_any_order(index: &[String], columns: &[String]) -> bool {
    index
        .get(..columns.len())
        .is_some_and(|first| columns.iter().all(|column| first.iter().any(|name| name.eq_ignore_ascii_case(column))))
}

async fn has_columns(db: &DatabaseTransaction, table: &str, columns: &[String]) -> Result<bool, DbErr> {
    let rows = fetch_rows(db, "SELECT name FROM pragma_table_xinfo($1)", [table.into()]).await?;
    let names = rows.iter().map(|row| row.try_get("", "name")).collect::<Result<Vec<String>, _>>()?;
    Ok(columns.iter().all(|column| names.iter().any(|name| name.eq_ignore_ascii_case(column))))
}

/// Returns the columns of each foreign key of a table.
async fn find_foreign_key_columns(db: &DatabaseTransaction, table: &str) -> Result<Vec<Vec<String>>, DbErr> {
    let sql = "SELECT id AS number, \"from\" AS name FROM pragma_foreign_key_list($1) ORDER BY id DESC, seq";
    fetch_column_groups(db, sql, table).await
}

/// Returns the columns of each non-partial index of a table. An indexed expression counts as a column without a name.
///
/// An INTEGER PRIMARY KEY column counts as an index, because it is the rowid, by which the table itself is sorted.
async fn find_indexes(db: &DatabaseTransaction, table: &str) -> Result<Vec<Vec<String>>, DbErr> {
    let indexes = "SELECT list.seq AS number, coalesce(info.name, '') AS name \
                   FROM pragma_index_list($1) list, pragma_index_info(list.name) info \
                   WHERE list.partial = 0 ORDER BY list.seq, info.seqno";
    let rowid = "SELECT 0 AS number, name FROM pragma_table_info($1) WHERE pk > 0 AND lower(type) = 'integer' \
                 AND 1 = (SELECT count(*) FROM pragma_table_info($1) WHERE pk > 0)";
    let mut found = fetch_column_groups(db, indexes, table).await?;
    found.extend(fetch_column_groups(db, rowid, table).await?);
    Ok(found)
}

/// Executes a query about a table, and groups the names of consecutive rows with the same number.
async fn fetch_column_groups(db: &DatabaseTransaction, sql: &str, table: &str) -> Result<Vec<Vec<String>>, DbErr> {
    let mut groups: Vec<(i64, Vec<String>)> = Vec::new();
    for row in fetch_rows(db, sql, [table.into()]).await? {
        let (number, name): (i64, String) = (row.try_get("", "number")?, row.try_get("", "name")?);
        match groups.last_mut() {
            Some((last, names)) if *last == number => names.push(name),
            _ => groups.push((number, vec![name])),
        }
    }
    Ok(groups.into_iter().map(|(_, names)| names).collect())
}

async fn create_index(db: &DatabaseTransaction, table: &str, columns: &[String]) -> Result<(), DbErr> {
    let stem = format!("{table}_{}_idx", columns.join("_"));
    let mut name = stem.clone();
    let mut number = 0_u32;
    let is_used = "SELECT 1 FROM sqlite_schema WHERE name = $1 COLLATE NOCASE";
    while !fetch_rows(db, is_used, [name.as_str().into()]).await?.is_empty() {
        number += 1;
        name = format!("{stem}{number}");
    }
    let (name, table, columns) = (quote_identifier(&name), quote_identifier(table), column_list(columns));
    db.execute_unprepared(&format!("CREATE INDEX {name} ON {table} ({columns})")).await?;
    Ok(())
}
