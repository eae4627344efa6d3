//! Counting: one statement for any number of sessions.

use std::collections::{BTreeMap, HashMap};

use sea_orm::{ConnectionTrait, QueryResult};

use crate::catalog::TableId;
use crate::db::{Dialect, quote};
use crate::error::Error;

use super::plan_sql::{Sql, node_name};
use super::shape::Shape;
use crate::impact::effect::Effect;
use crate::impact::plan::{EdgeId, Plan, Source};

/// The counts of one session, or of all together.
#[derive(Debug, Clone, Default)]
pub struct Counts {
    /// By table.
    pub tables: HashMap<TableId, TableCounts>,
}

/// The counts of one table, in rows.
#[derive(Debug, Clone, Default)]
pub struct TableCounts {
    /// Rows that go.
    pub deleted: i64,
    /// Rows that stay, with something cleared.
    pub unlinked: i64,
    /// Connected sessions, or messages still to be sent, that go.
    pub flagged: i64,
    /// By edge: rows reached, and rows that block.
    pub edges: Vec<(EdgeId, i64, i64)>,
}

/// What was counted, by the place of the session's id in the list; all together are under 0.
pub type Counted = HashMap<i64, Counts>;

/// Counts for the sessions of `ids`, a JSON array, each by itself or all together. The second value is how many of the ids exist.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Timeout`].
pub async fn count(
    conn: &impl ConnectionTrait,
    dialect: Dialect,
    plan: &Plan<'_>,
    ids: &str,
    shape: Shape,
) -> Result<(Counted, i64), Error> {
    let sql = Sql { plan, dialect, shape };
    let rows = conn.query_all_raw(dialect.statement(sql.counts(), [ids.into()])).await?;
    let mut counted = Counted::new();
    let mut found = 0;
    for row in rows {
        let table: i64 = row.try_get("", "t")?;
        if let Ok(table) = TableId::try_from(table) {
            let group: i64 = row.try_get("", "g")?;
            counted.entry(group).or_default().tables.insert(table, table_counts(&row, plan, table)?);
        } else {
            found = row.try_get("", "deleted")?;
        }
    }
    Ok((counted, found))
}

fn table_counts(row: &QueryResult, plan: &Plan<'_>, table: TableId) -> Result<TableCounts, Error> {
    let mut counts = TableCounts {
        deleted: row.try_get("", "deleted")?,
        unlinked: row.try_get("", "unlinked")?,
        flagged: row.try_get("", "flagged")?,
        edges: Vec::new(),
    };
    for (slot, edge) in plan.edges_into(table).enumerate() {
        counts.edges.push((edge, row.try_get("", &format!("e{slot}"))?, row.try_get("", &format!("b{slot}"))?));
    }
    Ok(counts)
}

impl Sql<'_> {
    /// The statement: a row per session and table, and one (table -1) with the number of ids that exist.
    #[must_use]
    pub fn counts(&self) -> String {
        let reached = self.plan.reached();
        let slots = reached.iter().map(|&table| self.plan.edges_into(table).count()).max().unwrap_or(0);
        let names: String = (0..slots).map(|slot| format!(", 0::bigint AS e{slot}, 0::bigint AS b{slot}")).collect();
        let (names, zero) = match self.dialect {
            Dialect::Postgres => (names, "0::bigint"),
            Dialect::Sqlite => (names.replace("::bigint", ""), "0"),
        };
        let root = self.relation(self.plan.graph.root);
        let mut parts = vec![format!(
            "SELECT {zero} AS g, {} AS t, count(*) AS deleted, {zero} AS unlinked, {zero} AS flagged{names} \
             FROM {root} c JOIN roots ON c.\"id\" = roots.id",
            zero.replacen('0', "-1", 1)
        )];
        let (listed, others): (Vec<TableId>, Vec<TableId>) =
            reached.iter().partition(|&&table| self.listed_with(table).is_some());
        parts.extend(others.iter().map(|&table| self.counts_of(table, slots)));
        parts.extend(self.counts_by_columns(&listed, slots));
        format!("{}\n{}", self.with(), parts.join("\nUNION ALL\n"))
    }

    fn counts_of(&self, table: TableId, slots: usize) -> String {
        let edges: Vec<EdgeId> = self.plan.edges_into(table).collect();
        let node = self.plan.is_node(table);
        match edges.as_slice() {
            [] => {
                let columns = self.columns(table, ["count(*)", "0", "sum(f)"], &[], slots);
                format!("{columns} FROM {}{}", node_name(table), self.by("g"))
            }
            // Every row of it that goes is reached by the one key, and the list of them is there.
            [edge] if node && self.plan.only_way_in(*edge) => {
                let all = ("count(*)".to_owned(), "0".to_owned());
                let columns = self.columns(table, ["count(*)", "0", "sum(f)"], &[all], slots);
                format!("{columns} FROM {}{}", node_name(table), self.by("g"))
            }
            [edge] if !node && !matches!(self.plan.edges[*edge].effect, Effect::Default(_)) => {
                self.counts_by_one_edge(table, *edge, slots)
            }
            _ => self.counts_by_states(table, &edges, slots),
        }
    }

    /// A table with one key into it and nothing behind it needs no list of its rows.
    fn counts_by_one_edge(&self, table: TableId, edge: EdgeId, slots: usize) -> String {
        let flagged = match self.flag(table).as_str() {
            "0" => "0".to_owned(),
            flag => format!("sum({flag})"),
        };
        let all = "count(*)".to_owned();
        let (sums, of_edge) = match self.plan.edges[edge].effect {
            Effect::Delete => (["count(*)", "0", flagged.as_str()], (all, "0".to_owned())),
            Effect::Clear(_) | Effect::Follow(_) => (["0", "count(*)", "0"], (all, "0".to_owned())),
            Effect::Default(_) | Effect::Block(_) => (["0", "0", "0"], (all.clone(), all)),
        };
        let columns = self.columns(table, sums, &[of_edge], slots);
        format!("{} {}{}", columns.replacen("SELECT g", "SELECT d.g", 1), self.edge_rows(edge), self.by("d.g"))
    }

    fn counts_by_states(&self, table: TableId, edges: &[EdgeId], slots: usize) -> String {
        let changed: Vec<String> = edges.iter().map(|&edge| format!("({})", self.is_changed(edge))).collect();
        let unlinked = filtered(&changed.join(" OR "));
        let of_edges: Vec<(String, String)> = edges
            .iter()
            .map(|&edge| match self.plan.edges[edge].effect {
                Effect::Delete => (filtered(&format!("e{edge} = 1")), "0".to_owned()),
                Effect::Clear(_) | Effect::Follow(_) => (filtered(&self.is_changed(edge)), "0".to_owned()),
                Effect::Default(_) => (filtered(&self.is_changed(edge)), filtered(&self.is_blocked(edge))),
                Effect::Block(_) => (filtered(&self.is_blocked(edge)), filtered(&self.is_blocked(edge))),
            })
            .collect();
        let sums = [filtered("gone = 1"), unlinked, filtered("gone = 1 AND f = 1")];
        let columns = self.columns(table, [&sums[0], &sums[1], &sums[2]], &of_edges, slots);
        format!("{columns} FROM ({}) states{}", self.states(table), self.by("g"))
    }

    fn columns(&self, table: TableId, sums: [&str; 3], edges: &[(String, String)], slots: usize) -> String {
        let group = if self.shape.by_session() { "g" } else { "0" };
        let [deleted, unlinked, flagged] = sums;
        let mut text = format!("SELECT {group}, {table}, {deleted}, {unlinked}, coalesce({flagged}, 0)");
        for slot in 0..slots {
            let (reached, blocking) = edges.get(slot).map_or(("0", "0"), |(one, two)| (one, two));
            text.push_str(&format!(", {reached}, {blocking}"));
        }
        text
    }

    fn by(&self, group: &str) -> String {
        if self.shape.by_session() { format!(" GROUP BY {group}") } else { String::new() }
    }
}

