//! What stands before a document is executed: bounds on its text, its size and its introspection, and validation.

pub(crate) mod document_size;
pub(crate) mod introspection_limit;
pub(crate) mod token_scan;
pub(crate) mod validation;
