//! The deleted rows of tables that form a cycle, found by recursion.

use super::plan_sql::{PlanSql, node_name, row_id_names};
use crate::catalog::TableId;
use crate::db::{Dialect, quote};
use crate::impact::effect::Effect;
use crate::impact::plan::Source;
use crate::impact::topology::Component;

impl PlanSql<'_> {
    /// Returns the deleted rows of all tables of a cycle, found by recursion until nothing is added. Besides the row id
    /// a row has the number of its table.
    pub(super) fn cycle(&self, number: usize, component: &Component) -> String {
        let mut parts = Vec::new();
        for &table in &component.tables {
            let row_id = self.padded_row_id(table, "child");
            let from_outside = self.deleting_edges(table).filter(|&edge| match self.plan.edges[edge].source {
                Source::Deleted(source) => !component.tables.contains(&source),
                Source::Updated(_) => false,
            });
            parts.extend(
                from_outside.map(|edge| {
                    format!("SELECT {}, {table}, {row_id} {}", self.session_number(), self.edge_rows(edge))
                }),
            );
            if table == self.plan.graph.root {
                let session = self.session_number_of_root();
                parts.push(format!("SELECT {session}, {table}, {row_id} {}", self.root_rows()));
            }
        }
        parts.extend(self.steps(number, component));
        let names = row_id_names(self.row_id_width());
        format!("cycle_{number}(session_number, table_number, {names}) AS (\n  {})", parts.join("\n  UNION\n  "))
    }

    /// Returns one step along every cascade within the cycle. PostgreSQL allows one mention of the recursive rows,
    /// SQLite one in each SELECT.
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
            let is_found = format!("found.table_number = {parent} AND {}", self.same_cycle_row(parent, "parent"));
            let columns = key.columns.iter().zip(&key.referenced_columns);
            let on = columns.map(|(column, to)| {
                let collation = key.collation(self.plan.graph, column, to);
                format!("parent.{} = child.{}{collation}", quote(to), quote(column))
            });
            let on: Vec<String> = on.collect();
            let scope = self.within_scope(edge, "parent.tableoid");
            let child = format!("{}, {}", key.table, self.padded_row_id(key.table, "child"));
            let from = format!(
                "{} parent JOIN {} child ON {}",
                self.relation(parent),
                self.child_relation(edge),
                on.join(" AND ")
            );
            (child, from, format!("{is_found}{scope}"))
        });
        match self.dialect {
            Dialect::Sqlite => selects
                .map(|(child, from, condition)| {
                    format!("SELECT found.session_number, {child} FROM cycle_{number} found CROSS JOIN {from} AND {condition}")
                })
                .collect(),
            Dialect::Postgres => {
                let branches: Vec<String> = selects
                    .map(|(child, from, condition)| format!("SELECT {child} FROM {from} WHERE {condition}"))
                    .collect();
                let names = row_id_names(self.row_id_width());
                vec![format!(
                    "SELECT found.session_number, step.* FROM cycle_{number} found \
                     CROSS JOIN LATERAL ({}) step(table_number, {names})",
                    branches.join(" UNION ALL ")
                )]
            }
        }
    }

    /// Returns the deleted rows of one table of a cycle.
    pub(super) fn node_of_cycle(&self, number: usize, table: TableId) -> String {
        format!(
            "{}({}) AS (SELECT found.session_number, {} FROM cycle_{number} found \
             JOIN {} child ON found.table_number = {table} AND {})",
            node_name(table),
            self.node_names(table),
            self.node_columns(table),
            self.relation(table),
            self.same_cycle_row(table, "child"),
        )
    }

    /// Returns the condition that the row `row` of a table is the one that `found`, a row of the cycle's list, has the
    /// row id of.
    fn same_cycle_row(&self, table: TableId, row: &str) -> String {
        // On PostgreSQL the table's oid always comes first there.
        let has_own_oid = self.dialect == Dialect::Sqlite || self.table(table).row_id.len() > 1;
        self.same_row_from(table, row, "found", usize::from(!has_own_oid))
    }

    /// Returns the row id in as many columns as any table needs, so that rows of several tables fit into one list.
    fn padded_row_id(&self, table: TableId, alias: &str) -> String {
        match self.dialect {
            Dialect::Postgres => format!("{alias}.tableoid, {alias}.ctid"),
            Dialect::Sqlite => {
                let mut text = self.row_id(table, alias);
                for _ in self.table(table).row_id.len()..self.row_id_width() {
                    text.push_str(", NULL");
                }
                text
            }
        }
    }

    fn row_id_width(&self) -> usize {
        match self.dialect {
            Dialect::Postgres => 2,
            Dialect::Sqlite => self.plan.graph.tables.iter().map(|table| table.row_id.len()).max().unwrap_or(1),
        }
    }
}
