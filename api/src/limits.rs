//! The limits of requests: what one may ask for, and how much is served at once. `config/limits.rs` has the options,
//! `admission/mod.rs` the order in which a request meets them, docs/reference/limits.md the table of all.

use std::time::Duration;

/// The limits of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Lexical tokens of a document.
    pub tokens: usize,
    /// Levels of fields. The introspection query of common clients has 15.
    pub depth: usize,
    /// Fields and spreads in all operations of a document. A fragment counts wherever it is spread.
    pub fields: usize,
    /// Aliases, with fragments counted wherever they are spread.
    pub aliases: usize,
    /// Root fields of an operation, with fragments counted wherever they are spread.
    pub root_fields: usize,
    /// Directives, with fragments counted wherever they are spread.
    pub directives: usize,
    /// The cost of an operation: one for each field, for a page its fields times its size, and more for fields that make the
    /// database work.
    pub cost: usize,
    /// Nodes on a page, [`Self::MOST_ON_A_PAGE`] at most.
    pub page: u32,
    /// Variables that an operation declares, and values in a request.
    pub variables: usize,
    /// The size of these values as JSON, in bytes.
    pub variables_size: usize,
    /// The size of a request's body or of a WebSocket message, in bytes.
    pub body: usize,
    /// How long a connection may be without a request: before the first, between two, and while a head arrives.
    pub head_time: Duration,
    /// How long a body may take to arrive.
    pub body_time: Duration,
    /// How long a client may take to read a response.
    pub answer_time: Duration,
    /// How long a query may take. For a mutation only the timeouts of the database apply.
    pub query_time: Duration,
    /// Open connections.
    pub connections: usize,
    /// Open WebSockets.
    pub sockets: usize,
    /// Open WebSockets of one token.
    pub sockets_of_one: usize,
    /// Operations in progress over one WebSocket, subscriptions included.
    pub operations: usize,
    /// Queries that are executed at once, and mutations that are.
    pub requests: usize,
    /// Requests of one client a minute; none: any number.
    pub requests_a_minute: Option<u32>,
}

impl Limits {
    /// The most nodes on a page that a server can allow. The schema documents it.
    pub const MOST_ON_A_PAGE: u32 = 100;

    /// The default limits.
    pub const DEFAULT: Self = Self {
        tokens: 10_000,
        depth: 15,
        fields: 2_000,
        aliases: 200,
        root_fields: 20,
        directives: 50,
        cost: 25_000,
        page: Self::MOST_ON_A_PAGE,
        variables: 100,
        variables_size: 256 * 1024,
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
