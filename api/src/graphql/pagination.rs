//! The pagination of lists: arguments, cost, cursors, and the columns of rows that a query needs.

use async_graphql::{Context, Lookahead};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::context::ContextExt as _;
use super::execution::row_list::Row;
use crate::db::pagination::{Cursor, PageRequest, Projection};
use crate::error::Error;
use crate::limits::Limits;

/// The default number of nodes on a page.
const DEFAULT_SIZE: u32 = 20;

/// Returns the part of a list that the arguments of a field request.
///
/// # Errors
/// Returns [`Error::BadInput`] if both ends are requested, or if the size or a cursor is invalid.
pub(super) fn page_request(
    ctx: &Context<'_>,
    first: Option<i32>,
    after: Option<&str>,
    last: Option<i32>,
    before: Option<&str>,
) -> Result<PageRequest, Error> {
    let (name, size) = match (first, last) {
        (Some(_), Some(_)) => {
            return Err(Error::BadInput("first and last cannot be combined: use only one of them.".to_owned()));
        }
        (None, Some(last)) => ("last", Some(last)),
        (first, None) => ("first", first),
    };
    let max_size = ctx.state()?.limits().page;
    let position = |argument: &str, cursor: Option<&str>| cursor.map(|cursor| decode(argument, cursor)).transpose();
    Ok(PageRequest {
        size: size.map_or(Ok(DEFAULT_SIZE.min(max_size)), |size| page_size(name, size, max_size))?,
        last: last.is_some(),
        after: position("after", after)?,
        before: position("before", before)?,
        unasked: Projection::default(),
    })
}

/// Validates the size of a page. The error names the argument that has it.
fn page_size(name: &str, size: i32, max_size: u32) -> Result<u32, Error> {
    u32::try_from(size)
        .ok()
        .filter(|size| *size <= max_size)
        .ok_or_else(|| Error::BadInput(format!("{name} is {size}; a page has between 0 and {max_size} nodes.")))
}

/// Returns the cost of a page: the cost of its fields times its number of nodes. An invalid size counts as one node.
pub(super) fn page_cost(first: Option<i32>, last: Option<i32>, fields: usize) -> usize {
    let size = first.or(last).map_or(DEFAULT_SIZE, |size| page_size("", size, Limits::MAX_PAGE_SIZE).unwrap_or(1));
    fields.saturating_mul((size as usize).max(1)).saturating_add(1)
}

/// Returns the columns and cursors of a connection's rows that no field of the query needs.
pub(super) fn projection<N: Row>(ctx: &Context<'_>) -> Projection {
    let selected = ctx.look_ahead();
    let (nodes, edges, page) = (selected.field("nodes"), selected.field("edges"), selected.field("pageInfo"));
    let node = edges.field("node");
    let is_selected = |field: &str| nodes.field(field).exists() || node.field(field).exists();
    let cursors = [edges.field("cursor"), page.field("startCursor"), page.field("endCursor")];
    Projection {
        cursors: !cursors.iter().any(Lookahead::exists),
        columns: N::COLUMNS_BY_FIELD
            .iter()
            .filter(|(field, _)| !is_selected(field))
            .map(|(_, column)| *column)
            .collect(),
    }
}

/// Returns the cursor of a position. Clients treat it as opaque.
pub(super) fn encode(position: &Cursor) -> String {
    // A position consists of texts, which always serialize as JSON.
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(position).unwrap_or_default())
}

/// Parses a cursor into its position. There is no length limit because a cursor can contain a name.
fn decode(argument: &str, cursor: &str) -> Result<Cursor, Error> {
    let position = URL_SAFE_NO_PAD.decode(cursor).ok();
    position.and_then(|text| serde_json::from_slice(&text).ok()).ok_or_else(|| {
        Error::BadInput(format!("{argument} is not a cursor of this list: use one from its edges or pageInfo."))
    })
}
