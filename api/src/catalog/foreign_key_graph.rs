//! The foreign-key graph: the tables and foreign keys of the database's catalog, as data.

use std::fmt;

use crate::db::{Dialect, quote};

/// The index of a table in [`ForeignKeyGraph::tables`].
pub type TableId = usize;

/// The tables that can be reached from one table, usually the sessions', and the foreign keys between them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ForeignKeyGraph {
    /// The tables, in no particular order.
    pub tables: Vec<Table>,
    /// The foreign keys between them, without the copies that partitions have of their parent's keys.
    pub foreign_keys: Vec<ForeignKey>,
    /// The table from which the graph starts.
    pub root: TableId,
}

/// A table of the graph.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Table {
    /// The OID (PostgreSQL).
    pub oid: i64,
    /// The schema; `main` on SQLite.
    pub schema: String,
    /// The name without the schema.
    pub name: String,
    /// The name for messages: `schema.name` outside the business schema, never quoted.
    pub display: String,
    /// The columns, in their order.
    pub columns: Vec<Column>,
    /// The primary key's columns; empty if there is none.
    pub primary_key: Vec<String>,
    /// The columns that identify a row permanently: the primary key or a unique key, if none of its columns is
    /// nullable; empty if there is no such key.
    pub key: Vec<String>,
    /// Whether the table is partitioned (PostgreSQL). Its rows are in the partitions.
    pub partitioned: bool,
    /// Whether a foreign key refers to a table that does not exist. SQLite allows that, and then rejects every change
    /// of rows.
    pub has_dangling_key: bool,
    /// The columns that identify a row within one statement: `ctid` on PostgreSQL, the rowid or the primary key on
    /// SQLite.
    pub row_id: Vec<String>,
    /// Whether row-level security may hide rows from the current role.
    pub row_security: bool,
    /// The current role's privileges on the table.
    pub grants: Grants,
    /// The names of the user-defined triggers that DELETE or UPDATE fires.
    pub triggers: Vec<String>,
}

/// The current role's privileges on a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "four privileges are four facts")]
pub struct Grants {
    /// Whether it may read all columns.
    pub select: bool,
    /// Whether it may lock and update rows.
    pub update: bool,
    /// Whether it may delete rows.
    pub delete: bool,
    /// Whether it may insert rows.
    pub insert: bool,
}

impl Default for Grants {
    fn default() -> Self {
        Self { select: true, update: true, delete: true, insert: true }
    }
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "the catalogue's own facts")]
pub struct Column {
    /// The name.
    pub name: String,
    /// The type as the database writes it; for a domain, the name of the domain.
    pub type_name: String,
    /// Whether the column is nullable: neither NOT NULL, nor of a domain that forbids null, nor part of a primary key.
    pub nullable: bool,
    /// The default's expression in SQL.
    pub default: Option<String>,
    /// The column's number in its table (PostgreSQL). It does not change if the column is renamed.
    pub number: i64,
    /// Whether the column is generated from other columns.
    pub generated: bool,
    /// Whether it is generated on every read, and not stored.
    pub is_virtual: bool,
    /// Whether a cast to text differs from the type's output (PostgreSQL): a user-defined cast, or one that loses
    /// blanks.
    pub has_custom_text_cast: bool,
    /// The quoted collation (PostgreSQL); none if the type has none.
    pub collation: Option<String>,
}

/// A foreign key's rule for a parent row that is deleted, or whose key changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Action {
    /// The referring row is deleted too.
    Cascade,
    /// The reference is set to null.
    SetNull,
    /// The reference is set to the column's default.
    SetDefault,
    /// The change is rejected at once.
    Restrict,
    /// The change is rejected at the end of the statement or transaction.
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

