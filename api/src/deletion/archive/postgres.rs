//! Archiving rows on PostgreSQL: each value as the text that its type writes.

use sea_orm::{ConnectionTrait, DatabaseTransaction};

use super::layout::ArchivedColumn;
use crate::db::pg_text::quote_text;
use crate::db::{Dialect, quote};
use crate::error::Error;

/// Fixes the settings by which types write and read text until the transaction ends, so that a restore reads what the
/// deletion wrote: some types write text that depends on them, and lose precision
/// (<https://www.postgresql.org/docs/current/runtime-config-client.html#RUNTIMECONFIG-CLIENT-FORMAT>).
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Timeout`].
pub(crate) async fn pin_text_settings(transaction: &DatabaseTransaction) -> Result<(), Error> {
    const SETTINGS: [(&str, &str); 10] = [
        ("DateStyle", "ISO, YMD"),
        ("IntervalStyle", "postgres"),
        ("TimeZone", "UTC"),
        ("extra_float_digits", "1"),
        ("bytea_output", "hex"),
        ("lc_monetary", "C"),
        ("xmloption", "content"),
        ("xmlbinary", "base64"),
        ("array_nulls", "on"),
        ("transform_null_equals", "off"),
    ];
    let set: Vec<String> =
        SETTINGS.iter().map(|(name, value)| format!("set_config('{name}', '{value}', true)")).collect();
    transaction.execute_raw(Dialect::Postgres.statement(format!("SELECT {}", set.join(", ")), [])).await?;
    Ok(())
}

/// Returns the values of these columns of the row `alias` as one array of texts.
pub(in crate::deletion) fn values(alias: &str, columns: &[ArchivedColumn]) -> String {
    let value = |column: &ArchivedColumn| quote_text(&format!("{alias}.{}", quote(&column.name)), column.odd_cast);
    let texts: Vec<String> = columns.iter().map(value).collect();
    format!("ARRAY[{}]::text[]", texts.join(", "))
}

/// Returns a statement that archives the arrays `archived_values` of a common table expression under an entry.
pub(in crate::deletion) fn insert(entry: i64, from: &str) -> String {
    let table = Dialect::Postgres.internal_table("archived_rows");
    format!("INSERT INTO {table} (table_id, \"values\") SELECT {entry}, archived_values FROM {from}")
}
