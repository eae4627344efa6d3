//! The count of archived messages that are pending and overdue. They would be sent as soon as they are restored.

use sea_orm::ConnectionTrait;

use crate::db::Dialect;
use crate::error::Error;
use crate::impact::sql::MESSAGES;
use crate::restore::archived_table::ArchivedTable;
use crate::restore::context::RestoreContext;

/// Returns the number of pending, overdue messages in the archive. A time that cannot be parsed counts as passed.
pub(in crate::restore) async fn count(context: &RestoreContext<'_>) -> Result<i64, Error> {
    let dialect = context.dialect();
    let mut overdue = 0;
    let holds_messages = |table: &&ArchivedTable| {
        table.name.0 == context.db.schema() && MESSAGES.iter().any(|name| dialect.is_same_name(&table.name.1, name))
    };
    for table in context.tables.iter().filter(holds_messages) {
        let Some(layout) = table.rows() else { continue };
        let column =
            |name: &str| layout.columns.iter().enumerate().find(|(_, column)| dialect.is_same_name(&column.name, name));
        let Some((status, _)) = column("status") else { continue };
        let has_passed = column("scheduled_for").map_or_else(
            || "$1 IS NOT NULL".to_owned(),
            |(position, column)| has_passed(dialect, &ArchivedTable::value(dialect, position), &column.type_name),
        );
        let sql = format!(
            "SELECT count(*) AS row_count {} AND {} = 'pending' AND {has_passed}",
            table.rows_clause(dialect),
            ArchivedTable::text(dialect, status)
        );
        let now = dialect.timestamp_param(context.db.settings().clock.now());
        let row = context.tx.query_one_raw(dialect.statement(sql, [now])).await?;
        overdue += row.map(|row| row.try_get::<i64>("", "row_count")).transpose()?.unwrap_or_default();
    }
    Ok(overdue)
}

/// Returns the condition that the time in an archived value is not after parameter 1, the current time.
fn has_passed(dialect: Dialect, value: &str, type_name: &str) -> String {
    match dialect {
        Dialect::Postgres if type_name.starts_with("timestamp") || type_name == "date" => {
            format!("coalesce(CAST({value} AS timestamptz) <= $1, true)")
        }
        Dialect::Postgres => "CAST($1 AS timestamptz) IS NOT NULL".to_owned(),
        Dialect::Sqlite => format!("coalesce(julianday({value}) <= julianday($1), 1)"),
    }
}
