//! The rows of a cycle's tables, by recursion.

use crate::catalog::TableId;
use crate::db::{Dialect, quote};

use super::plan_sql::{Sql, node_name, row_id_names};
use crate::impact::effect::Effect;
use crate::impact::plan::Source;
use crate::impact::topology::Component;

impl Sql<'_> {
    /// The rows of all tables of a cycle, found by recursion until nothing is added.
    pub(in crate::impact) fn cycle(&self, number: usize, component: &Component) -> String {
        let mut parts = Vec::new();
        for &table in &component.tables {
            let identity = self.padded_row_id(table, "c");
            let outside = self.entries(table).filter(|&edge| match self.plan.edges[edge].source {
                Source::Deleted(source) => !component.tables.contains(&source),
                Source::Cleared(_) => false,
            });
            parts.extend(
                outside.map(|edge| format!("SELECT {}, {table}, {identity} {}", self.group(), self.edge_rows(edge))),
            );
            if table == self.plan.graph.root {
                parts.push(format!("SELECT {}, {table}, {identity} {}", self.group_of_root(), self.root_rows()));
            }
        }
        parts.extend(self.steps(number, component));
        let names = row_id_names(self.width());
        format!("s{number}(g, t, {names}) AS (\n  {})", parts.join("\n  UNION\n  "))
    }

    /// One step along every cascade within the cycle. PostgreSQL allows one mention of the recursive rows, SQLite one
    /// in each SELECT.
    fn steps(&self, number: usize, component: &Component) -> Vec<String> {
        let within = (0..self.plan.edges.len()).filter(|&edge| {
            let followed = &self.plan.edges[edge];
            followed.effect == Effect::Delete
                && component.tables.contains(&self.plan.key(edge).table)
                && matches!(followed.source, Source::Deleted(source) if component.tables.contains(&source))
        });
        let selects = within.map(|edge| {
            let key = self.plan.key(edge);
            let parent = key.referenced;
            let found = format!("w.t = {parent} AND {}", self.same_row(parent, "p", "w"));
            let columns = key.columns.iter().zip(&key.referenced_columns);
            let on = columns.map(|(column, to)| {
                format!("p.{} = c.{}{}", quote(to), quote(column), key.collation(self.plan.graph, column, to))
            });
            let on: Vec<String> = on.collect();
            let scope = self.within_scope(edge, "p", "tableoid");
            let child = format!("{}, {}", key.table, self.padded_row_id(key.table, "c"));
            let from =
                format!("{} p JOIN {} c ON {}", self.relation(parent), self.child_relation(edge), on.join(" AND "));
            (child, from, format!("{found}{scope}"))
        });
        match self.dialect {
            Dialect::Sqlite => selects
                .map(|(child, from, found)| {
                    format!("SELECT w.g, {child} FROM s{number} w CROSS JOIN {from} AND {found}")
                })
                .collect(),
            Dialect::Postgres => {
                let branches: Vec<String> =
                    selects.map(|(child, from, found)| format!("SELECT {child} FROM {from} WHERE {found}")).collect();
                let names = row_id_names(self.width());
                vec![format!(
                    "SELECT w.g, x.* FROM s{number} w CROSS JOIN LATERAL ({}) x(t, {names})",
                    branches.join(" UNION ALL ")
                )]
            }
        }
    }

    pub(in crate::impact) fn node_of_cycle(&self, number: usize, table: TableId) -> String {
        format!(
            "{}({}) AS (SELECT w.g, {} FROM s{number} w JOIN {} c ON w.t = {table} AND {})",
            node_name(table),
            self.node_names(table),
            self.node_columns(table),
            self.relation(table),
            self.same_row(table, "c", "w"),
        )
    }

    /// The same in as many columns as any table needs, so that rows of several tables fit into one list.
    fn padded_row_id(&self, table: TableId, alias: &str) -> String {
        match self.dialect {
            Dialect::Postgres => format!("{alias}.tableoid, {alias}.ctid"),
            Dialect::Sqlite => {
                let mut text = self.row_id(table, alias);
                for _ in self.table(table).row_id.len()..self.width() {
                    text.push_str(", NULL");
                }
                text
            }
        }
    }

    fn width(&self) -> usize {
        match self.dialect {
            Dialect::Postgres => 2,
            Dialect::Sqlite => self.plan.graph.tables.iter().map(|table| table.row_id.len()).max().unwrap_or(1),
        }
    }
}
