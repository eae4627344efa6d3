//! Verification of JWTs.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::Value;

use super::jwks::KeyFile;
use super::settings::JwtSettings;
use super::signature;
use crate::auth::auth_error::AuthError;
use crate::auth::principal::{Principal, is_invisible};
use crate::auth::role::Role;
use crate::error::Error;

/// How far the issuer's clock and this machine's may differ.
const LEEWAY: TimeDelta = TimeDelta::seconds(30);
/// The shortest secret of HS256, in bytes (RFC 7518, 3.2).
const SHORTEST_SECRET: usize = 32;
/// The maximum length of a principal's name in a token, in characters.
const MAX_NAME: usize = 200;

/// A verifier of JWTs. Cloning it is cheap.
#[derive(Debug, Clone)]
pub struct JwtVerifier(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    settings: JwtSettings,
    secret: Option<DecodingKey>,
    keys: Option<KeyFile>,
}

impl JwtVerifier {
    /// Creates a verifier, and reads its file of keys where there is one.
    ///
    /// # Errors
    /// [`Error::BadInput`] for settings without any key, or with neither an issuer nor an audience; for a secret that is too
    /// short; for a file that is no JWKS.
    pub fn new(settings: JwtSettings) -> Result<Self, Error> {
        signature::install();
        let wrong = |message: &str| Err(Error::BadInput(message.to_owned()));
        if settings.secret.is_none() && settings.key_file.is_none() {
            return wrong(
                "JWTs need a key: set --jwt-secret (SESSION_ADMIN_JWT_SECRET) for HS256, or --jwt-jwks \
                 (SESSION_ADMIN_JWT_JWKS) for RS256 and ES256.",
            );
        }
        if settings.issuer.is_none() && settings.audience.is_none() {
            return wrong(
                "JWTs need an issuer or an audience: set --jwt-issuer (SESSION_ADMIN_JWT_ISSUER), --jwt-audience \
                 (SESSION_ADMIN_JWT_AUDIENCE), or both, so that tokens for other services are not accepted.",
            );
        }
        if settings.secret.as_ref().is_some_and(|secret| secret.len() < SHORTEST_SECRET) {
            return wrong(
                "--jwt-secret (SESSION_ADMIN_JWT_SECRET) must have at least 32 bytes for HS256; a shorter secret \
                 could be guessed.",
            );
        }
        let secret = settings.secret.as_ref().map(|secret| DecodingKey::from_secret(secret.as_bytes()));
        let keys = settings.key_file.clone().map(|path| KeyFile::open(path, settings.keys_read_every)).transpose()?;
        Ok(Self(Arc::new(Inner { settings, secret, keys })))
    }

    /// Verifies a token and returns its principal.
    ///
    /// # Errors
    /// [`AuthError::Invalid`] unless the token is signed with a configured key, meant for this server, and valid at `now`;
    /// [`AuthError::NoRole`] where it gives no role.
    pub(in crate::auth) fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<Principal, AuthError> {
        let claims = self.verified_claims(token).map_err(invalid)?;
        let moment = |claim: &str| {
            let not_a_time = || invalid(&format!("its {claim} is not a valid time"));
            let read = |value| parse_numeric_date(value).ok_or_else(not_a_time);
            claims.get(claim).map(read).transpose()
        };
        let expires_at = moment("exp")?.ok_or_else(|| invalid("it has no exp"))?;
        // The addition overflows near the latest time that the type can represent.
        let expires_at = expires_at.checked_add_signed(LEEWAY).unwrap_or(expires_at);
        if moment("nbf")?.is_some_and(|begins| begins > now + LEEWAY) {
            return Err(invalid("its nbf is in the future"));
        }
        if now >= expires_at {
            return Err(invalid("its exp has passed"));
        }
        let name = find_claim(&claims, &self.0.settings.name_claim).and_then(Value::as_str).unwrap_or_default();
        if name.trim().is_empty() || name.chars().count() > MAX_NAME || name.contains(is_invisible) {
            return Err(invalid("the claim of --jwt-name-claim has no name of 1 to 200 visible characters"));
        }
        let role = self.highest_role(&claims)?;
        Ok(Principal { name: format!("jwt:{name}").into(), role, local: false, expires_at: Some(expires_at) })
    }

