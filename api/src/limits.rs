//! What one request may ask for, and how much is served at once. `config/limits.rs` is how each is set, docs/limits.md the
//! table of all.

use std::time::Duration;

use crate::conformance::limits::DocumentLimits;

/// The limits of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The size of a document and of its variables.
    pub document: DocumentLimits,
    /// What a query may cost: every field one, a page its fields times its size, and what makes the database work more
    /// besides.
    pub cost: usize,
    /// Nodes on a page; 100 at most, as the schema says.
    pub page: u32,
    /// What a request's body, or a message over a socket, may hold, in bytes.
    pub body: usize,
    /// How long a connection may be without a request: before the first one, between two, and while a head is sent.
    pub head_time: Duration,
    /// How long a client has to send a body.
    pub body_time: Duration,
    /// How long a client has to take an answer.
    pub answer_time: Duration,
    /// How long a query may take. A mutation takes as long as the database lets it.
    pub query_time: Duration,
    /// Connections that are open at once.
    pub connections: usize,
    /// Sockets that are open at once.
    pub sockets: usize,
    /// Those of them that one token has begun.
    pub sockets_of_one: usize,
    /// Operations, subscriptions among them, that are under way over one socket.
    pub operations: usize,
    /// Requests that are executed at once.
    pub requests: usize,
    /// Requests of one client in a minute; none: any number.
    pub requests_a_minute: Option<u32>,
}

impl Limits {
    /// The most nodes on a page that can be allowed: the schema says so.
    pub const MOST_ON_A_PAGE: u32 = 100;

    /// The limits unless others are set.
    pub const DEFAULT: Self = Self {
        document: DocumentLimits::DEFAULT,
        cost: 25_000,
        page: Self::MOST_ON_A_PAGE,
        body: 1024 * 1024,
        head_time: Duration::from_secs(30),
        body_time: Duration::from_secs(30),
        answer_time: Duration::from_mins(1),
        query_time: Duration::from_secs(30),
        connections: 512,
        sockets: 256,
        sockets_of_one: 64,
        operations: 100,
        requests: 64,
        requests_a_minute: Some(6_000),
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
