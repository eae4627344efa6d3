//! Tables as they are now: what a row that is put back has to meet.

use sea_orm::{ConnectionTrait, DatabaseTransaction};
use serde::Deserialize;
use serde_json::json;

use crate::db::pg_text::text;
use crate::db::{Database, Dialect, quote};
use crate::error::Error;

/// Reads `pg_class` and its friends; parameter 1 is a JSON array of schemas and names.
const POSTGRES: &str = include_str!("live_table_postgres.sql");
/// The same from the pragmas.
const SQLITE: &str = include_str!("live_table_sqlite.sql");

/// A table.
#[derive(Debug, Clone, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "the catalogue's own facts")]
pub(crate) struct Present {
    /// Schema and name.
    pub name: (String, String),
    /// The server's number of it (PostgreSQL).
    #[serde(default)]
    pub oid: i64,
    /// A partitioned table (PostgreSQL).
    pub partitioned: bool,
    /// Users have made triggers that insertions fire; on SQLite, any triggers.
    pub triggers: bool,
    /// The table says itself what a conflict does (ON CONFLICT of SQLite).
    #[serde(default)]
    pub resolves_conflicts: bool,
    /// Row-level security applies to the current role.
    pub row_security: bool,
    /// The current role may put rows into it.
    pub insertable: bool,
    /// The columns, in their order.
    pub columns: Vec<PresentColumn>,
    /// What may stand in the table once only.
    pub unique_keys: Vec<UniqueKey>,
    /// The foreign keys of its rows.
    pub references: Vec<Reference>,
}

/// A column.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct PresentColumn {
    pub name: String,
    /// As the database writes it.
    pub type_name: String,
    /// Its number in the table (PostgreSQL), which stays with it when it is renamed.
    #[serde(default)]
    pub number: i64,
    /// The database works its value out.
    pub generated: bool,
    /// Its cast to text is not what its type writes (PostgreSQL).
    #[serde(default)]
    pub odd_cast: bool,
    /// Its collation, quoted; none where its type has none, and on SQLite.
    pub collation: Option<String>,
    /// The operator that says whether two of its values are the same: an extension's may be outside the search path.
    pub equals: String,
}

/// A unique index, or an exclusion constraint.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct UniqueKey {
    pub name: String,
    /// What is compared, in the catalogue's own SQL over the bare names of columns, each with the operator; none where
    /// the catalogue does not tell (expressions on SQLite).
    pub parts: Option<Vec<(String, String)>>,
    /// Which rows it is about, likewise.
    pub predicate: Option<String>,
    /// Nulls are equal.
    pub nulls_equal: bool,
}

/// A foreign key.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Reference {
    pub columns: Vec<String>,
    /// Which rows it is about, in SQL over the bare names of columns: those of one partition, if it is that one's own.
    pub predicate: Option<String>,
    /// Schema and name of the table that it refers to.
    pub referenced: (String, String),
    /// The same of the whole table, where that is a partition.
    pub whole: (String, String),
    pub referenced_columns: Vec<String>,
    /// For each column the operator that compares `referenced = referring`.
    pub equals: Vec<String>,
    /// The collation of each referenced column, quoted; none where its type has none.
    pub collations: Vec<Option<String>>,
    pub referenced_partitioned: bool,
}

impl Present {
    /// It has this schema and name.
    pub fn is_called(&self, dialect: Dialect, (schema, name): &(String, String)) -> bool {
        self.name.0 == *schema && dialect.same_name(&self.name.1, name)
    }

    /// The table in SQL, for reading and changing its own rows.
    pub fn relation(&self, dialect: Dialect) -> String {
        relation(dialect, &self.name, self.partitioned)
    }

    /// The column with this name, in any case on SQLite, as it has it.
    pub fn column(&self, dialect: Dialect, name: &str) -> Option<&PresentColumn> {
        self.columns.iter().find(|column| dialect.same_name(&column.name, name))
    }
}

impl PresentColumn {
    /// A value of the column's type, as its type writes it.
    pub fn text(&self, value: &str) -> String {
        text(value, self.odd_cast)
    }
}

impl Reference {
    /// The table that it refers to, in SQL.
    pub fn relation(&self, dialect: Dialect) -> String {
        relation(dialect, &self.referenced, self.referenced_partitioned)
    }

    /// What follows a value of the key's so-many-th column, for it to compare as the column referred to.
    pub fn collation(&self, number: usize) -> String {
        self.collations[number].as_ref().map_or_else(String::new, |name| format!(" COLLATE {name}"))
    }

    /// The row `alias` of the table referred to has this value in the key's so-many-th column, as the key itself compares.
    pub fn same(&self, dialect: Dialect, number: usize, alias: &str, value: &str) -> String {
        let to = format!("{alias}.{}", quote(&self.referenced_columns[number]));
        match dialect {
            Dialect::Postgres => format!("{to} {} ({value}){}", self.equals[number], self.collation(number)),
            // The parent's own type and collation decide, as they stand on the left.
            Dialect::Sqlite => format!("{to} = {value}"),
        }
    }
}

fn relation(dialect: Dialect, (schema, name): &(String, String), partitioned: bool) -> String {
    let only = if dialect == Dialect::Postgres && !partitioned { "ONLY " } else { "" };
    format!("{only}{}.{}", quote(schema), quote(name))
}

/// The tables with these schemas and names that exist.
pub(crate) async fn read(
    transaction: &DatabaseTransaction,
    db: &Database,
    names: &[(String, String)],
) -> Result<Vec<Present>, Error> {
    let sql = match db.dialect() {
        Dialect::Postgres => POSTGRES,
        Dialect::Sqlite => SQLITE,
    };
    let row = transaction.query_one_raw(db.dialect().statement(sql, [json!(names).to_string().into()])).await?;
    let document: String = row.map(|row| row.try_get("", "tables")).transpose()?.unwrap_or_default();
    serde_json::from_str(&document)
        .map_err(|error| Error::Unsuitable(format!("The catalogue could not be read: {error}")))
}
