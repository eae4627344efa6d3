//! The checks of a restore. Each check finds one kind of conflict. [`diagnose`] runs them after a failed attempt.

pub(super) mod altered_rows;
pub(super) mod diagnose;
pub(super) mod later_deletions;
mod missing_parents;
pub(super) mod overdue_messages;
pub(super) mod schema_drift;
pub(super) mod side_effects;
mod unique_keys;
