//! Documents that have been read before: a client sends the same few texts again and again, and reading one takes longer
//! than many an answer.

use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

use async_graphql::{ServerError, Variables};
use lru::LruCache;
use serde_json::{Map, Value};

use super::document::Document;
use crate::graphql::Call;
use crate::graphql::error::{QUERY_TOO_COMPLEX, coded};
use crate::limits::Limits;

/// How many are kept, those used last.
const KEPT: NonZeroUsize = NonZeroUsize::new(32).expect("not zero");
/// The longest text that is kept, in bytes: with the number it bounds the memory, since a document takes some hundred times
/// its text at worst.
const MAX_LENGTH: usize = 2 * 1024;

/// The most values within the variables of a request: one takes a few bytes of a body, and much more once it is read.
const MAX_VALUES: usize = 10_000;

/// What a client sent.
#[derive(Debug, Default)]
pub struct Sent {
    /// The text of the query.
    pub query: String,
    /// Which of its operations.
    pub operation_name: Option<String>,
    /// The values of its variables.
    pub variables: Map<String, Value>,
}

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

    /// Reads what a client sent. Only the values are kept that its operation has variables for: a request may wait.
    ///
    /// # Errors
    /// Those of [`Document::parse`], and QUERY_TOO_COMPLEX for too many variables or too large ones.
    pub fn read(&self, sent: Sent) -> Result<(Document, Call), ServerError> {
        let Sent { query, operation_name, mut variables } = sent;
        check_variables(&variables, &self.limits)?;
        let document = self.document(&query)?;
        variables.retain(|name, _| document.declares(operation_name.as_deref(), name));
        let variables = Variables::from_json(Value::Object(variables));
        Ok((document, Call { operation_name, variables }))
    }

    /// Reads a query, unless it is known. What is refused is not kept.
    fn document(&self, query: &str) -> Result<Document, ServerError> {
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

fn check_variables(variables: &Map<String, Value>, limits: &Limits) -> Result<(), ServerError> {
    if variables.len() > limits.variables {
        let words = format!("The request has values for more than {} variables.", limits.variables);
        return Err(coded(QUERY_TOO_COMPLEX, words));
    }
    let mut values = 0;
    variables.values().for_each(|value| count(value, &mut values));
    if values > MAX_VALUES {
        let words = format!("The variables have more than {MAX_VALUES} values, those within others counted.");
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

/// Adds a value and those within it. Whoever read the JSON has bounded how deep it is nested.
fn count(value: &Value, values: &mut usize) {
    *values += 1;
    match value {
        Value::Array(list) => list.iter().for_each(|value| count(value, values)),
        Value::Object(members) => members.values().for_each(|value| count(value, values)),
        _ => {}
    }
}
