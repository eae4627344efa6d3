//! The pages of lists, as the Relay cursor connections specification (<https://relay.dev/graphql/connections.htm>)
//! defines them.

use std::borrow::Cow;

use async_graphql::{Context, Description, Object, OutputType, Result, SimpleObject, TypeName};

use super::TotalCount;
use crate::db::pagination::{Cursor, Page};
use crate::error::Error;
use crate::graphql::execution::row_list::{Row, RowList};
use crate::graphql::pagination;

/// A page of a list of `N`.
#[derive(Debug)]
pub struct Connection<N> {
    edges: Vec<Edge<N>>,
    has_next: bool,
    has_previous: bool,
    total: TotalCount,
}

/// One node of a page.
#[derive(Debug)]
pub struct Edge<N> {
    /// `None` if the query requests no cursor.
    position: Option<Cursor>,
    node: N,
}

/// Where a page stands in its list.
#[derive(Debug, SimpleObject)]
pub struct PageInfo {
    /// Whether the list has nodes behind the page's last one.
    has_next_page: bool,
    /// Whether the list has nodes before the page's first one.
    has_previous_page: bool,
    /// The first edge's cursor; null on an empty page.
    start_cursor: Option<String>,
    /// The last edge's cursor; null on an empty page.
    end_cursor: Option<String>,
}

impl<N> Connection<N> {
    /// Creates a page from rows and the list to be counted.
    pub fn new<R>(page: Page<R>, total: TotalCount, node: impl Fn(R) -> N) -> Self {
        let edges = page.rows.into_iter().map(|(position, row)| Edge { position, node: node(row) }).collect();
        Self { edges, has_next: page.has_next, has_previous: page.has_previous, total }
    }
}

#[Object(name_type, use_type_description)]
impl<N: Row> Connection<N> {
    /// The nodes with their cursors, in the list's order.
    async fn edges(&self) -> &[Edge<N>] {
        &self.edges
    }

    /// The nodes.
    async fn nodes(&self) -> RowList<'_, N> {
        RowList(self.edges.iter().map(|edge| &edge.node).collect())
    }

    /// Where the page stands in the list.
    async fn page_info(&self) -> PageInfo {
        let cursor = |edge: Option<&Edge<N>>| edge.and_then(|edge| edge.position.as_ref()).map(pagination::encode);
        PageInfo {
            has_next_page: self.has_next,
            has_previous_page: self.has_previous,
            start_cursor: cursor(self.edges.first()),
            end_cursor: cursor(self.edges.last()),
        }
    }

    /// How many nodes the whole list has; counted only when asked for.
    async fn total_count(&self, ctx: &Context<'_>) -> Result<i64> {
        self.total.count(ctx).await
    }
}

#[Object(name_type, use_type_description)]
impl<N: OutputType> Edge<N> {
    /// The node's place in the list, to start or end another page at.
    #[expect(clippy::unused_async, reason = "async-graphql wants async resolvers")]
    async fn cursor(&self) -> Result<String> {
        let position = self.position.as_ref();
        let missing = || Error::IncompatibleDatabase("The row was read without its place.".to_owned());
        Ok(position.map(pagination::encode).ok_or_else(missing)?)
    }

    /// The node.
    async fn node(&self) -> &N {
        &self.node
    }
}

impl<N: OutputType> TypeName for Connection<N> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Connection", N::type_name()).into()
    }
}

impl<N: OutputType> TypeName for Edge<N> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Edge", N::type_name()).into()
    }
}

impl<N> Description for Connection<N> {
    fn description() -> &'static str {
        "A page of a list."
    }
}

impl<N> Description for Edge<N> {
    fn description() -> &'static str {
        "A node of a list, with its place there."
    }
}
