//! Lists of ids as the statements take them.

use std::collections::HashSet;

use uuid::Uuid;

/// Returns each id once, in the order of its first occurrence.
#[must_use]
pub fn distinct(ids: &[Uuid]) -> Vec<Uuid> {
    let mut seen = HashSet::new();
    ids.iter().copied().filter(|id| seen.insert(*id)).collect()
}

/// Returns the ids as a JSON array, the form in which statements bind a list of ids as one parameter.
#[must_use]
pub fn ids_parameter(ids: &[Uuid]) -> String {
    serde_json::to_string(ids).unwrap_or_default()
}
