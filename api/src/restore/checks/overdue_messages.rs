//! Messages that were pending and whose time has passed: put back, they would be sent at once.

use sea_orm::{ConnectionTrait, DatabaseTransaction};

use crate::db::{Database, Dialect};
use crate::error::Error;
use crate::impact::sql::MESSAGES;
use crate::restore::archived_table::Entry;

/// How many there are among the kept rows. A time that cannot be read counts as passed.
pub(in crate::restore) async fn count(
    transaction: &DatabaseTransaction,
    db: &Database,
    entries: &[Entry],
) -> Result<i64, Error> {
    let dialect = db.dialect();
    let mut overdue = 0;
    let holds_messages = |entry: &&Entry| {
        entry.name.0 == db.schema() && MESSAGES.iter().any(|name| dialect.same_name(&entry.name.1, name))
    };
    for entry in entries.iter().filter(holds_messages) {
        let Some(layout) = entry.rows() else { continue };
        let column =
            |name: &str| layout.columns.iter().enumerate().find(|(_, column)| dialect.same_name(&column.name, name));
        let Some((status, _)) = column("status") else { continue };
        let passed = column("scheduled_for").map_or_else(
            || "$1 IS NOT NULL".to_owned(),
            |(place, column)| passed(dialect, &Entry::value(dialect, place), &column.type_name),
        );
        let sql = format!(
            "SELECT count(*) AS n {} AND {} = 'pending' AND {passed}",
            entry.from(dialect),
            Entry::text(dialect, status)
        );
        let now = dialect.time(db.settings().clock.now());
        let row = transaction.query_one_raw(dialect.statement(sql, [now])).await?;
        overdue += row.map(|row| row.try_get::<i64>("", "n")).transpose()?.unwrap_or_default();
    }
    Ok(overdue)
}

/// The time in a kept value has come, by the parameter, which is now.
fn passed(dialect: Dialect, value: &str, type_name: &str) -> String {
    match dialect {
        Dialect::Postgres if type_name.starts_with("timestamp") || type_name == "date" => {
            format!("coalesce(CAST({value} AS timestamptz) <= $1, true)")
        }
        Dialect::Postgres => "CAST($1 AS timestamptz) IS NOT NULL".to_owned(),
        Dialect::Sqlite => format!("coalesce(julianday({value}) <= julianday($1), 1)"),
    }
}
