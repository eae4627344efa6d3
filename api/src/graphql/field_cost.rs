//! What a query costs. How deep and how long it is has been settled before ([`crate::conformance::document`]).

use async_graphql::ServerError;

use super::error::{QUERY_TOO_COMPLEX, coded};

/// What an impact costs besides its fields and one for each session.
pub(super) const IMPACT: usize = 100;
/// What the impact of a session on a page costs: they are counted together.
pub(super) const IMPACT_OF_MANY: usize = 10;
/// What asking the gateway about a session costs: a request to another server, though several are made at once.
pub(super) const GATEWAY: usize = 10;
/// What counting the rows that refer to a group costs besides its fields: in a dozen tables, those of all groups together.
pub(super) const REFERENCES: usize = 10;
/// What a list of a whole table costs besides its nodes: a filter or its total may want every row looked at.
pub(super) const LIST: usize = 250;
/// What a cleanup's preview costs: every session is looked at, and the impact of those that would go. It takes half as long as
/// the largest pages that are answered, and much longer than the smaller ones.
pub(super) const PREVIEW: usize = 2_500;
/// What a diagnosis of the whole schema costs. It takes as long as a preview.
pub(super) const HEALTH: usize = 2_500;

/// Says in this API's words that a query costs too much: the library's own error has neither a code nor a number.
///
/// An extension could say how much it costs, but with one in place the library takes its slow way for every field.
pub(super) fn name_cost(error: &mut ServerError, most: usize) {
    if error.message == "Query is too complex." {
        *error = coded(
            QUERY_TOO_COMPLEX,
            format!("The query costs more than {most}. Ask for smaller pages or fewer fields."),
        );
    }
}
