//! Counting the rows of a plan, with one statement for any number of sessions.

use std::collections::{BTreeMap, HashMap};

use sea_orm::{ConnectionTrait, QueryResult};

use crate::catalog::TableId;
use crate::db::{Dialect, quote};
use crate::error::Error;

use super::plan_sql::{PlanSql, node_name};
use super::shape::QueryShape;
use crate::impact::effect::Effect;
use crate::impact::plan::{DeletionPlan, EdgeId, Source};

/// The counts of one session, or of all together.
#[derive(Debug, Clone, Default)]
pub struct Counts {
    /// The counts of each reached table.
    pub tables: HashMap<TableId, TableCounts>,
}

/// The counts of one table, in rows.
#[derive(Debug, Clone, Default)]
pub struct TableCounts {
    /// Deleted rows.
    pub deleted: i64,
    /// Rows that stay, with a reference cleared.
    pub unlinked: i64,
    /// Deleted rows that are connected sessions or messages still to be sent.
    pub flagged: i64,
    /// For each edge into the table, the rows reached and the rows that block.
    pub edges: Vec<(EdgeId, i64, i64)>,
}

/// The counts by the number of the session in the list of ids; those of all sessions together are under 0.
pub type CountsByNode = HashMap<i64, Counts>;

/// Counts for the sessions of `ids`, a JSON array, each by itself or all together. The second value is the number of
/// ids that exist.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Timeout`].
pub async fn count(
    conn: &impl ConnectionTrait,
    dialect: Dialect,
    plan: &DeletionPlan<'_>,
    ids: &str,
    shape: QueryShape,
) -> Result<(CountsByNode, i64), Error> {
    let sql = PlanSql { plan, dialect, shape };
    let rows = conn.query_all_raw(dialect.statement(sql.counts(), [ids.into()])).await?;
    let mut counted = CountsByNode::new();
    let mut found = 0;
    for row in rows {
        let table: i64 = row.try_get("", "table_number")?;
        if let Ok(table) = TableId::try_from(table) {
            let session: i64 = row.try_get("", "session_number")?;
            counted.entry(session).or_default().tables.insert(table, table_counts(&row, plan, table)?);
        } else {
            found = row.try_get("", "deleted")?;
        }
    }
    Ok((counted, found))
}

fn table_counts(row: &QueryResult, plan: &DeletionPlan<'_>, table: TableId) -> Result<TableCounts, Error> {
    let mut counts = TableCounts {
        deleted: row.try_get("", "deleted")?,
        unlinked: row.try_get("", "unlinked")?,
        flagged: row.try_get("", "flagged")?,
        edges: Vec::new(),
    };
    for (slot, edge) in plan.edges_into(table).enumerate() {
        let (reached, blocking) = (format!("reached_{slot}"), format!("blocking_{slot}"));
        counts.edges.push((edge, row.try_get("", &reached)?, row.try_get("", &blocking)?));
    }
    Ok(counts)
}

