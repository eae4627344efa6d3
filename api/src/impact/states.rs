//! What becomes of each row of a reached table: it goes, it is unlinked, it blocks.

use crate::catalog::TableId;
use crate::db::{Dialect, quote};

use super::plan::{EdgeId, Effect};
use super::sql::{Sql, node_name, row_id_names};

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
        format!(
            "SELECT g, {names}, max(gone) AS gone, max(f) AS f{largest} FROM ({}) reached GROUP BY g, {names}",
            branches.join(" UNION ALL ")
        )
    }

    fn state_branch(&self, edge: EdgeId, edges: &[EdgeId]) -> String {
        let table = self.plan.key(edge).table;
        let identity = self.plan.graph.tables[table].row_id.iter().enumerate();
        let identity: Vec<String> = identity.map(|(place, name)| format!("c.{} AS r{place}", quote(name))).collect();
        let gone = u8::from(self.plan.edges[edge].effect == Effect::Delete);
        let bad = self.unusable_default(edge);
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
            if self.each { "d.g" } else { "0" },
            identity.join(", "),
            self.flag(table),
            self.edge_rows(edge)
        )
    }

    /// 1 where SET DEFAULT would not lead to an existing row that stays, nor to null where null is taken.
    fn unusable_default(&self, edge: EdgeId) -> String {
        let Effect::Default(set) = &self.plan.edges[edge].effect else {
            return "0".to_owned();
        };
        let key = self.plan.key(edge);
        let table = self.table(key.table);
        let value = |column: &String| {
            if set.contains(column) { self.default_of(key.table, column) } else { format!("c.{}", quote(column)) }
        };
        let values: Vec<String> = key.columns.iter().map(value).collect();
        let nulls: Vec<String> = values.iter().map(|value| format!("{value} IS NULL")).collect();
        let unlinked = nulls.join(if key.match_full { " AND " } else { " OR " });
        let same: Vec<String> = key
            .referenced_columns
            .iter()
            .zip(&values)
            .map(|(column, value)| format!("p.{} = {value}", quote(column)))
            .collect();
        let gone = self.same_row(key.referenced, "p", "x");
        let mut usable = format!(
            "({unlinked} OR EXISTS (SELECT 1 FROM {} p WHERE {} AND NOT EXISTS (SELECT 1 FROM {} x WHERE {}{gone})))",
            self.relation(key.referenced),
            same.join(" AND "),
            node_name(key.referenced),
            if self.each { "x.g = d.g AND " } else { "" },
        );
        for name in set.iter().filter(|name| table.column(name).is_some_and(|column| !column.nullable)) {
            usable = format!("{usable} AND {} IS NOT NULL", self.default_of(key.table, name));
        }
        format!("CASE WHEN {usable} THEN 0 ELSE 1 END")
    }

    /// The default's expression as the catalogue has it; null where there is none.
    #[must_use]
    pub fn default_of(&self, table: TableId, column: &str) -> String {
        let column = self.table(table).column(column);
        let expression = column.and_then(|column| column.default.as_deref()).unwrap_or("NULL");
        match (self.dialect, column) {
            (Dialect::Postgres, Some(column)) => format!("({expression})::{}", column.type_name),
            _ => format!("({expression})"),
        }
    }

    /// Over [`Sql::states`]: the row stays, the edge reaches it, and none of the edges that clear the same column does.
    #[must_use]
    pub fn is_blocked(&self, edge: EdgeId) -> String {
        let mut condition = format!("gone = 0 AND e{edge} = 1");
        match self.plan.edges[edge].effect {
            Effect::Default(_) => condition.push_str(&format!(" AND b{edge} = 1")),
            _ => {
                for other in self.plan.resolved_by(edge) {
                    condition.push_str(&format!(" AND e{other} = 0"));
                }
            }
        }
        condition
    }

    /// Over [`Sql::states`]: the row stays and the edge changes it.
    #[must_use]
    pub fn is_changed(&self, edge: EdgeId) -> String {
        match self.plan.edges[edge].effect {
            Effect::Clear(_) => format!("gone = 0 AND e{edge} = 1"),
            Effect::Default(_) => format!("gone = 0 AND e{edge} = 1 AND b{edge} = 0"),
            Effect::Delete | Effect::Block(_) => "1 = 0".to_owned(),
        }
    }
}
