//! Keeping rows on SQLite: each value as it is, in a column without a type.

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr};

use super::layout::KeptColumn;
use super::writer::Archive;
use crate::catalog::TableId;
use crate::db::{Dialect, quote};
use crate::deletion::sqlite_work_tables::{affected, changed, gone};
use crate::error::Error;
use crate::impact::sql::Sql;
use crate::impact::sql::row_id_names;

/// Keeps the rows that are listed as going; gives how many that are.
pub(crate) async fn keep_rows(
    transaction: &DatabaseTransaction,
    sql: &Sql<'_>,
    archive: &Archive,
    table: TableId,
) -> Result<i64, Error> {
    let Some((entry, layout)) = archive.rows(table) else { return Ok(0) };
    widen(transaction, layout.columns.len()).await?;
    let key: Vec<String> = sql.table(table).row_id.iter().map(|name| quote(name)).collect();
    let insert = format!(
        "INSERT INTO {} (table_id{}) SELECT {entry}{} FROM {} AS c WHERE ({}) IN (SELECT * FROM {})",
        Dialect::Sqlite.own_table("archived_rows"),
        places(layout.columns.len()),
        columns("c", &layout.columns),
        sql.relation(table),
        key.join(", "),
        gone(table)
    );
    affected(transaction, insert).await
}

/// Notes what stands in the columns that are listed as changing.
pub(crate) async fn note_references(
    transaction: &DatabaseTransaction,
    sql: &Sql<'_>,
    archive: &Archive,
    table: TableId,
) -> Result<(), Error> {
    let Some((_, layout)) = archive.references(table) else { return Ok(()) };
    widen(transaction, layout.width()).await?;
    let ids = row_id_names(sql.table(table).row_id.len());
    let noted: String = (0..layout.cleared.len()).map(|place| format!(", b{place}")).collect();
    let list = before(table);
    transaction.execute_unprepared(&format!("DROP TABLE IF EXISTS {list}")).await?;
    let create = format!("CREATE TEMP TABLE {} ({ids}{noted})", list.replace("temp.", ""));
    transaction.execute_unprepared(&create).await?;
    let listed: Vec<String> = ids.split(", ").map(|id| format!("s.{id}")).collect();
    let insert = format!(
        "INSERT INTO {list} SELECT {}{} FROM {} s JOIN {} c ON {}",
        listed.join(", "),
        columns("c", &layout.cleared),
        changed(table),
        sql.relation(table),
        sql.same_row(table, "c", "s")
    );
    affected(transaction, insert).await?;
    Ok(())
}

/// Keeps what was noted, beside what the rows have been left with; gives how many rows that are.
pub(crate) async fn keep_references(
    transaction: &DatabaseTransaction,
    sql: &Sql<'_>,
    archive: &Archive,
    table: TableId,
    unlinked: i64,
) -> Result<i64, Error> {
    let Some((entry, layout)) = archive.references(table) else { return Ok(0) };
    let noted: String = (0..layout.cleared.len()).map(|place| format!(", s.b{place}")).collect();
    let insert = format!(
        "INSERT INTO {} (table_id{}) SELECT {entry}{}{noted}{} FROM {} s JOIN {} c ON {}",
        Dialect::Sqlite.own_table("archived_rows"),
        places(layout.width()),
        columns("c", &layout.key),
        columns("c", &layout.cleared),
        before(table),
        sql.relation(table),
        sql.same_row(table, "c", "s")
    );
    let kept = affected(transaction, insert).await?;
    transaction.execute_unprepared(&format!("DROP TABLE {}", before(table))).await?;
    if kept == unlinked {
        return Ok(kept);
    }
    let name = &sql.table(table).display;
    Err(Error::Unsuitable(format!(
        "Of the {unlinked} rows that are unlinked in {name} only {kept} could be kept, since their key changes with the \
         reference. Nothing was deleted; without an archive it can be."
    )))
}

/// `, v1, v2, …`
pub(crate) fn places(count: usize) -> String {
    (1..=count).map(|place| format!(", v{place}")).collect()
}

/// `, alias.a, alias.b, …`
fn columns(alias: &str, columns: &[KeptColumn]) -> String {
    columns.iter().map(|column| format!(", {alias}.{}", quote(&column.name))).collect()
}

/// Makes sure that a row of so many values has room.
async fn widen(transaction: &DatabaseTransaction, width: usize) -> Result<(), Error> {
    let table = "session_admin_archived_rows";
    let sql = format!("SELECT count(*) AS columns FROM pragma_table_info('{table}') WHERE name <> 'table_id'");
    let row = transaction.query_one_raw(Dialect::Sqlite.statement(sql, [])).await?;
    let has: i64 = row.map(|row| row.try_get::<i64>("", "columns")).transpose()?.unwrap_or_default();
    let has = usize::try_from(has).map_err(|error| DbErr::Type(error.to_string()))?;
    for place in has + 1..=width {
        transaction.execute_unprepared(&format!("ALTER TABLE {table} ADD COLUMN v{place}")).await?;
    }
    Ok(())
}

fn before(table: TableId) -> String {
    format!("temp.session_admin_before_{table}")
}
