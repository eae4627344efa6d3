//! The rows that a plan deletes and changes, as common table expressions that counting, locking and deleting have in
//! common.

use std::fmt::Write as _;

use super::shape::{QueryShape, RowSource};
use crate::catalog::{Table, TableId};
use crate::db::{Dialect, quote};
use crate::impact::effect::Effect;
use crate::impact::plan::{DeletionPlan, EdgeId, Source};

/// Writes the statements of one plan.
///
/// Common table expressions: `roots` has the requested ids, `deleting_3` the rows of table 3 that are deleted,
/// `cycle_1` the rows of the tables of component 1, which form a cycle, and `updating_5` the rows that edge 5 unlinks.
/// Their columns: `session_number` is the session counted for (0 when all are counted together), `row_id_0`, … find the
/// row again, `column_2` is column 2 of the table, and `flag` is 1 for a connected session or a message still to be
/// sent. In joins, `child` is the referring row and `parent` the row referred to.
#[derive(Debug, Clone, Copy)]
pub struct PlanSql<'a> {
    /// The tables and foreign keys that the deletion reaches.
    pub plan: &'a DeletionPlan<'a>,
    /// The dialect of the statements.
    pub dialect: Dialect,
    /// The shape of the statements.
    pub shape: QueryShape,
}

/// The names of the tables with messages still to be sent.
pub const MESSAGES: [&str; 2] = ["scheduled_webinar_messages", "scheduled_whatsapp_messages"];

