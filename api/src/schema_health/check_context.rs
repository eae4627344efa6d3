//! What every check looks at: the graph, what the catalogue says beside it, and what follows from both.

use std::collections::BTreeSet;

use entity::OnDelete;

use super::catalog_facts::Facts;
use crate::catalog::{Action, ForeignKey, Graph, Table, TableId};
use crate::db::{Dialect, quote};

/// The state of the database at one moment.
pub(super) struct Scene {
    pub dialect: Dialect,
    /// The business tables' schema as the catalogue names it.
    pub schema: String,
    pub graph: Graph,
    pub facts: Facts,
    /// Whether `session-admin migrate` has something to do.
    pub migrations_pending: bool,
    /// The tables that a session's deletion can delete rows of.
    pub reached: BTreeSet<TableId>,
    declared: Vec<Declared>,
}

/// A reference as `entity` declares it, in this module's terms.
pub(super) struct Declared {
    pub table: String,
    pub columns: Vec<String>,
    pub referenced_table: String,
    pub on_delete: Action,
}

impl Scene {
    pub fn new(dialect: Dialect, schema: &str, graph: Graph, facts: Facts, migrations_pending: bool) -> Self {
        let reached = reached(&graph);
        Self { dialect, schema: schema.to_owned(), graph, facts, migrations_pending, reached, declared: declared() }
    }

    pub fn table(&self, id: TableId) -> &Table {
        &self.graph.tables[id]
    }

    /// The foreign keys that a deletion reaches, those that are not enforced included.
    pub fn keys(&self) -> impl Iterator<Item = &ForeignKey> {
        self.graph.foreign_keys.iter().filter(|key| self.reached.contains(&key.referenced))
    }

    /// Those of them that do something.
    pub fn enforced_keys(&self) -> impl Iterator<Item = &ForeignKey> {
        self.keys().filter(|key| key.enforced)
    }

    /// The tables that a deletion reads or changes: those it deletes from, and those that refer to them.
    pub fn touched(&self) -> BTreeSet<TableId> {
        self.reached.iter().copied().chain(self.enforced_keys().map(|key| key.table)).collect()
    }

    /// Whether every one of these columns takes null.
    pub fn take_null(&self, table: TableId, columns: &[String]) -> bool {
        columns.iter().all(|name| self.table(table).column(name).is_some_and(|column| column.nullable))
    }

    /// Whether this role can count the table's rows: it may read them, and none are hidden.
    pub fn countable(&self, table: TableId) -> bool {
        let table = self.table(table);
        table.grants.select && !table.row_security && !self.facts.closed_schemas.contains(&table.schema)
    }

    /// The reference that `entity` declares on the same columns to the same table.
    pub fn declared_for(&self, key: &ForeignKey) -> Option<&Declared> {
        let (table, referenced) = (self.table(key.table), self.table(key.referenced));
        if table.schema != self.schema || referenced.schema != self.schema {
            return None;
        }
        self.declared.iter().find(|declared| {
            declared.table == table.name
                && declared.referenced_table == referenced.name
                && declared.columns == key.columns
        })
    }

    /// All that `entity` declares.
    pub fn declared(&self) -> &[Declared] {
        &self.declared
    }

    /// `table.column,column`: what a finding about a key is about.
    pub fn subject(&self, table: TableId, columns: &[String]) -> String {
        format!("{}.{}", self.table(table).display, columns.join(","))
    }

    /// A table as SQL of this database names it.
    pub fn sql_name(&self, schema: &str, name: &str) -> String {
        match self.dialect {
            Dialect::Postgres => format!("{}.{}", quote(schema), quote(name)),
            Dialect::Sqlite => quote(name),
        }
    }

    /// A table of the graph, as SQL names it.
    pub fn sql_table(&self, id: TableId) -> String {
        let table = self.table(id);
        self.sql_name(&table.schema, &table.name)
    }

    /// The table, or the one partition, that carries the key.
    pub fn sql_carrier(&self, key: &ForeignKey) -> String {
        key.scope.as_ref().map_or_else(|| self.sql_table(key.table), |(schema, name)| self.sql_name(schema, name))
    }

    /// The table, or the one partition, that the key refers to.
    pub fn sql_referenced(&self, key: &ForeignKey) -> String {
        key.referenced_scope
            .as_ref()
            .map_or_else(|| self.sql_table(key.referenced), |(schema, name)| self.sql_name(schema, name))
    }
}

/// From the sessions' table along every CASCADE.
fn reached(graph: &Graph) -> BTreeSet<TableId> {
    let mut reached = BTreeSet::from([graph.root]);
    let mut left = vec![graph.root];
    while let Some(table) = left.pop() {
        for (_, key) in graph.referring_to(table) {
            if key.on_delete == Action::Cascade && reached.insert(key.table) {
                left.push(key.table);
            }
        }
    }
    reached
}

fn declared() -> Vec<Declared> {
    entity::declared_references()
        .into_iter()
        .map(|reference| Declared {
            table: reference.table,
            columns: reference.columns,
            referenced_table: reference.referenced_table,
            on_delete: match reference.on_delete {
                OnDelete::Cascade => Action::Cascade,
                OnDelete::SetNull => Action::SetNull,
                OnDelete::SetDefault => Action::SetDefault,
                OnDelete::Restrict => Action::Restrict,
                OnDelete::NoAction => Action::NoAction,
            },
        })
        .collect()
}

/// Column names as SQL lists them.
pub(super) fn list(columns: &[String]) -> String {
    columns.iter().map(|column| quote(column)).collect::<Vec<_>>().join(", ")
}