    /// Returns the claims of a token that is signed and meant for this server. The key determines the algorithm; what the token
    /// says of it only selects one of the configured keys.
    fn verified_claims(&self, token: &str) -> Result<Value, &'static str> {
        let header = decode_header(token).map_err(|_| "it is not a JWT, or its algorithm is unknown")?;
        if header.crit.is_some() {
            return Err("it has critical extensions (crit), and none is supported");
        }
        let found = if header.alg == Algorithm::HS256 {
            self.0.secret.clone().map(|secret| (secret, Algorithm::HS256))
        } else {
            self.0.keys.as_ref().and_then(|keys| keys.find(header.kid.as_deref(), header.alg))
        };
        let (key, algorithm) = found.ok_or(
            "no key of --jwt-jwks or --jwt-secret matches its alg and kid; without a kid, exactly one must \
             match its alg",
        )?;
        let settings = &self.0.settings;
        let mut validation = Validation::new(algorithm);
        // `verify` checks the times, by the program's own clock.
        validation.validate_exp = false;
        validation.validate_aud = settings.audience.is_some();
        if let Some(audience) = &settings.audience {
            validation.required_spec_claims.insert("aud".to_owned());
            validation.set_audience(&[audience]);
        }
        if let Some(issuer) = &settings.issuer {
            validation.required_spec_claims.insert("iss".to_owned());
            validation.set_issuer(&[issuer]);
        }
        let claims: Value = decode(token, &key, &validation).map_err(|error| rejection_reason(error.kind()))?.claims;
        // The library accepts a list too.
        if settings.issuer.is_some() && !claims.get("iss").is_some_and(Value::is_string) {
            return Err("its iss is not a string");
        }
        Ok(claims)
    }

    /// Returns the highest of the roles that the claim's names stand for.
    fn highest_role(&self, claims: &Value) -> Result<Role, AuthError> {
        let settings = &self.0.settings;
        let words: Vec<&str> = match find_claim(claims, &settings.role_claim) {
            Some(Value::String(word)) => vec![word],
            Some(Value::Array(words)) => words.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let role = words.into_iter().filter_map(|word| settings.roles.role(word)).max();
        role.ok_or_else(|| {
            AuthError::NoRole(format!(
                "The token's claim {} has no word that stands for a role. The operator of this server sets the claim \
                 (--jwt-role-claim) and the role of each word (--jwt-role).",
                settings.role_claim
            ))
        })
    }
}

/// Logs the reason for which a token is rejected, and returns the error. The error does not contain the reason.
fn invalid(reason: &str) -> AuthError {
    tracing::info!(target: "session_admin::auth", reason, "a JWT was rejected");
    AuthError::Invalid
}

fn rejection_reason(kind: &ErrorKind) -> &'static str {
    match kind {
        ErrorKind::InvalidSignature => "its signature does not match the key",
        ErrorKind::InvalidIssuer => "its iss is not --jwt-issuer",
        ErrorKind::InvalidAudience => "its aud is not --jwt-audience",
        ErrorKind::MissingRequiredClaim(_) => "it lacks a required claim (exp, iss or aud)",
        ErrorKind::InvalidAlgorithm | ErrorKind::InvalidKeyFormat => "its alg is not that of the key",
        _ => "it cannot be read",
    }
}

/// Returns a claim by its name or by a JSON Pointer.
fn find_claim<'a>(claims: &'a Value, place: &str) -> Option<&'a Value> {
    if place.starts_with('/') { claims.pointer(place) } else { claims.get(place) }
}

/// Parses seconds since 1970. A fraction is cut off.
fn parse_numeric_date(value: &Value) -> Option<DateTime<Utc>> {
    #[expect(clippy::cast_possible_truncation, reason = "a time that no calendar has is no time")]
    let seconds = value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds as i64))?;
    DateTime::from_timestamp(seconds, 0)
}
