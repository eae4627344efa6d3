//! Cursors and the size of a page, the same for every list.

use async_graphql::{Context, Lookahead};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::context::ContextExt as _;
use super::execution::row_list::Row;
use crate::db::pagination::{Position, Slice, Unasked};
use crate::error::Error;
use crate::limits::Limits;

/// Nodes on a page that does not say how many.
const DEFAULT_SIZE: u32 = 20;

/// The part of a list that the arguments ask for.
pub(super) fn slice(
    ctx: &Context<'_>,
    first: Option<i32>,
    after: Option<&str>,
    last: Option<i32>,
    before: Option<&str>,
) -> Result<Slice, Error> {
    let (name, size) = match (first, last) {
        (Some(_), Some(_)) => {
            return Err(Error::BadInput("first and last exclude each other: ask for one end of the list.".to_owned()));
        }
        (None, Some(last)) => ("last", Some(last)),
        (first, None) => ("first", first),
    };
    let most = ctx.state()?.limits().page;
    let place = |argument: &str, cursor: Option<&str>| cursor.map(|cursor| decode(argument, cursor)).transpose();
    Ok(Slice {
        size: size.map_or(Ok(DEFAULT_SIZE.min(most)), |size| page_size(name, size, most))?,
        last: last.is_some(),
        after: place("after", after)?,
        before: place("before", before)?,
        unasked: Unasked::default(),
    })
}

fn page_size(name: &str, size: i32, most: u32) -> Result<u32, Error> {
    u32::try_from(size)
        .ok()
        .filter(|size| *size <= most)
        .ok_or_else(|| Error::BadInput(format!("{name} is {size}; a page has between 0 and {most} nodes.")))
}

/// What a page costs: its fields, as often as it has nodes. A page of a size that is refused costs nothing more.
pub(super) fn page_cost(first: Option<i32>, last: Option<i32>, fields: usize) -> usize {
    let asked = first.or(last).map_or(DEFAULT_SIZE, |size| page_size("", size, Limits::MOST_ON_A_PAGE).unwrap_or(1));
    fields.saturating_mul((asked as usize).max(1)).saturating_add(1)
}

/// What of the rows of a connection the query has no field for.
pub(super) fn unasked<N: Row>(ctx: &Context<'_>) -> Unasked {
    let asked = ctx.look_ahead();
    let (nodes, edges, page) = (asked.field("nodes"), asked.field("edges"), asked.field("pageInfo"));
    let node = edges.field("node");
    let is_asked = |field: &str| nodes.field(field).exists() || node.field(field).exists();
    let cursors = [edges.field("cursor"), page.field("startCursor"), page.field("endCursor")];
    Unasked {
        places: !cursors.iter().any(Lookahead::exists),
        columns: N::READ_FOR.iter().filter(|(field, _)| !is_asked(field)).map(|(_, column)| *column).collect(),
    }
}

/// A position as a cursor: opaque to clients.
pub(super) fn encode(position: &Position) -> String {
    // Texts alone always have a form in JSON.
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(position).unwrap_or_default())
}

/// The position that a cursor stands for. It may be long: a name is part of some.
fn decode(argument: &str, cursor: &str) -> Result<Position, Error> {
    let position = URL_SAFE_NO_PAD.decode(cursor).ok();
    position.and_then(|text| serde_json::from_slice(&text).ok()).ok_or_else(|| {
        Error::BadInput(format!("{argument} is not a cursor of this list: take one from its edges or pageInfo."))
    })
}
