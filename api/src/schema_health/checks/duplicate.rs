//! `DUPLICATE_FOREIGN_KEY`: two foreign keys on the same columns to the same table. The strictest rule wins.

use std::collections::BTreeMap;

use crate::catalog::{Action, ForeignKey};
use crate::schema_health::check_context::CheckContext;
use crate::schema_health::finding_draft::FindingDraft;
use crate::schema_health::model::{FindingCode, Severity};
use crate::schema_health::{repair_sql, row_counts};

/// Returns a draft for each set of duplicate keys.
pub(super) fn check(context: &CheckContext) -> Vec<FindingDraft> {
    let mut by_columns: BTreeMap<_, Vec<&ForeignKey>> = BTreeMap::new();
    for key in context.enforced_keys() {
        let mut pairs: Vec<_> = key.columns.iter().zip(&key.referenced_columns).collect();
        pairs.sort();
        by_columns.entry((key.table, &key.scope, key.referenced, &key.referenced_scope, pairs)).or_default().push(key);
    }
    by_columns.into_values().filter(|keys| keys.len() > 1).map(|keys| draft(context, keys)).collect()
}

fn draft(context: &CheckContext, mut keys: Vec<&ForeignKey>) -> FindingDraft {
    let expected = context.declared_for(keys[0]).map(|declared| declared.on_delete);
    keys.sort_by_key(|key| (Some(key.on_delete) != expected, strictness(key.on_delete), &key.constraint));
    let kept = keys[0];
    let differ = keys.iter().any(|key| key.on_delete != kept.on_delete);
    let names: Vec<String> =
        keys.iter().map(|key| format!("{} (ON DELETE {})", key.constraint, key.on_delete)).collect();
    let message = format!(
        "{} refers to {} by {} through {} keys, {}: {}",
        context.table(kept.table).display,
        context.table(kept.referenced).display,
        kept.columns.join(", "),
        keys.len(),
        names.join(" and "),
        if differ { "their rules contradict each other." } else { "each deleted row is looked up more than once." }
    );
    let severity = if differ { Severity::Error } else { Severity::Warning };
    let fixes = keys
        .iter()
        .map(|keep| {
            let others: Vec<&ForeignKey> =
                keys.iter().copied().filter(|key| key.constraint != keep.constraint).collect();
            repair_sql::drop_keys(context, keep, &others)
        })
        .collect();
    FindingDraft {
        rows: row_counts::referring(context, kept),
        fixes,
        ..FindingDraft::about_key(context, FindingCode::DuplicateForeignKey, severity, kept, message)
    }
}

/// Returns the rank of a rule, from the least to the most strict.
const fn strictness(rule: Action) -> u8 {
    match rule {
        Action::Cascade => 0,
        Action::SetNull => 1,
        Action::SetDefault => 2,
        Action::NoAction => 3,
        Action::Restrict => 4,
    }
}
