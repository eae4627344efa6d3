//! The GraphQL-over-HTTP protocol (<https://graphql.github.io/graphql-over-http/draft/>).

pub(in crate::http) mod body;
pub(in crate::http) mod request;
pub(in crate::http) mod response;
