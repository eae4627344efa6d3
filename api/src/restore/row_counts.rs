//! The counts of restored rows and references.

/// The counts of restored rows and references, of one archived table or of all.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct RestoredCounts {
    /// The number of inserted rows.
    pub rows: i64,
    /// The number of rows in which at least one reference was set again.
    pub relinked: i64,
    /// The number of references in the archive.
    pub references: i64,
    /// The number of references that were set again.
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
