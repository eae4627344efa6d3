//! Loaders: what many nodes of one answer need is read at once. A key says what is wanted of which row; what is wanted
//! together is read with one statement.

mod batch;
mod group;
mod impact;
mod session;

use std::sync::Arc;
use std::time::Duration;

use async_graphql::dataloader::DataLoader;

use crate::db::Database;
use crate::error::Error;

pub(super) use batch::{Work, answered};
pub(super) use group::{GroupCountOf, GroupsOf, ReferencesOf};
pub(super) use impact::ImpactOf;
pub(super) use session::SessionBy;

/// The most keys of one batch. The library's own limit would split a page of pages.
const MOST: usize = 100_000;

/// Reads what the keys say.
pub(super) struct Reader {
    database: Database,
}

/// The loader of one request: what it has read is never older than the request.
pub(super) type Batches = DataLoader<Reader>;

/// The loader of one request, which hands its work to `work`.
pub(super) fn batches(database: Database, work: Work) -> Batches {
    DataLoader::new(Reader { database }, work).delay(Duration::ZERO).max_batch_size(MOST)
}

/// What loaders give back for a fault: one error for all who wait.
type Fault = Arc<Error>;
