//! Corrections of async-graphql, and bounds on documents: what makes the server keep the GraphQL specification.
//!
//! README.md lists every deviation of async-graphql, with the rule of the specification, the upstream issue, the file that
//! corrects it and the test that says when the file can go. This folder knows GraphQL and nothing else: it imports no other
//! folder, and takes the schema as an argument.
//!
//! A request passes these steps:
//!
//! 1. [`document_cache::DocumentCache::read`] parses the text, unless it is cached, and bounds the request's variables. Parsing
//!    ([`document::Document::parse`]) counts tokens before async-graphql's parser runs (`parse::token_scan`), bounds the
//!    document's size (`parse::document_size`) and its introspection (`parse::introspection_limit`), validates it against
//!    all rules (`parse::validation`), and rewrites what async-graphql would take wrongly whatever the variables are
//!    (`rewrite::typename_directives`, `rewrite::empty_objects`).
//! 2. [`prepare::prepare_request`] checks the variables and rewrites the selected operation for them: variables get their
//!    defaults, and arguments without a value are dropped (`rewrite::omitted_variables`).
//! 3. async-graphql executes it.
//! 4. [`document::Document::repair_response`] makes null what failed (`response::null_propagation`), and puts the fields in
//!    the order of the query (`response::field_order`).

pub mod document;
pub mod document_cache;
pub mod error;
pub mod limits;
mod parse;
pub mod prepare;
pub mod request;
mod response;
mod rewrite;
pub mod schema_index;
pub(crate) mod visit;

pub(crate) use rewrite::typename_directives::TYPENAME;
