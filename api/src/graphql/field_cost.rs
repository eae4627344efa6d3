//! The cost of a query's fields. How deep and how long a query is has been checked before ([`crate::conformance::document`]).

use async_graphql::ServerError;

use super::error::{QUERY_TOO_COMPLEX, error_with_code};

/// The cost of an impact, besides its fields and one for each session.
pub(super) const IMPACT: usize = 100;
/// The cost of the impact of a session on a page: those of a page are counted together.
pub(super) const IMPACT_OF_MANY: usize = 10;
/// The cost of asking the gateway about a session: a request to another server, though several are made at once.
pub(super) const GATEWAY: usize = 10;
/// The cost of counting the rows that refer to a group, besides its fields: a dozen tables are read, for all groups together.
pub(super) const REFERENCES: usize = 10;
/// The cost of a list over a whole table, besides its nodes: a filter or its total may read every row.
pub(super) const LIST: usize = 250;
/// The cost of a cleanup's preview: every session is read, and the impact of those that would be deleted is counted. It takes
/// half as long as the largest pages that are answered, and much longer than the smaller ones.
pub(super) const PREVIEW: usize = 2_500;
/// The cost of a diagnosis of the whole schema. It takes as long as a preview.
pub(super) const HEALTH: usize = 2_500;

/// The message with which async-graphql 7.2 refuses a query that costs too much. The error has neither a code nor a number to
/// tell it by.
const LIBRARY_MESSAGE: &str = "Query is too complex.";

/// Replaces async-graphql's error about a query that costs too much by one with a code and the limit.
///
/// An extension could say how much the query costs, but with one in place async-graphql takes a slow path for every field.
pub(super) fn explain_cost(error: &mut ServerError, most: usize) {
    if error.message == LIBRARY_MESSAGE {
        *error = error_with_code(
            QUERY_TOO_COMPLEX,
            format!("The query costs more than {most}. Ask for smaller pages or fewer fields."),
        );
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::{EmptyMutation, EmptySubscription, Object, Schema};

    use super::LIBRARY_MESSAGE;

    struct Query;

    #[Object]
    impl Query {
        async fn number(&self) -> i32 {
            1
        }
    }

    #[tokio::test]
    async fn async_graphql_7_2_refuses_a_costly_query_with_this_message() {
        let schema = Schema::build(Query, EmptyMutation, EmptySubscription).limit_complexity(1).finish();
        let response = schema.execute("{ a: number b: number }").await;
        assert_eq!(response.errors.len(), 1, "{response:?}");
        assert_eq!(response.errors[0].message, LIBRARY_MESSAGE, "field_cost.rs knows the error by its message");
    }
}
