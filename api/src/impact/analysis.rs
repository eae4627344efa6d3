//! From sessions to their impact: the graph, the plan, the counts, the verdict.

use std::collections::HashMap;

use sea_orm::ConnectionTrait;
use uuid::Uuid;

use crate::catalog::{self, Graph, Table, TableId};
use crate::db::{Database, Dialect, distinct, ids_parameter};
use crate::error::Error;

use super::effect::Effect;
use super::model::{Blocker, BlockerKind, Impact, ReferenceImpact, TableImpact};
use super::plan::Plan;
use super::sql::Sql;
use super::sql::count::{Counted, Counts, TableCounts, count};
use super::sql::shape::Shape;
use super::token::Looked;

/// What deleting these sessions together will do. One statement counts, whatever the number of sessions.
///
/// # Errors
/// [`Error::BadInput`] naming ids that no session has; [`Error::Unavailable`], [`Error::Timeout`].
pub async fn of_sessions(db: &Database, session_ids: &[Uuid]) -> Result<Impact, Error> {
    let snapshot = db.snapshot().await?;
    let reading = Reading::now(&snapshot, db).await?;
    let (impact, unknown) = reading.of_sessions(&snapshot, session_ids).await?;
    snapshot.commit().await?;
    if unknown.is_empty() {
        return Ok(impact);
    }
    Err(Error::BadInput(format!("No session has the id {}.", unknown.join(", "))))
}

/// What deleting each of these sessions alone will do; sessions that do not exist are left out. One statement counts.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Timeout`].
pub async fn of_each_session(db: &Database, session_ids: &[Uuid]) -> Result<HashMap<Uuid, Impact>, Error> {
    let snapshot = db.snapshot().await?;
    let reading = Reading::now(&snapshot, db).await?;
    let impacts = reading.of_each(&snapshot, session_ids, Shape::Each).await?;
    snapshot.commit().await?;
    Ok(impacts)
}

/// The foreign-key graph as it was read for one impact or one deletion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    dialect: Dialect,
    /// What this role can read; the plan is made from it.
    pub graph: Graph,
    /// The tables that it cannot read, with the reason.
    hidden: Vec<Blocker>,
}

impl Reading {
    /// Reads the graph anew.
    ///
    /// # Errors
    /// [`Error::Unsuitable`] where there is no sessions' table; [`Error::Unavailable`], [`Error::Timeout`].
    pub async fn now(conn: &impl ConnectionTrait, db: &Database) -> Result<Self, Error> {
        let graph = catalog::read(conn, db.dialect(), db.schema()).await?;
        let reached = Plan::new(&graph).reached();
        if let Some(message) = graph.tables[graph.root].hidden("the impact") {
            return Err(Error::Unsuitable(message));
        }
        let hidden: Vec<(TableId, Blocker)> = reached
            .into_iter()
            .filter_map(|table| hidden_table(&graph.tables[table]).map(|blocker| (table, blocker)))
            .collect();
        let (hidden, blockers): (Vec<TableId>, Vec<Blocker>) = hidden.into_iter().unzip();
        Ok(Self { dialect: db.dialect(), graph: without(graph, &hidden), hidden: blockers })
    }

    /// The impact of these sessions together, and the ids that no session has.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Timeout`].
    pub async fn of_sessions(
        &self,
        conn: &impl ConnectionTrait,
        session_ids: &[Uuid],
    ) -> Result<(Impact, Vec<String>), Error> {
        let ids = distinct(session_ids);
        let plan = Plan::new(&self.graph);
        let parameter = ids_parameter(&ids);
        let (counted, found) =
            count(conn, self.dialect, &plan, &parameter, Shape::of_counts(self.dialect, ids.len())).await?;
        let counts = counted.get(&0).cloned().unwrap_or_default();
        let impact = self.assemble(&plan, &counts, &ids);
        if usize::try_from(found).is_ok_and(|found| found == ids.len()) {
            return Ok((impact, Vec::new()));
        }
        let sql = Sql { plan: &plan, dialect: self.dialect, shape: Shape::Joins };
        let rows = conn.query_all_raw(self.dialect.statement(sql.unknown_ids(), [parameter.into()])).await?;
        let unknown: Result<Vec<String>, _> = rows.iter().map(|row| row.try_get("", "id")).collect();
        Ok((impact, unknown?))
    }

    /// The impact of each of these sessions by itself, counted in the form `shape`; those that do not exist are left out.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Timeout`].
    pub(super) async fn of_each(
        &self,
        conn: &impl ConnectionTrait,
        session_ids: &[Uuid],
        shape: Shape,
    ) -> Result<HashMap<Uuid, Impact>, Error> {
        let ids = distinct(session_ids);
        let plan = Plan::new(&self.graph);
        let (counted, _): (Counted, i64) = count(conn, self.dialect, &plan, &ids_parameter(&ids), shape).await?;
        // PostgreSQL's ordinality counts from 1, SQLite's keys of an array from 0.
        let first = match self.dialect {
            Dialect::Postgres => 1,
            Dialect::Sqlite => 0,
        };
        let numbered = (first..).zip(&ids);
        let impacts = numbered
            .filter_map(|(place, &id)| counted.get(&place).map(|counts| (id, self.assemble(&plan, counts, &[id]))));
        Ok(impacts.collect())
    }

    fn assemble(&self, plan: &Plan<'_>, counts: &Counts, ids: &[Uuid]) -> Impact {
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
            token: Looked::at(ids, plan, &tables).token(),
            blockers,
            tables,
        }
    }
}

fn table_impact(plan: &Plan<'_>, table: TableId, counts: &TableCounts) -> Option<TableImpact> {
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

fn blocker(plan: &Plan<'_>, edge: usize, rows: i64) -> Blocker {
    let key = plan.key(edge);
    let (table, parent) = (&plan.child(edge).display, &plan.graph.tables[key.referenced].display);
    let columns = key.columns.join(", ");
    let kind = match plan.edges[edge].effect {
        Effect::Block(kind) => kind,
        Effect::Default(_) => BlockerKind::SetDefaultUnusable,
        Effect::Delete | Effect::Clear(_) | Effect::Follow(_) => BlockerKind::Other,
    };
    let why = match kind {
        BlockerKind::SetNullOnNotNull => format!(
            "its rule SET NULL contradicts {columns}, which takes no null; make the rule CASCADE, or let the column take null"
        ),
        BlockerKind::SetDefaultUnusable => {
            format!(
                "the default of {columns} is no row of {parent} that stays; give it a usable default or change the rule"
            )
        }
        _ => format!("its rule is {}; make it CASCADE, or SET NULL where the column takes null", key.on_delete),
    };
    let counted = if rows == 1 { "1 row".to_owned() } else { format!("{rows} rows") };
    Blocker {
        kind,
        table: table.clone(),
        constraint: Some(key.constraint.clone()),
        columns: key.columns.clone(),
        rows,
        message: format!("{counted} of {table} that would stay refer to {parent} by {}: {why}.", key.constraint),
    }
}

fn hidden_table(table: &Table) -> Option<Blocker> {
    let message = table.hidden("the impact")?;
    let kind = if table.row_security { BlockerKind::RowSecurity } else { BlockerKind::Other };
    Some(Blocker { kind, table: table.display.clone(), constraint: None, columns: Vec::new(), rows: 0, message })
}

fn without(mut graph: Graph, hidden: &[TableId]) -> Graph {
    graph.foreign_keys.retain(|key| !hidden.contains(&key.table) && !hidden.contains(&key.referenced));
    graph
}
