//! Indexes on foreign keys, on SQLite.

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr};
use sea_orm_migration::SchemaManagerConnection;

use super::{begin_immediate, catalog::table};
use crate::{
    Error,
    dialect::{quote, quoted_list, rows},
};

/// Makes the indexes on these columns of tables, in that order, and one for each foreign key of `tables` that lacks it; all
/// in one transaction.
pub(crate) async fn index(
    db: &SchemaManagerConnection<'_>,
    wanted: &[(&str, &[&str])],
    tables: &[&str],
) -> Result<(), Error> {
    let transaction = begin_immediate(db).await?;
    match index_in(&transaction, wanted, tables).await {
        Ok(()) => Ok(transaction.commit().await?),
        Err(error) => {
            transaction.rollback().await?;
            Err(error.into())
        }
    }
}

async fn index_in(db: &DatabaseTransaction, wanted: &[(&str, &[&str])], tables: &[&str]) -> Result<(), DbErr> {
    for (name, columns) in wanted {
        let Some(found) = table(db, name).await? else {
            continue;
        };
        let columns: Vec<_> = columns.iter().map(|c| (*c).to_owned()).collect();
        let indexes = indexes(db, &found.name).await?;
        if has_columns(db, &found.name, &columns).await? && !indexes.iter().any(|i| leads_in_order(i, &columns)) {
            create(db, &found.name, &columns).await?;
        }
    }
    for name in tables {
        let Some(found) = table(db, name).await? else {
            continue;
        };
        for columns in foreign_keys(db, &found.name).await? {
            // Read anew each time: the last one may serve this key too.
            if !indexes(db, &found.name).await?.iter().any(|i| leads(i, &columns)) {
                create(db, &found.name, &columns).await?;
            }
        }
    }
    Ok(())
}

fn leads_in_order(index: &[String], columns: &[String]) -> bool {
    index.len() >= columns.len() && index.iter().zip(columns).all(|(a, b)| a.eq_ignore_ascii_case(b))
}

fn leads(index: &[String], columns: &[String]) -> bool {
    index
        .get(..columns.len())
        .is_some_and(|first| columns.iter().all(|column| first.iter().any(|name| name.eq_ignore_ascii_case(column))))
}

async fn has_columns(db: &DatabaseTransaction, table: &str, columns: &[String]) -> Result<bool, DbErr> {
    let found = rows(db, "SELECT name FROM pragma_table_xinfo($1)", [table.into()]).await?;
    let names = found.iter().map(|row| row.try_get("", "name")).collect::<Result<Vec<String>, _>>()?;
    Ok(columns.iter().all(|column| names.iter().any(|name| name.eq_ignore_ascii_case(column))))
}

/// The columns of each foreign key of a table.
async fn foreign_keys(db: &DatabaseTransaction, table: &str) -> Result<Vec<Vec<String>>, DbErr> {
    let sql = "SELECT id AS number, \"from\" AS name FROM pragma_foreign_key_list($1) ORDER BY id DESC, seq";
    grouped(db, sql, table).await
}

/// The columns of each index of a table that is not partial, up to the first expression; and of its rowid, which is an
/// index without a name where a column stands for it.
async fn indexes(db: &DatabaseTransaction, table: &str) -> Result<Vec<Vec<String>>, DbErr> {
    let sql = "SELECT l.seq AS number, coalesce(x.name, '') AS name FROM pragma_index_list($1) l, pragma_index_info(l.name) x \
               WHERE l.partial = 0 ORDER BY l.seq, x.seqno";
    let mut found = grouped(db, sql, table).await?;
    let sql = "SELECT 0 AS number, name FROM pragma_table_info($1) WHERE pk > 0 AND lower(type) = 'integer' \
               AND 1 = (SELECT count(*) FROM pragma_table_info($1) WHERE pk > 0)";
    found.extend(grouped(db, sql, table).await?);
    Ok(found)
}

async fn grouped(db: &DatabaseTransaction, sql: &str, table: &str) -> Result<Vec<Vec<String>>, DbErr> {
    let mut groups: Vec<(i64, Vec<String>)> = Vec::new();
    for row in rows(db, sql, [table.into()]).await? {
        let (number, name): (i64, String) = (row.try_get("", "number")?, row.try_get("", "name")?);
        match groups.last_mut() {
            Some((last, names)) if *last == number => names.push(name),
            _ => groups.push((number, vec![name])),
        }
    }
    Ok(groups.into_iter().map(|(_, names)| names).collect())
}

async fn create(db: &DatabaseTransaction, table: &str, columns: &[String]) -> Result<(), DbErr> {
    let stem = format!("{table}_{}_idx", columns.join("_"));
    let mut name = stem.clone();
    let mut number = 0_u32;
    let taken = "SELECT 1 FROM sqlite_schema WHERE name = $1 COLLATE NOCASE";
    while !rows(db, taken, [name.as_str().into()]).await?.is_empty() {
        number += 1;
        name = format!("{stem}{number}");
    }
    let columns = quoted_list(columns.iter().map(String::as_str));
    db.execute_unprepared(&format!("CREATE INDEX {} ON {} ({columns})", quote(&name), quote(table))).await?;
    Ok(())
}
