//! Documents that have been parsed before. Clients send the same few texts again and again, and parsing one takes longer than
//! many a response.

use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_graphql::{ServerError, Variables};
use lru::LruCache;
use serde_json::{Map, Value};

use super::document::Document;
use super::error::{QUERY_TOO_COMPLEX, error_with_code};
use super::limits::DocumentLimits;
use super::prepare::ExecutionRequest;
use super::request::GraphqlRequest;
use super::schema_index::SchemaIndex;

/// How many documents are cached: the ones used last.
const CAPACITY: NonZeroUsize = NonZeroUsize::new(32).expect("not zero");
/// The longest text of a cached document, in bytes. With the capacity it bounds the memory, since a document takes some
/// hundred times its text at worst.
const MAX_CACHED_LENGTH: usize = 2 * 1024;

/// The most values within the variables of a request: one takes a few bytes of a body, and much more once it is read.
const MAX_VALUES: usize = 10_000;

/// A cache of parsed documents by their text, with the limits that documents keep.
#[derive(Debug)]
pub struct DocumentCache {
    cache: Mutex<LruCache<String, Document>>,
    limits: DocumentLimits,
    schema: &'static SchemaIndex,
}

impl DocumentCache {
    /// Returns an empty cache for documents of this schema.
    #[must_use]
    pub fn new(limits: DocumentLimits, schema: &'static SchemaIndex) -> Self {
        Self { cache: Mutex::new(LruCache::new(CAPACITY)), limits, schema }
    }

    /// Parses the document of a request. Variables that the operation does not declare are dropped, because they would
    /// use memory while the request waits in a queue.
    ///
    /// # Errors
    /// Returns the errors of [`Document::parse`], and `QUERY_TOO_COMPLEX` if the variables are too many or too large.
    pub fn read(&self, request: GraphqlRequest) -> Result<(Document, ExecutionRequest), ServerError> {
        let GraphqlRequest { query, operation_name, mut variables } = request;
        check_variables_size(&variables, &self.limits)?;
        let document = self.find_or_parse(&query)?;
        variables.retain(|name, _| document.declares_variable(operation_name.as_deref(), name));
        let variables = Variables::from_json(Value::Object(variables));
        Ok((document, ExecutionRequest { operation_name, variables }))
    }

    /// Returns the cached document of this text, or parses it. A text that is refused is not cached.
    fn find_or_parse(&self, query: &str) -> Result<Document, ServerError> {
        if let Some(document) = self.lock().get(query) {
            return Ok(document.clone());
        }
        let document = Document::parse(query, &self.limits, self.schema)?;
        if query.len() <= MAX_CACHED_LENGTH {
            self.lock().put(query.to_owned(), document.clone());
        }
        Ok(document)
    }

    fn lock(&self) -> MutexGuard<'_, LruCache<String, Document>> {
        // A panic leaves no entry half written.
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn check_variables_size(variables: &Map<String, Value>, limits: &DocumentLimits) -> Result<(), ServerError> {
    if variables.len() > limits.variables {
        let message = format!("The request has values for more than {} variables.", limits.variables);
        return Err(error_with_code(QUERY_TOO_COMPLEX, message));
    }
    let values: usize = variables.values().map(count_values).sum();
    if values > MAX_VALUES {
        let message = format!("The variables have more than {MAX_VALUES} values, nested ones included.");
        return Err(error_with_code(QUERY_TOO_COMPLEX, message));
    }
    // The values come from JSON, so they can be written as JSON.
    let size = serde_json::to_vec(variables).map_or(usize::MAX, |text| text.len());
    if size > limits.variables_size {
        let message = format!("The variables take more than {} bytes as JSON.", limits.variables_size);
        return Err(error_with_code(QUERY_TOO_COMPLEX, message));
    }
    Ok(())
}

/// Counts a value and those within it. The reader of the JSON has bounded how deep it is nested.
fn count_values(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count_values).sum(),
        Value::Object(members) => members.values().map(count_values).sum(),
        _ => 0,
    }
}
