//! What columns a table has: in an adopted database a few are certain, the others are there perhaps. The entity's names
//! ask for them.

use std::collections::HashMap;

use sea_orm::{ColumnTrait, ColumnType, ConnectionTrait};

use crate::db::{Database, Dialect, quote};
use crate::error::Error;

/// The columns of one table by name, each with its type.
pub struct Columns {
    dialect: Dialect,
    table: String,
    types: HashMap<String, String>,
}

impl Columns {
    /// Reads those of `table`, in the business schema, anew.
    ///
    /// # Errors
    /// [`Error::Unsuitable`] where there is no such table; [`Error::Unavailable`], [`Error::Timeout`].
    pub async fn now(conn: &impl ConnectionTrait, db: &Database, table: &str) -> Result<Self, Error> {
        let dialect = db.dialect();
        let sql = match dialect {
            Dialect::Postgres => {
                "SELECT a.attname::text AS name, format_type(a.atttypid, NULL) AS type FROM pg_attribute a \
                 JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace \
                 WHERE n.nspname = $1 AND c.relname = $2 AND a.attnum > 0 AND NOT a.attisdropped"
            }
            Dialect::Sqlite => "SELECT name, type FROM pragma_table_xinfo($2) WHERE $1 = 'main'",
        };
        let statement = dialect.statement(sql, [db.schema().into(), table.into()]);
        let rows = conn.query_all_raw(statement).await?;
        let types: Result<HashMap<String, String>, Error> =
            rows.iter().map(|row| Ok((row.try_get("", "name")?, row.try_get("", "type")?))).collect();
        let types = types?;
        if types.is_empty() {
            return Err(Error::Unsuitable(format!(
                "There is no table {table} in {}. Run `session-admin migrate`, or name the schema that holds it.",
                db.schema()
            )));
        }
        Ok(Self { dialect, table: format!("{}.{}", quote(db.schema()), quote(table)), types })
    }

    /// The table as SQL names it.
    #[must_use]
    pub fn table(&self) -> &str {
        &self.table
    }

    /// What to select of a row `c` to have these columns as text, under the entity's names.
    #[must_use]
    pub fn selected<C: ColumnTrait>(&self, columns: &[C]) -> String {
        let selected: Vec<String> =
            columns.iter().map(|column| format!("{} AS {}", self.as_text(*column), column.as_str())).collect();
        selected.join(", ")
    }

    /// A column's value as text: an enum's word, an instant in RFC 3339 on PostgreSQL (one without a zone is in UTC);
    /// null where the column is missing.
    fn as_text<C: ColumnTrait>(&self, column: C) -> String {
        let Some(of_type) = self.types.get(column.as_str()) else {
            return "NULL".to_owned();
        };
        let name = format!("c.{}", quote(column.as_str()));
        let is_instant = *column.def().get_column_type() == ColumnType::TimestampWithTimeZone;
        match self.dialect {
            Dialect::Postgres if is_instant => {
                format!("to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')", instant(&name, of_type))
            }
            Dialect::Postgres | Dialect::Sqlite => format!("CAST({name} AS text)"),
        }
    }

    /// A column of a row `c`, as SQL names it; none where it is missing.
    #[must_use]
    pub fn name(&self, column: impl ColumnTrait) -> Option<String> {
        self.types.contains_key(column.as_str()).then(|| format!("c.{}", quote(column.as_str())))
    }

    /// Text, to be held against a column: as its type on PostgreSQL. A host may keep its UUIDs as text.
    #[must_use]
    pub fn typed(&self, column: impl ColumnTrait, text: &str) -> String {
        match (self.dialect, self.types.get(column.as_str())) {
            (Dialect::Postgres, Some(of_type)) => format!("CAST({text} AS {of_type})"),
            _ => text.to_owned(),
        }
    }

    /// A column of instants to be held against a moment, written `moment`: null where it holds no time. On SQLite a time
    /// is text of one of several forms, which sort differently; a number, also as text, may mean anything and counts as none.
    #[must_use]
    pub fn before(&self, columns: &[impl ColumnTrait], moment: &str) -> Option<String> {
        let instants: Vec<String> = columns.iter().filter_map(|&column| self.instant(column)).collect();
        let (day, moment): (fn(&str) -> String, String) = match self.dialect {
            Dialect::Postgres => (str::to_owned, moment.to_owned()),
            Dialect::Sqlite => (
                |name| {
                    format!(
                        "CASE WHEN {name} GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*' THEN julianday({name}) END"
                    )
                },
                format!("julianday({moment})"),
            ),
        };
        // The next column stands in where one is null, not where it holds something that is no time.
        let mut rest = instants.iter().rev();
        let last = day(rest.next()?);
        let first =
            rest.fold(last, |next, name| format!("CASE WHEN {name} IS NULL THEN {next} ELSE {} END", day(name)));
        Some(format!("{first} < {moment}"))
    }

    /// A column of instants as the database compares it; none where it is missing.
    #[must_use]
    pub fn instant(&self, column: impl ColumnTrait) -> Option<String> {
        let of_type = self.types.get(column.as_str())?;
        let name = format!("c.{}", quote(column.as_str()));
        Some(match self.dialect {
            Dialect::Postgres => instant(&name, of_type),
            Dialect::Sqlite => name,
        })
    }
}

fn instant(name: &str, of_type: &str) -> String {
    match of_type {
        "timestamp with time zone" => name.to_owned(),
        _ => format!("(CAST({name} AS timestamp) AT TIME ZONE 'UTC')"),
    }
}
