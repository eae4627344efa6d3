//! The checked configuration of a command.

use super::database_url::sqlite_file;
use super::invalid_option::reject_option;
use crate::db::DatabaseSettings;
use crate::error::Error;
use crate::gateway::{Gateway, GatewaySettings};
use crate::schema_health::AcceptedFindings;

/// The checked configuration of a command.
#[derive(Debug, Clone)]
pub struct Config {
    /// The settings of the database connection.
    pub database: DatabaseSettings,
    /// Whether a database URL was configured. Otherwise the database is the default file.
    pub database_named: bool,
    /// The settings of the gateway, if one is configured.
    pub gateway: Option<GatewaySettings>,
    /// The accepted findings of schema health.
    pub accepted: AcceptedFindings,
}

impl Config {
    /// Creates the client of the gateway, if one is configured. This sends no request.
    ///
    /// # Errors
    /// Returns the errors of [`Gateway::new`].
    pub fn gateway(&self) -> Result<Option<Gateway>, Error> {
        self.gateway.clone().map(|settings| Gateway::new(settings, self.database.clock)).transpose()
    }

    /// Checks that the file of an SQLite database exists, since only `serve` and `migrate` create databases.
    ///
    /// # Errors
    /// [`Error::BadInput`] that names the missing file.
    pub fn require_file(&self) -> Result<(), Error> {
        match sqlite_file(&self.database.url) {
            Some(file) if !file.exists() => reject_option(format!(
                "There is no database file {}. Name another one with --database-url (DATABASE_URL), or create it \
                 with `session-admin migrate`.",
                file.display()
            )),
            _ => Ok(()),
        }
    }
}
