//! Counts of what a restore wrote.

/// The rows and references that were restored, of one archived table or of all.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct RestoredCounts {
    /// Rows inserted.
    pub rows: i64,
    /// Rows in which at least one reference was set again.
    pub relinked: i64,
    /// References that the archive holds.
    pub references: i64,
    /// References that were set again.
    pub references_set: i64,
}

impl RestoredCounts {
    /// Returns the sum over several archived tables.
    pub fn sum<'a>(counts: impl IntoIterator<Item = &'a Self>) -> Self {
        counts.into_iter().fold(Self::default(), |sum, counts| Self {
            rows: sum.rows + counts.rows,
            relinked: sum.relinked + counts.relinked,
            references: sum.references + counts.references,
            references_set: sum.references_set + counts.references_set,
        })
    }
}
