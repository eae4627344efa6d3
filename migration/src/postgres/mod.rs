//! What migrations do on PostgreSQL.

mod catalog;
mod foreign_key_repair;
mod index_creation;
mod lock_retry;

use sea_orm::sqlx::{AssertSqlSafe, Executor, Postgres, pool::PoolOptions};

pub(crate) use catalog::{has_schema, table};
pub(crate) use foreign_key_repair::mend;
pub(crate) use index_creation::index;
pub(crate) use lock_retry::unreadable;

/// Settings of the run's connections that must not be what the role or the database has for its ordinary sessions:
///
/// - time-outs that would cut off a validation, an index or the transaction that holds the run's lock;
/// - `lock_timeout`: how long CREATE INDEX CONCURRENTLY waits for other transactions, which it does without standing in
///   anybody's way; steps that do stand in the way set a shorter one;
/// - `row_security`: with "off" a policy that would hide rows from a check makes the check fail instead;
/// - the search path: the history's own table is found there; business tables are always named with their schema.
///
/// Asked of `pg_settings`, because older servers lack some of them.
const SETTINGS: &str = "\
    SELECT pg_catalog.set_config(name, CASE name \
        WHEN 'search_path' THEN 'session_admin' WHEN 'row_security' THEN 'off' WHEN 'lock_timeout' THEN '60s' \
        WHEN 'client_min_messages' THEN 'warning' WHEN 'default_transaction_isolation' THEN 'read committed' \
        ELSE '0' END, false) \
    FROM pg_catalog.pg_settings WHERE name IN ('search_path', 'row_security', 'lock_timeout', 'client_min_messages', \
        'default_transaction_isolation', 'statement_timeout', 'transaction_timeout', \
        'idle_in_transaction_session_timeout', 'idle_session_timeout')";

/// Gives every connection of a pool the run's settings.
pub(crate) fn prepare(pool: PoolOptions<Postgres>) -> PoolOptions<Postgres> {
    pool.after_connect(|connection, _| {
        Box::pin(async move {
            connection.execute(AssertSqlSafe(SETTINGS)).await?;
            Ok(())
        })
    })
}
