//! What the database did in a deletion, compared with the impact.

use std::collections::HashMap;

use crate::catalog::TableId;
use crate::impact::plan::DeletionPlan;
use crate::impact::{Impact, ImpactChange};

/// What happened to one table, in rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct TableRowCounts {
    pub deleted: i64,
    pub unlinked: i64,
    /// Connected sessions or messages still to be sent among the deleted rows. 0 on SQLite, where nobody else writes
    /// after they were counted.
    pub flagged: i64,
}

/// What a deletion did.
#[derive(Debug, Default)]
pub(super) struct DeletedRows {
    /// The counts of each changed table.
    pub tables: HashMap<TableId, TableRowCounts>,
    /// Rows that were deleted or inserted besides these, as the database counts them itself: the work of triggers.
    pub unexplained: i64,
    /// The difference between the rows to be archived and the rows that were; 0 where the archive is complete.
    pub unarchived_rows: i64,
}

impl DeletedRows {
    /// Returns the tables whose counts differ from the impact; none where the deletion did what was previewed.
    pub fn differs_from(&self, impact: &Impact, plan: &DeletionPlan<'_>) -> Vec<ImpactChange> {
        let previewed = |table: &str| impact.tables.iter().find(|previewed| previewed.table == table);
        let mut changes: Vec<ImpactChange> = self
            .tables
            .iter()
            .map(|(&table, counts)| {
                let name = &plan.graph.tables[table].display;
                ImpactChange {
                    table: name.clone(),
                    rows_deleted_before: previewed(name).map_or(0, |previewed| previewed.rows_deleted),
                    rows_deleted_now: counts.deleted,
                    rows_unlinked_before: previewed(name).map_or(0, |previewed| previewed.rows_unlinked),
                    rows_unlinked_now: counts.unlinked,
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

    /// Returns the number of deleted messages that were still to be sent. Their rows are not locked before they are
    /// counted, so a message may have become pending in between.
    pub fn pending_messages(&self, plan: &DeletionPlan<'_>) -> i64 {
        let messages = self.tables.iter().filter(|&(&table, _)| table != plan.graph.root);
        messages.map(|(_, counts)| counts.flagged).sum()
    }
}
