//! The options for the limits of requests.

use std::time::Duration;

use clap::value_parser;

use crate::conformance::limits::DocumentLimits;
use crate::limits::Limits;

const DEFAULT: Limits = Limits::DEFAULT;
/// A day, in seconds.
const DAY: u64 = 86_400;

/// What one request may ask for, and how much is served at once.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Limits of requests")]
pub struct LimitOptions {
    /// The most tokens of a query's text
    #[arg(long, env = "SESSION_ADMIN_MAX_TOKENS", value_name = "NUMBER", default_value_t = DEFAULT.document.tokens, value_parser = at_least_one)]
    pub max_tokens: usize,
    /// The most levels of fields within fields, 30 at most
    #[arg(long, env = "SESSION_ADMIN_MAX_DEPTH", value_name = "NUMBER", default_value_t = 15, value_parser = value_parser!(u8).range(1..=30))]
    pub max_depth: u8,
    /// The most fields of a query, with fragments counted wherever they are spread
    #[arg(long, env = "SESSION_ADMIN_MAX_FIELDS", value_name = "NUMBER", default_value_t = DEFAULT.document.fields, value_parser = at_least_one)]
    pub max_fields: usize,
    /// The most aliases of a query, counted likewise
    #[arg(long, env = "SESSION_ADMIN_MAX_ALIASES", value_name = "NUMBER", default_value_t = DEFAULT.document.aliases)]
    pub max_aliases: usize,
    /// The most fields at a query's root, counted likewise
    #[arg(long, env = "SESSION_ADMIN_MAX_ROOT_FIELDS", value_name = "NUMBER", default_value_t = DEFAULT.document.root_fields, value_parser = at_least_one)]
    pub max_root_fields: usize,
    /// The most directives of a query, counted likewise
    #[arg(long, env = "SESSION_ADMIN_MAX_DIRECTIVES", value_name = "NUMBER", default_value_t = DEFAULT.document.directives)]
    pub max_directives: usize,
    /// What a query may cost: each field one, a page its fields times its size, and what makes the database work more
    #[arg(long, env = "SESSION_ADMIN_MAX_COST", value_name = "NUMBER", default_value_t = DEFAULT.cost, value_parser = at_least_one)]
    pub max_cost: usize,
    /// The most nodes on a page, 100 at most
    #[arg(long, env = "SESSION_ADMIN_MAX_PAGE", value_name = "NUMBER", default_value_t = DEFAULT.page, value_parser = value_parser!(u32).range(1..=i64::from(Limits::MAX_PAGE_SIZE)))]
    pub max_page: u32,
    /// The most variables of an operation, and values that come with it
    #[arg(long, env = "SESSION_ADMIN_MAX_VARIABLES", value_name = "NUMBER", default_value_t = DEFAULT.document.variables)]
    pub max_variables: usize,
    /// The most bytes that these values take as JSON
    #[arg(long, env = "SESSION_ADMIN_MAX_VARIABLES_SIZE", value_name = "BYTES", default_value_t = DEFAULT.document.variables_size)]
    pub max_variables_size: usize,
    /// The most bytes of a request's body, and of a message over a socket
    #[arg(long, env = "SESSION_ADMIN_MAX_BODY", value_name = "BYTES", default_value_t = DEFAULT.max_body, value_parser = at_least_one)]
    pub max_body: usize,
    /// How long a connection may be without a request, or take to send the head of one, in seconds
    #[arg(long, env = "SESSION_ADMIN_HEAD_TIMEOUT", value_name = "SECONDS", default_value_t = DEFAULT.head_timeout.as_secs(), value_parser = value_parser!(u64).range(1..=DAY))]
    pub head_timeout: u64,
    /// How long a client may take to send a body, in seconds
    #[arg(long, env = "SESSION_ADMIN_BODY_TIMEOUT", value_name = "SECONDS", default_value_t = DEFAULT.body_timeout.as_secs(), value_parser = value_parser!(u64).range(1..=DAY))]
    pub body_timeout: u64,
    /// How long a client may take to read an answer, in seconds
    #[arg(long, env = "SESSION_ADMIN_ANSWER_TIMEOUT", value_name = "SECONDS", default_value_t = DEFAULT.response_timeout.as_secs(), value_parser = value_parser!(u64).range(1..=DAY))]
    pub answer_timeout: u64,
    /// How long a query may take as a whole, in seconds; mutations take as long as the database lets them
    #[arg(long, env = "SESSION_ADMIN_REQUEST_TIMEOUT", value_name = "SECONDS", default_value_t = DEFAULT.query_timeout.as_secs(), value_parser = value_parser!(u64).range(1..=DAY))]
    pub request_timeout: u64,
    /// The most connections of clients that are open at once; the oldest that waits for no answer makes room for the next
    #[arg(long, env = "SESSION_ADMIN_MAX_CLIENTS", value_name = "NUMBER", default_value_t = DEFAULT.connections, value_parser = at_least_one)]
    pub max_clients: usize,
    /// The most sockets at /graphql/ws that are open at once; the oldest that has not begun makes room for the next
    #[arg(long, env = "SESSION_ADMIN_MAX_SOCKETS", value_name = "NUMBER", default_value_t = DEFAULT.sockets)]
    pub max_sockets: usize,
    /// The most of them that one token has open
    #[arg(long, env = "SESSION_ADMIN_MAX_SOCKETS_PER_TOKEN", value_name = "NUMBER", default_value_t = DEFAULT.sockets_per_token)]
    pub max_sockets_per_token: usize,
    /// The most operations, subscriptions among them, that are under way over one socket
    #[arg(long, env = "SESSION_ADMIN_MAX_OPERATIONS", value_name = "NUMBER", default_value_t = DEFAULT.operations)]
    pub max_operations: usize,
    /// The most queries that are executed at once, and the most mutations; more wait for a second, then they are refused
    #[arg(long, env = "SESSION_ADMIN_MAX_REQUESTS", value_name = "NUMBER", default_value_t = DEFAULT.requests, value_parser = at_least_one)]
    pub max_requests: usize,
    /// The most requests of one token in a minute, or of one address while none is needed; 0 lets it make any number
    #[arg(long, env = "SESSION_ADMIN_MAX_REQUESTS_A_MINUTE", value_name = "NUMBER", default_value_t = 6_000)]
    pub max_requests_a_minute: u32,
}

