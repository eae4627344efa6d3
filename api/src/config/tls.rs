//! The check of the TLS parameters in a PostgreSQL URL.

use std::str::FromStr as _;

use reqwest::Url;
use sea_orm::sqlx::postgres::{PgConnectOptions, PgSslMode};

use super::invalid_option::reject_option;
use crate::error::Error;

/// Checks the TLS parameters of a PostgreSQL URL.
///
/// The certificate and key files must be readable. If a root certificate is given, `sslmode` must verify it or disable
/// TLS: in the other modes the driver, unlike libpq, ignores the root certificate. The environment variables of libpq,
/// such as `PGSSLROOTCERT`, may also name the files.
///
/// # Errors
/// [`Error::BadInput`] that names the parameter, or that says that the URL is invalid.
pub(super) fn check(url: &str) -> Result<(), Error> {
    let options = PgConnectOptions::from_str(url)
        .map_err(|error| Error::BadInput(format!("--database-url (DATABASE_URL) is not a valid URL: {error}.")))?;
    let parameters = Url::parse(url).map(|url| url.query_pairs().into_owned().collect::<Vec<_>>()).unwrap_or_default();
    for [parameter, variable] in [["sslrootcert", "PGSSLROOTCERT"], ["sslcert", "PGSSLCERT"], ["sslkey", "PGSSLKEY"]] {
        let in_url = parameters.iter().find(|(name, _)| name.replace('-', "") == parameter);
        let Some(file) = in_url.map(|(_, file)| file.clone()).or_else(|| std::env::var(variable).ok()) else {
            continue;
        };
        // An environment variable may contain the certificate itself instead of a file name.
        let is_inline = in_url.is_none() && file.trim_start().starts_with("-----BEGIN");
        if !is_inline && let Err(error) = std::fs::File::open(&file) {
            return reject_option(format!("{parameter} of DATABASE_URL ({variable}): {file} cannot be read: {error}."));
        }
        if parameter == "sslrootcert"
            && !matches!(options.get_ssl_mode(), PgSslMode::VerifyCa | PgSslMode::VerifyFull | PgSslMode::Disable)
        {
            return reject_option(
                "sslrootcert of DATABASE_URL (PGSSLROOTCERT) is used only with sslmode=verify-full, or with \
                 sslmode=verify-ca, which does not check the host's name. Set one of them.",
            );
        }
    }
    Ok(())
}
