//! Quoted identifiers for SQL.

/// Quotes a name from the catalog. Both databases use the same quotes.
pub(crate) fn quote_identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Returns the quoted name of a table or index in a PostgreSQL schema.
pub(crate) fn qualified_name(schema: &str, name: &str) -> String {
    format!("{}.{}", quote_identifier(schema), quote_identifier(name))
}

/// Returns a comma-separated list of quoted column names.
pub(crate) fn column_list(columns: &[String]) -> String {
    columns.iter().map(|column| quote_identifier(column)).collect::<Vec<_>>().join(", ")
}
