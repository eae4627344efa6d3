//! Tests of `api::conformance` with a schema of books and without a database.

mod app;
mod empty_objects;
mod field_order;
mod introspection;
mod library;
mod limits;
mod null_propagation;
mod omitted_variables;
mod typename_directives;
mod upstream;
mod validation;
