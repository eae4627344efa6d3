//! The executable schema, its SDL text, and its index for the rules of [`crate::conformance`].

use std::sync::LazyLock;

use async_graphql::{SDLExportOptions, SchemaBuilder};

use super::execution::root_permits::Root;
use super::subscription::Subscription;
use super::{mutation, query, types};
use crate::conformance::schema_index::SchemaIndex;

/// The root type of queries.
pub type Query = Root<query::Query>;
/// The root type of mutations.
pub type Mutation = Root<mutation::Mutation>;
/// The executable schema.
pub type Schema = async_graphql::Schema<Query, Mutation, Subscription>;

/// Returns a builder of the schema. The schema needs no database; each request supplies its state as a
/// [`super::RequestContext`].
#[must_use]
pub fn builder() -> SchemaBuilder<Query, Mutation, Subscription> {
    Schema::build(Query::default(), Mutation::default(), Subscription::default())
        .register_output_type::<types::Node>()
        // Suggestions would reveal parts of the schema to clients that may not read it.
        .disable_suggestions()
}

/// Returns the text of `schema.graphql`.
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

/// Returns the index of the schema, which is created at the first call.
#[must_use]
pub fn schema_index() -> &'static SchemaIndex {
    static INDEX: LazyLock<SchemaIndex> = LazyLock::new(|| SchemaIndex::from_sdl(&sdl()));
    &INDEX
}
