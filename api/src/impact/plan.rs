//! The plan of a deletion: which tables it reaches, by which foreign keys, and what each key does there. It is made
//! from the graph alone, without a database; the SQL of counting, locking and deleting is written from it.

use crate::catalog::{Action, ForeignKey, ForeignKeyGraph, Table, TableId};

use super::effect::{self, Effect};
use super::model::BlockerKind;
use super::topology::{self, Component};

/// The place of an edge in [`DeletionPlan::edges`].
pub type EdgeId = usize;

/// The tables and foreign keys that a deletion can reach.
#[derive(Debug, Clone)]
pub struct DeletionPlan<'a> {
    /// The graph that it was made from.
    pub graph: &'a ForeignKeyGraph,
    /// The foreign keys that are followed.
    pub edges: Vec<Edge>,
    /// The tables whose rows may be deleted, parents before children; the tables of one cycle are one component.
    pub components: Vec<Component>,
    /// Whether rows of a table may be deleted, by the table's number.
    pub deletes_from: Vec<bool>,
}

/// A foreign key that is followed, from the rows it refers to.
#[derive(Debug, Clone)]
pub struct Edge {
    /// The place of the foreign key in [`ForeignKeyGraph::foreign_keys`].
    pub key: usize,
    /// The rows referred to, which are deleted or updated.
    pub source: Source,
    /// What happens to the referring rows.
    pub effect: Effect,
}

/// Rows that other rows refer to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The deleted rows of a table.
    Deleted(TableId),
    /// The rows that an edge unlinks, where the columns that it sets are themselves referred to.
    Updated(EdgeId),
}

impl<'a> DeletionPlan<'a> {
    /// Makes the plan by following the keys of `graph` from its root.
    #[must_use]
    pub fn new(graph: &'a ForeignKeyGraph) -> Self {
        let deletes_from = deletes_from(graph);
        let components = topology::topological_order(graph, &deletes_from);
        let mut plan = Self { graph, edges: Vec::new(), components, deletes_from };
        let tables: Vec<TableId> = plan.components.iter().flat_map(|component| component.tables.clone()).collect();
        for table in tables {
            for (key, foreign_key) in graph.referring_to(table) {
                let effect = effect::on_delete(graph, foreign_key);
                plan.edges.push(Edge { key, source: Source::Deleted(table), effect });
            }
        }
        plan.follow_updated_keys();
        plan
    }

    /// Adds the edges of keys that refer to columns that are set: for them it is an update (ON UPDATE).
    fn follow_updated_keys(&mut self) {
        let mut next = 0;
        while next < self.edges.len() {
            let found = self.updates_by(next);
            self.edges.extend(found);
            next += 1;
        }
    }

    fn updates_by(&self, edge: EdgeId) -> Vec<Edge> {
        let table = self.key(edge).table;
        let changed = self.edges[edge].effect.new_values(&self.graph.tables[table]);
        let referring = self
            .graph
            .referring_to(table)
            .filter(|(_, key)| key.referenced_columns.iter().any(|column| changed.contains_key(column)));
        let edges = referring.map(|(key, foreign_key)| {
            // A chain of updates that comes back to its own key is not followed: it blocks.
            let effect = if self.chain_contains(edge, key) {
                Effect::Block(BlockerKind::Restricted)
            } else {
                effect::on_update(self.graph, foreign_key, &changed)
            };
            Edge { key, source: Source::Updated(edge), effect }
        });
        edges.collect()
    }

    fn chain_contains(&self, mut edge: EdgeId, key: usize) -> bool {
        loop {
            if self.edges[edge].key == key {
                return true;
            }
            match self.edges[edge].source {
                Source::Updated(before) => edge = before,
                Source::Deleted(_) => return false,
            }
        }
    }

