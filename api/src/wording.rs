//! Phrases that several messages share.

/// Returns a number with the noun that it counts, such as `1 row` or `2 rows`.
pub(crate) fn counted(count: i64, singular: &str, plural: &str) -> String {
    format!("{count} {}", if count == 1 { singular } else { plural })
}

/// Returns the pronoun for so many sessions or messages.
pub(crate) const fn pronoun(count: i64) -> &'static str {
    if count == 1 { "it" } else { "them" }
}
