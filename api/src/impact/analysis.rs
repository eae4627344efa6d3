//! From sessions to their impact: reading the graph, making the plan, counting, and putting the result together.

use std::collections::HashMap;

use sea_orm::ConnectionTrait;
use uuid::Uuid;

use crate::catalog::{self, ForeignKeyGraph, Table, TableId};
use crate::db::{Database, Dialect, distinct, ids_parameter};
use crate::error::Error;
use crate::wording::counted;

use super::effect::Effect;
use super::model::{Blocker, BlockerKind, Impact, ReferenceImpact, TableImpact};
use super::plan::DeletionPlan;
use super::sql::PlanSql;
use super::sql::count::{Counts, CountsByNode, TableCounts, count};
use super::sql::shape::QueryShape;
use super::token::ExpectedImpact;

/// Returns the impact of deleting these sessions together. One statement counts, whatever the number of sessions.
///
/// # Errors
/// [`Error::BadInput`] naming ids that no session has; [`Error::Unavailable`], [`Error::Timeout`].
pub async fn impact_of(db: &Database, session_ids: &[Uuid]) -> Result<Impact, Error> {
    let transaction = db.snapshot().await?;
    let schema = SchemaSnapshot::load(&transaction, db).await?;
    let (impact, unknown) = schema.impact_of(&transaction, session_ids).await?;
    transaction.commit().await?;
    if unknown.is_empty() {
        return Ok(impact);
    }
    Err(Error::BadInput(format!("No session has the id {}.", unknown.join(", "))))
}

/// Returns the impact of deleting each of these sessions by itself; sessions that do not exist are left out. One
/// statement counts, whatever the number of sessions.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Timeout`].
pub async fn impact_of_each(db: &Database, session_ids: &[Uuid]) -> Result<HashMap<Uuid, Impact>, Error> {
    let transaction = db.snapshot().await?;
    let schema = SchemaSnapshot::load(&transaction, db).await?;
    let impacts = schema.impact_of_each(&transaction, session_ids, QueryShape::PerSession).await?;
    transaction.commit().await?;
    Ok(impacts)
}

/// The foreign-key graph as it was read for one impact or one deletion, without the tables that the role cannot read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaSnapshot {
    dialect: Dialect,
    /// The tables that the role can read, and their keys.
    pub graph: ForeignKeyGraph,
    /// One blocker for each table that the role cannot read.
    hidden: Vec<Blocker>,
}

impl SchemaSnapshot {
    /// Reads the graph from the catalog.
    ///
    /// # Errors
    /// [`Error::IncompatibleDatabase`] where the sessions' table is missing or hidden; [`Error::Unavailable`],
    /// [`Error::Timeout`].
    pub async fn load(conn: &impl ConnectionTrait, db: &Database) -> Result<Self, Error> {
        let graph = catalog::load_graph(conn, db.dialect(), db.schema()).await?;
        let reached = DeletionPlan::new(&graph).reached_tables();
        if let Some(message) = graph.tables[graph.root].hidden_rows_message("the impact") {
            return Err(Error::IncompatibleDatabase(message));
        }
        let hidden: Vec<(TableId, Blocker)> = reached
            .into_iter()
            .filter_map(|table| hidden_table(&graph.tables[table]).map(|blocker| (table, blocker)))
            .collect();
        let (hidden, blockers): (Vec<TableId>, Vec<Blocker>) = hidden.into_iter().unzip();
        Ok(Self { dialect: db.dialect(), graph: without_foreign_keys(graph, &hidden), hidden: blockers })
    }

    /// Returns the impact of deleting these sessions together, and the ids that no session has.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Timeout`].
    pub async fn impact_of(
        &self,
        conn: &impl ConnectionTrait,
        session_ids: &[Uuid],
    ) -> Result<(Impact, Vec<String>), Error> {
        let ids = distinct(session_ids);
        let plan = DeletionPlan::new(&self.graph);
        let parameter = ids_parameter(&ids);
        let (counted, found) =
            count(conn, self.dialect, &plan, &parameter, QueryShape::for_counts(self.dialect, ids.len())).await?;
        let counts = counted.get(&0).cloned().unwrap_or_default();
        let impact = self.assemble(&plan, &counts, &ids);
        if usize::try_from(found).is_ok_and(|found| found == ids.len()) {
            return Ok((impact, Vec::new()));
        }
        let sql = PlanSql { plan: &plan, dialect: self.dialect, shape: QueryShape::Joins };
        let rows = conn.query_all_raw(self.dialect.statement(sql.unknown_ids(), [parameter.into()])).await?;
        let unknown: Result<Vec<String>, _> = rows.iter().map(|row| row.try_get("", "id")).collect();
        Ok((impact, unknown?))
    }

