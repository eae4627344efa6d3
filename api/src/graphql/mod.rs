//! The GraphQL schema. It maps arguments and types; the rules live in the domain modules.

#![expect(clippy::doc_markdown, reason = "most of the comments are the schema's descriptions, with GraphQL's names")]

mod arguments;
mod capabilities;
mod context;
pub mod error;
pub(crate) mod execution;
mod field_cost;
mod field_roles;
mod loaders;
mod mutation;
mod pagination;
mod query;
mod schema;
mod subscription;
pub mod types;

pub use capabilities::{Admin, Operator};
pub use context::RequestContext;
pub use execution::instrumented::{authorize, execute, subscribe};
pub use field_roles::required_role;
pub use schema::{Mutation, Query, Schema, builder, schema_index, sdl};
pub use subscription::Subscription;
