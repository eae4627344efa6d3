//! Cursors and the size of a page, the same for every list.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Error;

/// Nodes on a page that does not say how many.
const DEFAULT_SIZE: u32 = 20;
/// The most nodes on a page.
const MAX_SIZE: u32 = 100;

/// The size of the page that was asked for.
pub(super) fn page_size(first: Option<i32>) -> Result<u32, Error> {
    let Some(first) = first else { return Ok(DEFAULT_SIZE) };
    u32::try_from(first)
        .ok()
        .filter(|size| *size <= MAX_SIZE)
        .ok_or_else(|| Error::BadInput(format!("first is {first}; a page has between 0 and {MAX_SIZE} nodes.")))
}

/// What a page costs: its fields, as often as it has nodes.
pub(super) fn page_cost(first: Option<i32>, fields: usize) -> usize {
    let nodes = page_size(first).unwrap_or(MAX_SIZE) as usize;
    fields.saturating_mul(nodes.max(1)).saturating_add(1)
}

/// A position as a cursor: opaque to clients.
pub(super) fn encode(position: &impl Serialize) -> Result<String, Error> {
    let text = serde_json::to_vec(position)
        .map_err(|error| Error::Io { what: "Writing a cursor".to_owned(), source: error.into() })?;
    Ok(URL_SAFE_NO_PAD.encode(text))
}

/// The position that a cursor stands for.
pub(super) fn decode<T: DeserializeOwned>(argument: &str, cursor: &str) -> Result<T, Error> {
    URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|text| serde_json::from_slice(&text).ok()).ok_or_else(|| {
        Error::BadInput(format!("{argument} is not a cursor of this list: take one from its edges or pageInfo."))
    })
}
