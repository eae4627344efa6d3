//! The foreign-key graph: tables and foreign keys as the database's own catalogue has them now. Pure data; the readers
//! for either database are beside this file.

use std::fmt;

use crate::db::{Dialect, quote};

/// A table's place in [`Graph::tables`].
pub type TableId = usize;

/// Tables, and the foreign keys between them, that can be reached from one table: the sessions', unless said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Graph {
    /// The tables, in no particular order.
    pub tables: Vec<Table>,
    /// The foreign keys between them; a partition's copy of its parent's key is left out.
    pub foreign_keys: Vec<ForeignKey>,
    /// The table that it starts from.
    pub root: TableId,
}

/// One table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Table {
    /// The server's number of it (PostgreSQL).
    pub oid: i64,
    /// The schema; `main` on SQLite.
    pub schema: String,
    /// The bare name.
    pub name: String,
    /// The name as people see it: bare in the business schema, `schema.name` elsewhere, never quoted.
    pub display: String,
    /// The columns, in their order.
    pub columns: Vec<Column>,
    /// The primary key's columns; empty where there is none.
    pub primary_key: Vec<String>,
    /// The columns that tell its rows apart for good: the primary key, or a unique key, none of them taking null; empty
    /// where there is none.
    pub key: Vec<String>,
    /// A partitioned table (PostgreSQL): its rows live in its partitions.
    pub partitioned: bool,
    /// A key of it refers to a table that does not exist (SQLite allows that, and then refuses every change of its rows).
    pub refers_nowhere: bool,
    /// What finds a row again within one statement: `ctid` on PostgreSQL, the rowid's usable name or the primary key on
    /// SQLite.
    pub row_id: Vec<String>,
    /// Row-level security hides rows of this table from the current role.
    pub row_security: bool,
    /// The privileges that the current role has on the table.
    pub grants: Grants,
    /// Triggers that users have made on the table and that deletions or updates fire, by name.
    pub triggers: Vec<String>,
}

/// What the current role may do with a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "four privileges are four facts")]
pub struct Grants {
    /// Read every column that matters.
    pub select: bool,
    /// Lock and change rows.
    pub update: bool,
    /// Delete rows.
    pub delete: bool,
    /// Put rows back.
    pub insert: bool,
}

impl Default for Grants {
    fn default() -> Self {
        Self { select: true, update: true, delete: true, insert: true }
    }
}

/// One column.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "the catalogue's own facts")]
pub struct Column {
    /// The name.
    pub name: String,
    /// The type as the database writes it; for a domain, the domain.
    pub type_name: String,
    /// Whether the column takes null: neither NOT NULL nor a domain that forbids it, nor part of a primary key.
    pub nullable: bool,
    /// The default's expression, as the catalogue has it.
    pub default: Option<String>,
    /// Its number in the table (PostgreSQL), which stays with it when it is renamed.
    pub number: i64,
    /// The database works its value out from other columns.
    pub generated: bool,
    /// It does so at every reading, and stores nothing.
    pub unstored: bool,
    /// Its cast to text is not what its type writes (PostgreSQL): one that a user has made, or one that loses blanks.
    pub odd_cast: bool,
    /// Its collation, quoted (PostgreSQL); none where its type has none.
    pub collation: Option<String>,
}

/// What a foreign key does when the row it refers to is deleted, or its key changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Action {
    /// The referring row goes too.
    Cascade,
    /// The reference becomes null.
    SetNull,
    /// The reference becomes the column's default.
    SetDefault,
    /// Refused at once.
    Restrict,
    /// Refused at the end of the statement or transaction.
    NoAction,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cascade => "CASCADE",
            Self::SetNull => "SET NULL",
            Self::SetDefault => "SET DEFAULT",
            Self::Restrict => "RESTRICT",
            Self::NoAction => "NO ACTION",
        })
    }
}

