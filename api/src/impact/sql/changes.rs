//! The rows that a deletion deletes and changes, and the columns that it sets, in SQL that both dialects share.

use std::collections::BTreeMap;

use super::plan_sql::{PlanSql, node_name, row_id_names};
use crate::catalog::TableId;
use crate::db::quote;
use crate::impact::plan::{DeletionPlan, EdgeId};

/// The columns of a table that are set, each with the edges that set it and the values that they set it to.
pub(crate) type ClearedColumns = BTreeMap<String, Vec<(EdgeId, String)>>;

/// Returns the columns of a table that are set.
pub(crate) fn cleared_columns(sql: &PlanSql<'_>, table: TableId) -> ClearedColumns {
    let mut columns = ClearedColumns::new();
    for edge in sql.plan.edges_into(table) {
        for (name, value) in sql.plan.edges[edge].effect.new_values(sql.table(table)) {
            columns.entry(name).or_default().push((edge, value));
        }
    }
    columns
}

/// Returns `SET …` for the row `child`, by the columns `changed_by_…` of the row `listed` that say which edges change
/// it.
pub(crate) fn assignments(columns: &ClearedColumns) -> String {
    let assigned = columns.iter().map(|(column, causes)| {
        let whens: String =
            causes.iter().map(|(edge, value)| format!(" WHEN listed.changed_by_{edge} = 1 THEN {value}")).collect();
        format!("{0} = CASE{whens} ELSE child.{0} END", quote(column))
    });
    assigned.collect::<Vec<_>>().join(", ")
}

/// Returns a query of the rows of a table that are changed: the row id, and a column `changed_by_…` for each edge that
/// changes rows of the table.
pub(crate) fn changed_rows(sql: &PlanSql<'_>, table: TableId) -> String {
    let changing: Vec<EdgeId> =
        sql.plan.edges_into(table).filter(|&edge| sql.plan.edges[edge].effect.changes()).collect();
    let names = row_id_names(sql.table(table).row_id.len());
    let of_edges: String = changing
        .iter()
        .map(|&edge| format!(", CASE WHEN {} THEN 1 ELSE 0 END AS changed_by_{edge}", sql.is_changed(edge)))
        .collect();
    let any: Vec<String> = changing.iter().map(|&edge| format!("({})", sql.is_changed(edge))).collect();
    format!("SELECT {names}{of_edges} FROM ({}) states WHERE {}", sql.states(table), any.join(" OR "))
}

/// Returns a query of the row ids of a table's deleted rows.
pub(crate) fn deleted_rows(sql: &PlanSql<'_>, table: TableId) -> String {
    let names = row_id_names(sql.table(table).row_id.len());
    if sql.plan.is_node(table) {
        format!("SELECT {names} FROM {}", node_name(table))
    } else {
        format!("SELECT {names} FROM ({}) states WHERE deleted = 1", sql.states(table))
    }
}

/// Returns the tables whose rows are deleted or changed, in an order that every deletion takes.
pub(crate) fn changed_tables(plan: &DeletionPlan<'_>) -> Vec<TableId> {
    let mut tables = plan.reached_tables();
    tables.retain(|&table| {
        plan.deletes_from[table] || plan.edges_into(table).any(|edge| plan.edges[edge].effect.changes())
    });
    tables.sort_by_key(|&table| &plan.graph.tables[table].display);
    tables
}
