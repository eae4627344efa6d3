//! The GraphQL types of an impact: its tables, references, blockers and changes.

use async_graphql::{Enum, SimpleObject};

use crate::{catalog, impact};

/// What a deletion does, read from the database's own foreign keys, whatever tables it has.
#[derive(Debug, SimpleObject)]
pub struct DeletionImpact {
    /// The sessions that go.
    session_count: i64,
    /// Distinct rows that will be deleted over all tables, the sessions themselves included.
    rows_deleted: i64,
    /// Distinct rows that stay, with at least one reference set to null (or to its default).
    rows_unlinked: i64,
    /// One per table with anything deleted, unlinked or blocking; the sessions' own table first, then by name.
    tables: Vec<TableImpact>,
    /// The foreign keys that refuse the deletion. Empty exactly when none does. (Only a dry run, which is the deletion itself rolled back, can also show what else refuses: a check, a trigger, a unique index.)
    blockers: Vec<DeletionBlocker>,
    /// Whether no foreign key refuses the deletion.
    deletable: bool,
    /// Scheduled messages still to be sent that would go with the sessions.
    pending_messages: i64,
    /// Sessions among them that are connected now.
    connected_sessions: i64,
    /// Opaque: the counts per table, the sessions' ids and the foreign-key graph. Send it back as expectedImpact, and the
    /// deletion is refused, with what has changed, if any of them is different then. It does not bind which dependent rows
    /// they are. The same state gives the same token wherever it is asked for; a malformed one is BAD_USER_INPUT.
    token: String,
}

impl From<impact::Impact> for DeletionImpact {
    fn from(impact: impact::Impact) -> Self {
        Self {
            session_count: impact.session_count,
            rows_deleted: impact.rows_deleted,
            rows_unlinked: impact.rows_unlinked,
            tables: impact.tables.into_iter().map(Into::into).collect(),
            blockers: impact.blockers.into_iter().map(Into::into).collect(),
            deletable: impact.deletable,
            pending_messages: impact.pending_messages,
            connected_sessions: impact.connected_sessions,
            token: impact.token,
        }
    }
}

/// table is the bare name in the first schema of the search path (public), schema.name elsewhere, never quoted.
#[derive(Debug, SimpleObject)]
pub struct TableImpact {
    /// The table's name.
    table: String,
    /// Distinct rows of it that go.
    rows_deleted: i64,
    /// Distinct rows of it that stay, with at least one reference cleared.
    rows_unlinked: i64,
    /// Whether restoring the deletion brings all of this back. False where rows are unlinked in a table without a key: they
    /// cannot be found again, so their references stay cleared. False too where rows go and this program's role lacks INSERT
    /// on the table: a restore is refused until it is granted.
    restorable: bool,
    /// The foreign keys through which its rows are reached.
    references: Vec<ReferenceImpact>,
}

impl From<impact::TableImpact> for TableImpact {
    fn from(table: impact::TableImpact) -> Self {
        Self {
            table: table.table,
            rows_deleted: table.rows_deleted,
            rows_unlinked: table.rows_unlinked,
            restorable: table.restorable,
            references: table.references.into_iter().map(Into::into).collect(),
        }
    }
}

/// One foreign key through which rows of this table are reached.
#[derive(Debug, SimpleObject)]
pub struct ReferenceImpact {
    /// The constraint's name.
    constraint: String,
    /// The referring columns.
    columns: Vec<String>,
    /// The table that they refer to.
    referenced_table: String,
    /// What the foreign key does when the row that it refers to is deleted.
    on_delete: ForeignKeyAction,
    /// The rows that are reached through it: those that go for CASCADE, those that stay for the others.
    rows: i64,
}

impl From<impact::ReferenceImpact> for ReferenceImpact {
    fn from(reference: impact::ReferenceImpact) -> Self {
        Self {
            constraint: reference.constraint,
            columns: reference.columns,
            referenced_table: reference.referenced_table,
            on_delete: reference.on_delete.into(),
            rows: reference.rows,
        }
    }
}

/// One foreign key, or table, that refuses the deletion.
#[derive(Debug, SimpleObject)]
pub struct DeletionBlocker {
    /// Why it refuses.
    kind: BlockerKind,
    /// The referring table.
    table: String,
    /// The foreign key, where it is one.
    constraint: Option<String>,
    /// Its columns.
    columns: Vec<String>,
    /// The rows that stand in the way.
    rows: i64,
    /// What it means and what to do.
    message: String,
}

impl From<impact::Blocker> for DeletionBlocker {
    fn from(blocker: impact::Blocker) -> Self {
        Self {
            kind: blocker.kind.into(),
            table: blocker.table,
            constraint: blocker.constraint,
            columns: blocker.columns,
            rows: blocker.rows,
            message: blocker.message,
        }
    }
}

/// Why a deletion is refused.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "impact::BlockerKind")]
pub enum BlockerKind {
    /// NO ACTION or RESTRICT, and rows that stay still point here.
    Restricted,
    /// ON DELETE SET NULL on a column that takes no null (NOT NULL, or a domain that forbids it), and rows that stay point here.
    SetNullOnNotNull,
    /// The default is not an existing row that stays.
    SetDefaultUnusable,
    /// Rows may be hidden from this role, so the impact cannot be known.
    RowSecurity,
    /// Found by a dry run: what the database said.
    Other,
}

/// What a foreign key does when the row that it refers to is deleted.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "catalog::Action")]
pub enum ForeignKeyAction {
    /// The referring row goes too.
    Cascade,
    /// The reference becomes null.
    SetNull,
    /// The reference becomes the column's default.
    SetDefault,
    /// Refused at once.
    Restrict,
    /// Refused at the end of the statement, or of the transaction where the key is deferred.
    NoAction,
}

/// Where a refused deletion (IMPACT_CHANGED) differs from the one that was looked at.
#[derive(Debug, SimpleObject)]
pub struct ImpactChange {
    /// The table.
    table: String,
    /// Rows to be deleted as they were looked at.
    rows_deleted_before: i64,
    /// Rows to be deleted now.
    rows_deleted_now: i64,
    /// Rows to be unlinked as they were looked at.
    rows_unlinked_before: i64,
    /// Rows to be unlinked now.
    rows_unlinked_now: i64,
}

impl From<impact::ImpactChange> for ImpactChange {
    fn from(change: impact::ImpactChange) -> Self {
        Self {
            table: change.table,
            rows_deleted_before: change.rows_deleted_before,
            rows_deleted_now: change.rows_deleted_now,
            rows_unlinked_before: change.rows_unlinked_before,
            rows_unlinked_now: change.rows_unlinked_now,
        }
    }
}
