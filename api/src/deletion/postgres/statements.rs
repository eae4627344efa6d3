//! The statements of a deletion on PostgreSQL: locks level by level, then one statement that deletes and unlinks.

use crate::catalog::TableId;
use crate::db::{Dialect, quote};
use crate::deletion::archive::postgres;
use crate::deletion::archive::writer::Archive;
use crate::impact::effect::Effect;
use crate::impact::plan::{EdgeId, Plan, Source};
use crate::impact::sql::Sql;
use crate::impact::sql::changes::{Cleared, assignments, changed_rows, cleared, gone_rows, written};
use crate::impact::sql::shape::Parts;

/// Keeps the foreign keys of these tables as they are: adding one needs a lock that conflicts with this one.
pub(in crate::deletion) fn lock_tables(sql: &Sql<'_>) -> String {
    let names: Vec<String> = written(sql.plan).into_iter().map(|table| sql.relation(table)).collect();
    format!("LOCK TABLE {} IN ROW EXCLUSIVE MODE", names.join(", "))
}

/// Locks the rows of a node, in the order of its key. FOR UPDATE, since a weaker lock lets a row that refers to one of
/// these slip in between the count and the deletion.
pub(in crate::deletion) fn lock_node(sql: &Sql<'_>, table: TableId) -> String {
    let mut parts = sql.node_parts(table);
    let key = &sql.table(table).primary_key;
    if parts.source.is_some() && !key.is_empty() {
        // By key and not by place: a row that somebody has just changed has moved.
        let same = key.iter().map(|name| format!("c.{} = d.{}", quote(name), sql.column_name(table, name)));
        parts.condition = same.collect::<Vec<_>>().join(" AND ");
    }
    locking(sql, table, &parts.rows(""), "UPDATE")
}

/// Locks the rows that an edge unlinks; their keys do not change, so rows that refer to them may come and go.
pub(in crate::deletion) fn lock_unlinked(sql: &Sql<'_>, edge: EdgeId) -> String {
    locking(sql, sql.plan.key(edge).table, &sql.staying_edge_rows(edge), "NO KEY UPDATE")
}

fn locking(sql: &Sql<'_>, table: TableId, rows: &str, strength: &str) -> String {
    let key = sql.table(table).primary_key.iter();
    let order: Vec<String> = key.map(|name| format!("c.{}", quote(name))).collect();
    let order = if order.is_empty() { "c.ctid".to_owned() } else { order.join(", ") };
    let with = sql.with();
    format!("{with} SELECT count(*) AS locked FROM (SELECT 1 {rows} ORDER BY {order} FOR {strength} OF c) rows")
}

/// The edges whose rows are locked before they are unlinked.
pub(in crate::deletion) fn unlinking(plan: &Plan<'_>) -> Vec<EdgeId> {
    let mut edges: Vec<EdgeId> = (0..plan.edges.len())
        .filter(|&edge| plan.edges[edge].effect.changes() && matches!(plan.edges[edge].source, Source::Deleted(_)))
        .collect();
    edges.sort_by_key(|&edge| (&plan.child(edge).display, &plan.key(edge).columns));
    edges
}

/// Deletes and unlinks, all in one statement: the referential triggers fire at its end, when every row that goes is
/// gone, and so cycles, diamonds and RESTRICT pass. Answers with a row per table: `t`, `deleted`, `unlinked`, and
/// `flagged`, the connected sessions or messages still to be sent among the rows as they were when they went. What an
/// archive has an entry for is kept.
pub(in crate::deletion) fn delete(sql: &Sql<'_>, archive: &Archive) -> String {
    debug_assert_eq!(sql.dialect, Dialect::Postgres, "SQLite has no data-modifying common table expressions");
    let mut parts = vec![sql.with()];
    let mut answers = Vec::new();
    for table in written(sql.plan) {
        let mut counted = ["0", "0", "0"].map(str::to_owned);
        if sql.plan.doomed[table] {
            let entry = archive.rows(table);
            let values = entry
                .map_or_else(String::new, |(_, layout)| format!(", {} AS v", postgres::values("c", &layout.columns)));
            parts.push(format!("x{table} AS ({} RETURNING {} AS f{values})", delete_from(sql, table), sql.flag(table)));
            parts.extend(entry.map(|(entry, _)| kept(*entry, &format!("x{table}"))));
            counted[0] = format!("(SELECT count(*) FROM x{table})");
            counted[2] = format!("(SELECT coalesce(sum(f), 0) FROM x{table})");
        }
        let columns = cleared(sql, table);
        if !columns.is_empty() {
            parts.extend(unlink(sql, archive, table, &columns));
            counted[1] = format!("(SELECT count(*) FROM y{table})");
        }
        let [deleted, unlinked, flagged] = counted;
        answers.push(format!(
            "SELECT {table}::bigint AS t, {deleted}::bigint AS deleted, {unlinked}::bigint AS unlinked, \
             {flagged}::bigint AS flagged"
        ));
    }
    format!("{}\n{}", parts.join(",\n"), answers.join("\nUNION ALL\n"))
}

