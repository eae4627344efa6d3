//! The settings of a migration session's connections.

use sea_orm::sqlx::{AssertSqlSafe, Executor, Postgres, pool::PoolOptions};

/// The query that replaces settings which a role or a database may define for its ordinary connections.
///
/// - The timeouts are off. They would cancel a validation, an index or the transaction that holds the session's lock.
/// - `lock_timeout` limits how long CREATE INDEX CONCURRENTLY waits for other transactions. That wait blocks no other
///   transaction. Statements that block others set a shorter timeout.
/// - `row_security` is off, so that a policy that would hide rows from a check makes the check fail.
/// - `search_path` is the schema of the internal tables. Business tables are always named with their schema.
///
/// The query reads `pg_settings`, because older servers lack some of these settings.
const SET_ALL: &str = "\
    SELECT pg_catalog.set_config(name, CASE name \
        WHEN 'search_path' THEN 'session_admin' WHEN 'row_security' THEN 'off' WHEN 'lock_timeout' THEN '60s' \
        WHEN 'client_min_messages' THEN 'warning' WHEN 'default_transaction_isolation' THEN 'read committed' \
        ELSE '0' END, false) \
    FROM pg_catalog.pg_settings WHERE name IN ('search_path', 'row_security', 'lock_timeout', 'client_min_messages', \
        'default_transaction_isolation', 'statement_timeout', 'transaction_timeout', \
        'idle_in_transaction_session_timeout', 'idle_session_timeout')";

/// Configures a pool to apply the settings to each of its connections.
pub(crate) fn configure_connections(pool: PoolOptions<Postgres>) -> PoolOptions<Postgres> {
    pool.after_connect(|connection, _| {
        Box::pin(async move {
            connection.execute(AssertSqlSafe(SET_ALL)).await?;
            Ok(())
        })
    })
}
