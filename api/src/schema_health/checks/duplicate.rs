//! `DUPLICATE_FOREIGN_KEY`: two keys on the same columns to the same table. The strictest rule wins, whatever the other
//! one says.

use std::collections::BTreeMap;

use super::Draft;
use crate::catalog::{Action, ForeignKey};
use crate::schema_health::check_context::Scene;
use crate::schema_health::{FindingCode, Severity, repair_sql, row_counts};

/// The drafts of this check: one for each set of keys that say the same.
pub(super) fn check(scene: &Scene) -> Vec<Draft> {
    let mut same: BTreeMap<_, Vec<&ForeignKey>> = BTreeMap::new();
    for key in scene.enforced_keys() {
        let mut pairs: Vec<_> = key.columns.iter().zip(&key.referenced_columns).collect();
        pairs.sort();
        same.entry((key.table, &key.scope, key.referenced, &key.referenced_scope, pairs)).or_default().push(key);
    }
    same.into_values().filter(|keys| keys.len() > 1).map(|keys| draft(scene, keys)).collect()
}

fn draft(scene: &Scene, mut keys: Vec<&ForeignKey>) -> Draft {
    let expected = scene.declared_for(keys[0]).map(|declared| declared.on_delete);
    keys.sort_by_key(|key| (Some(key.on_delete) != expected, strictness(key.on_delete), &key.constraint));
    let kept = keys[0];
    let differ = keys.iter().any(|key| key.on_delete != kept.on_delete);
    let names: Vec<String> =
        keys.iter().map(|key| format!("{} (ON DELETE {})", key.constraint, key.on_delete)).collect();
    let message = format!(
        "{} refers to {} by {} through {} keys, {}: {}",
        scene.table(kept.table).display,
        scene.table(kept.referenced).display,
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
            repair_sql::drop_keys(scene, keep, &others)
        })
        .collect();
    Draft {
        rows: row_counts::referring(scene, kept),
        fixes,
        ..Draft::about_key(scene, FindingCode::DuplicateForeignKey, severity, kept, message)
    }
}

/// The rule that lets the most through comes first.
const fn strictness(rule: Action) -> u8 {
    match rule {
        Action::Cascade => 0,
        Action::SetNull => 1,
        Action::SetDefault => 2,
        Action::NoAction => 3,
        Action::Restrict => 4,
    }
}
