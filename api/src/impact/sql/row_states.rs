//! What happens to each row of a reached table: it is deleted, it is unlinked, or it blocks.

use std::fmt::Write as _;

use super::plan_sql::{PlanSql, node_name, row_id_name, row_id_names, updating_name};
use super::shape::QueryShape;
use crate::catalog::{ForeignKey, TableId};
use crate::db::quote;
use crate::impact::effect::{Effect, default_of};
use crate::impact::plan::{EdgeId, Source};

impl PlanSql<'_> {
    /// Returns a query with one row for each reached row of a table. Its columns are `session_number`, the row id,
    /// `deleted`, `flag`, and for each edge `reached_by_…` (the edge reaches the row) and `unusable_…` (the edge's
    /// default refers to no row that stays), each 0 or 1.
    #[must_use]
    pub fn states(&self, table: TableId) -> String {
        let edges: Vec<EdgeId> = self.plan.edges_into(table).collect();
        let mut branches: Vec<String> = edges.iter().map(|&edge| self.state_branch(edge, &edges)).collect();
        let names = row_id_names(self.table(table).row_id.len());
        if self.plan.is_node(table) {
            let zeros: String =
                edges.iter().map(|edge| format!(", 0 AS reached_by_{edge}, 0 AS unusable_{edge}")).collect();
            let node = node_name(table);
            branches.push(format!("SELECT session_number, {names}, 1 AS deleted, flag{zeros} FROM {node}"));
        }
        let of_edges: String = edges
            .iter()
            .map(|edge| {
                format!(", max(reached_by_{edge}) AS reached_by_{edge}, max(unusable_{edge}) AS unusable_{edge}")
            })
            .collect();
        let states = format!(
            "SELECT session_number, {names}, max(deleted) AS deleted, max(flag) AS flag{of_edges} \
             FROM ({}) reached GROUP BY session_number, {names}",
            branches.join(" UNION ALL ")
        );
        if self.shape == QueryShape::PerSessionInSet { states_in_set(&states, &names, &edges) } else { states }
    }

    /// Returns the prefix of the columns that say what other edges do to a row.
    fn prefix_of_others(&self) -> &'static str {
        if self.shape == QueryShape::PerSessionInSet { "any_" } else { "" }
    }

    fn state_branch(&self, edge: EdgeId, edges: &[EdgeId]) -> String {
        let table = self.plan.key(edge).table;
        let row_id = self.plan.graph.tables[table].row_id.iter().enumerate();
        let row_id: Vec<String> =
            row_id.map(|(place, name)| format!("child.{} AS {}", quote(name), row_id_name(place))).collect();
        let deleted = u8::from(self.plan.edges[edge].effect == Effect::Delete);
        let is_unusable = self.is_unusable(edge);
        let of_edges: String = edges
            .iter()
            .map(|&other| {
                let (reached, unusable) = if other == edge { ("1", is_unusable.as_str()) } else { ("0", "0") };
                format!(", {reached} AS reached_by_{other}, {unusable} AS unusable_{other}")
            })
            .collect();
        format!(
            "SELECT {} AS session_number, {}, {deleted} AS deleted, {} AS flag{of_edges} {}",
            self.session_number(),
            row_id.join(", "),
            self.flag(table),
            self.edge_rows(edge)
        )
    }

    /// Returns SQL that is 1 if the defaults that SET DEFAULT assigns to the key's columns are unusable, otherwise 0.
    ///
    /// Defaults are usable if the key then refers to a row that stays, or is null in columns that accept null. A
    /// blocking key may share columns with a key that sets defaults, which clears the blocking reference.
    fn is_unusable(&self, edge: EdgeId) -> String {
        let set: Vec<&String> = match &self.plan.edges[edge].effect {
            Effect::SetDefault(set) => set.iter().collect(),
            Effect::Block(_) => self.plan.defaulted_by(edge).flat_map(|other| self.defaulted(other)).collect(),
            Effect::Delete | Effect::SetNull(_) | Effect::CascadeUpdate(_) => Vec::new(),
        };
        if set.is_empty() {
            return "0".to_owned();
        }
        let key = self.plan.key(edge);
        let table = self.table(key.table);
        let updating = match self.plan.edges[edge].source {
            Source::Updated(before) => Some(updating_name(before)),
            Source::Deleted(_) => None,
        };
        let mut is_usable = self.refers_to_staying_row(key, &set, updating);
        if matches!(self.plan.edges[edge].effect, Effect::SetDefault(_)) {
            // The default has to suit every other key that shares the column.
            let others = self.plan.graph.foreign_keys.iter().filter(|other| {
                other.enforced
                    && other.table == key.table
                    && *other != key
                    && set.iter().any(|name| other.columns.contains(name))
            });
            for other in others {
                is_usable = format!("{is_usable} AND {}", self.refers_to_staying_row(other, &set, None));
            }
        }
        for name in set.into_iter().filter(|name| table.column(name).is_some_and(|column| !column.nullable)) {
            is_usable = format!("{is_usable} AND {} IS NOT NULL", default_of(table, name));
        }
        format!("CASE WHEN {is_usable} THEN 0 ELSE 1 END")
    }

    /// Returns the condition that the key of the row `child`, with the columns of `set` at their defaults, is null or
    /// refers to a row that stays and is not in the list `updating` of rows whose key changes.
    fn refers_to_staying_row(&self, key: &ForeignKey, set: &[&String], updating: Option<String>) -> String {
        let table = self.table(key.table);
        let value = |column: &String| {
            if set.contains(&column) { default_of(table, column) } else { format!("child.{}", quote(column)) }
        };
        let values: Vec<String> = key.columns.iter().map(value).collect();
        let nulls: Vec<String> = values.iter().map(|value| format!("{value} IS NULL")).collect();
        let is_null = nulls.join(if key.match_full { " AND " } else { " OR " });
        let pairs = key.columns.iter().zip(&key.referenced_columns).zip(&values);
        let is_target = pairs.map(|((column, to), value)| {
            format!("target.{} = ({value}){}", quote(to), key.collation(self.plan.graph, column, to))
        });
        let is_target: Vec<String> = is_target.collect();
        let of_session = self.of_same_session();
        let is_listed = self.same_row(key.referenced, "target", "deleting");
        let deleting = self.plan.is_node(key.referenced).then(|| node_name(key.referenced));
        let stays: String = deleting
            .into_iter()
            .chain(updating)
            .map(|list| format!(" AND NOT EXISTS (SELECT 1 FROM {list} deleting WHERE {of_session}{is_listed})"))
            .collect();
        format!(
            "({is_null} OR EXISTS (SELECT 1 FROM {} target WHERE {}{stays}))",
            self.relation(key.referenced),
            is_target.join(" AND ")
        )
    }

    fn defaulted(&self, edge: EdgeId) -> &[String] {
        match &self.plan.edges[edge].effect {
            Effect::SetDefault(columns) => columns,
            Effect::Delete | Effect::SetNull(_) | Effect::CascadeUpdate(_) | Effect::Block(_) => &[],
        }
    }

    /// Returns the condition over [`PlanSql::states`] that a row blocks by an edge: it stays, the edge reaches it, and
    /// no other edge ends the reference.
    #[must_use]
    pub fn is_blocked(&self, edge: EdgeId) -> String {
        let mut condition = format!("deleted = 0 AND reached_by_{edge} = 1");
        let any = self.prefix_of_others();
        if matches!(self.plan.edges[edge].effect, Effect::SetDefault(_)) {
            let _ = write!(condition, " AND unusable_{edge} = 1");
        } else {
            for other in self.plan.defaulted_by(edge) {
                let _ = write!(
                    condition,
                    " AND NOT (unusable_{edge} = 0 AND {any}reached_by_{other} = 1 AND {any}unusable_{other} = 0)"
                );
            }
        }
        for other in self.plan.cleared_by(edge) {
            let _ = write!(condition, " AND {any}reached_by_{other} = 0");
        }
        condition
    }

    /// Returns the condition over [`PlanSql::states`] that an edge changes a row: it stays, and the edge unlinks it.
    #[must_use]
    pub fn is_changed(&self, edge: EdgeId) -> String {
        match self.plan.edges[edge].effect {
            Effect::SetNull(_) | Effect::CascadeUpdate(_) => format!("deleted = 0 AND reached_by_{edge} = 1"),
            Effect::SetDefault(_) => format!("deleted = 0 AND reached_by_{edge} = 1 AND unusable_{edge} = 0"),
            Effect::Delete | Effect::Block(_) => "1 = 0".to_owned(),
        }
    }
}

/// Returns the states where a row that is deleted with any session counts as deleted for all. `any_reached_by_…` and
/// `any_unusable_…` say what an edge does to the row with any of the sessions.
fn states_in_set(states: &str, names: &str, edges: &[EdgeId]) -> String {
    let own: String = edges.iter().map(|edge| format!(", reached_by_{edge}, unusable_{edge}")).collect();
    let any: String = edges
        .iter()
        .map(|edge| {
            format!(
                ", max(reached_by_{edge}) OVER same_row AS any_reached_by_{edge}, \
                 max(unusable_{edge}) OVER same_row AS any_unusable_{edge}"
            )
        })
        .collect();
    format!(
        "SELECT session_number, {names}, max(deleted) OVER same_row AS deleted, flag{own}{any} FROM ({states}) own \
         WINDOW same_row AS (PARTITION BY {names})"
    )
}