impl LimitOptions {
    /// Returns the limits.
    #[must_use]
    pub fn resolve(&self) -> Limits {
        Limits {
            document: DocumentLimits {
                tokens: self.max_tokens,
                depth: self.max_depth.into(),
                fields: self.max_fields,
                aliases: self.max_aliases,
                root_fields: self.max_root_fields,
                directives: self.max_directives,
                variables: self.max_variables,
                variables_size: self.max_variables_size,
            },
            cost: self.max_cost,
            page: self.max_page,
            max_body: self.max_body,
            head_timeout: Duration::from_secs(self.head_timeout),
            body_timeout: Duration::from_secs(self.body_timeout),
            response_timeout: Duration::from_secs(self.answer_timeout),
            query_timeout: Duration::from_secs(self.request_timeout),
            connections: self.max_clients,
            sockets: self.max_sockets,
            sockets_per_token: self.max_sockets_per_token,
            operations: self.max_operations,
            requests: self.max_requests,
            requests_per_minute: Some(self.max_requests_a_minute).filter(|most| *most > 0),
        }
    }
}

fn at_least_one(text: &str) -> Result<usize, String> {
    let number: u32 = text.parse().map_err(|_| format!("it takes a number from 1 to {}", u32::MAX))?;
    if number == 0 { Err("it takes at least 1".to_owned()) } else { usize::try_from(number).map_err(|e| e.to_string()) }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::LimitOptions;
    use crate::limits::Limits;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        limits: LimitOptions,
    }

    #[test]
    fn without_options_the_limits_are_the_defaults() {
        assert_eq!(Command::parse_from(["serve"]).limits.resolve(), Limits::DEFAULT);
    }
}
