//! Graphql over http.

pub(crate) mod request;
pub(crate) mod response;
