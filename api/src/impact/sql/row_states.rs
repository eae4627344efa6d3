//! What becomes of each row of a reached table: it goes, it is unlinked, it blocks.

use std::fmt::Write as _;

use crate::catalog::{ForeignKey, TableId};
use crate::db::quote;

use super::plan_sql::{Sql, node_name, row_id_names};
use super::shape::Shape;
use crate::impact::effect::{Effect, default_of};
use crate::impact::plan::{EdgeId, Source};

impl Sql<'_> {
    /// One row per reached row of a table: `g`, `r0…`, `gone`, the flag `f`, and for each edge `e…` (it is reached by
    /// it) and `b…` (the edge's default leads nowhere), each 0 or 1.
    #[must_use]
    pub fn states(&self, table: TableId) -> String {
        let edges: Vec<EdgeId> = self.plan.edges_into(table).collect();
        let mut branches: Vec<String> = edges.iter().map(|&edge| self.state_branch(edge, &edges)).collect();
        let names = row_id_names(self.table(table).row_id.len());
        if self.plan.is_node(table) {
            let zeros: String = edges.iter().map(|edge| format!(", 0 AS e{edge}, 0 AS b{edge}")).collect();
            branches.push(format!("SELECT g, {names}, 1 AS gone, f{zeros} FROM {}", node_name(table)));
        }
        let largest: String =
            edges.iter().map(|edge| format!(", max(e{edge}) AS e{edge}, max(b{edge}) AS b{edge}")).collect();
        let states = format!(
            "SELECT g, {names}, max(gone) AS gone, max(f) AS f{largest} FROM ({}) reached GROUP BY g, {names}",
            branches.join(" UNION ALL ")
        );
        if self.shape == Shape::Among { states_among(&states, &names, &edges) } else { states }
    }

    /// How the marks are called that other edges leave on a row.
    fn marks_of_others(&self) -> &'static str {
        if self.shape == Shape::Among { "m" } else { "" }
    }

    fn state_branch(&self, edge: EdgeId, edges: &[EdgeId]) -> String {
        let table = self.plan.key(edge).table;
        let identity = self.plan.graph.tables[table].row_id.iter().enumerate();
        let identity: Vec<String> = identity.map(|(place, name)| format!("c.{} AS r{place}", quote(name))).collect();
        let gone = u8::from(self.plan.edges[edge].effect == Effect::Delete);
        let bad = self.unusable(edge);
        let marks: String = edges
            .iter()
            .map(|&other| {
                if other == edge {
                    format!(", 1 AS e{other}, {bad} AS b{other}")
                } else {
                    format!(", 0 AS e{other}, 0 AS b{other}")
                }
            })
            .collect();
        format!(
            "SELECT {} AS g, {}, {gone} AS gone, {} AS f{marks} {}",
            self.group(),
            identity.join(", "),
            self.flag(table),
            self.edge_rows(edge)
        )
    }

    /// 1 where the key, with the columns that SET DEFAULT sets, leads neither to an existing row that stays nor to null
    /// where null is taken. A key that blocks may share columns with one that sets defaults, which ends its reference.
    fn unusable(&self, edge: EdgeId) -> String {
        let set: Vec<&String> = match &self.plan.edges[edge].effect {
            Effect::Default(set) => set.iter().collect(),
            Effect::Block(_) => self.plan.defaulted_by(edge).flat_map(|other| self.defaulted(other)).collect(),
            Effect::Delete | Effect::Clear(_) | Effect::Follow(_) => Vec::new(),
        };
        if set.is_empty() {
            return "0".to_owned();
        }
        let key = self.plan.key(edge);
        let table = self.table(key.table);
        let moved = match self.plan.edges[edge].source {
            Source::Cleared(before) => Some(format!("u{before}")),
            Source::Deleted(_) => None,
        };
        let mut usable = self.leads_somewhere(key, &set, moved);
        if matches!(self.plan.edges[edge].effect, Effect::Default(_)) {
            // The default has to suit every other key that shares the column.
            let others = self.plan.graph.foreign_keys.iter().filter(|other| {
                other.enforced
                    && other.table == key.table
                    && *other != key
                    && set.iter().any(|name| other.columns.contains(name))
            });
            for other in others {
                usable = format!("{usable} AND {}", self.leads_somewhere(other, &set, None));
            }
        }
        for name in set.into_iter().filter(|name| table.column(name).is_some_and(|column| !column.nullable)) {
            usable = format!("{usable} AND {} IS NOT NULL", default_of(table, name));
        }
        format!("CASE WHEN {usable} THEN 0 ELSE 1 END")
    }

    /// With the columns of `set` at their defaults, the key of the row `c` is null or finds a row that stays, and is not
    /// among those that `moved` away.
    fn leads_somewhere(&self, key: &ForeignKey, set: &[&String], moved: Option<String>) -> String {
        let table = self.table(key.table);
        let value = |column: &String| {
            if set.contains(&column) { default_of(table, column) } else { format!("c.{}", quote(column)) }
        };
        let values: Vec<String> = key.columns.iter().map(value).collect();
        let nulls: Vec<String> = values.iter().map(|value| format!("{value} IS NULL")).collect();
        let unlinked = nulls.join(if key.match_full { " AND " } else { " OR " });
        let pairs = key.columns.iter().zip(&key.referenced_columns).zip(&values);
        let same = pairs.map(|((column, to), value)| {
            format!("p.{} = ({value}){}", quote(to), key.collation(self.plan.graph, column, to))
        });
        let same: Vec<String> = same.collect();
        let group = self.of_same_session();
        let found = self.same_row(key.referenced, "p", "x");
        let gone = self.plan.is_node(key.referenced).then(|| node_name(key.referenced));
        let stays: String = gone
            .into_iter()
            .chain(moved)
            .map(|rows| format!(" AND NOT EXISTS (SELECT 1 FROM {rows} x WHERE {group}{found})"))
            .collect();
        format!(
            "({unlinked} OR EXISTS (SELECT 1 FROM {} p WHERE {}{stays}))",
            self.relation(key.referenced),
            same.join(" AND ")
        )
    }

    fn defaulted(&self, edge: EdgeId) -> &[String] {
        match &self.plan.edges[edge].effect {
            Effect::Default(columns) => columns,
            Effect::Delete | Effect::Clear(_) | Effect::Follow(_) | Effect::Block(_) => &[],
        }
    }

    /// Over [`Sql::states`]: the row stays, the edge reaches it, and no other edge ends the reference.
    #[must_use]
    pub fn is_blocked(&self, edge: EdgeId) -> String {
        let mut condition = format!("gone = 0 AND e{edge} = 1");
        let m = self.marks_of_others();
        if matches!(self.plan.edges[edge].effect, Effect::Default(_)) {
            let _ = write!(condition, " AND b{edge} = 1");
        } else {
            for other in self.plan.defaulted_by(edge) {
                let _ = write!(condition, " AND NOT (b{edge} = 0 AND {m}e{other} = 1 AND {m}b{other} = 0)");
            }
        }
        for other in self.plan.cleared_by(edge) {
            let _ = write!(condition, " AND {m}e{other} = 0");
        }
        condition
    }

    /// Over [`Sql::states`]: the row stays and the edge changes it.
    #[must_use]
    pub fn is_changed(&self, edge: EdgeId) -> String {
        match self.plan.edges[edge].effect {
            Effect::Clear(_) | Effect::Follow(_) => format!("gone = 0 AND e{edge} = 1"),
            Effect::Default(_) => format!("gone = 0 AND e{edge} = 1 AND b{edge} = 0"),
            Effect::Delete | Effect::Block(_) => "1 = 0".to_owned(),
        }
    }
}

/// The same where a row that goes with any session is gone for all; `me…` and `mb…` are the marks of any of them.
fn states_among(states: &str, names: &str, edges: &[EdgeId]) -> String {
    let own: String = edges.iter().map(|edge| format!(", e{edge}, b{edge}")).collect();
    let any: String = edges
        .iter()
        .map(|edge| format!(", max(e{edge}) OVER one AS me{edge}, max(b{edge}) OVER one AS mb{edge}"))
        .collect();
    format!(
        "SELECT g, {names}, max(gone) OVER one AS gone, f{own}{any} FROM ({states}) own \
         WINDOW one AS (PARTITION BY {names})"
    )
}
