//! The rows and columns that a deletion changes, in SQL that both dialects share.

use std::collections::BTreeMap;

use super::plan_sql::{Sql, node_name, row_id_names};
use crate::catalog::TableId;
use crate::db::quote;
use crate::impact::plan::{EdgeId, Plan};

/// A column that is cleared: by these edges, to these values.
pub(crate) type Cleared = BTreeMap<String, Vec<(EdgeId, String)>>;

/// The edges that clear columns of a table, by column.
pub(crate) fn cleared(sql: &Sql<'_>, table: TableId) -> Cleared {
    let mut columns = Cleared::new();
    for edge in sql.plan.edges_into(table) {
        for (name, value) in sql.plan.edges[edge].effect.new_values(sql.table(table)) {
            columns.entry(name).or_default().push((edge, value));
        }
    }
    columns
}

/// `SET …` for the row `c`, by the marks `h…` that say which edges change it.
pub(crate) fn assignments(columns: &Cleared) -> String {
    let assigned = columns.iter().map(|(column, causes)| {
        let whens: String = causes.iter().map(|(edge, value)| format!(" WHEN s.h{edge} = 1 THEN {value}")).collect();
        format!("{0} = CASE{whens} ELSE c.{0} END", quote(column))
    });
    assigned.collect::<Vec<_>>().join(", ")
}

/// The rows of a table that are changed: what finds them, and a mark for each edge that changes them.
pub(crate) fn changed_rows(sql: &Sql<'_>, table: TableId) -> String {
    let changing: Vec<EdgeId> =
        sql.plan.edges_into(table).filter(|&edge| sql.plan.edges[edge].effect.changes()).collect();
    let names = row_id_names(sql.table(table).row_id.len());
    let marks: String = changing
        .iter()
        .map(|&edge| format!(", CASE WHEN {} THEN 1 ELSE 0 END AS h{edge}", sql.is_changed(edge)))
        .collect();
    let any: Vec<String> = changing.iter().map(|&edge| format!("({})", sql.is_changed(edge))).collect();
    format!("SELECT {names}{marks} FROM ({}) states WHERE {}", sql.states(table), any.join(" OR "))
}

/// The rows of a table that go.
pub(crate) fn gone_rows(sql: &Sql<'_>, table: TableId) -> String {
    let names = row_id_names(sql.table(table).row_id.len());
    if sql.plan.is_node(table) {
        format!("SELECT {names} FROM {}", node_name(table))
    } else {
        format!("SELECT {names} FROM ({}) states WHERE gone = 1", sql.states(table))
    }
}

/// Tables that rows go from or that are unlinked, in an order that every deletion takes.
pub(crate) fn written(plan: &Plan<'_>) -> Vec<TableId> {
    let mut tables = plan.reached();
    tables.retain(|&table| plan.doomed[table] || plan.edges_into(table).any(|edge| plan.edges[edge].effect.changes()));
    tables.sort_by_key(|&table| &plan.graph.tables[table].display);
    tables
}
