//! What the database did, beside what was shown.

use std::collections::HashMap;

use crate::catalog::TableId;
use crate::impact::plan::Plan;
use crate::impact::{Impact, ImpactChange};

/// What happened to one table, in rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Done {
    pub deleted: i64,
    pub unlinked: i64,
    /// Connected sessions or messages still to be sent among the deleted rows; 0 on SQLite, where nobody else writes
    /// after they were counted.
    pub flagged: i64,
}

/// What a deletion did.
#[derive(Debug, Default)]
pub(super) struct Removed {
    /// By table.
    pub tables: HashMap<TableId, Done>,
    /// Rows that went, or came back, beside these, as the database counts them itself: a trigger's doing.
    pub unexplained: i64,
    /// Rows of which an archive was to keep something and did not, or more than there were; at 0 it is complete.
    pub unkept: i64,
}

impl Removed {
    /// Where this differs from the impact; nothing when the deletion did what was shown.
    pub fn differs_from(&self, impact: &Impact, plan: &Plan<'_>) -> Vec<ImpactChange> {
        let shown = |table: &str| impact.tables.iter().find(|shown| shown.table == table);
        let mut changes: Vec<ImpactChange> = self
            .tables
            .iter()
            .map(|(&table, done)| {
                let name = &plan.graph.tables[table].display;
                ImpactChange {
                    table: name.clone(),
                    rows_deleted_before: shown(name).map_or(0, |shown| shown.rows_deleted),
                    rows_deleted_now: done.deleted,
                    rows_unlinked_before: shown(name).map_or(0, |shown| shown.rows_unlinked),
                    rows_unlinked_now: done.unlinked,
                }
            })
            .filter(|change| {
                change.rows_deleted_before != change.rows_deleted_now
                    || change.rows_unlinked_before != change.rows_unlinked_now
            })
            .collect();
        changes.sort_by(|one, other| one.table.cmp(&other.table));
        changes
    }

    /// Messages still to be sent that went. Their rows are not locked before they are counted, so somebody may have made
    /// one pending in between.
    pub fn pending(&self, plan: &Plan<'_>) -> i64 {
        let messages = self.tables.iter().filter(|&(&table, _)| table != plan.graph.root);
        messages.map(|(_, done)| done.flagged).sum()
    }
}
