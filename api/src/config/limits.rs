//! The options for the limits on requests.

use std::time::Duration;

use clap::value_parser;

use crate::conformance::limits::DocumentLimits;
use crate::limits::Limits;

const DEFAULT: Limits = Limits::DEFAULT;
/// One day, in seconds.
const DAY: u64 = 86_400;

/// The limits on a single request, and on the load that the server accepts at a time.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Request limits")]
pub struct LimitOptions {
    /// The most tokens of a query's text
    #[arg(long, env = "SESSION_ADMIN_MAX_TOKENS", value_name = "NUMBER", default_value_t = DEFAULT.document.tokens, value_parser = parse_positive)]
    pub max_tokens: usize,
    /// The most levels of nested fields, at most 30
    #[arg(long, env = "SESSION_ADMIN_MAX_DEPTH", value_name = "NUMBER", default_value_t = 15, value_parser = value_parser!(u8).range(1..=30))]
    pub max_depth: u8,
    /// The most fields of a document; a fragment counts for each place where it is spread
    #[arg(long, env = "SESSION_ADMIN_MAX_FIELDS", value_name = "NUMBER", default_value_t = DEFAULT.document.fields, value_parser = parse_positive)]
    pub max_fields: usize,
    /// The most aliases of a query, counted in the same way
    #[arg(long, env = "SESSION_ADMIN_MAX_ALIASES", value_name = "NUMBER", default_value_t = DEFAULT.document.aliases)]
    pub max_aliases: usize,
    /// The most fields at a query's root, counted in the same way
    #[arg(long, env = "SESSION_ADMIN_MAX_ROOT_FIELDS", value_name = "NUMBER", default_value_t = DEFAULT.document.root_fields, value_parser = parse_positive)]
    pub max_root_fields: usize,
    /// The most directives of a query, counted in the same way
    #[arg(long, env = "SESSION_ADMIN_MAX_DIRECTIVES", value_name = "NUMBER", default_value_t = DEFAULT.document.directives)]
    pub max_directives: usize,
    /// The most that a query may cost: 1 for each field, times the size of each page around it, and more for expensive
    /// fields
    #[arg(long, env = "SESSION_ADMIN_MAX_COST", value_name = "NUMBER", default_value_t = DEFAULT.cost, value_parser = parse_positive)]
    pub max_cost: usize,
    /// The most nodes on a page, at most 100
    #[arg(long, env = "SESSION_ADMIN_MAX_PAGE", value_name = "NUMBER", default_value_t = DEFAULT.page, value_parser = value_parser!(u32).range(1..=i64::from(Limits::MAX_PAGE_SIZE)))]
    pub max_page: u32,
    /// The most variables of an operation, and variable values of a request
    #[arg(long, env = "SESSION_ADMIN_MAX_VARIABLES", value_name = "NUMBER", default_value_t = DEFAULT.document.variables)]
    pub max_variables: usize,
    /// The most bytes of the variable values, as JSON
    #[arg(long, env = "SESSION_ADMIN_MAX_VARIABLES_SIZE", value_name = "BYTES", default_value_t = DEFAULT.document.variables_size)]
    pub max_variables_size: usize,
    /// The most bytes of a request's body, and of a WebSocket message
    #[arg(long, env = "SESSION_ADMIN_MAX_BODY", value_name = "BYTES", default_value_t = DEFAULT.max_body, value_parser = parse_positive)]
    pub max_body: usize,
    /// The most seconds between two requests of a connection, and to send the head of a request
    #[arg(long, env = "SESSION_ADMIN_HEAD_TIMEOUT", value_name = "SECONDS", default_value_t = DEFAULT.head_timeout.as_secs(), value_parser = value_parser!(u64).range(1..=DAY))]
    pub head_timeout: u64,
    /// The most seconds to send a body
    #[arg(long, env = "SESSION_ADMIN_BODY_TIMEOUT", value_name = "SECONDS", default_value_t = DEFAULT.body_timeout.as_secs(), value_parser = value_parser!(u64).range(1..=DAY))]
    pub body_timeout: u64,
    /// The most seconds to read a response
    #[arg(long, env = "SESSION_ADMIN_ANSWER_TIMEOUT", value_name = "SECONDS", default_value_t = DEFAULT.response_timeout.as_secs(), value_parser = value_parser!(u64).range(1..=DAY))]
    pub answer_timeout: u64,
    /// The most seconds that a query may take; `--deletion-timeout` and `--lock-timeout` limit mutations
    #[arg(long, env = "SESSION_ADMIN_REQUEST_TIMEOUT", value_name = "SECONDS", default_value_t = DEFAULT.query_timeout.as_secs(), value_parser = value_parser!(u64).range(1..=DAY))]
    pub request_timeout: u64,
    /// The most open client connections; a new one closes the oldest that is not waiting for a response
    #[arg(long, env = "SESSION_ADMIN_MAX_CLIENTS", value_name = "NUMBER", default_value_t = DEFAULT.connections, value_parser = parse_positive)]
    pub max_clients: usize,
    /// The most open WebSockets; a new one closes the oldest that is not initialised
    #[arg(long, env = "SESSION_ADMIN_MAX_SOCKETS", value_name = "NUMBER", default_value_t = DEFAULT.sockets)]
    pub max_sockets: usize,
    /// The most WebSockets of one token
    #[arg(long, env = "SESSION_ADMIN_MAX_SOCKETS_PER_TOKEN", value_name = "NUMBER", default_value_t = DEFAULT.sockets_per_token)]
    pub max_sockets_per_token: usize,
    /// The most concurrent operations over one WebSocket, subscriptions included
    #[arg(long, env = "SESSION_ADMIN_MAX_OPERATIONS", value_name = "NUMBER", default_value_t = DEFAULT.operations)]
    pub max_operations: usize,
    /// The most concurrent queries, and the most concurrent mutations; more wait for up to a second, then they are
    /// refused
    #[arg(long, env = "SESSION_ADMIN_MAX_REQUESTS", value_name = "NUMBER", default_value_t = DEFAULT.requests, value_parser = parse_positive)]
    pub max_requests: usize,
    /// The most requests per minute of one token, or of one address while no token is needed; 0 removes the limit
    #[arg(long, env = "SESSION_ADMIN_MAX_REQUESTS_A_MINUTE", value_name = "NUMBER", default_value_t = 6_000)]
    pub max_requests_a_minute: u32,
}

impl LimitOptions {
    /// Returns the limits that the options set.
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

/// Parses an integer from 1 to `u32::MAX`.
fn parse_positive(text: &str) -> Result<usize, String> {
    let number: u32 = text.parse().map_err(|_| format!("not a number from 1 to {}", u32::MAX))?;
    if number == 0 {
        Err("it must be at least 1".to_owned())
    } else {
        usize::try_from(number).map_err(|e| e.to_string())
    }
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
