//! The SQL of a plan: the rows that go and the rows that change, as common table expressions. Counting, locking and
//! deleting are written on top of them, so that all three mean the same rows.
//!
//! Names in the text: `d3` the rows of table 3 that go, `s1` the rows of a cycle's tables, `u5` the rows that edge 5
//! unlinks; in each `g` the session counted for (0 when all are counted together), `r0…` what finds the row again,
//! `k2` its column 2. `c` is the referring row, `d` the row referred to.

use std::fmt::Write as _;

use crate::catalog::{Table, TableId};
use crate::db::{Dialect, quote};

use super::shape::{Parts, Shape};
use crate::impact::effect::Effect;
use crate::impact::plan::{EdgeId, Plan, Source};

/// Writes the statements of one plan.
#[derive(Debug, Clone, Copy)]
pub struct Sql<'a> {
    /// What is reached, and how.
    pub plan: &'a Plan<'a>,
    /// Whose SQL.
    pub dialect: Dialect,
    /// In which form.
    pub shape: Shape,
}

/// The tables with messages still to be sent, by name.
pub const MESSAGES: [&str; 2] = ["scheduled_webinar_messages", "scheduled_whatsapp_messages"];

impl Sql<'_> {
    /// `WITH RECURSIVE …`: the rows that go. The sessions' ids are parameter 1, a JSON array.
    #[must_use]
    pub fn with(&self) -> String {
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
            .filter(|&edge| self.plan.edges.iter().any(|other| other.source == Source::Cleared(edge)));
        parts.extend(followed.map(|edge| self.cleared(edge)));
        format!("WITH RECURSIVE {}", parts.join(",\n"))
    }

    fn roots(&self) -> String {
        let root = self.table(self.plan.graph.root);
        match self.dialect {
            Dialect::Postgres => {
                let id_type = root.column("id").map_or("uuid", |column| &column.type_name);
                // Standing ready, the list would keep the planner from counting in parallel.
                let form = if self.shape == Shape::Columns { "AS NOT MATERIALIZED" } else { "AS" };
                format!(
                    "roots(g, id) {form} (SELECT ord, value::{id_type} \
                     FROM jsonb_array_elements_text($1::jsonb) WITH ORDINALITY AS ids(value, ord))"
                )
            }
            Dialect::Sqlite => "roots(g, id) AS (SELECT key, value FROM json_each(?1))".to_owned(),
        }
    }

    /// The rows of a table that go, where no cycle leads back to it.
    fn node(&self, table: TableId) -> String {
        let columns = self.node_columns(table);
        let mut branches: Vec<String> = self
            .entries(table)
            .map(|edge| format!("SELECT {}, {columns} {}", self.group(), self.edge_rows(edge)))
            .collect();
        if table == self.plan.graph.root {
            branches.push(format!("SELECT {}, {columns} {}", self.group_of_root(), self.root_rows()));
        }
        // A list of many groups that stands ready would hide from the planner how many they are.
        let inlined = self.shape == Shape::Columns && branches.len() == 1;
        let form = if inlined { "AS NOT MATERIALIZED" } else { "AS" };
        // One key leads to a row at most once, several may meet in it.
        format!("{}({}) {form} (\n  {})", node_name(table), self.node_names(table), branches.join("\n  UNION\n  "))
    }

    /// The rows that an edge unlinks, for the keys that refer to what it clears.
    fn cleared(&self, edge: EdgeId) -> String {
        let table = self.plan.key(edge).table;
        format!(
            "u{edge}({}) AS (SELECT {}, {} {})",
            self.node_names(table),
            self.group(),
            self.node_columns(table),
            self.staying_edge_rows(edge),
        )
    }

    /// The edges by which rows of a table go.
    pub(super) fn entries(&self, table: TableId) -> impl Iterator<Item = EdgeId> {
        self.plan.edges_into(table).filter(|&edge| self.plan.edges[edge].effect == Effect::Delete)
    }

    /// `FROM` the referring rows `c` with the rows `d` that they refer to.
    #[must_use]
    pub fn edge_rows(&self, edge: EdgeId) -> String {
        self.edge_parts(edge).rows("")
    }

    /// The same, without the rows that go themselves.
    #[must_use]
    pub fn staying_edge_rows(&self, edge: EdgeId) -> String {
        let table = self.plan.key(edge).table;
        if !self.plan.is_node(table) {
            return self.edge_rows(edge);
        }
        let (node, same) = (node_name(table), self.same_row(table, "c", "x"));
        self.edge_parts(edge)
            .rows(&format!("NOT EXISTS (SELECT 1 FROM {node} x WHERE {}{same})", self.of_same_session()))
    }

    /// A row `x` goes with the session that `d` does.
    pub(super) fn of_same_session(&self) -> &'static str {
        match self.shape {
            Shape::Each => "x.g = d.g AND ",
            Shape::Among | Shape::Joins | Shape::Keys | Shape::Columns => "",
        }
    }

    /// An edge's referring rows `c`, the rows `d` that they refer to, and what joins them.
    #[must_use]
    pub fn edge_parts(&self, edge: EdgeId) -> Parts {
        let key = self.plan.key(edge);
        let source = match self.plan.edges[edge].source {
            Source::Deleted(table) => node_name(table),
            Source::Cleared(before) => format!("u{before}"),
        };
        let child = self.child_relation(edge);
        let kept = |name| self.column_name(key.referenced, name);
        if let (Shape::Keys, [column], [to], None) =
            (self.shape, key.columns.as_slice(), key.referenced_columns.as_slice(), &key.referenced_scope)
        {
            let of_parent = key.collation(self.plan.graph, column, to);
            let condition =
                format!("c.{}{of_parent} = ANY (ARRAY (SELECT d.{} FROM {source} d))", quote(column), kept(to));
            return Parts { child, source: None, condition };
        }
        let pairs = key.columns.iter().zip(&key.referenced_columns);
        let on = pairs.map(|(column, to)| {
            format!("d.{} = c.{}{}", kept(to), quote(column), key.collation(self.plan.graph, column, to))
        });
        let on: Vec<String> = on.collect();
        let condition = format!("{}{}", on.join(" AND "), self.within_scope(edge, "d", "r0"));
        Parts { child, source: Some(source), condition }
    }

    /// The rows `c` of a node, found in its list by their key where it is one column, else by their place.
    #[must_use]
    pub fn node_parts(&self, table: TableId) -> Parts {
        let (child, node) = (self.relation(table), node_name(table));
        match (self.shape, self.table(table).primary_key.as_slice()) {
            (Shape::Keys, [key]) => {
                let kept = self.column_name(table, key);
                let condition = format!("c.{} = ANY (ARRAY (SELECT d.{kept} FROM {node} d))", quote(key));
                Parts { child, source: None, condition }
            }
            _ => Parts { child, source: Some(node), condition: self.same_row(table, "c", "d") },
        }
    }

    pub(super) fn root_rows(&self) -> String {
        if self.shape == Shape::Keys {
            let root = self.relation(self.plan.graph.root);
            return format!("FROM {root} c WHERE c.\"id\" = ANY (ARRAY (SELECT roots.id FROM roots))");
        }
        format!("FROM {} c JOIN roots ON c.\"id\" = roots.id", self.relation(self.plan.graph.root))
    }

    /// A key that refers to one partition is met by that partition's rows only.
    pub(super) fn within_scope(&self, edge: EdgeId, alias: &str, table_oid: &str) -> String {
        let condition = self.plan.key(edge).within_scope(&format!("{alias}.{table_oid}"));
        condition.map_or_else(String::new, |condition| format!(" AND {condition}"))
    }

    pub(super) fn group(&self) -> &'static str {
        if self.shape.by_session() { "d.g" } else { "0" }
    }

    pub(super) fn group_of_root(&self) -> &'static str {
        if self.shape.by_session() { "roots.g" } else { "0" }
    }

    /// The table, for reading its own rows.
    #[must_use]
    pub fn relation(&self, table: TableId) -> String {
        self.table(table).relation(self.dialect)
    }

    pub(super) fn child_relation(&self, edge: EdgeId) -> String {
        self.plan.key(edge).referring(self.plan.graph, self.dialect)
    }

    /// What finds the row `alias` again, as a list of expressions.
    #[must_use]
    pub fn row_id(&self, table: TableId, alias: &str) -> String {
        let names = self.table(table).row_id.iter();
        names.map(|name| format!("{alias}.{}", quote(name))).collect::<Vec<_>>().join(", ")
    }

    /// Row `row` of a table is the one that `found` names. In the list of a cycle PostgreSQL's rows always carry their
    /// table's oid first.
    #[must_use]
    pub fn same_row(&self, table: TableId, row: &str, found: &str) -> String {
        let names = &self.table(table).row_id;
        let in_cycle = found == "w" && self.dialect == Dialect::Postgres;
        let offset = usize::from(in_cycle && names.len() == 1);
        let pairs = names.iter().enumerate();
        pairs
            .map(|(place, name)| format!("{row}.{} = {found}.r{}", quote(name), place + offset))
            .collect::<Vec<_>>()
            .join(" AND ")
    }

    /// What a node keeps of each row: what finds it again, the columns that keys refer to, and whether it is a
    /// connected session.
    pub(super) fn node_columns(&self, table: TableId) -> String {
        let mut text = self.row_id(table, "c");
        for place in self.kept_columns(table) {
            let _ = write!(text, ", c.{}", quote(&self.table(table).columns[place].name));
        }
        let _ = write!(text, ", {}", self.flag(table));
        text
    }

    pub(super) fn node_names(&self, table: TableId) -> String {
        let mut text = format!("g, {}", row_id_names(self.table(table).row_id.len()));
        for place in self.kept_columns(table) {
            let _ = write!(text, ", k{place}");
        }
        text.push_str(", f");
        text
    }

    /// The primary key's columns, for locking, and those that the graph's keys refer to.
    fn kept_columns(&self, table: TableId) -> Vec<usize> {
        let found = self.table(table);
        let referred =
            |name: &String| self.plan.graph.referring_to(table).any(|(_, key)| key.referenced_columns.contains(name));
        let kept = found.columns.iter().enumerate();
        kept.filter(|(_, column)| found.primary_key.contains(&column.name) || referred(&column.name))
            .map(|(place, _)| place)
            .collect()
    }

    /// A column as a node names it.
    #[must_use]
    pub fn column_name(&self, table: TableId, name: &str) -> String {
        let place = self.table(table).columns.iter().position(|column| column.name == name);
        format!("k{}", place.unwrap_or_default())
    }

    /// 1 for a connected session and for a message still to be sent, else 0.
    #[must_use]
    pub fn flag(&self, table: TableId) -> String {
        let found = self.table(table);
        let status = if table == self.plan.graph.root {
            Some("connected")
        } else if found.schema == self.table(self.plan.graph.root).schema
            && MESSAGES.iter().any(|name| self.dialect.same_name(&found.name, name))
        {
            Some("pending")
        } else {
            None
        };
        let column = found.columns.iter().find(|column| self.dialect.same_name(&column.name, "status"));
        match (status, column) {
            (Some(status), Some(column)) => {
                format!("CASE WHEN CAST(c.{} AS text) = '{status}' THEN 1 ELSE 0 END", quote(&column.name))
            }
            _ => "0".to_owned(),
        }
    }

    /// The table in this place.
    #[must_use]
    pub fn table(&self, table: TableId) -> &Table {
        &self.plan.graph.tables[table]
    }

    /// The sessions' ids among the parameter that no session has, one per row.
    #[must_use]
    pub fn unknown_ids(&self) -> String {
        format!(
            "WITH {} SELECT CAST(roots.id AS text) AS id FROM roots WHERE NOT EXISTS \
             (SELECT 1 FROM {} c WHERE c.\"id\" = roots.id) ORDER BY roots.g",
            self.roots(),
            self.relation(self.plan.graph.root)
        )
    }
}

/// The rows of a table that go.
#[must_use]
pub fn node_name(table: TableId) -> String {
    format!("d{table}")
}

/// `r0, r1, …`
#[must_use]
pub fn row_id_names(count: usize) -> String {
    (0..count).map(|place| format!("r{place}")).collect::<Vec<_>>().join(", ")
}
