//! PostgreSQL values as text.

/// Returns SQL that converts a value to the text that its type's output function writes.
///
/// A cast to text writes that for most types. For those with a cast of their own (the catalog's `odd_cast`), `concat`
/// takes any type and calls its output function. `IS DISTINCT FROM NULL` distinguishes a row of nulls from null.
pub(crate) fn quote_text(value: &str, odd_cast: bool) -> String {
    if odd_cast {
        format!("CASE WHEN {value} IS DISTINCT FROM NULL THEN concat({value}) END")
    } else {
        format!("CAST({value} AS text)")
    }
}
