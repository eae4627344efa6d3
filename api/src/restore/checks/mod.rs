//! Checks.

pub(crate) mod altered_rows;
pub(crate) mod later_deletions;
pub(crate) mod missing_parents;
pub(crate) mod overdue_messages;
pub(crate) mod schema_drift;
pub(crate) mod side_effects;
pub(crate) mod unique_keys;
