//! The plan: which tables a deletion reaches, by which foreign keys, and what each key does there. Pure: it needs the
//! graph and no database, and the SQL of counting, locking and deleting is written from it.

use crate::catalog::{Action, ForeignKey, Graph, Table, TableId};

use super::effect::{self, Effect};
use super::model::BlockerKind;
use super::topology::{self, Component};

/// A reached table's or an edge's place in the plan.
pub type EdgeId = usize;

/// What a deletion can reach.
#[derive(Debug, Clone)]
pub struct Plan<'a> {
    /// The graph it was made from.
    pub graph: &'a Graph,
    /// The foreign keys that are followed.
    pub edges: Vec<Edge>,
    /// The tables from which rows may go, parents before children; tables of one cycle stand together.
    pub components: Vec<Component>,
    /// By table: rows of it may go.
    pub doomed: Vec<bool>,
}

/// A foreign key that is followed, from the rows it refers to.
#[derive(Debug, Clone)]
pub struct Edge {
    /// Its place in [`Graph::foreign_keys`].
    pub key: usize,
    /// The rows referred to that go or change.
    pub source: Source,
    /// What happens to the rows that refer to them.
    pub effect: Effect,
}

/// Rows that other rows refer to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The rows of a table that go.
    Deleted(TableId),
    /// The rows that an edge unlinks, where the cleared columns are themselves referred to.
    Cleared(EdgeId),
}

impl<'a> Plan<'a> {
    /// Follows the keys of `graph` from its root.
    #[must_use]
    pub fn new(graph: &'a Graph) -> Self {
        let doomed = doomed(graph);
        let mut plan = Self { graph, edges: Vec::new(), components: topology::in_order(graph, &doomed), doomed };
        let tables: Vec<TableId> = plan.components.iter().flat_map(|component| component.tables.clone()).collect();
        for table in tables {
            for (key, foreign_key) in graph.referring_to(table) {
                let effect = effect::on_delete(graph, foreign_key);
                plan.edges.push(Edge { key, source: Source::Deleted(table), effect });
            }
        }
        plan.follow_cleared_keys();
        plan
    }

    /// A cleared column may be part of a key that others refer to; for them it is an update (ON UPDATE).
    fn follow_cleared_keys(&mut self) {
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
        let concerned = self
            .graph
            .referring_to(table)
            .filter(|(_, key)| key.referenced_columns.iter().any(|column| changed.contains_key(column)));
        let edges = concerned.map(|(key, foreign_key)| {
            // A chain of updates that comes back to its own key is not followed: it blocks.
            let effect = if self.chain_has(edge, key) {
                Effect::Block(BlockerKind::Restricted)
            } else {
                effect::on_update(self.graph, foreign_key, &changed)
            };
            Edge { key, source: Source::Cleared(edge), effect }
        });
        edges.collect()
    }

    fn chain_has(&self, mut edge: EdgeId, key: usize) -> bool {
        loop {
            if self.edges[edge].key == key {
                return true;
            }
            match self.edges[edge].source {
                Source::Cleared(before) => edge = before,
                Source::Deleted(_) => return false,
            }
        }
    }

    /// The foreign key of an edge.
    #[must_use]
    pub fn key(&self, edge: EdgeId) -> &'a ForeignKey {
        &self.graph.foreign_keys[self.edges[edge].key]
    }

    /// The table that an edge leads to.
    #[must_use]
    pub fn child(&self, edge: EdgeId) -> &'a Table {
        &self.graph.tables[self.key(edge).table]
    }

    /// The edges that lead to a table.
    pub fn edges_into(&self, table: TableId) -> impl Iterator<Item = EdgeId> {
        (0..self.edges.len()).filter(move |&edge| self.key(edge).table == table)
    }

    /// The tables reached: those from which rows may go, then the others.
    #[must_use]
    pub fn reached(&self) -> Vec<TableId> {
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

    /// Whether rows of the table that go must be known one by one, since something refers to the table, it is the root,
    /// it lies on a cycle, or several keys lead into it.
    #[must_use]
    pub fn is_node(&self, table: TableId) -> bool {
        self.doomed[table]
            && (table == self.graph.root
                || self.graph.referring_to(table).next().is_some()
                || self.components.iter().any(|component| component.cyclic && component.tables.contains(&table)))
    }

    /// Whether the rows that go from a table are just those that this edge leads to.
    #[must_use]
    pub fn only_way_in(&self, edge: EdgeId) -> bool {
        let table = self.key(edge).table;
        self.edges[edge].effect == Effect::Delete
            && table != self.graph.root
            && self.edges_into(table).count() == 1
            && !self.components.iter().any(|component| component.cyclic && component.tables.contains(&table))
    }

    /// The other edges into the same table that set a column of this edge's key to null, and so end its reference too.
    pub fn cleared_by(&self, edge: EdgeId) -> impl Iterator<Item = EdgeId> {
        self.sharing(edge, |effect| match effect {
            Effect::Clear(columns) => Some(columns),
            Effect::Delete | Effect::Default(_) | Effect::Follow(_) | Effect::Block(_) => None,
        })
    }

    /// The other edges into the same table that set a column of this edge's key to its default.
    pub fn defaulted_by(&self, edge: EdgeId) -> impl Iterator<Item = EdgeId> {
        self.sharing(edge, |effect| match effect {
            Effect::Default(columns) => Some(columns),
            Effect::Delete | Effect::Clear(_) | Effect::Follow(_) | Effect::Block(_) => None,
        })
    }

    fn sharing(&self, edge: EdgeId, set: impl Fn(&Effect) -> Option<&Vec<String>>) -> impl Iterator<Item = EdgeId> {
        let columns = &self.key(edge).columns;
        self.edges_into(self.key(edge).table).filter(move |&other| {
            let shared =
                set(&self.edges[other].effect).is_some_and(|set| set.iter().any(|name| columns.contains(name)));
            shared && other != edge
        })
    }

    /// The tables from which rows may go, those that refer before those referred to.
    #[must_use]
    pub fn children_first(&self) -> Vec<TableId> {
        topology::children_first(self.graph, &self.doomed)
    }

    /// Whether a key that acts before the end of a statement lies within a cycle of tables from which rows go: then no
    /// order of single deletes is sure to pass.
    #[must_use]
    pub fn acts_within_cycle(&self) -> bool {
        let within = topology::on_common_cycle(self.graph, &self.doomed);
        let mut acting = self.graph.foreign_keys.iter().filter(|key| key.on_delete != Action::NoAction);
        acting.any(|key| within(key.table, key.referenced))
    }
}

/// The tables from which rows may go: the root's, and those that a cascade leads to from one of them.
fn doomed(graph: &Graph) -> Vec<bool> {
    let mut doomed = vec![false; graph.tables.len()];
    let mut queue = vec![graph.root];
    while let Some(table) = queue.pop() {
        if !std::mem::replace(&mut doomed[table], true) {
            let cascades = graph.referring_to(table).filter(|(_, key)| key.on_delete == Action::Cascade);
            queue.extend(cascades.map(|(_, key)| key.table));
        }
    }
    doomed
}