    /// Returns the impact of deleting each of these sessions by itself, counted in the given shape; sessions that do
    /// not exist are left out.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Timeout`].
    pub(super) async fn impact_of_each(
        &self,
        conn: &impl ConnectionTrait,
        session_ids: &[Uuid],
        shape: QueryShape,
    ) -> Result<HashMap<Uuid, Impact>, Error> {
        let ids = distinct(session_ids);
        let plan = DeletionPlan::new(&self.graph);
        let (counted, _): (CountsByNode, i64) = count(conn, self.dialect, &plan, &ids_parameter(&ids), shape).await?;
        // Ordinality counts from 1 on PostgreSQL, the keys of an array from 0 on SQLite.
        let first = match self.dialect {
            Dialect::Postgres => 1,
            Dialect::Sqlite => 0,
        };
        let numbered = (first..).zip(&ids);
        let impacts = numbered
            .filter_map(|(number, &id)| counted.get(&number).map(|counts| (id, self.assemble(&plan, counts, &[id]))));
        Ok(impacts.collect())
    }

    fn assemble(&self, plan: &DeletionPlan<'_>, counts: &Counts, ids: &[Uuid]) -> Impact {
        let mut reached: Vec<(TableId, &TableCounts)> =
            counts.tables.iter().map(|(&table, found)| (table, found)).collect();
        reached.sort_by_key(|&(table, _)| (table != self.graph.root, &self.graph.tables[table].display));
        let tables: Vec<TableImpact> =
            reached.iter().filter_map(|&(table, found)| table_impact(plan, table, found)).collect();
        let mut blockers = self.hidden.clone();
        for (_, found) in &reached {
            let blocking = found.edges.iter().filter(|(.., rows)| *rows > 0);
            blockers.extend(blocking.map(|&(edge, _, rows)| blocker(plan, edge, rows)));
        }
        let flagged = |of_root: bool| {
            let found = reached.iter().filter(|&&(table, _)| (table == self.graph.root) == of_root);
            found.map(|(_, counts)| counts.flagged).sum()
        };
        Impact {
            session_count: i64::try_from(ids.len()).unwrap_or(i64::MAX),
            rows_deleted: tables.iter().map(|table| table.rows_deleted).sum(),
            rows_unlinked: tables.iter().map(|table| table.rows_unlinked).sum(),
            deletable: blockers.is_empty(),
            pending_messages: flagged(false),
            connected_sessions: flagged(true),
            token: ExpectedImpact::from_plan(ids, plan, &tables).token(),
            blockers,
            tables,
        }
    }
}

fn table_impact(plan: &DeletionPlan<'_>, table: TableId, counts: &TableCounts) -> Option<TableImpact> {
    let references: Vec<ReferenceImpact> = counts
        .edges
        .iter()
        .filter(|&&(_, reached, blocking)| reached > 0 || blocking > 0)
        .map(|&(edge, reached, blocking)| {
            let key = plan.key(edge);
            ReferenceImpact {
                constraint: key.constraint.clone(),
                columns: key.columns.clone(),
                referenced_table: plan.graph.tables[key.referenced].display.clone(),
                on_delete: key.on_delete,
                rows: reached.max(blocking),
            }
        })
        .collect();
    if counts.deleted == 0 && counts.unlinked == 0 && references.is_empty() {
        return None;
    }
    let found = &plan.graph.tables[table];
    Some(TableImpact {
        table: found.display.clone(),
        rows_deleted: counts.deleted,
        rows_unlinked: counts.unlinked,
        restorable: (counts.unlinked == 0 || !found.key.is_empty()) && (counts.deleted == 0 || found.grants.insert),
        references,
    })
}

fn blocker(plan: &DeletionPlan<'_>, edge: usize, rows: i64) -> Blocker {
    let key = plan.key(edge);
    let (table, parent) = (&plan.child(edge).display, &plan.graph.tables[key.referenced].display);
    let columns = key.columns.join(", ");
    let kind = match plan.edges[edge].effect {
        Effect::Block(kind) => kind,
        Effect::SetDefault(_) => BlockerKind::SetDefaultUnusable,
        Effect::Delete | Effect::SetNull(_) | Effect::CascadeUpdate(_) => BlockerKind::Other,
    };
    let why = match kind {
        BlockerKind::SetNullOnNotNull => format!(
            "its rule SET NULL contradicts {columns}, which cannot be null; change the rule to CASCADE, or allow null \
             in the column"
        ),
        BlockerKind::SetDefaultUnusable => {
            format!(
                "the default of {columns} does not refer to a row of {parent} that remains; set a usable default or \
                 change the rule"
            )
        }
        _ => format!("its rule is {}; change it to CASCADE, or to SET NULL if the column can be null", key.on_delete),
    };
    Blocker {
        kind,
        table: table.clone(),
        constraint: Some(key.constraint.clone()),
        columns: key.columns.clone(),
        rows,
        message: format!(
            "{} of {table} that would remain refer to {parent} by {}: {why}.",
            counted(rows, "row", "rows"),
            key.constraint
        ),
    }
}

fn hidden_table(table: &Table) -> Option<Blocker> {
    let message = table.hidden_rows_message("the impact")?;
    let kind = if table.row_security { BlockerKind::RowSecurity } else { BlockerKind::Other };
    Some(Blocker { kind, table: table.display.clone(), constraint: None, columns: Vec::new(), rows: 0, message })
}

fn without_foreign_keys(mut graph: ForeignKeyGraph, hidden: &[TableId]) -> ForeignKeyGraph {
    graph.foreign_keys.retain(|key| !hidden.contains(&key.table) && !hidden.contains(&key.referenced));
    graph
}
