//! Documents rewritten so that async-graphql executes what the specification says they mean.

pub(crate) mod empty_objects;
pub(crate) mod omitted_variables;
pub(crate) mod operation;
pub(crate) mod skip_include;
pub(crate) mod typename_directives;
