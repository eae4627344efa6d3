//! PostgreSQL's own counts of the rows that the current transaction changes.

use std::collections::HashMap;

use sea_orm::{ConnectionTrait, DatabaseTransaction};

use crate::db::Dialect;
use crate::error::Error;

/// The rows of one table that were inserted, updated and deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ChangedRows {
    pub inserted: i64,
    pub updated: i64,
    pub deleted: i64,
}

/// The changed rows by schema and name of the table. The rows of a partition count for the whole table.
pub(crate) type TableChanges = HashMap<(String, String), ChangedRows>;

/// Returns the rows that the transaction has changed so far, those of cascades and triggers included. None where the
/// server does not count (`track_counts`).
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Timeout`].
pub(crate) async fn changes_so_far(transaction: &DatabaseTransaction) -> Result<Option<TableChanges>, Error> {
    const SQL: &str = "SELECT current_setting('track_counts')::boolean AS counted, namespace.nspname::text AS schema, \
                       class.relname::text AS name, sum(stats.n_tup_del)::bigint AS deleted, \
                       sum(stats.n_tup_ins)::bigint AS inserted, sum(stats.n_tup_upd)::bigint AS updated \
                       FROM pg_stat_xact_user_tables stats \
                       JOIN pg_class class ON class.oid = coalesce(pg_partition_root(stats.relid), stats.relid) \
                       JOIN pg_namespace namespace ON namespace.oid = class.relnamespace \
                       GROUP BY namespace.nspname, class.relname";
    let mut tables = TableChanges::new();
    for row in transaction.query_all_raw(Dialect::Postgres.statement(SQL, [])).await? {
        if !row.try_get::<bool>("", "counted")? {
            return Ok(None);
        }
        let changed = ChangedRows {
            inserted: row.try_get("", "inserted")?,
            updated: row.try_get("", "updated")?,
            deleted: row.try_get("", "deleted")?,
        };
        tables.insert((row.try_get("", "schema")?, row.try_get("", "name")?), changed);
    }
    Ok(Some(tables))
}
