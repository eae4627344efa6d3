//! The JWKS file with the public keys of JWTs.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock, Weak};
use std::time::Duration;

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::Value;

use crate::error::Error;

/// The keys of a JWKS file (RFC 7517), which is read again when it has changed.
#[derive(Debug)]
pub(super) struct KeyFile(Arc<RwLock<Vec<JwtKey>>>);

/// A key with the one algorithm that it is for.
#[derive(Debug)]
struct JwtKey {
    id: Option<String>,
    material: DecodingKey,
    algorithm: Algorithm,
}

impl KeyFile {
    /// Reads the file, and starts to look at this interval whether it has changed.
    ///
    /// # Errors
    /// [`Error::BadInput`] where it cannot be read, or is no JWKS with a usable key.
    pub(super) fn open(path: PathBuf, interval: Duration) -> Result<Self, Error> {
        let option = format!("--jwt-jwks (SESSION_ADMIN_JWT_JWKS) {}", path.display());
        let text = std::fs::read_to_string(&path)
            .map_err(|error| Error::BadInput(format!("{option} cannot be read: {error}.")))?;
        let keys = parse(&text).map_err(|problem| Error::BadInput(format!("{option} {problem}")))?;
        let keys = Arc::new(RwLock::new(keys));
        let weak_keys = Arc::downgrade(&keys);
        // A thread of its own: a network share that hangs must not delay requests.
        std::thread::spawn(move || reload_until_dropped(&path, text, interval, &weak_keys));
        Ok(Self(keys))
    }

    /// Returns the key with this id; without an id, the key for this algorithm if there is only one.
    pub(super) fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Option<(DecodingKey, Algorithm)> {
        let keys = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut found = keys.iter().filter(|key| match id {
            Some(id) => key.id.as_deref() == Some(id),
            None => key.algorithm == algorithm,
        });
        let key = found.next().filter(|_| id.is_some() || found.next().is_none())?;
        Some((key.material.clone(), key.algorithm))
    }
}

/// Reloads the file at this interval until its keys are dropped. A file that is incomplete or missing is logged and changes
/// nothing.
fn reload_until_dropped(path: &Path, mut last_text: String, interval: Duration, keys: &Weak<RwLock<Vec<JwtKey>>>) {
    loop {
        std::thread::sleep(interval);
        let found = std::fs::read_to_string(path).map_err(|error| error.to_string());
        let Some(keys) = keys.upgrade() else { return };
        if found.as_ref() == Ok(&last_text) {
            continue;
        }
        let path = path.display();
        match found.and_then(|text| parse(&text).map(|keys| (text, keys))) {
            Ok((text, read)) => {
                tracing::info!(target: "session_admin::auth", %path, keys = read.len(), "the JWT keys were reloaded");
                last_text = text;
                *keys.write().unwrap_or_else(PoisonError::into_inner) = read;
            }
            Err(problem) => {
                tracing::warn!(target: "session_admin::auth", %path, problem, "the JWT keys were not reloaded");
            }
        }
    }
}

/// Parses the keys for RS256 and ES256. Other keys in the file are for something else.
fn parse(text: &str) -> Result<Vec<JwtKey>, String> {
    #[derive(Deserialize)]
    struct File {
        keys: Vec<Value>,
    }
    let file: File = serde_json::from_str(text)
        .map_err(|_| "is not a JWKS: it must be a JSON object with the member keys.".to_owned())?;
    let keys: Vec<JwtKey> = file.keys.into_iter().filter_map(parse_key).collect();
    if keys.is_empty() {
        return Err("has no public key for RS256 or ES256.".to_owned());
    }
    Ok(keys)
}

fn parse_key(value: Value) -> Option<JwtKey> {
    let jwk: Jwk = serde_json::from_value(value).ok()?;
    let (algorithm, name) = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => (Algorithm::RS256, KeyAlgorithm::RS256),
        AlgorithmParameters::EllipticCurve(point) if point.curve == EllipticCurve::P256 => {
            (Algorithm::ES256, KeyAlgorithm::ES256)
        }
        _ => return None,
    };
    let common = &jwk.common;
    let is_for_signatures = common.public_key_use.as_ref().is_none_or(|used| *used == PublicKeyUse::Signature);
    if !is_for_signatures || common.key_algorithm.is_some_and(|named| named != name) {
        return None;
    }
    Some(JwtKey { id: common.key_id.clone(), material: DecodingKey::from_jwk(&jwk).ok()?, algorithm })
}
