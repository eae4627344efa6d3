//! The options for JWTs.

use std::path::{Path, PathBuf};

use crate::auth::{JwtSettings, JwtVerifier, RoleNames};
use crate::error::Error;

/// The unchecked options for JWTs.
#[derive(Clone, clap::Args)]
#[command(next_help_heading = "JWTs accepted in addition to access tokens")]
pub struct JwtOptions {
    /// The secret for HS256, at least 32 bytes; set it in the environment [default: none]
    #[arg(
        id = "jwt-secret",
        long = "jwt-secret",
        env = "SESSION_ADMIN_JWT_SECRET",
        hide_env_values = true,
        value_name = "SECRET"
    )]
    secret: Option<String>,
    /// A file with the secret for HS256
    #[arg(
        id = "jwt-secret-file",
        long = "jwt-secret-file",
        env = "SESSION_ADMIN_JWT_SECRET_FILE",
        value_name = "FILE",
        conflicts_with = "jwt-secret"
    )]
    secret_file: Option<PathBuf>,
    /// A JWKS file with the public keys of RS256 and ES256; the server reads it again after a change [default: none]
    #[arg(id = "jwt-jwks", long = "jwt-jwks", env = "SESSION_ADMIN_JWT_JWKS", value_name = "FILE")]
    jwks: Option<PathBuf>,
    /// The required issuer (`iss`); the issuer or the audience is required
    #[arg(id = "jwt-issuer", long = "jwt-issuer", env = "SESSION_ADMIN_JWT_ISSUER", value_name = "ISSUER")]
    issuer: Option<String>,
    /// The required audience (`aud`)
    #[arg(id = "jwt-audience", long = "jwt-audience", env = "SESSION_ADMIN_JWT_AUDIENCE", value_name = "AUDIENCE")]
    audience: Option<String>,
    /// The claim that contains the role: its name, or a JSON Pointer such as `/app_metadata/session_admin_role`
    #[arg(
        id = "jwt-role-claim",
        long = "jwt-role-claim",
        env = "SESSION_ADMIN_JWT_ROLE_CLAIM",
        value_name = "CLAIM",
        default_value = "role"
    )]
    role_claim: String,
    /// The role that a word in that claim stands for, such as `support=OPERATOR`; repeat the flag, or separate several
    /// by commas [default: viewer, operator and admin, in upper or lower case]
    #[arg(
        id = "jwt-role",
        long = "jwt-role",
        env = "SESSION_ADMIN_JWT_ROLE",
        value_delimiter = ',',
        value_name = "WORD=ROLE"
    )]
    roles: Vec<String>,
    /// The claim with the name for the audit trail, which records it after `jwt:`: its name, or a JSON Pointer
    #[arg(
        id = "jwt-name-claim",
        long = "jwt-name-claim",
        env = "SESSION_ADMIN_JWT_NAME_CLAIM",
        value_name = "CLAIM",
        default_value = "sub"
    )]
    name_claim: String,
}

/// Omits all fields, so that the secret never appears in a log.
impl std::fmt::Debug for JwtOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JwtOptions").finish_non_exhaustive()
    }
}

impl JwtOptions {
    /// Checks the options and returns the verifier of JWTs, or `None` if no option for JWTs is set.
    ///
    /// # Errors
    /// [`Error::BadInput`] for a file that cannot be read or an invalid role name; the errors of [`JwtVerifier::new`].
    pub fn resolve(&self) -> Result<Option<JwtVerifier>, Error> {
        let non_empty = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let path = |path: &Option<PathBuf>| path.clone().filter(|path| !path.as_os_str().is_empty());
        let roles: Vec<String> = self.roles.iter().filter(|word| !word.is_empty()).cloned().collect();
        let settings = JwtSettings {
            secret: non_empty(&self.secret).map_or_else(
                || path(&self.secret_file).as_deref().map(read_secret).transpose(),
                |secret| Ok(Some(secret)),
            )?,
            key_file: path(&self.jwks),
            issuer: non_empty(&self.issuer),
            audience: non_empty(&self.audience),
            role_claim: self.role_claim.clone(),
            roles: RoleNames::parse(&roles)
                .map_err(|problem| Error::BadInput(format!("--jwt-role (SESSION_ADMIN_JWT_ROLE) {problem}")))?,
            name_claim: self.name_claim.clone(),
            ..JwtSettings::default()
        };
        let is_unconfigured = settings.secret.is_none()
            && settings.key_file.is_none()
            && settings.issuer.is_none()
            && settings.audience.is_none()
            && roles.is_empty();
        if is_unconfigured { Ok(None) } else { JwtVerifier::new(settings).map(Some) }
    }
}

/// Reads the secret from a file, without the line end.
fn read_secret(path: &Path) -> Result<String, Error> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(text.trim_end_matches(['\r', '\n']).to_owned()),
        Err(error) => Err(Error::BadInput(format!(
            "--jwt-secret-file (SESSION_ADMIN_JWT_SECRET_FILE) {} cannot be read: {error}.",
            path.display()
        ))),
    }
}
