//! The statements of a deletion on PostgreSQL: locks level by level, then one statement that deletes and unlinks.

use crate::catalog::TableId;
use crate::db::{Dialect, quote};
use crate::deletion::archive::postgres;
use crate::deletion::archive::writer::ArchiveWriter;
use crate::impact::effect::Effect;
use crate::impact::plan::{DeletionPlan, EdgeId, Source};
use crate::impact::sql::changes::{
    ClearedColumns, assignments, changed_rows, changed_tables, cleared_columns, deleted_rows,
};
use crate::impact::sql::shape::RowSource;
use crate::impact::sql::{PlanSql, row_id_name};

/// Returns a statement that locks the plan's tables so that their foreign keys stay as they are: adding a key needs a
/// lock that conflicts with this one.
pub(super) fn lock_tables(sql: &PlanSql<'_>) -> String {
    let names: Vec<String> = changed_tables(sql.plan).into_iter().map(|table| sql.relation(table)).collect();
    format!("LOCK TABLE {} IN ROW EXCLUSIVE MODE", names.join(", "))
}

/// Returns a statement that locks the rows of a node in the order of their key. FOR UPDATE, since a weaker lock lets
/// another transaction insert a reference to one of them between the count and the deletion.
pub(super) fn lock_node(sql: &PlanSql<'_>, table: TableId) -> String {
    let mut source = sql.node_source(table);
    let key = &sql.table(table).primary_key;
    if source.parent.is_some() && !key.is_empty() {
        // By key and not by row id, which changes with every update of the row.
        let is_same = key.iter().map(|name| format!("child.{} = parent.{}", quote(name), sql.column_name(table, name)));
        source.condition = is_same.collect::<Vec<_>>().join(" AND ");
    }
    lock_rows(sql, table, &source.rows(""), "UPDATE")
}

/// Returns a statement that locks the rows that an edge unlinks. Their keys do not change, so other transactions may
/// insert and delete references to them.
pub(super) fn lock_unlinked(sql: &PlanSql<'_>, edge: EdgeId) -> String {
    lock_rows(sql, sql.plan.key(edge).table, &sql.staying_edge_rows(edge), "NO KEY UPDATE")
}

fn lock_rows(sql: &PlanSql<'_>, table: TableId, rows: &str, strength: &str) -> String {
    let key = sql.table(table).primary_key.iter();
    let order: Vec<String> = key.map(|name| format!("child.{}", quote(name))).collect();
    let order = if order.is_empty() { "child.ctid".to_owned() } else { order.join(", ") };
    let with = sql.with_clause();
    format!("{with} SELECT count(*) AS locked FROM (SELECT 1 {rows} ORDER BY {order} FOR {strength} OF child) rows")
}

/// Returns the edges whose rows are locked before they are unlinked, in an order that every deletion takes.
pub(super) fn locked_edges(plan: &DeletionPlan<'_>) -> Vec<EdgeId> {
    let mut edges: Vec<EdgeId> = (0..plan.edges.len())
        .filter(|&edge| plan.edges[edge].effect.changes() && matches!(plan.edges[edge].source, Source::Deleted(_)))
        .collect();
    edges.sort_by_key(|&edge| (&plan.child(edge).display, &plan.key(edge).columns));
    edges
}

/// Returns the one statement that deletes, unlinks and archives.
///
/// The referential triggers fire at its end, when every row has been deleted, and so cycles, diamonds and RESTRICT
/// pass. It returns a row per table: `table_number`, `deleted`, `unlinked`, and `flagged`, the connected sessions or
/// messages still to be sent among the rows as they were when they were deleted.
///
/// Common table expressions: `deleted_3` deletes from table 3, `unlinked_3` updates it, `before_3` has the values of
/// its cleared columns before, and `archived_…` archives what one of them returns.
pub(super) fn delete(sql: &PlanSql<'_>, archive: &ArchiveWriter) -> String {
    debug_assert_eq!(sql.dialect, Dialect::Postgres, "SQLite has no data-modifying common table expressions");
    let mut parts = vec![sql.with_clause()];
    let mut counts = Vec::new();
    for table in changed_tables(sql.plan) {
        let mut counted = ["0", "0", "0"].map(str::to_owned);
        if sql.plan.deletes_from[table] {
            let (entry, name) = (archive.rows(table), format!("deleted_{table}"));
            let values = entry.map_or_else(String::new, |(_, layout)| {
                format!(", {} AS archived_values", postgres::values("child", &layout.columns))
            });
            let (delete, flag) = (delete_from(sql, table), sql.flag(table));
            parts.push(format!("{name} AS ({delete} RETURNING {flag} AS flag{values})"));
            parts.extend(entry.map(|(entry, _)| archive_from(*entry, &name)));
            counted[0] = format!("(SELECT count(*) FROM {name})");
            counted[2] = format!("(SELECT coalesce(sum(flag), 0) FROM {name})");
        }
        let columns = cleared_columns(sql, table);
        if !columns.is_empty() {
            parts.extend(unlink(sql, archive, table, &columns));
            counted[1] = format!("(SELECT count(*) FROM unlinked_{table})");
        }
        let [deleted, unlinked, flagged] = counted;
        counts.push(format!(
            "SELECT {table}::bigint AS table_number, {deleted}::bigint AS deleted, {unlinked}::bigint AS unlinked, \
             {flagged}::bigint AS flagged"
        ));
    }
    format!("{}\n{}", parts.join(",\n"), counts.join("\nUNION ALL\n"))
}