/// Many tables, counted by one join.
impl Sql<'_> {
    /// The one edge into a table that can be counted in a list with others: one key of one column, of the type referred to.
    fn listed_with(&self, table: TableId) -> Option<EdgeId> {
        let edges: Vec<EdgeId> = self.plan.edges_into(table).collect();
        let [edge] = edges.as_slice() else { return None };
        let key = self.plan.key(*edge);
        let ([column], [to]) = (key.columns.as_slice(), key.referenced_columns.as_slice()) else { return None };
        let of_type = |table, name: &str| self.table(table).column(name).map(|column| column.type_name.clone());
        let plain = !self.plan.is_node(table)
            && key.referenced_scope.is_none()
            && matches!(self.plan.edges[*edge].source, Source::Deleted(_))
            && !matches!(self.plan.edges[*edge].effect, Effect::Default(_))
            && of_type(table, column) == of_type(key.referenced, to)
            && key.collation(self.plan.graph, column, to).is_empty();
        (self.shape == Shape::Columns && plain).then_some(*edge)
    }

    /// One statement for each column that is referred to: all that refer to it, as one list.
    fn counts_by_columns(&self, tables: &[TableId], slots: usize) -> Vec<String> {
        let mut lists: BTreeMap<(TableId, &str), Vec<(TableId, EdgeId)>> = BTreeMap::new();
        for &table in tables {
            if let Some(edge) = self.listed_with(table) {
                let key = self.plan.key(edge);
                lists.entry((key.referenced, &key.referenced_columns[0])).or_default().push((table, edge));
            }
        }
        lists.into_iter().map(|((parent, to), listed)| self.counts_of_list(parent, to, &listed, slots)).collect()
    }

    fn counts_of_list(&self, parent: TableId, to: &str, listed: &[(TableId, EdgeId)], slots: usize) -> String {
        let columns: Vec<String> = listed
            .iter()
            .map(|&(table, edge)| {
                let column = quote(&self.plan.key(edge).columns[0]);
                let flag =
                    if self.plan.edges[edge].effect == Effect::Delete { self.flag(table) } else { "0".to_owned() };
                format!("SELECT c.{column} AS id, {table} AS t, {flag} AS f FROM {} c", self.edge_parts(edge).child)
            })
            .collect();
        let of = |wanted: fn(&Effect) -> bool| {
            let found = listed.iter().filter(|(_, edge)| wanted(&self.plan.edges[*edge].effect));
            let found: Vec<String> = found.map(|(table, _)| table.to_string()).collect();
            if found.is_empty() {
                "0".to_owned()
            } else {
                format!("CASE WHEN t IN ({}) THEN n ELSE 0 END", found.join(", "))
            }
        };
        let deleted = of(|effect| *effect == Effect::Delete);
        let unlinked = of(|effect| matches!(effect, Effect::Clear(_)));
        let blocked = of(|effect| matches!(effect, Effect::Block(_)));
        format!(
            "SELECT 0, t, {deleted}, {unlinked}, f, n, {blocked}{} FROM (SELECT l.t, count(*) AS n, sum(l.f) AS f \
             FROM ({}) l JOIN {} d ON d.{} = l.id GROUP BY l.t) counted",
            ", 0, 0".repeat(slots.saturating_sub(1)),
            columns.join(" UNION ALL "),
            node_name(parent),
            self.column_name(parent, to),
        )
    }
}

fn filtered(condition: &str) -> String {
    format!("count(*) FILTER (WHERE {condition})")
}
