//! What a foreign key does to the referring rows when the row that they refer to is deleted or changes its key.

use std::collections::BTreeMap;

use crate::catalog::{Action, ForeignKey, ForeignKeyGraph, Table};

use super::model::BlockerKind;

/// What a foreign key does to the referring rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// The rows are deleted.
    Delete,
    /// These columns are set to null.
    SetNull(Vec<String>),
    /// These columns are set to their defaults, where the defaults refer to a row that stays.
    SetDefault(Vec<String>),
    /// These columns follow a key that changes to a default. Each is set to an expression of the catalog.
    CascadeUpdate(NewValues),
    /// The rows stay as they are, so the database refuses.
    Block(BlockerKind),
}

/// Columns with the SQL expressions that they are set to.
pub type NewValues = BTreeMap<String, String>;

const NULL: &str = "NULL";

impl Effect {
    /// Whether rows stay and are changed.
    #[must_use]
    pub const fn changes(&self) -> bool {
        matches!(self, Self::SetNull(_) | Self::SetDefault(_) | Self::CascadeUpdate(_))
    }

    /// Returns what the columns of the referring rows are set to.
    #[must_use]
    pub fn new_values(&self, table: &Table) -> NewValues {
        match self {
            Self::SetNull(columns) => columns.iter().map(|name| (name.clone(), NULL.to_owned())).collect(),
            Self::SetDefault(columns) => columns.iter().map(|name| (name.clone(), default_of(table, name))).collect(),
            Self::CascadeUpdate(values) => values.clone(),
            Self::Delete | Self::Block(_) => NewValues::new(),
        }
    }
}

/// Returns a column's default as the catalog has it; null where there is none.
#[must_use]
pub fn default_of(table: &Table, column: &str) -> String {
    let default = table.column(column).and_then(|column| column.default.as_deref());
    default.map_or_else(|| NULL.to_owned(), |default| format!("({default})"))
}

/// Returns the effect of a key on the rows that refer to a deleted row.
pub(super) fn on_delete(graph: &ForeignKeyGraph, key: &ForeignKey) -> Effect {
    match key.on_delete {
        Action::Cascade => Effect::Delete,
        Action::SetNull => set_null(graph, key, key.set_columns.clone()),
        Action::SetDefault => set_default(graph, key),
        Action::Restrict | Action::NoAction => Effect::Block(BlockerKind::Restricted),
    }
}

/// Returns the effect of a key on the rows that refer to a row whose columns are set to `changed`.
pub(super) fn on_update(graph: &ForeignKeyGraph, key: &ForeignKey, changed: &NewValues) -> Effect {
    match key.on_update {
        Action::Cascade => {
            let pairs = key.columns.iter().zip(&key.referenced_columns);
            let followed = pairs.filter_map(|(column, to)| Some((column.clone(), changed.get(to)?.clone())));
            cascade_update(graph, key, followed.collect())
        }
        Action::SetNull => set_null(graph, key, key.columns.clone()),
        Action::SetDefault => set_default(graph, key),
        Action::Restrict | Action::NoAction => Effect::Block(BlockerKind::Restricted),
    }
}

fn cascade_update(graph: &ForeignKeyGraph, key: &ForeignKey, values: NewValues) -> Effect {
    let set_to_null: Vec<String> =
        values.iter().filter(|(_, value)| *value == NULL).map(|(column, _)| column.clone()).collect();
    if set_to_null.len() == values.len() {
        return set_null(graph, key, set_to_null);
    }
    if are_nullable(graph, key, &set_to_null) {
        Effect::CascadeUpdate(values)
    } else {
        Effect::Block(BlockerKind::SetNullOnNotNull)
    }
}

/// Without any default, SET DEFAULT is SET NULL.
fn set_default(graph: &ForeignKeyGraph, key: &ForeignKey) -> Effect {
    let table = &graph.tables[key.table];
    let has_default = |name: &String| table.column(name).is_some_and(|column| column.default.is_some());
    if key.set_columns.iter().any(has_default) {
        return Effect::SetDefault(key.set_columns.clone());
    }
    match set_null(graph, key, key.set_columns.clone()) {
        Effect::Block(_) => Effect::Block(BlockerKind::SetDefaultUnusable),
        effect => effect,
    }
}

/// SET NULL works where every column takes null, and, under MATCH FULL, where it sets all of the key's columns.
fn set_null(graph: &ForeignKeyGraph, key: &ForeignKey, columns: Vec<String>) -> Effect {
    let sets_enough = !key.match_full || key.columns.iter().all(|column| columns.contains(column));
    if sets_enough && are_nullable(graph, key, &columns) {
        Effect::SetNull(columns)
    } else {
        Effect::Block(BlockerKind::SetNullOnNotNull)
    }
}

fn are_nullable(graph: &ForeignKeyGraph, key: &ForeignKey, columns: &[String]) -> bool {
    let table = &graph.tables[key.table];
    columns.iter().all(|name| table.column(name).is_none_or(|column| column.nullable))
}