/// A foreign key of the graph.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "the catalogue's own facts")]
pub struct ForeignKey {
    /// The constraint's name; on SQLite, which has none, `<table>_<columns>_fkey`.
    pub constraint: String,
    /// The referring table.
    pub table: TableId,
    /// The referring columns, in the key's order.
    pub columns: Vec<String>,
    /// The referenced table.
    pub referenced: TableId,
    /// The referenced columns, in the same order.
    pub referenced_columns: Vec<String>,
    /// The rule for a deleted parent row.
    pub on_delete: Action,
    /// The rule for a parent row whose key changes.
    pub on_update: Action,
    /// The columns that SET NULL or SET DEFAULT sets: all, unless the key lists some (PostgreSQL 15).
    pub set_columns: Vec<String>,
    /// Whether it is MATCH FULL: either all columns are null, or none.
    pub match_full: bool,
    /// Whether all existing rows have been checked.
    pub validated: bool,
    /// Whether it is enforced (PostgreSQL 18 has NOT ENFORCED keys).
    pub enforced: bool,
    /// Whether a usable index leads with its columns.
    pub indexed: bool,
    /// The schema and name of the partition that has the key by itself; `table` is then the partitioned table.
    pub scope: Option<(String, String)>,
    /// The schema and name of the partition that it refers to; `referenced` is then the partitioned table.
    pub referenced_scope: Option<(String, String)>,
}

impl ForeignKeyGraph {
    /// Returns the table with this schema and name.
    #[must_use]
    pub fn find(&self, schema: &str, name: &str) -> Option<TableId> {
        self.tables.iter().position(|table| table.schema == schema && table.name == name)
    }

    /// Returns the enforced foreign keys that refer to `table`, with their indexes in [`ForeignKeyGraph::foreign_keys`].
    pub fn referring_to(&self, table: TableId) -> impl Iterator<Item = (usize, &ForeignKey)> {
        self.foreign_keys.iter().enumerate().filter(move |(_, key)| key.referenced == table && key.enforced)
    }
}

impl Table {
    /// Returns the column with this name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Returns SQL for the table, without the tables that inherit from it, to which its foreign keys do not apply.
    #[must_use]
    pub fn relation(&self, dialect: Dialect) -> String {
        let only = if dialect == Dialect::Postgres && !self.partitioned { "ONLY " } else { "" };
        format!("{only}{}.{}", quote(&self.schema), quote(&self.name))
    }

    /// Returns a message if the current role may not see all rows, so that `what` cannot be known, with the remedy;
    /// none if it sees all of them.
    #[must_use]
    pub fn hidden_rows_message(&self, what: &str) -> Option<String> {
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

/// Returns the first of a table's keys without nullable columns.
pub(super) fn row_key(columns: &[Column], primary: &[String], unique: Vec<Vec<String>>) -> Vec<String> {
    let is_not_null = |name: &String| columns.iter().any(|column| column.name == *name && !column.nullable);
    let mut keys = std::iter::once(primary.to_vec()).chain(unique);
    keys.find(|key| !key.is_empty() && key.iter().all(is_not_null)).unwrap_or_default()
}

impl ForeignKey {
    /// Returns SQL for the table with the referring rows: the partition that has the key by itself, or the table.
    #[must_use]
    pub fn referring_relation(&self, graph: &ForeignKeyGraph, dialect: Dialect) -> String {
        let partition = self.scope.as_ref().map(|(schema, name)| format!("{}.{}", quote(schema), quote(name)));
        partition.unwrap_or_else(|| graph.tables[self.table].relation(dialect))
    }

    /// Returns the COLLATE clause for the referring column `column` in a comparison with the referenced column `to`. It
    /// is empty if both have the same collation. The foreign key compares by the referenced column's.
    #[must_use]
    pub fn collation(&self, graph: &ForeignKeyGraph, column: &str, to: &str) -> String {
        let of =
            |table: TableId, name: &str| graph.tables[table].column(name).and_then(|column| column.collation.as_ref());
        match (of(self.table, column), of(self.referenced, to)) {
            (Some(own), Some(other)) if own != other => format!(" COLLATE {other}"),
            _ => String::new(),
        }
    }

    /// Returns the condition that a referenced row is in the partition that the key refers to; none if it refers to the
    /// whole table. `tableoid` is the SQL for the row's `tableoid`.
    #[must_use]
    pub fn within_scope(&self, tableoid: &str) -> Option<String> {
        let (schema, name) = self.referenced_scope.as_ref()?;
        let quoted = format!("{}.{}", quote(schema), quote(name)).replace('\'', "''");
        Some(format!("{tableoid} = '{quoted}'::regclass"))
    }
}
