//! Reading the entries of archives: which tables an archive holds rows or references of, and in which columns.

use sea_orm::{ConnectionTrait, QueryResult, Value};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::layout::{ReferenceLayout, RowLayout};
use crate::db::{Database, Dialect};
use crate::error::Error;

/// One entry of an archive: the deleted rows of one table, or its cleared references.
#[derive(Debug, Clone)]
pub(crate) struct ArchiveEntry {
    /// The number that the entry's archived rows carry. Entries of later deletions have larger numbers: a deletion
    /// makes its entries once it has locked its rows, so a clock that was set back cannot change the order.
    pub id: i64,
    /// The deletion whose archive it belongs to.
    pub deletion_id: Uuid,
    /// The table's schema at the time of the deletion; `main` on SQLite.
    pub schema: String,
    /// The table's name at the time of the deletion.
    pub table: String,
    /// What is archived, and in which columns.
    pub layout: ArchiveLayout,
}

/// What an archive's entry holds.
#[derive(Debug, Clone)]
pub(crate) enum ArchiveLayout {
    /// Deleted rows.
    Rows(RowLayout),
    /// Cleared references of rows that stayed.
    References(ReferenceLayout),
}

/// Returns the name, as SQL writes it, of the table that holds the archived rows of all deletions.
///
/// Its column `table_id` is [`ArchiveEntry::id`]. The values are in the array `values` on PostgreSQL, and in the
/// columns `v1`, `v2`, … on SQLite.
pub(crate) fn archived_rows_table(dialect: Dialect) -> String {
    dialect.internal_table("archived_rows")
}

/// Returns the entries of a deletion's archive, in the order of their numbers.
///
/// # Errors
/// [`Error::IncompatibleDatabase`] for an entry that this version cannot read; [`Error::Unavailable`], [`Error::Timeout`].
pub(crate) async fn entries_of_deletion(
    conn: &impl ConnectionTrait,
    db: &Database,
    deletion_id: Uuid,
) -> Result<Vec<ArchiveEntry>, Error> {
    let condition = format!("entry.deletion_id = {}", db.dialect().uuid_parameter(1));
    read(conn, db, &condition, [deletion_id.to_string().into()]).await
}

/// Returns the entries of later deletions that hold deleted rows of a table and can still be restored.
///
/// # Errors
/// Returns the errors of [`entries_of_deletion`].
pub(crate) async fn entries_of_later_deletions(
    conn: &impl ConnectionTrait,
    db: &Database,
    deletion_id: Uuid,
    schema: &str,
    table: &str,
) -> Result<Vec<ArchiveEntry>, Error> {
    let dialect = db.dialect();
    let of_table = match dialect {
        Dialect::Postgres => "entry.table_name = $2 AND entry.schema_name = $4",
        Dialect::Sqlite => "entry.table_name = $2 COLLATE NOCASE AND 'main' = $4",
    };
    let condition = format!(
        "entry.id > (SELECT max(own.id) FROM {} own WHERE own.deletion_id = {}) AND {of_table} AND entry.kind = 'ROWS' \
         AND entry.deletion_id IN \
         (SELECT deletion.id FROM {} deletion WHERE deletion.status = 'RESTORABLE' AND deletion.restorable_until > $3)",
        db.internal_table("archived_tables"),
        dialect.uuid_parameter(1),
        db.internal_table("deletions")
    );
    let now = dialect.timestamp_param(db.settings().clock.now());
    read(conn, db, &condition, [deletion_id.to_string().into(), table.into(), now, schema.into()]).await
}

async fn read<const N: usize>(
    conn: &impl ConnectionTrait,
    db: &Database,
    condition: &str,
    values: [Value; N],
) -> Result<Vec<ArchiveEntry>, Error> {
    let schema = match db.dialect() {
        Dialect::Postgres => "entry.schema_name",
        Dialect::Sqlite => "'main'",
    };
    let sql = format!(
        "SELECT entry.id, CAST(entry.deletion_id AS text) AS deletion_id, entry.kind, {schema} AS schema_name, \
         entry.table_name, CAST(entry.layout AS text) AS layout FROM {} entry WHERE {condition} ORDER BY entry.id",
        db.internal_table("archived_tables")
    );
    let rows = conn.query_all_raw(db.dialect().statement(sql, values)).await?;
    rows.iter().map(entry).collect()
}

fn entry(row: &QueryResult) -> Result<ArchiveEntry, Error> {
    let text = |column: &str| row.try_get::<String>("", column);
    let (deletion_id, layout) = (text("deletion_id")?, text("layout")?);
    Ok(ArchiveEntry {
        id: row.try_get("", "id")?,
        deletion_id: deletion_id.parse().map_err(|_| unreadable_error(&deletion_id))?,
        schema: text("schema_name")?,
        table: text("table_name")?,
        layout: match text("kind")?.as_str() {
            "ROWS" => ArchiveLayout::Rows(from_json(&layout)?),
            _ => ArchiveLayout::References(from_json(&layout)?),
        },
    })
}

fn from_json<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|error| unreadable_error(&error.to_string()))
}

fn unreadable_error(detail: &str) -> Error {
    Error::IncompatibleDatabase(format!("An archive cannot be read: {detail}."))
}
