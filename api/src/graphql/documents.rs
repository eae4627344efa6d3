//! Documents that have been read before: a client sends the same few texts again and again, and reading one takes longer
//! than many an answer.

use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

use async_graphql::{ServerError, Variables};
use lru::LruCache;

use super::Call;
use super::document::Document;
use super::error::{QUERY_TOO_COMPLEX, coded};
use crate::limits::Limits;

/// How many are kept, those used last.
const KEPT: NonZeroUsize = NonZeroUsize::new(32).expect("not zero");
/// The longest text that is kept, in bytes: with the number it bounds the memory, since a document takes some hundred times
/// its text at worst.
const MAX_LENGTH: usize = 2 * 1024;

/// The documents used last, by their text.
#[derive(Debug)]
pub struct Documents {
    kept: Mutex<LruCache<String, Document>>,
    limits: Limits,
}

impl Documents {
    /// None has been read yet; these are the limits of those that will be.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { kept: Mutex::new(LruCache::new(KEPT)), limits }
    }

    /// Reads a call's query, unless it is known. What is refused is not kept.
    ///
    /// # Errors
    /// Those of [`Document::parse`], and QUERY_TOO_COMPLEX for too many variables or too large ones.
    pub fn read(&self, call: &Call) -> Result<Document, ServerError> {
        check_variables(&call.variables, &self.limits)?;
        let query = call.query.as_str();
        if let Some(document) = self.kept().get(query) {
            return Ok(document.clone());
        }
        let document = Document::parse(query, &self.limits)?;
        if query.len() <= MAX_LENGTH {
            self.kept().put(query.to_owned(), document.clone());
        }
        Ok(document)
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, LruCache<String, Document>> {
        // Nothing in here can be half done.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn check_variables(variables: &Variables, limits: &Limits) -> Result<(), ServerError> {
    if variables.len() > limits.variables {
        let words = format!("The request has values for more than {} variables.", limits.variables);
        return Err(coded(QUERY_TOO_COMPLEX, words));
    }
    // They come from JSON, so they can be written as JSON.
    let size = serde_json::to_vec(variables).map_or(usize::MAX, |text| text.len());
    if size > limits.variables_size {
        let words = format!("The variables take more than {} bytes as JSON.", limits.variables_size);
        return Err(coded(QUERY_TOO_COMPLEX, words));
    }
    Ok(())
}
