//! Conformance.

pub(crate) mod document;
pub(crate) mod document_cache;
pub(crate) mod parse;
pub(crate) mod response;
pub(crate) mod rewrite;
pub(crate) mod schema_index;
