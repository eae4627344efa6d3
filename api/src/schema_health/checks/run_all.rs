//! The list of all checks.

use super::{
    blocks_deletion, direct_delete, duplicate, grants, orphans, row_security, rule_drift, set_null, triggers,
    unindexed, unvalidated,
};
use crate::schema_health::check_context::CheckContext;
use crate::schema_health::finding_draft::FindingDraft;

/// Runs every check and returns the drafts of all findings.
pub(in crate::schema_health) fn run_all(context: &CheckContext) -> Vec<FindingDraft> {
    const CHECKS: [fn(&CheckContext) -> Vec<FindingDraft>; 11] = [
        blocks_deletion::check,
        set_null::check,
        unindexed::check,
        unvalidated::check,
        duplicate::check,
        rule_drift::check,
        row_security::check,
        triggers::check,
        orphans::check,
        grants::check,
        direct_delete::check,
    ];
    CHECKS.iter().flat_map(|check| check(context)).collect()
}
