//! The configuration that a command works with.

use super::database_url::sqlite_file;
use super::invalid_option::invalid;
use crate::db::DatabaseSettings;
use crate::error::Error;
use crate::gateway::{Gateway, GatewaySettings};
use crate::schema_health::AcceptedFindings;

/// The configuration, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// How the database is connected to.
    pub database: DatabaseSettings,
    /// Whether the database was named; otherwise it is the default file.
    pub database_named: bool,
    /// How the gateway is queried, where there is one.
    pub gateway: Option<GatewaySettings>,
    /// The accepted findings of schema health.
    pub accepted: AcceptedFindings,
}

impl Config {
    /// Creates the client of the gateway, where one is configured. It sends nothing yet.
    ///
    /// # Errors
    /// Those of [`Gateway::new`].
    pub fn gateway(&self) -> Result<Option<Gateway>, Error> {
        self.gateway.clone().map(|settings| Gateway::new(settings, self.database.clock)).transpose()
    }

    /// Checks that an SQLite file exists. Only `serve` and `migrate` create databases.
    ///
    /// # Errors
    /// [`Error::BadInput`] that names the file.
    pub fn require_file(&self) -> Result<(), Error> {
        match sqlite_file(&self.database.url) {
            Some(file) if !file.exists() => invalid(format!(
                "There is no database file {}. Name another with --database-url (DATABASE_URL), or make it with \
                 `session-admin migrate`.",
                file.display()
            )),
            _ => Ok(()),
        }
    }
}