    /// Returns the foreign key of an edge.
    #[must_use]
    pub fn key(&self, edge: EdgeId) -> &'a ForeignKey {
        &self.graph.foreign_keys[self.edges[edge].key]
    }

    /// Returns the table that an edge leads to.
    #[must_use]
    pub fn child(&self, edge: EdgeId) -> &'a Table {
        &self.graph.tables[self.key(edge).table]
    }

    /// Returns the edges that lead to a table.
    pub fn edges_into(&self, table: TableId) -> impl Iterator<Item = EdgeId> {
        (0..self.edges.len()).filter(move |&edge| self.key(edge).table == table)
    }

    /// Returns the tables reached: those whose rows may be deleted, then the others.
    #[must_use]
    pub fn reached_tables(&self) -> Vec<TableId> {
        let mut tables: Vec<TableId> =
            self.components.iter().flat_map(|component| component.tables.iter().copied()).collect();
        for edge in 0..self.edges.len() {
            let table = self.key(edge).table;
            if !tables.contains(&table) {
                tables.push(table);
            }
        }
        tables
    }

    /// Whether the deleted rows of a table have to be listed: it is the root, something refers to it, or it lies on a
    /// cycle.
    #[must_use]
    pub fn is_node(&self, table: TableId) -> bool {
        self.deletes_from[table]
            && (table == self.graph.root
                || self.graph.referring_to(table).next().is_some()
                || self.components.iter().any(|component| component.cyclic && component.tables.contains(&table)))
    }

    /// Whether the deleted rows of a table are exactly those that this edge leads to.
    #[must_use]
    pub fn is_single_incoming_edge(&self, edge: EdgeId) -> bool {
        let table = self.key(edge).table;
        self.edges[edge].effect == Effect::Delete
            && table != self.graph.root
            && self.edges_into(table).count() == 1
            && !self.components.iter().any(|component| component.cyclic && component.tables.contains(&table))
    }

    /// Returns the other edges into the same table that set a column of this edge's key to null, and so end its
    /// reference.
    pub fn cleared_by(&self, edge: EdgeId) -> impl Iterator<Item = EdgeId> {
        self.edges_sharing(edge, |effect| match effect {
            Effect::SetNull(columns) => Some(columns),
            Effect::Delete | Effect::SetDefault(_) | Effect::CascadeUpdate(_) | Effect::Block(_) => None,
        })
    }

    /// Returns the other edges into the same table that set a column of this edge's key to its default.
    pub fn defaulted_by(&self, edge: EdgeId) -> impl Iterator<Item = EdgeId> {
        self.edges_sharing(edge, |effect| match effect {
            Effect::SetDefault(columns) => Some(columns),
            Effect::Delete | Effect::SetNull(_) | Effect::CascadeUpdate(_) | Effect::Block(_) => None,
        })
    }

    fn edges_sharing(
        &self,
        edge: EdgeId,
        set: impl Fn(&Effect) -> Option<&Vec<String>>,
    ) -> impl Iterator<Item = EdgeId> {
        let columns = &self.key(edge).columns;
        self.edges_into(self.key(edge).table).filter(move |&other| {
            let shared =
                set(&self.edges[other].effect).is_some_and(|set| set.iter().any(|name| columns.contains(name)));
            shared && other != edge
        })
    }

    /// Returns the tables whose rows may be deleted, those that refer before those referred to.
    #[must_use]
    pub fn children_first(&self) -> Vec<TableId> {
        topology::children_first(self.graph, &self.deletes_from)
    }

    /// Whether a key that acts before the end of a statement lies within a cycle of tables whose rows are deleted. Then
    /// no order of single deletes is sure to succeed.
    #[must_use]
    pub fn acts_within_cycle(&self) -> bool {
        let within = topology::on_common_cycle(self.graph, &self.deletes_from);
        let mut acting = self.graph.foreign_keys.iter().filter(|key| key.on_delete != Action::NoAction);
        acting.any(|key| within(key.table, key.referenced))
    }
}

/// Returns whether rows of each table may be deleted: those of the root, and of tables that a cascade leads to.
fn deletes_from(graph: &ForeignKeyGraph) -> Vec<bool> {
    let mut deletes_from = vec![false; graph.tables.len()];
    let mut queue = vec![graph.root];
    while let Some(table) = queue.pop() {
        if !std::mem::replace(&mut deletes_from[table], true) {
            let cascades = graph.referring_to(table).filter(|(_, key)| key.on_delete == Action::Cascade);
            queue.extend(cascades.map(|(_, key)| key.table));
        }
    }
    deletes_from
}
