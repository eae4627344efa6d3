//! Words that several messages share.

/// Returns a number with the noun that it counts: `1 row`, `2 rows`.
pub(crate) fn counted(count: i64, singular: &str, plural: &str) -> String {
    format!("{count} {}", if count == 1 { singular } else { plural })
}
