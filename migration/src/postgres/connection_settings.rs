//! The settings of a migration session's connections.

use sea_orm::sqlx::{AssertSqlSafe, Executor, Postgres, pool::PoolOptions};

/// Replaces settings that a role or a database may have chosen for its ordinary connections:
///
/// - The timeouts are off. They would cancel a validation, an index or the transaction that holds the session's lock.
/// - `lock_timeout` limits how long CREATE INDEX CONCURRENTLY waits for other transactions, which blocks nobody.
///   Statements that block others set a shorter one.
/// - `row_security` is off: a policy that would hide rows from a check then makes the check fail.
/// - `search_path` leads to the internal tables. Business tables are always named with their schema.
///
/// Reads `pg_settings`, because older servers lack some of these settings.
const SET_ALL: &str = "\
    SELECT pg_catalog.set_config(name, CASE name \
        WHEN 'search_path' THEN 'session_admin' WHEN 'row_security' THEN 'off' WHEN 'lock_timeout' THEN '60s' \
        WHEN 'client_min_messages' THEN 'warning' WHEN 'default_transaction_isolation' THEN 'read committed' \
        ELSE '0' END, false) \
    FROM pg_catalog.pg_settings WHERE name IN ('search_path', 'row_security', 'lock_timeout', 'client_min_messages', \
        'default_transaction_isolation', 'statement_timeout', 'transaction_timeout', \
        'idle_in_transaction_session_timeout', 'idle_session_timeout')";

/// Makes a pool apply the settings to each of its connections.
pub(crate) fn configure_connections(pool: PoolOptions<Postgres>) -> PoolOptions<Postgres> {
    pool.after_connect(|connection, _| {
        Box::pin(async move {
            connection.execute(AssertSqlSafe(SET_ALL)).await?;
            Ok(())
        })
    })
}
