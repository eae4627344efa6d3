//! Bounds on the size of a document and of its variables.

/// The most that one document and its variables may amount to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DocumentLimits {
    /// Tokens of the text, as the GraphQL grammar counts them.
    pub tokens: usize,
    /// Fields within fields. The introspection query of usual clients has 15.
    pub depth: usize,
    /// Fields and spreads of all operations, with every fragment counted wherever it is spread.
    pub fields: usize,
    /// Fields with an alias, counted as `fields` are.
    pub aliases: usize,
    /// Fields at the root of one operation, counted as `fields` are.
    pub root_fields: usize,
    /// Directives, counted as `fields` are.
    pub directives: usize,
    /// Variables of one operation, and values that a request sends for variables.
    pub variables: usize,
    /// The values of all variables as JSON, in bytes.
    pub variables_size: usize,
}

impl DocumentLimits {
    /// The limits unless others are configured.
    pub const DEFAULT: Self = Self {
        tokens: 10_000,
        depth: 15,
        fields: 2_000,
        aliases: 200,
        root_fields: 20,
        directives: 50,
        variables: 100,
        variables_size: 256 * 1024,
    };
}

impl Default for DocumentLimits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
