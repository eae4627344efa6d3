//! Cursors: the position of a row in a list.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::db::SqlValue;

/// The position of a row in a list, whether or not the row still exists.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cursor {
    /// The [name of the order](super::SortOrder::name): a cursor of one order is invalid in another.
    #[serde(rename = "o")]
    pub(super) order: Arc<str>,
    /// The row's value of the sort key.
    #[serde(rename = "v")]
    pub(super) value: Option<SqlValue>,
    /// The row's id, which breaks ties.
    #[serde(rename = "i")]
    pub(super) id: SqlValue,
}
