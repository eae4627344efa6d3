//! Parse.

pub(crate) mod introspection_limit;
pub(crate) mod token_scan;
pub(crate) mod validation;
