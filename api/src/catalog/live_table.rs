//! Tables as they are now, with the keys that a restored row must satisfy.

use sea_orm::{ConnectionTrait, DatabaseTransaction};
use serde::Deserialize;
use serde_json::json;

use crate::db::pg_text::quote_text;
use crate::db::{Database, Dialect, quote};
use crate::error::Error;

/// Reads the tables in parameter 1, a JSON array of schemas and names.
const POSTGRES: &str = include_str!("live_table_postgres.sql");
/// Reads the tables in parameter 1, a JSON array of schemas and names.
const SQLITE: &str = include_str!("live_table_sqlite.sql");

/// A table as it is now.
#[derive(Debug, Clone, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "the catalogue's own facts")]
pub(crate) struct LiveTable {
    /// The schema and name.
    pub name: (String, String),
    /// The OID (PostgreSQL).
    #[serde(default)]
    pub oid: i64,
    /// Whether the table is partitioned (PostgreSQL).
    pub partitioned: bool,
    /// Whether there are user-defined INSERT triggers; on SQLite, triggers of any kind.
    pub triggers: bool,
    /// Whether the table's definition has ON CONFLICT clauses (SQLite).
    #[serde(default)]
    pub resolves_conflicts: bool,
    /// Whether row-level security applies to the current role.
    pub row_security: bool,
    /// Whether the current role may insert rows.
    pub insertable: bool,
    /// The columns, in their order.
    pub columns: Vec<LiveColumn>,
    /// The unique indexes and exclusion constraints.
    pub unique_keys: Vec<UniqueKey>,
    /// The foreign keys of the table.
    pub references: Vec<LiveForeignKey>,
}

/// A column of a table.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct LiveColumn {
    pub name: String,
    /// The type as the database writes it.
    pub type_name: String,
    /// The column's number in its table (PostgreSQL). It does not change if the column is renamed.
    #[serde(default)]
    pub number: i64,
    /// Whether the column is generated.
    pub generated: bool,
    /// Whether a cast to text differs from the type's output (PostgreSQL).
    #[serde(default)]
    pub odd_cast: bool,
    /// The quoted collation; none if the type has none, and on SQLite.
    pub collation: Option<String>,
    /// The operator that compares two values for equality, with its schema: an extension's may be outside the search
    /// path.
    pub equals: String,
}

/// A unique index, or an exclusion constraint.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct UniqueKey {
    pub name: String,
    /// The compared expressions, as the catalog's SQL over bare column names, each with its operator; none if the
    /// catalog does not have them (expressions on SQLite).
    pub parts: Option<Vec<(String, String)>>,
    /// The condition for the rows in the index, as SQL over bare column names.
    pub predicate: Option<String>,
    /// Whether nulls count as equal.
    pub nulls_equal: bool,
}

/// A foreign key of a table.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct LiveForeignKey {
    pub columns: Vec<String>,
    /// The condition for its rows, as SQL over bare column names: those of the partition that has the key.
    pub predicate: Option<String>,
    /// The schema and name of the referenced table.
    pub referenced: (String, String),
    /// The schema and name of the referenced table, or of the partitioned table if that is a partition.
    pub whole: (String, String),
    pub referenced_columns: Vec<String>,
    /// The operator for each column, with the referenced column on its left.
    pub equals: Vec<String>,
    /// The quoted collation of each referenced column; none if the type has none.
    pub collations: Vec<Option<String>>,
    pub referenced_partitioned: bool,
}

impl LiveTable {
    /// Returns whether this is the table's schema and name.
    pub fn has_name(&self, dialect: Dialect, (schema, name): &(String, String)) -> bool {
        self.name.0 == *schema && dialect.is_same_name(&self.name.1, name)
    }

    /// Returns SQL for the table, without the tables that inherit from it.
    pub fn relation(&self, dialect: Dialect) -> String {
        relation(dialect, &self.name, self.partitioned)
    }

    /// Returns the column with this name; SQLite ignores case.
    pub fn column(&self, dialect: Dialect, name: &str) -> Option<&LiveColumn> {
        self.columns.iter().find(|column| dialect.is_same_name(&column.name, name))
    }
}

impl LiveColumn {
    /// Returns SQL for a value of the column's type as the type's output (PostgreSQL).
    pub fn text(&self, value: &str) -> String {
        quote_text(value, self.odd_cast)
    }
}

impl LiveForeignKey {
    /// Returns SQL for the referenced table.
    pub fn relation(&self, dialect: Dialect) -> String {
        relation(dialect, &self.referenced, self.referenced_partitioned)
    }

    /// Returns the COLLATE clause that makes a value compare as the referenced column; may be empty. `number` is the
    /// column's index in the key.
    pub fn collation(&self, number: usize) -> String {
        self.collations[number].as_ref().map_or_else(String::new, |name| format!(" COLLATE {name}"))
    }

    /// Returns the condition that the referenced row `alias` has this value, compared as the foreign key does. `number`
    /// is the column's index in the key.
    pub fn equals_parent(&self, dialect: Dialect, number: usize, alias: &str, value: &str) -> String {
        let referenced = format!("{alias}.{}", quote(&self.referenced_columns[number]));
        match dialect {
            Dialect::Postgres => format!("{referenced} {} ({value}){}", self.equals[number], self.collation(number)),
            // The left operand's affinity and collation decide, as in the foreign key itself.
            Dialect::Sqlite => format!("{referenced} = {value}"),
        }
    }
}

/// Returns SQL for a table, without the tables that inherit from it.
fn relation(dialect: Dialect, (schema, name): &(String, String), partitioned: bool) -> String {
    let only = if dialect == Dialect::Postgres && !partitioned { "ONLY " } else { "" };
    format!("{only}{}.{}", quote(schema), quote(name))
}

/// Reads the tables with these schemas and names that exist.
pub(crate) async fn load(
    tx: &DatabaseTransaction,
    db: &Database,
    names: &[(String, String)],
) -> Result<Vec<LiveTable>, Error> {
    let sql = match db.dialect() {
        Dialect::Postgres => POSTGRES,
        Dialect::Sqlite => SQLITE,
    };
    let row = tx.query_one_raw(db.dialect().statement(sql, [json!(names).to_string().into()])).await?;
    let document: String = row.map(|row| row.try_get("", "tables")).transpose()?.unwrap_or_default();
    serde_json::from_str(&document)
        .map_err(|error| Error::IncompatibleDatabase(format!("The catalogue could not be read: {error}")))
}
