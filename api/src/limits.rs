//! The limits of requests: what one may ask for, and how much is served at once. `config/limits.rs` has the options,
//! `admission/mod.rs` the order in which a request meets them, docs/reference/limits.md the table of all.

use std::time::Duration;

use crate::conformance::limits::DocumentLimits;

/// The limits of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The size of a document and of its variables.
    pub document: DocumentLimits,
    /// The cost of an operation: one for each field, for a page its fields times its size, and more for fields that make the
    /// database work.
    pub cost: usize,
    /// Nodes on a page, [`Self::MOST_ON_A_PAGE`] at most.
    pub page: u32,
    /// The size of a request's body or of a WebSocket message, in bytes.
    pub max_body: usize,
    /// How long a connection may be without a request: before the first, between two, and while a head arrives.
    pub head_timeout: Duration,
    /// How long a body may take to arrive.
    pub body_timeout: Duration,
    /// How long a client may take to read a response.
    pub response_timeout: Duration,
    /// How long a query may take. For a mutation only the timeouts of the database apply.
    pub query_timeout: Duration,
    /// Open connections.
    pub connections: usize,
    /// Open WebSockets.
    pub sockets: usize,
    /// Open WebSockets of one token.
    pub sockets_per_token: usize,
    /// Operations in progress over one WebSocket, subscriptions included.
    pub operations: usize,
    /// Queries that are executed at once, and mutations that are.
    pub requests: usize,
    /// Requests of one client a minute; none: any number.
    pub requests_per_minute: Option<u32>,
}

impl Limits {
    /// The most nodes on a page that a server can allow. The schema documents it.
    pub const MAX_PAGE_SIZE: u32 = 100;

    /// The default limits.
    pub const DEFAULT: Self = Self {
        document: DocumentLimits::DEFAULT,
        cost: 25_000,
        page: Self::MAX_PAGE_SIZE,
        max_body: 1024 * 1024,
        head_timeout: Duration::from_secs(30),
        body_timeout: Duration::from_secs(30),
        response_timeout: Duration::from_mins(1),
        query_timeout: Duration::from_secs(30),
        connections: 512,
        sockets: 256,
        sockets_per_token: 64,
        operations: 100,
        requests: 64,
        requests_per_minute: Some(6_000),
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
