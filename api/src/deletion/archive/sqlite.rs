//! Archiving rows on SQLite: each value as it is, in a column without a type.

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr};

use super::layout::ArchivedColumn;
use super::writer::ArchiveWriter;
use crate::catalog::TableId;
use crate::db::{Dialect, quote};
use crate::deletion::sqlite_work_tables::{
    before_table, create_list, deleting_table, drop_list, execute_counted, updating_table,
};
use crate::error::Error;
use crate::impact::sql::{PlanSql, row_id_name, row_id_names};

/// Archives the rows of a table that are listed to be deleted. Returns their number.
pub(in crate::deletion) async fn archive_rows(
    transaction: &DatabaseTransaction,
    sql: &PlanSql<'_>,
    archive: &ArchiveWriter,
    table: TableId,
) -> Result<i64, Error> {
    let Some((entry, layout)) = archive.rows(table) else { return Ok(0) };
    add_columns(transaction, layout.columns.len()).await?;
    let row_id: Vec<String> = sql.table(table).row_id.iter().map(|name| quote(name)).collect();
    let insert = format!(
        "INSERT INTO {} (table_id{}) SELECT {entry}{} FROM {} AS child WHERE ({}) IN (SELECT * FROM {})",
        Dialect::Sqlite.internal_table("archived_rows"),
        value_columns(layout.columns.len()),
        columns("child", &layout.columns),
        sql.relation(table),
        row_id.join(", "),
        deleting_table(table)
    );
    execute_counted(transaction, insert).await
}

/// Lists the values of a table's columns that are to be cleared.
pub(in crate::deletion) async fn list_references(
    transaction: &DatabaseTransaction,
    sql: &PlanSql<'_>,
    archive: &ArchiveWriter,
    table: TableId,
) -> Result<(), Error> {
    let Some((_, layout)) = archive.references(table) else { return Ok(()) };
    add_columns(transaction, layout.width()).await?;
    let width = sql.table(table).row_id.len();
    let names: String = (0..layout.cleared.len()).map(|place| format!(", before_{place}")).collect();
    let list = before_table(table);
    create_list(transaction, &list, &format!("{}{names}", row_id_names(width))).await?;
    let row_id: Vec<String> = (0..width).map(|place| format!("listed.{}", row_id_name(place))).collect();
    let insert = format!(
        "INSERT INTO {list} SELECT {}{} FROM {} listed JOIN {} child ON {}",
        row_id.join(", "),
        columns("child", &layout.cleared),
        updating_table(table),
        sql.relation(table),
        sql.same_row(table, "child", "listed")
    );
    execute_counted(transaction, insert).await?;
    Ok(())
}

/// Archives the listed values of a table's cleared columns, together with the values that the columns have now. Returns
/// the number of rows.
///
/// # Errors
/// [`Error::IncompatibleDatabase`] where the key of an unlinked row changes with its reference, so that the row cannot be found
/// again.
pub(in crate::deletion) async fn archive_references(
    transaction: &DatabaseTransaction,
    sql: &PlanSql<'_>,
    archive: &ArchiveWriter,
    table: TableId,
    unlinked: i64,
) -> Result<i64, Error> {
    let Some((entry, layout)) = archive.references(table) else { return Ok(0) };
    let before: String = (0..layout.cleared.len()).map(|place| format!(", listed.before_{place}")).collect();
    let insert = format!(
        "INSERT INTO {} (table_id{}) SELECT {entry}{}{before}{} FROM {} listed JOIN {} child ON {}",
        Dialect::Sqlite.internal_table("archived_rows"),
        value_columns(layout.width()),
        columns("child", &layout.key),
        columns("child", &layout.cleared),
        before_table(table),
        sql.relation(table),
        sql.same_row(table, "child", "listed")
    );
    let archived = execute_counted(transaction, insert).await?;
    drop_list(transaction, &before_table(table)).await?;
    if archived == unlinked {
        return Ok(archived);
    }
    let name = &sql.table(table).display;
    Err(Error::IncompatibleDatabase(format!(
        "Of the {unlinked} rows that are unlinked in {name}, only {archived} could be archived, because their key \
         changes with the reference. Nothing was deleted; a deletion without an archive is possible (archive: false, \
         --no-archive)."
    )))
}

/// Returns `, v1, v2, …`: the archive's columns for so many values.
fn value_columns(count: usize) -> String {
    (1..=count).map(|place| format!(", v{place}")).collect()
}

/// Returns `, alias.a, alias.b, …`.
fn columns(alias: &str, columns: &[ArchivedColumn]) -> String {
    columns.iter().map(|column| format!(", {alias}.{}", quote(&column.name))).collect()
}

/// Adds columns to the archive, until a row of so many values fits.
async fn add_columns(transaction: &DatabaseTransaction, width: usize) -> Result<(), Error> {
    let table = "session_admin_archived_rows";
    let sql = format!("SELECT count(*) AS columns FROM pragma_table_info('{table}') WHERE name <> 'table_id'");
    let row = transaction.query_one_raw(Dialect::Sqlite.statement(sql, [])).await?;
    let existing: i64 = row.map(|row| row.try_get::<i64>("", "columns")).transpose()?.unwrap_or_default();
    let existing = usize::try_from(existing).map_err(|error| DbErr::Type(error.to_string()))?;
    for place in existing + 1..=width {
        transaction.execute_unprepared(&format!("ALTER TABLE {table} ADD COLUMN v{place}")).await?;
    }
    Ok(())
}
