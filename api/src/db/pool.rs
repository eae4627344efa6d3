//! Opening the pools.

use std::str::FromStr as _;
use std::time::Duration;

use sea_orm::sqlx::postgres::PgConnectOptions;
use sea_orm::sqlx::{ConnectOptions as _, Connection as _};
use sea_orm::{ConnectOptions, Database, DatabaseConnection, DbErr, RuntimeErr, SqlxError};

use super::{DatabaseSettings, quote};
use crate::error::Error;

/// How long a connection is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// PostgreSQL: `row_security = off` makes a query fail where it would otherwise leave rows out; just-in-time compiling
/// takes longer than our statements do. Reads give up on a lock as soon as deletions do, so that the answer tells of it.
pub(super) async fn postgres(settings: &DatabaseSettings) -> Result<DatabaseConnection, Error> {
    let lock_timeout = settings.lock_timeout.as_millis().to_string();
    let mut options = common(settings, settings.max_connections);
    options
        .set_schema_search_path(quote(&settings.schema))
        .set_application_name("session-admin")
        .statement_timeout(settings.query_timeout)
        .map_sqlx_postgres_opts(move |options| {
            options.options([("row_security", "off"), ("jit", "off"), ("lock_timeout", &lock_timeout)])
        });
    match Database::connect(options).await {
        Ok(pool) => Ok(pool),
        Err(DbErr::Conn(RuntimeErr::SqlxError(fault))) if matches!(*fault, SqlxError::PoolTimedOut) => {
            let fault = DbErr::Conn(RuntimeErr::SqlxError(fault));
            Err(cause(&settings.url).await.unwrap_or_else(|| fault.into()))
        }
        Err(fault) => Err(fault.into()),
    }
}

/// Why PostgreSQL cannot be reached, where one more connection by itself finds that out. The pool tries again where nobody
/// listens yet, or the server is starting up, until its time is over, and then knows no other reason.
pub(super) async fn cause(url: &str) -> Option<Error> {
    let options = PgConnectOptions::from_str(url).ok()?;
    match tokio::time::timeout(PATIENCE, options.connect()).await.ok()? {
        Ok(connection) => {
            // It was only asked for its reason, and there is none any more.
            let _ = connection.close().await;
            None
        }
        Err(error) => Some(DbErr::Conn(RuntimeErr::SqlxError(error.into())).into()),
    }
}

/// SQLite: foreign keys on for every connection, write-ahead log so that readers and the writer do not wait for each
/// other, and a busy time-out in place of an error at once. What is deleted is overwritten, so that rows which are erased
/// for good do not stay in the file's unused parts.
pub(super) async fn sqlite(settings: &DatabaseSettings, connections: u32) -> Result<DatabaseConnection, Error> {
    let lock_timeout = settings.lock_timeout;
    let mut options = common(settings, connections);
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

fn common(settings: &DatabaseSettings, connections: u32) -> ConnectOptions {
    let mut options = ConnectOptions::new(settings.url.clone());
    options
        .max_connections(connections)
        .acquire_timeout(PATIENCE)
        .sqlx_logging(false)
        .record_stmt_in_spans(false)
        .test_before_acquire_if_idle_for(Duration::from_secs(1));
    options
}
