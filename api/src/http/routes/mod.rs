//! Routes.

pub(crate) mod graphiql;
pub(crate) mod graphql;
pub(crate) mod health_probes;
pub(crate) mod metrics;
