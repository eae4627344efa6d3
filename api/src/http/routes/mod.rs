//! The HTTP route handlers, one file per route.

pub(in crate::http) mod graphiql;
pub(in crate::http) mod graphql;
pub(in crate::http) mod health_probes;
pub(in crate::http) mod metrics;
pub(in crate::http) mod not_found;
