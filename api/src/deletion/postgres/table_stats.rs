//! What PostgreSQL itself counts of the rows that the current transaction changes.

use std::collections::HashMap;

use sea_orm::{ConnectionTrait, DatabaseTransaction};

use crate::db::Dialect;
use crate::error::Error;

/// Rows that were inserted, updated and deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Changed {
    pub inserted: i64,
    pub updated: i64,
    pub deleted: i64,
}

/// The same by table: schema and name, of a partition those of the whole table.
pub(crate) type Changes = HashMap<(String, String), Changed>;

/// What the server itself counts, cascades and triggers included; none where `track_counts` is off.
pub(crate) async fn changes_so_far(transaction: &DatabaseTransaction) -> Result<Option<Changes>, Error> {
    const SQL: &str = "SELECT current_setting('track_counts')::boolean AS counted, n.nspname::text AS schema, \
                       c.relname::text AS name, sum(s.n_tup_del)::bigint AS deleted, sum(s.n_tup_ins)::bigint AS inserted, \
                       sum(s.n_tup_upd)::bigint AS updated \
                       FROM pg_stat_xact_user_tables s JOIN pg_class c ON c.oid = coalesce(pg_partition_root(s.relid), s.relid) \
                       JOIN pg_namespace n ON n.oid = c.relnamespace GROUP BY n.nspname, c.relname";
    let mut tables = Changes::new();
    for row in transaction.query_all_raw(Dialect::Postgres.statement(SQL, [])).await? {
        if !row.try_get::<bool>("", "counted")? {
            return Ok(None);
        }
        let changed = Changed {
            inserted: row.try_get("", "inserted")?,
            updated: row.try_get("", "updated")?,
            deleted: row.try_get("", "deleted")?,
        };
        tables.insert((row.try_get("", "schema")?, row.try_get("", "name")?), changed);
    }
    Ok(Some(tables))
}