impl PlanSql<'_> {
    /// Returns the statement. It has a row for each session and reached table, and one (table -1) with the number of
    /// ids that exist. The edges into a table have numbered slots, since all rows need the same columns.
    #[must_use]
    pub fn counts(&self) -> String {
        let reached = self.plan.reached_tables();
        let slots = reached.iter().map(|&table| self.plan.edges_into(table).count()).max().unwrap_or(0);
        let names: String =
            (0..slots).map(|slot| format!(", 0::bigint AS reached_{slot}, 0::bigint AS blocking_{slot}")).collect();
        let (names, zero) = match self.dialect {
            Dialect::Postgres => (names, "0::bigint"),
            Dialect::Sqlite => (names.replace("::bigint", ""), "0"),
        };
        let root = self.relation(self.plan.graph.root);
        let mut parts = vec![format!(
            "SELECT {zero} AS session_number, {} AS table_number, count(*) AS deleted, {zero} AS unlinked, \
             {zero} AS flagged{names} FROM {root} child JOIN roots ON child.\"id\" = roots.id",
            zero.replacen('0', "-1", 1)
        )];
        let (in_unions, others): (Vec<TableId>, Vec<TableId>) =
            reached.iter().partition(|&&table| self.union_edge(table).is_some());
        parts.extend(others.iter().map(|&table| self.counts_of(table, slots)));
        parts.extend(self.counts_by_unions(&in_unions, slots));
        format!("{}\n{}", self.with_clause(), parts.join("\nUNION ALL\n"))
    }

    fn counts_of(&self, table: TableId, slots: usize) -> String {
        let edges: Vec<EdgeId> = self.plan.edges_into(table).collect();
        let node = self.plan.is_node(table);
        match edges.as_slice() {
            [] => {
                let columns = self.columns(table, ["count(*)", "0", "sum(flag)"], &[], slots);
                format!("{columns} FROM {}{}", node_name(table), self.group_by("session_number"))
            }
            // The one key reaches every deleted row, and these are listed already.
            [edge] if node && self.plan.is_single_incoming_edge(*edge) => {
                let all = ("count(*)".to_owned(), "0".to_owned());
                let columns = self.columns(table, ["count(*)", "0", "sum(flag)"], &[all], slots);
                format!("{columns} FROM {}{}", node_name(table), self.group_by("session_number"))
            }
            [edge] if !node && !matches!(self.plan.edges[*edge].effect, Effect::SetDefault(_)) => {
                self.counts_by_one_edge(table, *edge, slots)
            }
            _ => self.counts_by_states(table, &edges, slots),
        }
    }

    /// Counts a table that one key leads into and nothing refers to: that needs no list of its rows.
    fn counts_by_one_edge(&self, table: TableId, edge: EdgeId, slots: usize) -> String {
        let flagged = match self.flag(table).as_str() {
            "0" => "0".to_owned(),
            flag => format!("sum({flag})"),
        };
        let all = "count(*)".to_owned();
        let (sums, of_edge) = match self.plan.edges[edge].effect {
            Effect::Delete => (["count(*)", "0", flagged.as_str()], (all, "0".to_owned())),
            Effect::SetNull(_) | Effect::CascadeUpdate(_) => (["0", "count(*)", "0"], (all, "0".to_owned())),
            Effect::SetDefault(_) | Effect::Block(_) => (["0", "0", "0"], (all.clone(), all)),
        };
        let columns = self.columns(table, sums, &[of_edge], slots);
        format!(
            "{} {}{}",
            columns.replacen("SELECT session_number", "SELECT parent.session_number", 1),
            self.edge_rows(edge),
            self.group_by("parent.session_number")
        )
    }

    fn counts_by_states(&self, table: TableId, edges: &[EdgeId], slots: usize) -> String {
        let changed: Vec<String> = edges.iter().map(|&edge| format!("({})", self.is_changed(edge))).collect();
        let unlinked = filtered(&changed.join(" OR "));
        let of_edges: Vec<(String, String)> = edges
            .iter()
            .map(|&edge| match self.plan.edges[edge].effect {
                Effect::Delete => (filtered(&format!("reached_by_{edge} = 1")), "0".to_owned()),
                Effect::SetNull(_) | Effect::CascadeUpdate(_) => (filtered(&self.is_changed(edge)), "0".to_owned()),
                Effect::SetDefault(_) => (filtered(&self.is_changed(edge)), filtered(&self.is_blocked(edge))),
                Effect::Block(_) => (filtered(&self.is_blocked(edge)), filtered(&self.is_blocked(edge))),
            })
            .collect();
        let sums = [filtered("deleted = 1"), unlinked, filtered("deleted = 1 AND flag = 1")];
        let columns = self.columns(table, [&sums[0], &sums[1], &sums[2]], &of_edges, slots);
        format!("{columns} FROM ({}) states{}", self.states(table), self.group_by("session_number"))
    }

    fn columns(&self, table: TableId, sums: [&str; 3], edges: &[(String, String)], slots: usize) -> String {
        let session = if self.shape.is_per_session() { "session_number" } else { "0" };
        let [deleted, unlinked, flagged] = sums;
        let mut text = format!("SELECT {session}, {table}, {deleted}, {unlinked}, coalesce({flagged}, 0)");
        for slot in 0..slots {
            let (reached, blocking) = edges.get(slot).map_or(("0", "0"), |(one, two)| (one, two));
            text.push_str(&format!(", {reached}, {blocking}"));
        }
        text
    }

    fn group_by(&self, session: &str) -> String {
        if self.shape.is_per_session() { format!(" GROUP BY {session}") } else { String::new() }
    }
}

