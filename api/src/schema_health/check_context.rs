//! What every check reads: the foreign-key graph, further facts of the catalog, and what follows from both.

use std::collections::BTreeSet;

use entity::OnDelete;

use super::catalog_facts::CatalogFacts;
use crate::catalog::{Action, ForeignKey, ForeignKeyGraph, Table, TableId};
use crate::db::{Dialect, quote};

/// The state of the database in one snapshot.
pub(super) struct CheckContext {
    pub dialect: Dialect,
    /// The schema of the business tables as the catalog names it.
    pub schema: String,
    pub graph: ForeignKeyGraph,
    pub facts: CatalogFacts,
    /// Whether `session-admin migrate` has migrations to apply.
    pub migrations_pending: bool,
    /// The tables of which a deletion of a session can delete rows.
    pub reached: BTreeSet<TableId>,
    declared: Vec<DeclaredReference>,
}

/// A reference that `entity` declares.
pub(super) struct DeclaredReference {
    pub table: String,
    pub columns: Vec<String>,
    pub referenced_table: String,
    pub on_delete: Action,
}

impl CheckContext {
    pub fn new(
        dialect: Dialect,
        schema: &str,
        graph: ForeignKeyGraph,
        facts: CatalogFacts,
        migrations_pending: bool,
    ) -> Self {
        let reached = cascade_closure(&graph);
        Self {
            dialect,
            schema: schema.to_owned(),
            graph,
            facts,
            migrations_pending,
            reached,
            declared: declared_references(),
        }
    }

    /// Returns a table of the graph.
    pub fn table(&self, id: TableId) -> &Table {
        &self.graph.tables[id]
    }

    /// Returns the foreign keys that a deletion reaches, including those that are not enforced.
    pub fn keys(&self) -> impl Iterator<Item = &ForeignKey> {
        self.graph.foreign_keys.iter().filter(|key| self.reached.contains(&key.referenced))
    }

    /// Returns the enforced foreign keys that a deletion reaches.
    pub fn enforced_keys(&self) -> impl Iterator<Item = &ForeignKey> {
        self.keys().filter(|key| key.enforced)
    }

    /// Returns the tables that a deletion reads or changes: those it deletes from, and those that refer to them.
    pub fn affected_tables(&self) -> BTreeSet<TableId> {
        self.reached.iter().copied().chain(self.enforced_keys().map(|key| key.table)).collect()
    }

    /// Returns whether all of these columns are nullable.
    pub fn all_nullable(&self, table: TableId, columns: &[String]) -> bool {
        columns.iter().all(|name| self.table(table).column(name).is_some_and(|column| column.nullable))
    }

    /// Returns whether the current role can count the table's rows: it may read them, and none are hidden.
    pub fn countable(&self, table: TableId) -> bool {
        let table = self.table(table);
        table.grants.select && !table.row_security && !self.facts.closed_schemas.contains(&table.schema)
    }

    /// Returns the reference that `entity` declares on the same columns and to the same table.
    pub fn declared_for(&self, key: &ForeignKey) -> Option<&DeclaredReference> {
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

    /// Returns all references that `entity` declares.
    pub fn declared(&self) -> &[DeclaredReference] {
        &self.declared
    }

    /// Returns the subject of a finding about a foreign key: `table.column,column`.
    pub fn subject(&self, table: TableId, columns: &[String]) -> String {
        format!("{}.{}", self.table(table).display, columns.join(","))
    }

    /// Returns the SQL name of a table.
    pub fn sql_name(&self, schema: &str, name: &str) -> String {
        match self.dialect {
            Dialect::Postgres => format!("{}.{}", quote(schema), quote(name)),
            Dialect::Sqlite => quote(name),
        }
    }

    /// Returns the SQL name of a table of the graph.
    pub fn sql_table(&self, id: TableId) -> String {
        let table = self.table(id);
        self.sql_name(&table.schema, &table.name)
    }

    /// Returns the SQL name of the table, or the one partition, that has the foreign key.
    pub fn sql_carrier(&self, key: &ForeignKey) -> String {
        key.scope.as_ref().map_or_else(|| self.sql_table(key.table), |(schema, name)| self.sql_name(schema, name))
    }

    /// Returns the SQL name of the table, or the one partition, that the foreign key refers to.
    pub fn sql_referenced(&self, key: &ForeignKey) -> String {
        key.referenced_scope
            .as_ref()
            .map_or_else(|| self.sql_table(key.referenced), |(schema, name)| self.sql_name(schema, name))
    }
}

/// Returns the tables that CASCADE reaches from the sessions' table.
fn cascade_closure(graph: &ForeignKeyGraph) -> BTreeSet<TableId> {
    let mut reached = BTreeSet::from([graph.root]);
    let mut pending = vec![graph.root];
    while let Some(table) = pending.pop() {
        for (_, key) in graph.referring_to(table) {
            if key.on_delete == Action::Cascade && reached.insert(key.table) {
                pending.push(key.table);
            }
        }
    }
    reached
}

fn declared_references() -> Vec<DeclaredReference> {
    entity::declared_references()
        .into_iter()
        .map(|reference| DeclaredReference {
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

/// Returns the column names as an SQL list.
pub(super) fn column_list(columns: &[String]) -> String {
    columns.iter().map(|column| quote(column)).collect::<Vec<_>>().join(", ")
}
