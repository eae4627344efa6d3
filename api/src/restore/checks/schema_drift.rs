//! The comparison of the archive with the live tables. Archived values that their columns can no longer store are
//! conflicts.

use sea_orm::{ConnectionTrait, DatabaseTransaction, TransactionTrait};

use crate::catalog::live_table::{LiveColumn, LiveTable};
use crate::db::{Dialect, quote};
use crate::deletion::archive::entries::{ArchiveLayout, archived_rows_table};
use crate::deletion::archive::{ArchivedColumn, ReferenceLayout, RowLayout};
use crate::error::Error;
use crate::restore::archived_table::ArchivedTable;
use crate::restore::columns::insertable_columns;
use crate::restore::conflict::table_conflict;
use crate::restore::context::RestoreContext;
use crate::restore::model::Conflict;
use crate::wording::counted;

/// The count of affected rows if the database cannot count them.
const UNKNOWN_COUNT: i64 = -1;

/// Returns the changes of a table since the deletion that would lose archived values.
pub(in crate::restore) async fn schema_drift(
    context: &RestoreContext<'_>,
    table: &ArchivedTable,
) -> Result<Vec<Conflict>, Error> {
    let conflict = |message: &str| Ok(vec![table_conflict(&table.display, message.to_owned())]);
    match &table.live {
        None => conflict("The table no longer exists. Create it as it was, then restore again."),
        Some(live) if live.row_security => conflict(
            "Row-level security applies to this role, so it cannot restore rows. Use a role with BYPASSRLS, or the \
             table's owner.",
        ),
        Some(live) => match &table.layout {
            ArchiveLayout::Rows(layout) => drift_of_rows(context, table, live, layout).await,
            ArchiveLayout::References(layout) => drift_of_references(context, table, live, layout).await,
        },
    }
}

async fn drift_of_rows(
    context: &RestoreContext<'_>,
    table: &ArchivedTable,
    live: &LiveTable,
    layout: &RowLayout,
) -> Result<Vec<Conflict>, Error> {
    if !live.insertable {
        let message = format!("This role may not insert rows into {}. Grant it INSERT.", table.display);
        return Ok(vec![table_conflict(&table.display, message)]);
    }
    let mut conflicts = Vec::new();
    for (position, archived) in layout.columns.iter().enumerate() {
        // A generated value is generated again. The dropped column of a generated value is ignored.
        let column = live.column(context.dialect(), &archived.name);
        if archived.generated && column.is_none_or(|column| column.generated) {
            continue;
        }
        let archived_column = ArchivedValue { table, column: archived, position };
        let Some((count, change)) = column_drift(context, archived_column, column).await? else { continue };
        let rows = several_rows(count);
        let message = format!("The column {} {change}, or values of {rows} would be lost.", archived.name);
        conflicts.push(table_conflict(&table.display, message));
    }
    Ok(conflicts)
}

/// Checks the key columns, and for each cleared column both its value before the deletion and the value after it.
async fn drift_of_references(
    context: &RestoreContext<'_>,
    table: &ArchivedTable,
    live: &LiveTable,
    layout: &ReferenceLayout,
) -> Result<Vec<Conflict>, Error> {
    let key = layout.key.iter().enumerate().map(|(position, column)| (vec![position], column));
    let cleared = layout.cleared.iter().enumerate();
    let cleared = cleared.map(|(position, column)| (vec![layout.before(position), layout.after(position)], column));
    let mut conflicts = Vec::new();
    for (positions, archived) in key.chain(cleared) {
        let column = live.column(context.dialect(), &archived.name);
        for position in positions {
            let archived_column = ArchivedValue { table, column: archived, position };
            let Some((count, change)) = column_drift(context, archived_column, column).await? else { continue };
            let rows = several_rows(count);
            let message =
                format!("The column {} {change}, or references of {rows} could not be restored.", archived.name);
            conflicts.push(table_conflict(&table.display, message));
            break;
        }
    }
    Ok(conflicts)
}

/// One archived value of each row, identified by its column and its position in the archive.
#[derive(Clone, Copy)]
struct ArchivedValue<'a> {
    table: &'a ArchivedTable,
    column: &'a ArchivedColumn,
    position: usize,
}

impl ArchivedValue<'_> {
    fn value(&self, dialect: Dialect) -> String {
        ArchivedTable::value(dialect, self.position)
    }
}

