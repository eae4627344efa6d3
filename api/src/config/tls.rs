//! The TLS parameters of PostgreSQL's URL.

use std::str::FromStr as _;

use reqwest::Url;
use sea_orm::sqlx::postgres::{PgConnectOptions, PgSslMode};

use super::invalid_option::invalid;
use crate::error::Error;

/// Checks that the files which a PostgreSQL URL names can be read, and that a root certificate is used: unlike libpq, the driver
/// ignores it unless the `sslmode` demands verification.
///
/// # Errors
/// [`Error::BadInput`] that names the parameter.
pub(super) fn check(url: &str) -> Result<(), Error> {
    let options = PgConnectOptions::from_str(url)
        .map_err(|error| Error::BadInput(format!("--database-url (DATABASE_URL) cannot be understood: {error}.")))?;
    let parameters = Url::parse(url).map(|url| url.query_pairs().into_owned().collect::<Vec<_>>()).unwrap_or_default();
    for [parameter, variable] in [["sslrootcert", "PGSSLROOTCERT"], ["sslcert", "PGSSLCERT"], ["sslkey", "PGSSLKEY"]] {
        let in_url = parameters.iter().find(|(name, _)| name.replace('-', "") == parameter);
        let Some(file) = in_url.map(|(_, file)| file.clone()).or_else(|| std::env::var(variable).ok()) else {
            continue;
        };
        // A variable may contain the certificate itself.
        let is_inline = in_url.is_none() && file.trim_start().starts_with("-----BEGIN");
        if !is_inline && let Err(error) = std::fs::File::open(&file) {
            return invalid(format!("{parameter} of DATABASE_URL ({variable}): {file} cannot be read: {error}."));
        }
        if parameter == "sslrootcert"
            && !matches!(options.get_ssl_mode(), PgSslMode::VerifyCa | PgSslMode::VerifyFull | PgSslMode::Disable)
        {
            return invalid(
                "sslrootcert of DATABASE_URL (PGSSLROOTCERT) is checked with sslmode=verify-full, or without the host's \
                 name with sslmode=verify-ca, and not with any other sslmode. Say which.",
            );
        }
    }
    Ok(())
}
