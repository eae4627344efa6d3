//! The GraphQL schema: arguments in, types out. The rules live in the domain; nothing here decides about a row.

#![expect(clippy::doc_markdown, reason = "most of the comments are the schema's descriptions, with GraphQL's names")]

mod asked;
mod chosen;
mod conditions;
mod cursor;
mod definitions;
pub mod document;
mod documents;
pub mod error;
mod execute;
mod failures;
mod id;
mod input;
mod introspection;
mod kept;
mod leave;
mod limits;
mod loaders;
mod measured;
mod mutation;
mod omitted;
mod operator;
mod order;
mod query;
mod rights;
mod root;
mod rows;
mod scan;
mod share;
mod state;
mod subscription;
mod turn;
mod typename;
pub mod types;
mod validation;

use async_graphql::{SDLExportOptions, SchemaBuilder};

pub use documents::{Documents, Sent};
pub use execute::{Call, was_executed};
pub use leave::Leave;
pub use measured::{allowed, execute, subscribe};
pub use operator::{Admin, Operator};
pub use rights::required;
pub use state::State;
pub use subscription::Subscription;

/// Reading.
pub type Query = root::Root<query::Query>;
/// Changing.
pub type Mutation = root::Root<mutation::Mutation>;
/// The executable schema.
pub type Schema = async_graphql::Schema<Query, Mutation, Subscription>;

/// The schema. It needs no database: what a request may use comes with it, as [`State`].
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