/// Returns the number of archived values that the column can no longer store, or [`UNKNOWN_COUNT`], and the change of
/// the column.
///
/// Returns `None` if the column can store all of them.
async fn column_drift(
    context: &RestoreContext<'_>,
    archived: ArchivedValue<'_>,
    column: Option<&LiveColumn>,
) -> Result<Option<(i64, String)>, Error> {
    let old = archived.column;
    let (count, change) = match column {
        _ if let Some(name) = archived.table.live.as_ref().and_then(|live| new_name(live, old)) => {
            (non_null_count(context, archived).await?, format!("is now called {name}; rename it back"))
        }
        None => (non_null_count(context, archived).await?, "no longer exists; add it again".to_owned()),
        Some(column) if column.generated => (
            non_null_count(context, archived).await?,
            "is now computed by the database; make it an ordinary column".to_owned(),
        ),
        Some(column) if column.type_name == old.type_name => return Ok(None),
        Some(column) => {
            let change =
                format!("had the type {} and now has the type {}; change it back", old.type_name, column.type_name);
            let count = match (has_time_zone(&old.type_name), has_time_zone(&column.type_name)) {
                // The time zone of the conversion is unknown, because the archive does not record the one that ALTER
                // TABLE … USING specified.
                (Some(was_zoned), Some(is_zoned))
                    if was_zoned != is_zoned && context.dialect() == Dialect::Postgres =>
                {
                    non_null_count(context, archived).await?
                }
                _ => changed_value_count(context, archived, column).await?,
            };
            (count, change)
        }
    };
    Ok((count != 0).then_some((count, change)))
}

/// Returns the current name of a renamed column, even if another column has its old name.
///
/// Returns `None` if the column was not renamed, and always on SQLite.
fn new_name<'a>(live: &'a LiveTable, archived: &ArchivedColumn) -> Option<&'a str> {
    let (table, number) = archived.number;
    let is_known = number != 0 && table == live.oid;
    let column = live.columns.iter().find(|column| is_known && column.number == number)?;
    (column.name != archived.name).then_some(column.name.as_str())
}

fn several_rows(count: i64) -> String {
    if count > 0 { counted(count, "row", "rows") } else { "some rows".to_owned() }
}

/// Returns whether the values of a PostgreSQL date or time type, or of its arrays and ranges, have a time zone.
///
/// Returns `None` for other types.
fn has_time_zone(type_name: &str) -> Option<bool> {
    if type_name.contains(" with time zone") || type_name.starts_with("tstz") {
        Some(true)
    } else if ["date", "tsrange", "tsmultirange"].iter().any(|name| type_name.starts_with(name))
        || type_name.contains(" without time zone")
    {
        Some(false)
    } else {
        None
    }
}

/// Returns a conflict for each column whose type has its old name but rejects an archived value (PostgreSQL).
///
/// Examples are an enum that has lost a label and a domain with a new check.
pub(super) async fn unreadable_values(
    context: &RestoreContext<'_>,
    table: &ArchivedTable,
) -> Result<Vec<Conflict>, Error> {
    let dialect = context.dialect();
    let mut conflicts = Vec::new();
    if dialect == Dialect::Sqlite || table.rows().is_none() {
        return Ok(conflicts);
    }
    let columns = insertable_columns(dialect, table);
    let value = |(position, column): &(usize, &LiveColumn)| {
        format!("CAST({} AS {})", ArchivedTable::value(dialect, *position), column.type_name)
    };
    // Usually every value is readable and the conflict is another one, so the first query checks all columns together.
    let all: Vec<String> = columns.iter().map(value).collect();
    if conversion_error(context.tx, table, &format!("ROW({})", all.join(", "))).await?.is_none() {
        return Ok(conflicts);
    }
    for numbered in columns {
        let Some(reason) = conversion_error(context.tx, table, &value(&numbered)).await? else { continue };
        let (_, LiveColumn { name, type_name, .. }) = numbered;
        let message = format!(
            "An archived value no longer fits its column: {reason}. Change the column {name} or its type {type_name} \
             so that it accepts the value, then restore again."
        );
        conflicts.push(table_conflict(&table.display, message));
    }
    Ok(conflicts)
}

/// Evaluates an expression over the archived rows and returns the database's message if the evaluation fails.
async fn conversion_error(
    tx: &DatabaseTransaction,
    table: &ArchivedTable,
    value: &str,
) -> Result<Option<String>, Error> {
    let sql = format!("SELECT count({value}) AS row_count {}", table.rows_clause(Dialect::Postgres));
    let savepoint = tx.begin().await?;
    let result = row_count(&savepoint, Dialect::Postgres, sql).await;
    savepoint.rollback().await?;
    match result {
        Ok(_) => Ok(None),
        Err(Error::Refused(database_message)) => Ok(Some(database_message.message)),
        Err(error) if error.is_data_exception() => Ok(Some(error.database_message())),
        Err(error) => Err(error),
    }
}

