//! Admission: what a request has to obtain before it is executed, so that no client, token or operation takes everything.
//!
//! This folder stands below `graphql` and `http` and imports neither. A limit hands out [`permit::Permit`]s. A permit is
//! given back when it is dropped.
//!
//! # All limits of a request
//!
//! In the order in which `deleteSession` over HTTP meets them. A query meets 1 to 3, 4q, 5q, 6q and 9; a subscription's
//! event meets 6e and 9.
//!
//! | # | limit | counted for | size | beyond it | implemented in | enforced in |
//! |---|---|---|---|---|---|---|
//! | 1 | open connections | process | `--max-clients` | the cheapest connection is evicted, else 503 | `http/connection/activity.rs` | `http/connection/accept_loop.rs` |
//! | 1s | open WebSocket connections | process, token | `--max-sockets`, `--max-sockets-per-token` | the oldest uninitialised one is closed, else 503 or close code 1013 | [`socket_slots`] | `http/websocket/upgrade.rs`, `http/websocket/connection.rs` |
//! | 2 | requests a minute | token, else address | `--max-requests-a-minute` | 429 | [`rate_limit`] | `http/app.rs` |
//! | 3 | body bytes at once | token, else connection | 16 MiB, or one body where that may be larger | 503 | [`client_quota`] | `http/graphql_over_http/body.rs` |
//! | 4 | mutations at once | token, else connection | half of `--max-requests` | waits 1 s, then 503 | [`client_quota`], [`queue_limit`] | `http/routes/graphql.rs` |
//! | 4q | queries at once | token, else connection | half of the query permits | waits `--request-timeout`, then 503 | [`client_quota`], [`queue_limit`] | `http/routes/graphql.rs` |
//! | 5 | mutations at once | process | `--max-requests` | waits 1 s, then 503 | [`queue_limit`] | `http/routes/graphql.rs` |
//! | 5q | queries at once | process | `--max-requests` | waits 1 s, then 503 | [`queue_limit`] | `http/routes/graphql.rs` |
//! | 6 | one read after the other | mutation | 1 | waits | [`query_permits`] | `graphql/execution/` |
//! | 6q | query permits | process | [`connection_budget::ConnectionBudget::queries`] | waits | [`query_permits`] | `graphql/execution/` |
//! | 6e | event permits | process | [`connection_budget::ConnectionBudget::events`] | waits | [`event_permit`] | `graphql/subscription/`, `graphql/execution/` |
//! | 7 | lock-taking changes | token, else connection | half of the mutation permits | waits | [`client_quota`] | `graphql/context.rs` |
//! | 8 | mutation permits | process | [`connection_budget::ConnectionBudget::mutations`] | waits | [`connection_permits`] | `graphql/context.rs` |
//! | 9 | pool connections; SQLite: its one writer | process | `--max-connections` | waits 5 s, then `UNAVAILABLE` | `db/pool.rs` | `db/` |
//!
//! Two shares of the pool are not a request's own: token lookups (`auth/authenticator.rs`) come before the principal is
//! known, and cleanup runs (`worker/`) have no request.
//!
//! What one *document* may ask for (tokens, depth, cost, …) is no admission; [`crate::limits::Limits`] has those limits.

pub(crate) mod client_quota;
pub(crate) mod connection_budget;
pub(crate) mod connection_permits;
pub(crate) mod event_permit;
pub(crate) mod mutation_permit;
pub(crate) mod permit;
pub(crate) mod query_permits;
pub(crate) mod queue_limit;
pub(crate) mod rate_limit;
pub(crate) mod request_permit;
pub(crate) mod socket_slots;
