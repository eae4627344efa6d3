//! JWTs of somebody else's making, such as those of a Supabase project.

mod jwks;
pub(crate) mod signature;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::Value;

use super::authenticator::Denied;
use super::principal::is_invisible;
use super::{Principal, Role};
use crate::error::Error;
use jwks::KeyFile;

/// How far the clocks of whoever makes the tokens and of this machine may be apart.
const LEEWAY: TimeDelta = TimeDelta::seconds(30);
/// The shortest secret of HS256, in bytes (RFC 7518, 3.2).
const SHORTEST_SECRET: usize = 32;
/// The longest name that is taken from a token, in characters.
const MAX_NAME: usize = 200;

/// Which JWTs are good.
#[derive(Clone)]
pub struct JwtSettings {
    /// What tokens of HS256 are signed with.
    pub secret: Option<String>,
    /// The file with the public keys of RS256 and ES256.
    pub key_file: Option<PathBuf>,
    /// Whom a token has to be of.
    pub issuer: Option<String>,
    /// Whom a token has to be for.
    pub audience: Option<String>,
    /// Where the role's word is: a claim's name, or a JSON Pointer.
    pub role_claim: String,
    /// What the words there mean.
    pub roles: RoleWords,
    /// Where the name is: a claim's name, or a JSON Pointer.
    pub name_claim: String,
    /// How often the file of keys is looked at: keys are exchanged by writing another one.
    pub keys_read_every: Duration,
}

impl Default for JwtSettings {
    /// Nothing is good, for want of a key.
    fn default() -> Self {
        Self {
            secret: None,
            key_file: None,
            issuer: None,
            audience: None,
            role_claim: "role".to_owned(),
            roles: RoleWords::default(),
            name_claim: "sub".to_owned(),
            keys_read_every: Duration::from_secs(30),
        }
    }
}

/// No log gets to see the secret.
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

/// The roles that words stand for.
#[derive(Debug, Clone, Default)]
pub struct RoleWords(Vec<(String, Role)>);

impl RoleWords {
    /// Reads words such as `service_role=ADMIN`. Without any, the roles' own words in any case are known; with some, only
    /// these are, just as they are written.
    ///
    /// # Errors
    /// What is wrong.
    pub fn read(texts: &[String]) -> Result<Self, String> {
        let read = |text: &String| {
            let (word, role) = text.rsplit_once('=')?;
            let role = Role::of_word(role.trim())?;
            Some((word.trim().to_owned(), role)).filter(|(word, _)| !word.is_empty())
        };
        let wrong = |text: &String| {
            format!(
                "is {text:?}; it takes a word and what it stands for, such as service_role=ADMIN: VIEWER, OPERATOR or ADMIN."
            )
        };
        texts.iter().map(|text| read(text).ok_or_else(|| wrong(text))).collect::<Result<_, _>>().map(Self)
    }

    fn role(&self, word: &str) -> Option<Role> {
        if self.0.is_empty() {
            return Role::of_word(word);
        }
        self.0.iter().filter(|(known, _)| known == word).map(|(_, role)| *role).max()
    }
}

/// Checks JWTs. Cloning it is cheap.
#[derive(Debug, Clone)]
pub struct Jwt(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    settings: JwtSettings,
    secret: Option<DecodingKey>,
    keys: Option<KeyFile>,
}

impl Jwt {
    /// Reads the file of keys, where there is one.
    ///
    /// # Errors
    /// [`Error::BadInput`] where nothing says how a token is signed, or whom it is of or for; for a secret that is too
    /// short; for a file that is no JWKS.
    pub fn new(settings: JwtSettings) -> Result<Self, Error> {
        signature::install();
        let wrong = |message: &str| Err(Error::BadInput(message.to_owned()));
        if settings.secret.is_none() && settings.key_file.is_none() {
            return wrong(
                "JWTs want --jwt-secret (SESSION_ADMIN_JWT_SECRET) for HS256, or --jwt-jwks (SESSION_ADMIN_JWT_JWKS) for RS256 \
                 and ES256; without either nothing says how they are signed.",
            );
        }
        if settings.issuer.is_none() && settings.audience.is_none() {
            return wrong(
                "JWTs want --jwt-issuer (SESSION_ADMIN_JWT_ISSUER), --jwt-audience (SESSION_ADMIN_JWT_AUDIENCE), or both: \
                 a token that was made for something else must not be good here.",
            );
        }
        if settings.secret.as_ref().is_some_and(|secret| secret.len() < SHORTEST_SECRET) {
            return wrong(
                "--jwt-secret (SESSION_ADMIN_JWT_SECRET) has less than 32 bytes, which is what HS256 needs: somebody could \
                 guess it.",
            );
        }
        let secret = settings.secret.as_ref().map(|secret| DecodingKey::from_secret(secret.as_bytes()));
        let keys = settings.key_file.clone().map(|path| KeyFile::open(path, settings.keys_read_every)).transpose()?;
        Ok(Self(Arc::new(Inner { settings, secret, keys })))
    }