/// Counts the archived rows with a non-null value in a column.
async fn non_null_count(context: &RestoreContext<'_>, archived: ArchivedValue<'_>) -> Result<i64, Error> {
    let dialect = context.dialect();
    let rows = archived.table.rows_clause(dialect);
    let sql = format!("SELECT count(*) AS row_count {rows} AND {} IS NOT NULL", archived.value(dialect));
    row_count(context.tx, dialect, sql).await
}

/// Counts the rows whose value would change in a column of another type.
///
/// Returns [`UNKNOWN_COUNT`] if a value cannot be converted.
async fn changed_value_count(
    context: &RestoreContext<'_>,
    archived: ArchivedValue<'_>,
    column: &LiveColumn,
) -> Result<i64, Error> {
    let savepoint = context.tx.begin().await?;
    let changed = match context.dialect() {
        Dialect::Postgres => changed_on_postgres(&savepoint, archived, column).await,
        Dialect::Sqlite => changed_on_sqlite(&savepoint, archived, column).await,
    };
    savepoint.rollback().await?;
    match changed {
        Err(error) if error.is_data_exception() || matches!(error, Error::Refused(_)) => Ok(UNKNOWN_COUNT),
        other => other,
    }
}

/// Converts values to the new type and back, and compares the results.
///
/// The values are written by `concat`, because a cast to text could lose information. The catalog returns type names
/// quoted.
async fn changed_on_postgres(
    savepoint: &DatabaseTransaction,
    archived: ArchivedValue<'_>,
    column: &LiveColumn,
) -> Result<i64, Error> {
    let (value, old, new) = (archived.value(Dialect::Postgres), &archived.column.type_name, &column.type_name);
    let type_exists = "SELECT CASE WHEN to_regtype($1) IS NULL THEN 0 ELSE 1 END::bigint AS type_exists";
    let row = savepoint.query_one_raw(Dialect::Postgres.statement(type_exists, [old.clone().into()])).await?;
    let type_exists = row.map(|row| row.try_get::<i64>("", "type_exists")).transpose()? == Some(1);
    let differs = if type_exists {
        format!("concat(CAST(concat(CAST({value} AS {new})) AS {old})) <> concat(CAST({value} AS {old}))")
    } else {
        format!("concat(CAST({value} AS {new})) <> {value}")
    };
    let rows = archived.table.rows_clause(Dialect::Postgres);
    row_count(savepoint, Dialect::Postgres, format!("SELECT count(*) AS row_count {rows} AND {differs}")).await
}

/// Stores the values in a column of the new type, and compares them with the values that the column returns.
async fn changed_on_sqlite(
    savepoint: &DatabaseTransaction,
    archived: ArchivedValue<'_>,
    column: &LiveColumn,
) -> Result<i64, Error> {
    let value = archived.value(Dialect::Sqlite);
    // A type name may consist of several words. Quoting makes it one identifier.
    let type_name = if column.type_name.is_empty() { String::new() } else { quote(&column.type_name) };
    savepoint.execute_unprepared("DROP TABLE IF EXISTS temp.session_admin_converted").await?;
    let create =
        format!("CREATE TEMP TABLE session_admin_converted (row_number integer PRIMARY KEY, converted {type_name})");
    savepoint.execute_unprepared(&create).await?;
    let rows = archived.table.rows_clause(Dialect::Sqlite);
    let fill = format!("INSERT INTO temp.session_admin_converted SELECT archived.rowid, {value} {rows}");
    savepoint.execute_unprepared(&fill).await?;
    // A unary plus removes the column's type affinity from the comparison.
    let sql = format!(
        "SELECT count(*) AS row_count FROM {} archived JOIN temp.session_admin_converted target \
         ON target.row_number = archived.rowid WHERE NOT (+target.converted IS +{value})",
        archived_rows_table(Dialect::Sqlite)
    );
    row_count(savepoint, Dialect::Sqlite, sql).await
}

async fn row_count(tx: &DatabaseTransaction, dialect: Dialect, sql: String) -> Result<i64, Error> {
    let row = tx.query_one_raw(dialect.statement(sql, [])).await?;
    Ok(row.map(|row| row.try_get("", "row_count")).transpose()?.unwrap_or_default())
}
