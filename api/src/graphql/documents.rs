//! Documents that have been read before: a client sends the same few texts again and again, and reading one takes longer
//! than many an answer.

use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

use async_graphql::ServerError;
use lru::LruCache;

use super::document::Document;

/// How many are kept, those used last.
const KEPT: NonZeroUsize = NonZeroUsize::new(32).expect("not zero");
/// The longest text that is kept, in bytes: with the number it bounds the memory, since a document takes some hundred times
/// its text at worst.
const MAX_LENGTH: usize = 2 * 1024;

/// The documents used last, by their text.
#[derive(Debug)]
pub struct Documents(Mutex<LruCache<String, Document>>);

impl Default for Documents {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(KEPT)))
    }
}

impl Documents {
    /// Reads a query's text, unless it is known. What is refused is not kept.
    ///
    /// # Errors
    /// Those of [`Document::parse`].
    pub fn read(&self, query: &str) -> Result<Document, ServerError> {
        if let Some(document) = self.kept().get(query) {
            return Ok(document.clone());
        }
        let document = Document::parse(query)?;
        if query.len() <= MAX_LENGTH {
            self.kept().put(query.to_owned(), document.clone());
        }
        Ok(document)
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, LruCache<String, Document>> {
        // Nothing in here can be half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
