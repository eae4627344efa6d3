//! The options of every command.

use std::path::PathBuf;
use std::time::Duration;

use chrono::TimeDelta;

use super::database_url::{DEFAULT_DATABASE, redacted, sqlite_file};
use super::invalid_option::reject_option;
use super::resolved::Config;
use super::{accepted_findings, gateway, tls};
use crate::db::{DatabaseSettings, Dialect};
use crate::error::Error;

/// The unchecked options that every command takes.
#[derive(Clone, clap::Args)]
#[command(next_help_heading = "Options of every command")]
pub struct GlobalOptions {
    /// The database: `postgres://USER:PASSWORD@HOST/NAME` or `sqlite://FILE` [default: `sqlite://session-admin.db`]
    #[arg(long, global = true, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub database_url: Option<String>,
    /// PostgreSQL: the schema of the business tables [default: public]
    #[arg(long, global = true, env = "SESSION_ADMIN_SCHEMA", value_name = "NAME")]
    pub schema: Option<String>,
    /// A TOML file that lists the accepted findings of schema health, each with a reason
    #[arg(long, global = true, env = "SESSION_ADMIN_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// What to log to standard error, such as `info` or `warn,session_admin=debug`
    #[arg(
        long,
        global = true,
        env = "SESSION_ADMIN_LOG",
        value_name = "FILTER",
        default_value = "warn,session_admin=info,apalis_core=off"
    )]
    pub log: String,
    /// The format of log lines
    #[arg(long, global = true, env = "SESSION_ADMIN_LOG_FORMAT", value_name = "FORMAT", default_value = "text")]
    pub log_format: LogFormat,
    /// The most seconds that a read may take
    #[arg(long, global = true, env = "SESSION_ADMIN_QUERY_TIMEOUT", value_name = "SECONDS", default_value_t = 30)]
    pub query_timeout: u64,
    /// The most seconds that one statement of a deletion may take
    #[arg(long, global = true, env = "SESSION_ADMIN_DELETION_TIMEOUT", value_name = "SECONDS", default_value_t = 600)]
    pub deletion_timeout: u64,
    /// The most seconds that a statement waits for a lock
    #[arg(long, global = true, env = "SESSION_ADMIN_LOCK_TIMEOUT", value_name = "SECONDS", default_value_t = 5)]
    pub lock_timeout: u64,
    /// For how many days a deletion can be restored; 0 archives nothing
    #[arg(long, global = true, env = "SESSION_ADMIN_ARCHIVE_DAYS", value_name = "DAYS", default_value_t = 30, value_parser = clap::value_parser!(u16))]
    pub archive_days: u16,
    /// How many seconds after its worker's last sign of life another worker takes over a cleanup run
    #[arg(long, global = true, env = "SESSION_ADMIN_RUN_LEASE", value_name = "SECONDS", default_value_t = 15)]
    pub run_lease: u64,
    /// The most database connections
    #[arg(long, global = true, env = "SESSION_ADMIN_MAX_CONNECTIONS", value_name = "NUMBER", default_value_t = 16)]
    pub max_connections: u32,
    /// The gateway.
    #[command(flatten)]
    pub gateway: gateway::GatewayOptions,
}

/// The format of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Redacts the database URL and omits the gateway, so that no secret appears in a log.
impl std::fmt::Debug for GlobalOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options")
            .field("database_url", &self.database_url.as_deref().map(redacted))
            .field("schema", &self.schema)
            .field("config", &self.config)
            .field("log", &self.log)
            .finish_non_exhaustive()
    }
}

impl GlobalOptions {
    /// Checks the options against each other and reads the configuration file.
    ///
    /// # Errors
    /// [`Error::BadInput`] that names the option and says what is accepted.
    pub fn resolve(&self) -> Result<Config, Error> {
        let configured_url = self.database_url.as_deref().filter(|url| !url.is_empty());
        let url = configured_url.unwrap_or(DEFAULT_DATABASE);
        let dialect = Dialect::from_url(url)?;
        self.check_database(dialect, url)?;
        self.check_limits()?;
        let mut database = DatabaseSettings::new(url);
        database.schema = self.schema.clone().unwrap_or(database.schema);
        database.max_connections = self.max_connections;
        database.query_timeout = Duration::from_secs(self.query_timeout);
        database.deletion_timeout = Duration::from_secs(self.deletion_timeout);
        database.lock_timeout = Duration::from_secs(self.lock_timeout);
        database.archive_retention = TimeDelta::days(self.archive_days.into());
        database.run_lease = Duration::from_secs(self.run_lease);
        let accepted = self.config.as_deref().map(accepted_findings::read).transpose()?.unwrap_or_default();
        Ok(Config { database, database_named: configured_url.is_some(), gateway: self.gateway.resolve()?, accepted })
    }

    fn check_database(&self, dialect: Dialect, url: &str) -> Result<(), Error> {
        match (dialect, self.schema.as_deref()) {
            (_, Some("")) => {
                reject_option("--schema (SESSION_ADMIN_SCHEMA) is empty; name the schema of the business tables.")
            }
            (Dialect::Sqlite, Some(schema)) if schema != "public" => {
                reject_option("--schema (SESSION_ADMIN_SCHEMA) is for PostgreSQL; SQLite has no schemas. Omit it.")
            }
            (Dialect::Postgres, Some("session_admin")) => reject_option(
                "--schema (SESSION_ADMIN_SCHEMA) names the schema of the business tables; session_admin is the \
                 schema of this program's own tables.",
            ),
            (Dialect::Sqlite, _) if sqlite_file(url).is_none() => reject_option(
                "--database-url (DATABASE_URL) names no file. Each connection would have its own in-memory \
                 database. Use sqlite://FILE.",
            ),
            (Dialect::Postgres, _) => tls::check(url),
            _ => Ok(()),
        }
    }

    fn check_limits(&self) -> Result<(), Error> {
        // PostgreSQL stores timeouts as 32-bit integers of milliseconds.
        let longest = u64::from(i32::MAX.unsigned_abs()) / 1000;
        let limits = [
            ("--query-timeout (SESSION_ADMIN_QUERY_TIMEOUT)", self.query_timeout),
            ("--deletion-timeout (SESSION_ADMIN_DELETION_TIMEOUT)", self.deletion_timeout),
            ("--lock-timeout (SESSION_ADMIN_LOCK_TIMEOUT)", self.lock_timeout),
        ];
        for (name, seconds) in limits {
            if !(1..=longest).contains(&seconds) {
                return reject_option(format!("{name} is {seconds}; it must be from 1 to {longest} seconds."));
            }
        }
        if !(1..=3_600).contains(&self.run_lease) {
            return reject_option(format!(
                "--run-lease (SESSION_ADMIN_RUN_LEASE) is {}; it must be from 1 to 3600 seconds.",
                self.run_lease
            ));
        }
        if self.lock_timeout >= self.deletion_timeout {
            return reject_option(format!(
                "--lock-timeout ({} s) must be shorter than --deletion-timeout ({} s): waiting counts as part of a statement.",
                self.lock_timeout, self.deletion_timeout
            ));
        }
        if self.max_connections == 0 {
            return reject_option("--max-connections (SESSION_ADMIN_MAX_CONNECTIONS) is 0; it must be at least 1.");
        }
        Ok(())
    }
}