    /// Whose token this is.
    ///
    /// # Errors
    /// [`Denied::Invalid`] unless it is signed, for us, and its time has come and is not over; [`Denied::NoRole`].
    pub(super) fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<Principal, Denied> {
        let claims = self.claims(token).map_err(invalid)?;
        let moment = |claim: &str| {
            let read = |value| numeric_date(value).ok_or_else(|| invalid(&format!("its {claim} is no moment")));
            claims.get(claim).map(read).transpose()
        };
        let expires_at = moment("exp")?.ok_or_else(|| invalid("it has no exp"))?;
        // At the end of the calendar there is no later moment.
        let expires_at = expires_at.checked_add_signed(LEEWAY).unwrap_or(expires_at);
        if moment("nbf")?.is_some_and(|begins| begins > now + LEEWAY) {
            return Err(invalid("its nbf is yet to come"));
        }
        if now >= expires_at {
            return Err(invalid("its exp is over"));
        }
        let name = claim(&claims, &self.0.settings.name_claim).and_then(Value::as_str).unwrap_or_default();
        if name.trim().is_empty() || name.chars().count() > MAX_NAME || name.contains(is_invisible) {
            return Err(invalid("the claim of --jwt-name-claim has no name of 1 to 200 letters that can be seen"));
        }
        let role = self.role(&claims)?;
        Ok(Principal { name: format!("jwt:{name}").into(), role, local: false, expires_at: Some(expires_at) })
    }

    /// What a token says that is signed, for us. How it has to be signed follows from the key: what the token says of that
    /// only chooses between the keys that are configured.
    fn claims(&self, token: &str) -> Result<Value, &'static str> {
        let header = decode_header(token).map_err(|_| "it is none, or of an algorithm that is not known")?;
        if header.crit.is_some() {
            return Err("it has extensions that have to be understood (crit), and are not");
        }
        let found = if header.alg == Algorithm::HS256 {
            self.0.secret.clone().map(|secret| (secret, Algorithm::HS256))
        } else {
            self.0.keys.as_ref().and_then(|keys| keys.find(header.kid.as_deref(), header.alg))
        };
        let (key, algorithm) = found
            .ok_or("there is no key for its alg and kid; without a kid, not one only, in --jwt-jwks or --jwt-secret")?;
        let settings = &self.0.settings;
        let mut validation = Validation::new(algorithm);
        // The times are looked at by the program's own clock.
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
        let claims: Value = decode(token, &key, &validation).map_err(|error| why(error.kind()))?.claims;
        // The library takes a list too.
        if settings.issuer.is_some() && !claims.get("iss").is_some_and(Value::is_string) {
            return Err("its iss is no string");
        }
        Ok(claims)
    }

    /// The highest of the roles that the claim's words stand for.
    fn role(&self, claims: &Value) -> Result<Role, Denied> {
        let settings = &self.0.settings;
        let words: Vec<&str> = match claim(claims, &settings.role_claim) {
            Some(Value::String(word)) => vec![word],
            Some(Value::Array(words)) => words.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let role = words.into_iter().filter_map(|word| settings.roles.role(word)).max();
        role.ok_or_else(|| {
            Denied::NoRole(format!(
                "The token's claim {} has no word that stands for a role here. Whoever runs this server says where the \
                 word is (--jwt-role-claim) and what it stands for (--jwt-role).",
                settings.role_claim
            ))
        })
    }
}

/// Refuses a token. Whoever shows it is not told why, who runs the server finds it in the log.
fn invalid(why: &str) -> Denied {
    tracing::info!(why, "a JWT is not good");
    Denied::Invalid
}

fn why(kind: &ErrorKind) -> &'static str {
    match kind {
        ErrorKind::InvalidSignature => "its signature is not by the key",
        ErrorKind::InvalidIssuer => "its iss is not --jwt-issuer",
        ErrorKind::InvalidAudience => "its aud is not --jwt-audience",
        ErrorKind::MissingRequiredClaim(_) => "it has no iss, or no aud, and it is asked for",
        ErrorKind::InvalidAlgorithm | ErrorKind::InvalidKeyFormat => "its alg is not the key's",
        _ => "it cannot be read",
    }
}

/// A claim by its name, or by a JSON Pointer.
fn claim<'a>(claims: &'a Value, place: &str) -> Option<&'a Value> {
    if place.starts_with('/') { claims.pointer(place) } else { claims.get(place) }
}

/// Seconds since 1970, perhaps with a fraction, which is left out.
fn numeric_date(value: &Value) -> Option<DateTime<Utc>> {
    #[expect(clippy::cast_possible_truncation, reason = "a moment that no calendar has is none")]
    let seconds = value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds as i64))?;
    DateTime::from_timestamp(seconds, 0)
}