/// Returns the expression that archives what another one returns, under an entry.
fn archive_from(entry: i64, from: &str) -> String {
    format!("archived_{from} AS ({})", postgres::insert(entry, from))
}

/// Returns the expressions that update a table. Where its references are archived, the values before are read first,
/// since the update itself returns only the values after.
fn unlink(sql: &PlanSql<'_>, archive: &ArchiveWriter, table: TableId, columns: &ClearedColumns) -> Vec<String> {
    let unlinked = format!("unlinked_{table}");
    let Some((entry, layout)) = archive.references(table) else {
        return vec![format!("{unlinked} AS ({} RETURNING 1)", update(sql, table, columns))];
    };
    let values = postgres::values("child", &layout.cleared);
    let (rows, set) = match single_clearing_edge(sql, table, columns) {
        Some((edge, set)) => {
            let names = sql.table(table).row_id.iter().enumerate();
            let row_id: String =
                names.map(|(place, name)| format!("child.{} AS {}, ", quote(name), row_id_name(place))).collect();
            (format!("SELECT {row_id}{values} AS values_before {}", sql.edge_source(edge).rows("")), set)
        }
        None => (
            format!(
                "SELECT listed.*, {values} AS values_before FROM ({}) listed JOIN {} child ON {}",
                changed_rows(sql, table),
                sql.relation(table),
                sql.same_row(table, "child", "listed")
            ),
            assignments(columns),
        ),
    };
    vec![
        format!("before_{table} AS MATERIALIZED ({rows})"),
        format!(
            "{unlinked} AS (UPDATE {} child SET {set} FROM before_{table} listed WHERE {} \
             RETURNING {} || listed.values_before || {values} AS archived_values)",
            sql.relation(table),
            sql.same_row(table, "child", "listed"),
            postgres::values("child", &layout.key),
        ),
        archive_from(*entry, &unlinked),
    ]
}

/// Returns the one edge that changes a table, and its assignments, where the edge only sets columns to null and no row
/// of the table is deleted.
fn single_clearing_edge(sql: &PlanSql<'_>, table: TableId, columns: &ClearedColumns) -> Option<(EdgeId, String)> {
    let edges: Vec<EdgeId> = sql.plan.edges_into(table).collect();
    let ([edge], false) = (edges.as_slice(), sql.plan.is_node(table)) else { return None };
    let set: Vec<String> = columns.keys().map(|column| format!("{} = NULL", quote(column))).collect();
    matches!(sql.plan.edges[*edge].effect, Effect::SetNull(_)).then(|| (*edge, set.join(", ")))
}

fn delete_from(sql: &PlanSql<'_>, table: TableId) -> String {
    if sql.plan.is_node(table) {
        return sql.node_source(table).delete();
    }
    let edges: Vec<EdgeId> = sql.plan.edges_into(table).collect();
    if let [edge] = edges.as_slice() {
        return sql.edge_source(*edge).delete();
    }
    let condition = sql.same_row(table, "child", "parent");
    let parent = Some(format!("({})", deleted_rows(sql, table)));
    RowSource { child: sql.relation(table), parent, condition }.delete()
}

fn update(sql: &PlanSql<'_>, table: TableId, columns: &ClearedColumns) -> String {
    if let Some((edge, set)) = single_clearing_edge(sql, table, columns) {
        return sql.edge_source(edge).update(&set);
    }
    format!(
        "UPDATE {} child SET {} FROM ({}) listed WHERE {}",
        sql.relation(table),
        assignments(columns),
        changed_rows(sql, table),
        sql.same_row(table, "child", "listed")
    )
}