fn kept(entry: i64, from: &str) -> String {
    format!("kept_{from} AS ({})", postgres::insert(entry, from))
}

/// `y…`: the update of a table. Where its references are kept, what stood there is read first: the statement itself
/// tells only what it left.
fn unlink(sql: &Sql<'_>, archive: &Archive, table: TableId, columns: &Cleared) -> Vec<String> {
    let Some((entry, layout)) = archive.references(table) else {
        return vec![format!("y{table} AS ({} RETURNING 1)", update(sql, table, columns))];
    };
    let before = postgres::values("c", &layout.cleared);
    let (rows, set) = match only_clearing(sql, table, columns) {
        Some((edge, set)) => {
            let names = sql.table(table).row_id.iter().enumerate();
            let ids: String = names.map(|(place, name)| format!("c.{} AS r{place}, ", quote(name))).collect();
            (format!("SELECT {ids}{before} AS v {}", sql.edge_parts(edge).rows("")), set)
        }
        None => (
            format!(
                "SELECT s.*, {before} AS v FROM ({}) s JOIN {} c ON {}",
                changed_rows(sql, table),
                sql.relation(table),
                sql.same_row(table, "c", "s")
            ),
            assignments(columns),
        ),
    };
    vec![
        format!("b{table} AS MATERIALIZED ({rows})"),
        format!(
            "y{table} AS (UPDATE {} c SET {set} FROM b{table} s WHERE {} RETURNING {} || s.v || {before} AS v)",
            sql.relation(table),
            sql.same_row(table, "c", "s"),
            postgres::values("c", &layout.key),
        ),
        kept(*entry, &format!("y{table}")),
    ]
}

/// The one edge that changes a table, and what it sets, where it only sets to null and no row of the table goes.
fn only_clearing(sql: &Sql<'_>, table: TableId, columns: &Cleared) -> Option<(EdgeId, String)> {
    let edges: Vec<EdgeId> = sql.plan.edges_into(table).collect();
    let ([edge], false) = (edges.as_slice(), sql.plan.is_node(table)) else { return None };
    let set: Vec<String> = columns.keys().map(|column| format!("{} = NULL", quote(column))).collect();
    matches!(sql.plan.edges[*edge].effect, Effect::Clear(_)).then(|| (*edge, set.join(", ")))
}

fn delete_from(sql: &Sql<'_>, table: TableId) -> String {
    if sql.plan.is_node(table) {
        return sql.node_parts(table).delete();
    }
    let edges: Vec<EdgeId> = sql.plan.edges_into(table).collect();
    if let [edge] = edges.as_slice() {
        return sql.edge_parts(*edge).delete();
    }
    let condition = sql.same_row(table, "c", "d");
    Parts { child: sql.relation(table), source: Some(format!("({})", gone_rows(sql, table))), condition }.delete()
}

fn update(sql: &Sql<'_>, table: TableId, columns: &Cleared) -> String {
    if let Some((edge, set)) = only_clearing(sql, table, columns) {
        return sql.edge_parts(edge).update(&set);
    }
    format!(
        "UPDATE {} c SET {} FROM ({}) s WHERE {}",
        sql.relation(table),
        assignments(columns),
        changed_rows(sql, table),
        sql.same_row(table, "c", "s")
    )
}
