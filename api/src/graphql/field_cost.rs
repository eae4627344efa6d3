//! The cost of a query's fields. The depth and the length of a query are checked earlier
//! ([`crate::conformance::document`]).

use async_graphql::ServerError;

use super::error::{QUERY_TOO_COMPLEX, error_with_code};

/// The base cost of an impact. Its fields and each session cost extra.
pub(super) const IMPACT: usize = 100;
/// The cost of the impact of one session on a page. The impacts of a page are counted together.
pub(super) const IMPACT_OF_MANY: usize = 10;
/// The cost of querying the gateway about a session: a request to another server, several of which run concurrently.
pub(super) const GATEWAY: usize = 10;
/// The base cost of counting the rows that refer to a group. A dozen tables are read for all groups together.
pub(super) const REFERENCES: usize = 10;
/// The base cost of a list over a whole table. A filter or the total count may read every row.
pub(super) const LIST: usize = 250;
/// The cost of the preview of a cleanup. Every session is read, and the impact of those that would be deleted is
/// counted. A preview takes half as long as the largest accepted pages, and much longer than smaller ones.
pub(super) const PREVIEW: usize = 2_500;
/// The cost of a diagnosis of the whole schema, which takes as long as a preview.
pub(super) const HEALTH: usize = 2_500;

/// The message with which async-graphql 7.2 rejects a query that costs too much. The error has no code to identify it
/// by.
const LIBRARY_MESSAGE: &str = "Query is too complex.";

/// Replaces async-graphql's error about a query that costs too much by one with a code and the limit.
///
/// The actual cost is not reported. An extension could compute it, but extensions put async-graphql on a slow path for
/// every field.
pub(super) fn explain_cost(error: &mut ServerError, max_cost: usize) {
    if error.message == LIBRARY_MESSAGE {
        *error = error_with_code(
            QUERY_TOO_COMPLEX,
            format!("The query costs more than {max_cost}. Request smaller pages or fewer fields."),
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
