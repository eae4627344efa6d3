//! The GraphQL schema: arguments in, types out. The rules live in the domain; nothing here decides about a row.

#![expect(clippy::doc_markdown, reason = "most of the comments are the schema's descriptions, with GraphQL's names")]

mod arguments;
mod capabilities;
mod context;
pub mod error;
pub(crate) mod execution;
mod field_cost;
mod field_roles;
mod id;
mod loaders;
mod mutation;
mod pagination;
mod query;
mod subscription;
pub mod types;

use async_graphql::{SDLExportOptions, SchemaBuilder};

pub use crate::conformance::document_cache::{Documents, Sent};
pub use capabilities::{Admin, Operator};
pub use context::RequestContext;
pub use execution::execute::{Call, was_executed};
pub use execution::instrumented::{allowed, execute, subscribe};
pub use field_roles::required;
pub use subscription::Subscription;

/// Reading.
pub type Query = execution::root_permits::Root<query::Query>;
/// Changing.
pub type Mutation = execution::root_permits::Root<mutation::Mutation>;
/// The executable schema.
pub type Schema = async_graphql::Schema<Query, Mutation, Subscription>;

/// The schema. It needs no database: what a request may use comes with it, as [`RequestContext`].
#[must_use]
pub fn builder() -> SchemaBuilder<Query, Mutation, Subscription> {
    Schema::build(Query::default(), Mutation::default(), Subscription::default())
        .register_output_type::<types::Node>()
        // They would tell of the schema to whoever may not read it.
        .disable_suggestions()
}

/// The text of `schema.graphql`.
#[must_use]
pub fn sdl() -> String {
    let options = SDLExportOptions::new()
        .sorted_fields()
        .sorted_arguments()
        .sorted_enum_items()
        .include_specified_by()
        .use_space_ident();
    let mut text = builder().finish().sdl_with_options(options);
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}