impl PlanSql<'_> {
    /// Returns `WITH RECURSIVE …`: the deleted rows. The sessions' ids are parameter 1, a JSON array.
    #[must_use]
    pub fn with_clause(&self) -> String {
        let mut parts = vec![self.roots()];
        for (number, component) in self.plan.components.iter().enumerate() {
            if component.cyclic {
                parts.push(self.cycle(number, component));
                parts.extend(component.tables.iter().map(|&table| self.node_of_cycle(number, table)));
            } else {
                let nodes = component.tables.iter().filter(|&&table| self.plan.is_node(table));
                parts.extend(nodes.map(|&table| self.node(table)));
            }
        }
        let followed = (0..self.plan.edges.len())
            .filter(|&edge| self.plan.edges.iter().any(|other| other.source == Source::Updated(edge)));
        parts.extend(followed.map(|edge| self.updating(edge)));
        format!("WITH RECURSIVE {}", parts.join(",\n"))
    }

    fn roots(&self) -> String {
        let root = self.table(self.plan.graph.root);
        match self.dialect {
            Dialect::Postgres => {
                let id_type = root.column("id").map_or("uuid", |column| &column.type_name);
                // A materialized list would keep the planner from counting in parallel.
                let form = if self.shape == QueryShape::UnionColumns { "AS NOT MATERIALIZED" } else { "AS" };
                format!(
                    "roots(session_number, id) {form} (SELECT number, value::{id_type} \
                     FROM jsonb_array_elements_text($1::jsonb) WITH ORDINALITY AS ids(value, number))"
                )
            }
            Dialect::Sqlite => "roots(session_number, id) AS (SELECT key, value FROM json_each(?1))".to_owned(),
        }
    }

    /// Returns the deleted rows of a table that lies on no cycle.
    fn node(&self, table: TableId) -> String {
        let columns = self.node_columns(table);
        let mut branches: Vec<String> = self
            .deleting_edges(table)
            .map(|edge| format!("SELECT {}, {columns} {}", self.session_number(), self.edge_rows(edge)))
            .collect();
        if table == self.plan.graph.root {
            branches.push(format!("SELECT {}, {columns} {}", self.session_number_of_root(), self.root_rows()));
        }
        // A materialized list of many groups would hide from the planner how many they are.
        let inlined = self.shape == QueryShape::UnionColumns && branches.len() == 1;
        let form = if inlined { "AS NOT MATERIALIZED" } else { "AS" };
        // One key leads to a row at most once, but several keys may lead to the same row.
        format!("{}({}) {form} (\n  {})", node_name(table), self.node_names(table), branches.join("\n  UNION\n  "))
    }

    /// Returns the rows that an edge unlinks, for the keys that refer to the columns that it sets.
    fn updating(&self, edge: EdgeId) -> String {
        let table = self.plan.key(edge).table;
        format!(
            "{}({}) AS (SELECT {}, {} {})",
            updating_name(edge),
            self.node_names(table),
            self.session_number(),
            self.node_columns(table),
            self.staying_edge_rows(edge),
        )
    }

    /// Returns the edges whose rows are deleted with the rows that they refer to.
    pub(super) fn deleting_edges(&self, table: TableId) -> impl Iterator<Item = EdgeId> {
        self.plan.edges_into(table).filter(|&edge| self.plan.edges[edge].effect == Effect::Delete)
    }

    /// Returns `FROM …`: the referring rows `child` with the rows `parent` that they refer to.
    #[must_use]
    pub fn edge_rows(&self, edge: EdgeId) -> String {
        self.edge_source(edge).rows("")
    }

    /// Returns [`PlanSql::edge_rows`] without the rows that are deleted themselves.
    #[must_use]
    pub fn staying_edge_rows(&self, edge: EdgeId) -> String {
        let table = self.plan.key(edge).table;
        if !self.plan.is_node(table) {
            return self.edge_rows(edge);
        }
        let (node, is_same) = (node_name(table), self.same_row(table, "child", "deleting"));
        self.edge_source(edge)
            .rows(&format!("NOT EXISTS (SELECT 1 FROM {node} deleting WHERE {}{is_same})", self.of_same_session()))
    }

    /// Returns the condition that a row `deleting` is deleted with the same session as `parent`.
    pub(super) fn of_same_session(&self) -> &'static str {
        match self.shape {
            QueryShape::PerSession => "deleting.session_number = parent.session_number AND ",
            QueryShape::PerSessionInSet | QueryShape::Joins | QueryShape::KeyLists | QueryShape::UnionColumns => "",
        }
    }

    /// Returns an edge's referring rows `child`, the rows `parent` that they refer to, and what joins them.
    #[must_use]
    pub fn edge_source(&self, edge: EdgeId) -> RowSource {
        let key = self.plan.key(edge);
        let parent = match self.plan.edges[edge].source {
            Source::Deleted(table) => node_name(table),
            Source::Updated(before) => updating_name(before),
        };
        let child = self.child_relation(edge);
        let listed = |name| self.column_name(key.referenced, name);
        if let (QueryShape::KeyLists, [column], [to], None) =
            (self.shape, key.columns.as_slice(), key.referenced_columns.as_slice(), &key.referenced_scope)
        {
            let collation = key.collation(self.plan.graph, column, to);
            let condition = format!(
                "child.{}{collation} = ANY (ARRAY (SELECT parent.{} FROM {parent} parent))",
                quote(column),
                listed(to)
            );
            return RowSource { child, parent: None, condition };
        }
        let pairs = key.columns.iter().zip(&key.referenced_columns);
        let on = pairs.map(|(column, to)| {
            let collation = key.collation(self.plan.graph, column, to);
            format!("parent.{} = child.{}{collation}", listed(to), quote(column))
        });
        let on: Vec<String> = on.collect();
        let condition =
            format!("{}{}", on.join(" AND "), self.within_scope(edge, &format!("parent.{}", row_id_name(0))));
        RowSource { child, parent: Some(parent), condition }
    }

    /// Returns the rows `child` of a node, found in its list by their key where it is one column, else by their row id.
    #[must_use]
    pub fn node_source(&self, table: TableId) -> RowSource {
        let (child, node) = (self.relation(table), node_name(table));
        match (self.shape, self.table(table).primary_key.as_slice()) {
            (QueryShape::KeyLists, [key]) => {
                let listed = self.column_name(table, key);
                let condition =
                    format!("child.{} = ANY (ARRAY (SELECT parent.{listed} FROM {node} parent))", quote(key));
                RowSource { child, parent: None, condition }
            }
            _ => RowSource { child, parent: Some(node), condition: self.same_row(table, "child", "parent") },
        }
    }

    pub(super) fn root_rows(&self) -> String {
        let root = self.relation(self.plan.graph.root);
        if self.shape == QueryShape::KeyLists {
            return format!("FROM {root} child WHERE child.\"id\" = ANY (ARRAY (SELECT roots.id FROM roots))");
        }
        format!("FROM {root} child JOIN roots ON child.\"id\" = roots.id")
    }

    /// Returns the condition that restricts a key that refers to one partition to that partition's rows. `table_oid` is
    /// SQL for the oid of the row's table.
    pub(super) fn within_scope(&self, edge: EdgeId, table_oid: &str) -> String {
        let condition = self.plan.key(edge).within_scope(table_oid);
        condition.map_or_else(String::new, |condition| format!(" AND {condition}"))
    }

    pub(super) fn session_number(&self) -> &'static str {
        if self.shape.is_per_session() { "parent.session_number" } else { "0" }
    }

    pub(super) fn session_number_of_root(&self) -> &'static str {
        if self.shape.is_per_session() { "roots.session_number" } else { "0" }
    }

    /// Returns the table as SQL writes it, for reading its own rows.
    #[must_use]
    pub fn relation(&self, table: TableId) -> String {
        self.table(table).relation(self.dialect)
    }

    pub(super) fn child_relation(&self, edge: EdgeId) -> String {
        self.plan.key(edge).referring_relation(self.plan.graph, self.dialect)
    }

    /// Returns the expressions that find the row `alias` again, as a list.
    #[must_use]
    pub fn row_id(&self, table: TableId, alias: &str) -> String {
        let names = self.table(table).row_id.iter();
        names.map(|name| format!("{alias}.{}", quote(name))).collect::<Vec<_>>().join(", ")
    }

    /// Returns the condition that the row `row` of a table is the one that `listed` has the row id of.
    #[must_use]
    pub fn same_row(&self, table: TableId, row: &str, listed: &str) -> String {
        self.same_row_from(table, row, listed, 0)
    }

    /// Returns [`PlanSql::same_row`] where the row id of `listed` begins at a place of its own.
    pub(super) fn same_row_from(&self, table: TableId, row: &str, listed: &str, first: usize) -> String {
        let pairs = self.table(table).row_id.iter().zip(first..);
        pairs
            .map(|(name, place)| format!("{row}.{} = {listed}.{}", quote(name), row_id_name(place)))
            .collect::<Vec<_>>()
            .join(" AND ")
    }

    /// Returns what a node lists of each row `child`: its row id, the columns that keys refer to, and its flag.
    pub(super) fn node_columns(&self, table: TableId) -> String {
        let mut text = self.row_id(table, "child");
        for place in self.listed_columns(table) {
            let _ = write!(text, ", child.{}", quote(&self.table(table).columns[place].name));
        }
        let _ = write!(text, ", {}", self.flag(table));
        text
    }

    pub(super) fn node_names(&self, table: TableId) -> String {
        let mut text = format!("session_number, {}", row_id_names(self.table(table).row_id.len()));
        for place in self.listed_columns(table) {
            let _ = write!(text, ", column_{place}");
        }
        text.push_str(", flag");
        text
    }

    /// Returns the places of the primary key's columns, for locking, and of those that the graph's keys refer to.
    fn listed_columns(&self, table: TableId) -> Vec<usize> {
        let found = self.table(table);
        let is_referenced =
            |name: &String| self.plan.graph.referring_to(table).any(|(_, key)| key.referenced_columns.contains(name));
        let columns = found.columns.iter().enumerate();
        columns
            .filter(|(_, column)| found.primary_key.contains(&column.name) || is_referenced(&column.name))
            .map(|(place, _)| place)
            .collect()
    }

    /// Returns the name that a node gives to a column.
    #[must_use]
    pub fn column_name(&self, table: TableId, name: &str) -> String {
        let place = self.table(table).columns.iter().position(|column| column.name == name);
        format!("column_{}", place.unwrap_or_default())
    }

    /// Returns the flag of the row `child`: 1 for a connected session and for a message still to be sent, else 0.
    #[must_use]
    pub fn flag(&self, table: TableId) -> String {
        let found = self.table(table);
        let status = if table == self.plan.graph.root {
            Some("connected")
        } else if found.schema == self.table(self.plan.graph.root).schema
            && MESSAGES.iter().any(|name| self.dialect.is_same_name(&found.name, name))
        {
            Some("pending")
        } else {
            None
        };
        let column = found.columns.iter().find(|column| self.dialect.is_same_name(&column.name, "status"));
        match (status, column) {
            (Some(status), Some(column)) => {
                format!("CASE WHEN CAST(child.{} AS text) = '{status}' THEN 1 ELSE 0 END", quote(&column.name))
            }
            _ => "0".to_owned(),
        }
    }

    /// Returns the table with this number.
    #[must_use]
    pub fn table(&self, table: TableId) -> &Table {
        &self.plan.graph.tables[table]
    }

    /// Returns a query of the ids among the parameter that no session has, one per row.
    #[must_use]
    pub fn unknown_ids(&self) -> String {
        format!(
            "WITH {} SELECT CAST(roots.id AS text) AS id FROM roots WHERE NOT EXISTS \
             (SELECT 1 FROM {} child WHERE child.\"id\" = roots.id) ORDER BY roots.session_number",
            self.roots(),
            self.relation(self.plan.graph.root)
        )
    }
}

/// Returns the name of the list of a table's deleted rows.
#[must_use]
pub fn node_name(table: TableId) -> String {
    format!("deleting_{table}")
}

/// Returns the name of the list of the rows that an edge unlinks.
pub(super) fn updating_name(edge: EdgeId) -> String {
    format!("updating_{edge}")
}

/// Returns the name of one part of a row id in a list.
#[must_use]
pub fn row_id_name(place: usize) -> String {
    format!("row_id_{place}")
}

/// Returns `row_id_0, row_id_1, …`.
#[must_use]
pub fn row_id_names(count: usize) -> String {
    (0..count).map(row_id_name).collect::<Vec<_>>().join(", ")
}
