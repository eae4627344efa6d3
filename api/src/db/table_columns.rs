//! What columns a table has: in an adopted database a few are certain, the others are there perhaps. The entity's names
//! ask for them.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sea_orm::{ColumnTrait, ColumnType, ConnectionTrait};

use super::pagination::{Key, Kind};
use super::{Database, Dialect, quote};
use crate::error::Error;

/// How long a list may believe that a table's columns are those that it had: a list that was made before somebody added or
/// dropped one is no older than this.
const BELIEVED: Duration = Duration::from_secs(2);

/// The columns of tables, each with the moment when they were read.
pub(super) type Known = Arc<Mutex<HashMap<String, (Instant, Arc<Columns>)>>>;

/// The columns of one table by name, each with its type.
#[derive(Debug)]
pub struct Columns {
    dialect: Dialect,
    table: String,
    types: HashMap<String, String>,
    /// Those that are NOT NULL.
    filled: HashSet<String>,
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
                // A type of no length: without the -1, character(36) would be called what SQL means by character(1). A
                // domain is what it is made of.
                "SELECT a.attname::text AS name, a.attnotnull::int AS filled, \
                 format_type(coalesce(nullif(t.typbasetype, 0), t.oid), -1) AS type \
                 FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace \
                 JOIN pg_type t ON t.oid = a.atttypid \
                 WHERE n.nspname = $1 AND c.relname = $2 AND a.attnum > 0 AND NOT a.attisdropped"
            }
            Dialect::Sqlite => "SELECT name, type, \"notnull\" AS filled FROM pragma_table_xinfo($2) WHERE $1 = 'main'",
        };
        let statement = dialect.statement(sql, [db.schema().into(), table.into()]);
        let rows = conn.query_all_raw(statement).await?;
        let (mut types, mut filled) = (HashMap::new(), HashSet::new());
        for row in rows {
            let name: String = row.try_get("", "name")?;
            if row.try_get::<i32>("", "filled")? == 1 {
                filled.insert(name.clone());
            }
            types.insert(name, row.try_get::<String>("", "type")?);
        }
        if types.is_empty() {
            return Err(dialect.missing_table(db.schema(), table));
        }
        Ok(Self { dialect, table: format!("{}.{}", quote(db.schema()), quote(table)), types, filled })
    }

    /// Those of `table` as they were two seconds ago at most: for lists, of which a page is read every moment. What
    /// decides about a row reads them anew.
    ///
    /// # Errors
    /// Those of [`Columns::now`].
    pub async fn recent(db: &Database, table: &str) -> Result<Arc<Self>, Error> {
        let lock = || db.known_columns.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((read, columns)) = lock().get(table)
            && read.elapsed() < BELIEVED
        {
            return Ok(Arc::clone(columns));
        }
        let columns = Arc::new(Self::now(db.pool(), db, table).await?);
        lock().insert(table.to_owned(), (Instant::now(), Arc::clone(&columns)));
        Ok(columns)
    }

    /// The table as SQL names it.
    #[must_use]
    pub fn table(&self) -> &str {
        &self.table
    }

    /// What to select of a row `c` to have these columns as [`Cell`](super::Cell)s, under the entity's names; those that
    /// nobody has asked for are null.
    #[must_use]
    pub fn selected<C: ColumnTrait>(&self, columns: &[C], unasked: &[&str]) -> String {
        let sent = |column: &C| {
            let is_unasked = unasked.contains(&column.as_str());
            if is_unasked { "NULL".to_owned() } else { self.as_sent(*column) }
        };
        columns.iter().map(|column| format!("{} AS {}", sent(column), column.as_str())).collect::<Vec<_>>().join(", ")
    }

    /// A column's value as it is sent: PostgreSQL's timestamps and UUIDs as they are, everything else as text.
    fn as_sent<C: ColumnTrait>(&self, column: C) -> String {
        let is_uuid = self.types.get(column.as_str()).is_some_and(|of_type| of_type == "uuid");
        let sent = match self.dialect {
            Dialect::Postgres if is_instant(column) => self.instant(column),
            Dialect::Postgres if is_uuid => self.name(column),
            Dialect::Postgres | Dialect::Sqlite => None,
        };
        sent.unwrap_or_else(|| self.as_text(column))
    }

    /// A column's value as text; null where the column is missing.
    #[must_use]
    pub fn as_text<C: ColumnTrait>(&self, column: C) -> String {
        let name = if is_instant(column) { self.instant(column) } else { self.name(column) };
        name.map_or_else(|| "NULL".to_owned(), |name| format!("CAST({name} AS text)"))
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

    /// A column of instants to order a list by; none where it is missing. On SQLite by its text, whatever is in it.
    #[must_use]
    pub fn sortable(&self, column: impl ColumnTrait) -> Option<String> {
        let instant = self.instant(column)?;
        Some(match self.dialect {
            Dialect::Postgres => instant,
            Dialect::Sqlite => format!("CAST({instant} AS text)"),
        })
    }

    /// A column of texts, bare, as an index has it; none where a row may have null or something else in it.
    #[must_use]
    pub fn filled_text(&self, column: impl ColumnTrait) -> Option<String> {
        let of_type = self.types.get(column.as_str())?.to_ascii_uppercase();
        let is_text = match self.dialect {
            Dialect::Postgres => matches!(of_type.as_str(), "TEXT" | "CHARACTER VARYING"),
            // Numbers become text in such a column (https://www.sqlite.org/datatype3.html#determination_of_column_affinity).
            Dialect::Sqlite => !of_type.contains("INT") && (of_type.contains("TEXT") || of_type.contains("CHAR")),
        };
        (is_text && self.filled.contains(column.as_str())).then(|| self.name(column)).flatten()
    }

    /// A column of whole numbers, to read and to order a list by: null where it holds something else; none where it is
    /// missing.
    #[must_use]
    pub fn number(&self, column: impl ColumnTrait) -> Option<String> {
        let name = self.name(column)?;
        Some(match (self.dialect, self.types.get(column.as_str()).map(String::as_str)) {
            (Dialect::Postgres, Some("smallint" | "integer" | "bigint")) => name,
            (Dialect::Postgres, _) => {
                let text = format!("CAST({name} AS text)");
                format!("CASE WHEN {text} ~ '^-?[0-9]{{1,18}}$' THEN CAST({text} AS bigint) END")
            }
            (Dialect::Sqlite, _) => format!("CASE typeof({name}) WHEN 'integer' THEN {name} END"),
        })
    }

    /// A column of ids, which breaks the ties of a list.
    #[must_use]
    pub fn key(&self, column: impl ColumnTrait) -> Key {
        let kind = match self.types.get(column.as_str()).map(String::as_str) {
            Some("uuid") => Kind::Uuid,
            _ => Kind::Text,
        };
        Key::new(format!("c.{}", quote(column.as_str())), kind)
    }

    /// Whether the first of these columns that holds anything is `than` (`<` or `>`) a moment; null where it holds no
    /// time, none where all are missing. On SQLite times are compared to the millisecond.
    #[must_use]
    pub fn compared(&self, columns: &[impl ColumnTrait], than: &str, moment: &str) -> Option<String> {
        let moment = match self.dialect {
            Dialect::Postgres => moment.to_owned(),
            Dialect::Sqlite => format!("julianday({moment})"),
        };
        Some(format!("{} {than} {moment}", self.first_instant(columns)?))
    }

    /// The time in the first of these columns that holds anything, to compare and to sort by; null where that is no time,
    /// none where all are missing. On SQLite a time is text of one of several forms, which sort differently, so this is a
    /// day's number; a number in the column, also as text, may mean anything and counts as no time.
    #[must_use]
    pub fn first_instant(&self, columns: &[impl ColumnTrait]) -> Option<String> {
        let instants: Vec<String> = columns.iter().filter_map(|&column| self.instant(column)).collect();
        let day = |name: &str| match self.dialect {
            Dialect::Postgres => name.to_owned(),
            Dialect::Sqlite => format!(
                "CASE WHEN {name} GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*' THEN julianday({name}) END"
            ),
        };
        // The next column stands in where one is null, not where it holds something that is no time.
        let mut rest = instants.iter().rev();
        let last = day(rest.next()?);
        Some(rest.fold(last, |next, name| format!("CASE WHEN {name} IS NULL THEN {next} ELSE {} END", day(name))))
    }

    /// A column of instants as the database compares it; none where it is missing, or, on PostgreSQL, of a type that holds
    /// something else.
    #[must_use]
    pub fn instant(&self, column: impl ColumnTrait) -> Option<String> {
        let of_type = self.types.get(column.as_str())?;
        let name = format!("c.{}", quote(column.as_str()));
        match (self.dialect, of_type.as_str()) {
            (Dialect::Sqlite, _) | (_, "timestamp with time zone") => Some(name),
            (_, "timestamp without time zone" | "date") => {
                Some(format!("(CAST({name} AS timestamp) AT TIME ZONE 'UTC')"))
            }
            _ => None,
        }
    }
}

fn is_instant(column: impl ColumnTrait) -> bool {
    *column.def().get_column_type() == ColumnType::TimestampWithTimeZone
}
