//! The file of public keys.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock, Weak};
use std::time::Duration;

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::Value;

use crate::error::Error;

/// A JWKS file (RFC 7517), read again when it has changed.
#[derive(Debug)]
pub(super) struct KeyFile(Arc<RwLock<Vec<Key>>>);

/// A key, with the one algorithm that it is good for.
#[derive(Debug)]
struct Key {
    id: Option<String>,
    material: DecodingKey,
    algorithm: Algorithm,
}

impl KeyFile {
    /// Reads the file, and again at this interval where it has changed.
    pub(super) fn open(path: PathBuf, every: Duration) -> Result<Self, Error> {
        let place = format!("--jwt-jwks (SESSION_ADMIN_JWT_JWKS) {}", path.display());
        let text = std::fs::read_to_string(&path)
            .map_err(|error| Error::BadInput(format!("{place} cannot be read: {error}.")))?;
        let keys = parse(&text).map_err(|problem| Error::BadInput(format!("{place} {problem}")))?;
        let keys = Arc::new(RwLock::new(keys));
        let read = Arc::downgrade(&keys);
        // A thread of its own: a file on a share that hangs must keep no request waiting.
        std::thread::spawn(move || read_again(&path, text, every, &read));
        Ok(Self(keys))
    }

    /// The key of this id; without one, the only key that there is for this algorithm.
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

/// Reads the file at this interval, for as long as somebody wants its keys. A file that is being written, or gone, changes
/// nothing; the log says so.
fn read_again(path: &Path, mut last: String, every: Duration, keys: &Weak<RwLock<Vec<Key>>>) {
    loop {
        std::thread::sleep(every);
        let found = std::fs::read_to_string(path).map_err(|error| error.to_string());
        let Some(keys) = keys.upgrade() else { return };
        if found.as_ref() == Ok(&last) {
            continue;
        }
        let path = path.display();
        match found.and_then(|text| parse(&text).map(|keys| (text, keys))) {
            Ok((text, read)) => {
                tracing::info!(%path, keys = read.len(), "the keys of JWTs have been read again");
                last = text;
                *keys.write().unwrap_or_else(PoisonError::into_inner) = read;
            }
            Err(problem) => tracing::warn!(%path, problem, "the keys of JWTs stay as they were"),
        }
    }
}

/// The keys that can check RS256 or ES256; others in the file are for something else.
fn parse(text: &str) -> Result<Vec<Key>, String> {
    #[derive(Deserialize)]
    struct File {
        keys: Vec<Value>,
    }
    let file: File =
        serde_json::from_str(text).map_err(|_| "is no JWKS: a JSON object with the member keys.".to_owned())?;
    let keys: Vec<Key> = file.keys.into_iter().filter_map(key).collect();
    if keys.is_empty() {
        return Err("has no public key for RS256 or ES256.".to_owned());
    }
    Ok(keys)
}

fn key(value: Value) -> Option<Key> {
    let jwk: Jwk = serde_json::from_value(value).ok()?;
    let (algorithm, word) = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => (Algorithm::RS256, KeyAlgorithm::RS256),
        AlgorithmParameters::EllipticCurve(point) if point.curve == EllipticCurve::P256 => {
            (Algorithm::ES256, KeyAlgorithm::ES256)
        }
        _ => return None,
    };
    let common = &jwk.common;
    let signs = common.public_key_use.as_ref().is_none_or(|used| *used == PublicKeyUse::Signature);
    if !signs || common.key_algorithm.is_some_and(|named| named != word) {
        return None;
    }
    Some(Key { id: common.key_id.clone(), material: DecodingKey::from_jwk(&jwk).ok()?, algorithm })
}