/// Counting many tables by one join.
impl PlanSql<'_> {
    /// Returns the one edge into a table that can be counted in a union with others: a key of one column, of the type
    /// referred to.
    fn union_edge(&self, table: TableId) -> Option<EdgeId> {
        let edges: Vec<EdgeId> = self.plan.edges_into(table).collect();
        let [edge] = edges.as_slice() else { return None };
        let key = self.plan.key(*edge);
        let ([column], [to]) = (key.columns.as_slice(), key.referenced_columns.as_slice()) else { return None };
        let column_type = |table, name: &str| self.table(table).column(name).map(|column| column.type_name.clone());
        let is_simple = !self.plan.is_node(table)
            && key.referenced_scope.is_none()
            && matches!(self.plan.edges[*edge].source, Source::Deleted(_))
            && !matches!(self.plan.edges[*edge].effect, Effect::SetDefault(_))
            && column_type(table, column) == column_type(key.referenced, to)
            && key.collation(self.plan.graph, column, to).is_empty();
        (self.shape == QueryShape::UnionColumns && is_simple).then_some(*edge)
    }

    /// Returns one query for each column that is referred to: all columns that refer to it, in one union.
    fn counts_by_unions(&self, tables: &[TableId], slots: usize) -> Vec<String> {
        let mut unions: BTreeMap<(TableId, &str), Vec<(TableId, EdgeId)>> = BTreeMap::new();
        for &table in tables {
            if let Some(edge) = self.union_edge(table) {
                let key = self.plan.key(edge);
                unions.entry((key.referenced, &key.referenced_columns[0])).or_default().push((table, edge));
            }
        }
        unions.into_iter().map(|((parent, to), tables)| self.counts_of_union(parent, to, &tables, slots)).collect()
    }

    fn counts_of_union(&self, parent: TableId, to: &str, tables: &[(TableId, EdgeId)], slots: usize) -> String {
        let columns: Vec<String> = tables
            .iter()
            .map(|&(table, edge)| {
                let column = quote(&self.plan.key(edge).columns[0]);
                let flag =
                    if self.plan.edges[edge].effect == Effect::Delete { self.flag(table) } else { "0".to_owned() };
                let child = self.edge_source(edge).child;
                format!("SELECT child.{column} AS id, {table} AS table_number, {flag} AS flag FROM {child} child")
            })
            .collect();
        let count_of = |is_counted: fn(&Effect) -> bool| {
            let found = tables.iter().filter(|(_, edge)| is_counted(&self.plan.edges[*edge].effect));
            let found: Vec<String> = found.map(|(table, _)| table.to_string()).collect();
            if found.is_empty() {
                "0".to_owned()
            } else {
                format!("CASE WHEN table_number IN ({}) THEN row_count ELSE 0 END", found.join(", "))
            }
        };
        let deleted = count_of(|effect| *effect == Effect::Delete);
        let unlinked = count_of(|effect| matches!(effect, Effect::SetNull(_)));
        let blocked = count_of(|effect| matches!(effect, Effect::Block(_)));
        format!(
            "SELECT 0, table_number, {deleted}, {unlinked}, flagged, row_count, {blocked}{} FROM \
             (SELECT child.table_number, count(*) AS row_count, sum(child.flag) AS flagged \
             FROM ({}) child JOIN {} parent ON parent.{} = child.id GROUP BY child.table_number) counted",
            ", 0, 0".repeat(slots.saturating_sub(1)),
            columns.join(" UNION ALL "),
            node_name(parent),
            self.column_name(parent, to),
        )
    }
}

/// Returns SQL that counts the rows that meet a condition.
fn filtered(condition: &str) -> String {
    format!("count(*) FILTER (WHERE {condition})")
}
