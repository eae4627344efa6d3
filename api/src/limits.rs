//! The limits of requests: the size of one request and the number of concurrent requests. The options are in
//! `config/limits.rs`, the order of the checks is in `admission/mod.rs`, and the table of all limits is in
//! docs/reference/limits.md.

use std::time::Duration;

use crate::conformance::limits::DocumentLimits;

/// The limits of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The maximum size of a document and of its variables.
    pub document: DocumentLimits,
    /// The maximum cost of an operation. Each field costs one, a page costs its fields times its size, and fields that
    /// load the database cost more.
    pub cost: usize,
    /// The maximum number of nodes on a page, at most [`Self::MAX_PAGE_SIZE`].
    pub page: u32,
    /// The maximum size of a request's body or of a WebSocket message, in bytes.
    pub max_body: usize,
    /// The maximum time that a connection may be without a complete request head: before the first request, between two
    /// requests, and while a head arrives.
    pub head_timeout: Duration,
    /// The maximum time in which a body must arrive.
    pub body_timeout: Duration,
    /// The maximum time in which a client must read a response.
    pub response_timeout: Duration,
    /// The timeout of a query. Mutations are subject to the timeouts of the database only.
    pub query_timeout: Duration,
    /// The maximum number of open connections.
    pub connections: usize,
    /// The maximum number of open WebSockets.
    pub sockets: usize,
    /// The maximum number of open WebSockets of one token.
    pub sockets_per_token: usize,
    /// The maximum number of operations in progress on one WebSocket, including subscriptions.
    pub operations: usize,
    /// The maximum number of concurrent queries, and separately of concurrent mutations.
    pub requests: usize,
    /// The maximum number of requests of one client per minute, or `None` for no limit.
    pub requests_per_minute: Option<u32>,
}

impl Limits {
    /// The largest page size that a server can allow. The schema documents it.
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
