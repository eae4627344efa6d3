//! The connection pools.

use std::str::FromStr as _;
use std::time::Duration;

use sea_orm::sqlx::postgres::PgConnectOptions;
use sea_orm::sqlx::{ConnectOptions as _, Connection as _};
use sea_orm::{ConnectOptions, Database, DatabaseConnection, DbErr, RuntimeErr, SqlxError};

use super::database_settings::DatabaseSettings;
use super::dialect::quote;
use crate::error::Error;

/// The time limit of waiting for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Opens a pool of PostgreSQL connections.
///
/// `row_security = off` makes a query fail that would otherwise leave out rows. Just-in-time compilation is off because
/// it takes longer than our statements. Reads have the lock timeout of deletions, so that the error names the lock.
pub(super) async fn postgres(settings: &DatabaseSettings) -> Result<DatabaseConnection, Error> {
    let lock_timeout = settings.lock_timeout.as_millis().to_string();
    let mut options = common_options(settings, settings.max_connections);
    options
        .set_schema_search_path(quote(&settings.schema))
        .set_application_name("session-admin")
        .statement_timeout(settings.query_timeout)
        .map_sqlx_postgres_opts(move |options| {
            options.options([("row_security", "off"), ("jit", "off"), ("lock_timeout", &lock_timeout)])
        });
    match Database::connect(options).await {
        Ok(pool) => Ok(pool),
        Err(DbErr::Conn(RuntimeErr::SqlxError(error))) if matches!(*error, SqlxError::PoolTimedOut) => {
            let error = DbErr::Conn(RuntimeErr::SqlxError(error));
            Err(unavailable_reason(&settings.url).await.unwrap_or_else(|| error.into()))
        }
        Err(error) => Err(error.into()),
    }
}

/// Opens one more connection to find out why PostgreSQL cannot be reached; none if it can be reached or does not
/// answer.
///
/// The pool retries while nothing listens or the server is starting up, and in the end reports only its timeout.
pub(super) async fn unavailable_reason(url: &str) -> Option<Error> {
    let options = PgConnectOptions::from_str(url).ok()?;
    match tokio::time::timeout(CONNECT_TIMEOUT, options.connect()).await.ok()? {
        Ok(connection) => {
            // The connection was opened only to see it fail.
            let _ = connection.close().await;
            None
        }
        Err(error) => Some(DbErr::Conn(RuntimeErr::SqlxError(error.into())).into()),
    }
}

/// Opens a pool of SQLite connections.
///
/// Foreign keys are on for every connection. With the write-ahead log, readers and the writer do not wait for each
/// other, and the busy timeout makes a lock wait instead of failing at once. `secure_delete` overwrites deleted rows,
/// so that erased ones do not stay in unused parts of the file.
pub(super) async fn sqlite(settings: &DatabaseSettings, connections: u32) -> Result<DatabaseConnection, Error> {
    let lock_timeout = settings.lock_timeout;
    let mut options = common_options(settings, connections);
    options.map_sqlx_sqlite_opts(move |options| {
        options
            .create_if_missing(true)
            .foreign_keys(true)
            .journal_mode(sea_orm::sqlx::sqlite::SqliteJournalMode::Wal)
            .busy_timeout(lock_timeout)
            .pragma("secure_delete", "ON")
    });
    Ok(Database::connect(options).await?)
}

/// Returns the options of both databases.
fn common_options(settings: &DatabaseSettings, connections: u32) -> ConnectOptions {
    let mut options = ConnectOptions::new(settings.url.clone());
    options
        .max_connections(connections)
        .acquire_timeout(CONNECT_TIMEOUT)
        .sqlx_logging(false)
        .record_stmt_in_spans(false)
        .test_before_acquire_if_idle_for(Duration::from_secs(1));
    options
}
