//! What a foreign key does to the rows that refer, when the row that they refer to goes or changes its key.

use std::collections::BTreeMap;

use crate::catalog::{Action, ForeignKey, Graph, Table};

use super::model::BlockerKind;

/// What a foreign key does to the rows that refer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// They go too.
    Delete,
    /// These columns become null.
    Clear(Vec<String>),
    /// These columns become their defaults, where that leads to a row that stays.
    Default(Vec<String>),
    /// These columns follow a key that changes to a default: each with its new value, an expression of the catalogue.
    Follow(NewValues),
    /// They stay as they are, and so the database refuses.
    Block(BlockerKind),
}

/// Columns with the expressions that they are set to.
pub type NewValues = BTreeMap<String, String>;

const NULL: &str = "NULL";

impl Effect {
    /// Whether rows stay with something changed.
    #[must_use]
    pub const fn changes(&self) -> bool {
        matches!(self, Self::Clear(_) | Self::Default(_) | Self::Follow(_))
    }

    /// What the columns of the referring rows are set to.
    #[must_use]
    pub fn new_values(&self, table: &Table) -> NewValues {
        match self {
            Self::Clear(columns) => columns.iter().map(|name| (name.clone(), NULL.to_owned())).collect(),
            Self::Default(columns) => columns.iter().map(|name| (name.clone(), default_of(table, name))).collect(),
            Self::Follow(values) => values.clone(),
            Self::Delete | Self::Block(_) => NewValues::new(),
        }
    }
}

/// A column's default as the catalogue has it; null where there is none.
#[must_use]
pub fn default_of(table: &Table, column: &str) -> String {
    let default = table.column(column).and_then(|column| column.default.as_deref());
    default.map_or_else(|| NULL.to_owned(), |default| format!("({default})"))
}

/// The rule for a row that goes.
pub(super) fn on_delete(graph: &Graph, key: &ForeignKey) -> Effect {
    match key.on_delete {
        Action::Cascade => Effect::Delete,
        Action::SetNull => set_null(graph, key, key.set_columns.clone()),
        Action::SetDefault => set_default(graph, key),
        Action::Restrict | Action::NoAction => Effect::Block(BlockerKind::Restricted),
    }
}

/// The rule for a row whose columns are set to `changed`.
pub(super) fn on_update(graph: &Graph, key: &ForeignKey, changed: &NewValues) -> Effect {
    match key.on_update {
        Action::Cascade => {
            let pairs = key.columns.iter().zip(&key.referenced_columns);
            let followed = pairs.filter_map(|(column, to)| Some((column.clone(), changed.get(to)?.clone())));
            follow(graph, key, followed.collect())
        }
        Action::SetNull => set_null(graph, key, key.columns.clone()),
        Action::SetDefault => set_default(graph, key),
        Action::Restrict | Action::NoAction => Effect::Block(BlockerKind::Restricted),
    }
}

fn follow(graph: &Graph, key: &ForeignKey, values: NewValues) -> Effect {
    let cleared: Vec<String> =
        values.iter().filter(|(_, value)| *value == NULL).map(|(column, _)| column.clone()).collect();
    if cleared.len() == values.len() {
        return set_null(graph, key, cleared);
    }
    if takes_null(graph, key, &cleared) { Effect::Follow(values) } else { Effect::Block(BlockerKind::SetNullOnNotNull) }
}

/// Without any default, SET DEFAULT is SET NULL.
fn set_default(graph: &Graph, key: &ForeignKey) -> Effect {
    let table = &graph.tables[key.table];
    let has_default = |name: &String| table.column(name).is_some_and(|column| column.default.is_some());
    if key.set_columns.iter().any(has_default) {
        return Effect::Default(key.set_columns.clone());
    }
    match set_null(graph, key, key.set_columns.clone()) {
        Effect::Block(_) => Effect::Block(BlockerKind::SetDefaultUnusable),
        effect => effect,
    }
}

/// SET NULL works where every column takes null, and, under MATCH FULL, where it sets all of the key's columns.
fn set_null(graph: &Graph, key: &ForeignKey, columns: Vec<String>) -> Effect {
    let whole = !key.match_full || key.columns.iter().all(|column| columns.contains(column));
    if whole && takes_null(graph, key, &columns) {
        Effect::Clear(columns)
    } else {
        Effect::Block(BlockerKind::SetNullOnNotNull)
    }
}

fn takes_null(graph: &Graph, key: &ForeignKey, columns: &[String]) -> bool {
    let table = &graph.tables[key.table];
    columns.iter().all(|name| table.column(name).is_none_or(|column| column.nullable))
}
