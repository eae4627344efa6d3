//! The settings by which JWTs are verified.

use std::path::PathBuf;
use std::time::Duration;

use super::role_names::RoleNames;

/// Which JWTs are valid.
#[derive(Clone)]
pub struct JwtSettings {
    /// The secret of HS256.
    pub secret: Option<String>,
    /// The file with the public keys of RS256 and ES256.
    pub key_file: Option<PathBuf>,
    /// The issuer (`iss`) that a token must have.
    pub issuer: Option<String>,
    /// The audience (`aud`) that a token must have.
    pub audience: Option<String>,
    /// The claim with the role's name: its name, or a JSON Pointer.
    pub role_claim: String,
    /// The roles that the names there stand for.
    pub roles: RoleNames,
    /// The claim with the principal's name: its name, or a JSON Pointer.
    pub name_claim: String,
    /// How often the file of keys is read again. Keys are replaced by writing the file.
    pub keys_read_every: Duration,
}

impl Default for JwtSettings {
    /// Returns settings without a key, by which no token is valid.
    fn default() -> Self {
        Self {
            secret: None,
            key_file: None,
            issuer: None,
            audience: None,
            role_claim: "role".to_owned(),
            roles: RoleNames::default(),
            name_claim: "sub".to_owned(),
            keys_read_every: Duration::from_secs(30),
        }
    }
}

/// Redacts the secret, for logs.
impl std::fmt::Debug for JwtSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JwtSettings")
            .field("secret", &self.secret.as_ref().map(|_| "[redacted]"))
            .field("key_file", &self.key_file)
            .field("issuer", &self.issuer)
            .field("audience", &self.audience)
            .finish_non_exhaustive()
    }
}
