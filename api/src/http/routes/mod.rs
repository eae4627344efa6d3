//! The handlers of the routes, one file for each route.

pub(in crate::http) mod graphiql;
pub(in crate::http) mod graphql;
pub(in crate::http) mod health_probes;
pub(in crate::http) mod metrics;
pub(in crate::http) mod not_found;
