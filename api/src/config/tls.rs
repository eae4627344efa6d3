//! TLS to PostgreSQL: what the address asks for is checked before anybody relies on it.

use std::str::FromStr as _;

use reqwest::Url;
use sea_orm::sqlx::postgres::{PgConnectOptions, PgSslMode};

use super::wrong;
use crate::error::Error;

/// Refuses an address of PostgreSQL's that names files which cannot be read, or a root certificate that nothing would be
/// checked against: the driver does so only where it is told to verify, unlike libpq.
pub(super) fn check(url: &str) -> Result<(), Error> {
    let options = PgConnectOptions::from_str(url)
        .map_err(|error| Error::BadInput(format!("--database-url (DATABASE_URL) cannot be understood: {error}.")))?;
    let parameters = Url::parse(url).map(|url| url.query_pairs().into_owned().collect::<Vec<_>>()).unwrap_or_default();
    for [parameter, variable] in [["sslrootcert", "PGSSLROOTCERT"], ["sslcert", "PGSSLCERT"], ["sslkey", "PGSSLKEY"]] {
        let in_address = parameters.iter().find(|(name, _)| name.replace('-', "") == parameter);
        let Some(file) = in_address.map(|(_, file)| file.clone()).or_else(|| std::env::var(variable).ok()) else {
            continue;
        };
        // A variable may hold the certificate itself.
        let inline = in_address.is_none() && file.trim_start().starts_with("-----BEGIN");
        if !inline && let Err(error) = std::fs::File::open(&file) {
            return wrong(format!("{parameter} of DATABASE_URL ({variable}): {file} cannot be read: {error}."));
        }
        if parameter == "sslrootcert"
            && !matches!(options.get_ssl_mode(), PgSslMode::VerifyCa | PgSslMode::VerifyFull | PgSslMode::Disable)
        {
            return wrong(
                "sslrootcert of DATABASE_URL (PGSSLROOTCERT) is checked with sslmode=verify-full, or without the host's \
                 name with sslmode=verify-ca, and not with any other sslmode. Say which.",
            );
        }
    }
    Ok(())
}