/// One foreign key.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "the catalogue's own facts")]
pub struct ForeignKey {
    /// The constraint's name; where SQLite has none, `<table>_<columns>_fkey`.
    pub constraint: String,
    /// The referring table.
    pub table: TableId,
    /// Its columns, in the key's order.
    pub columns: Vec<String>,
    /// The table referred to.
    pub referenced: TableId,
    /// Its columns, in the same order.
    pub referenced_columns: Vec<String>,
    /// The rule for a deleted parent.
    pub on_delete: Action,
    /// The rule for a parent whose key changes.
    pub on_update: Action,
    /// The columns that SET NULL or SET DEFAULT sets: all, unless the key names some (PostgreSQL 15).
    pub set_columns: Vec<String>,
    /// MATCH FULL: all columns are null, or none.
    pub match_full: bool,
    /// Every existing row has been checked against it.
    pub validated: bool,
    /// It does anything at all (PostgreSQL 18 has NOT ENFORCED keys).
    pub enforced: bool,
    /// A usable index leads with its columns.
    pub indexed: bool,
    /// On a partition that has a key of its own: that partition (schema, name); the table is then the partitioned one.
    pub scope: Option<(String, String)>,
    /// Where it refers to one partition: that partition's (schema, name).
    pub referenced_scope: Option<(String, String)>,
}

impl Graph {
    /// The table with this schema and name.
    #[must_use]
    pub fn find(&self, schema: &str, name: &str) -> Option<TableId> {
        self.tables.iter().position(|table| table.schema == schema && table.name == name)
    }

    /// The foreign keys that refer to `table`, with their places in [`Graph::foreign_keys`].
    pub fn referring_to(&self, table: TableId) -> impl Iterator<Item = (usize, &ForeignKey)> {
        self.foreign_keys.iter().enumerate().filter(move |(_, key)| key.referenced == table && key.enforced)
    }
}

impl Table {
    /// The column with this name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The table, for reading its own rows: those of tables that inherit from it are no business of its foreign keys.
    #[must_use]
    pub fn relation(&self, dialect: Dialect) -> String {
        let only = if dialect == Dialect::Postgres && !self.partitioned { "ONLY " } else { "" };
        format!("{only}{}.{}", quote(&self.schema), quote(&self.name))
    }

    /// Why the current role may not see all its rows, that `what` cannot be known therefore, and what to do; none where it
    /// sees them.
    #[must_use]
    pub fn hidden(&self, what: &str) -> Option<String> {
        let name = &self.display;
        if self.row_security {
            return Some(format!(
                "Row-level security may hide rows of {name} from this role, so {what} cannot be known. Use a role with BYPASSRLS, or the table's owner."
            ));
        }
        let lacks_select = !self.grants.select;
        lacks_select.then(|| format!("This role may not read {name}, so {what} cannot be known. Grant it SELECT."))
    }
}

/// The first of a table's keys whose columns take no null.
pub(super) fn row_key(columns: &[Column], primary: &[String], unique: Vec<Vec<String>>) -> Vec<String> {
    let never_null = |name: &String| columns.iter().any(|column| column.name == *name && !column.nullable);
    let mut keys = std::iter::once(primary.to_vec()).chain(unique);
    keys.find(|key| !key.is_empty() && key.iter().all(never_null)).unwrap_or_default()
}

impl ForeignKey {
    /// Where its rows are, for reading: in a partition that has a key of its own, or in its table.
    #[must_use]
    pub fn referring(&self, graph: &Graph, dialect: Dialect) -> String {
        let partition = self.scope.as_ref().map(|(schema, name)| format!("{}.{}", quote(schema), quote(name)));
        partition.unwrap_or_else(|| graph.tables[self.table].relation(dialect))
    }

    /// What follows the referring column in a comparison: the collation of the column referred to, by which the key itself
    /// compares, where the two have different ones.
    #[must_use]
    pub fn collation(&self, graph: &Graph, column: &str, to: &str) -> String {
        let of =
            |table: TableId, name: &str| graph.tables[table].column(name).and_then(|column| column.collation.as_ref());
        match (of(self.table, column), of(self.referenced, to)) {
            (Some(own), Some(other)) if own != other => format!(" COLLATE {other}"),
            _ => String::new(),
        }
    }

    /// A key that refers to one partition is met by that partition's rows only: the condition on the expression of a row's
    /// table, `tableoid`.
    #[must_use]
    pub fn within_scope(&self, tableoid: &str) -> Option<String> {
        let (schema, name) = self.referenced_scope.as_ref()?;
        let quoted = format!("{}.{}", quote(schema), quote(name)).replace('\'', "''");
        Some(format!("{tableoid} = '{quoted}'::regclass"))
    }
}
