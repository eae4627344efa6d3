//! Loaders: what many nodes of one answer need is read at once. A key says what is wanted of which row; what is wanted
//! together is read with one statement.

mod by_id;
mod cleanup;
mod deletion;
mod gateway;
mod group;
mod impact;

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::dataloader::DataLoader;

use crate::db::Database;
use crate::error::Error;
use crate::gateway::Gateway;

pub(super) use super::execution::batch_scheduler::Work;
pub(super) use by_id::SessionBy;
pub(super) use cleanup::{DeletionCountOf, DeletionsOf, RunOf, SkippedOf};
pub(super) use deletion::DeletionOf;
pub(super) use gateway::GatewayOf;
pub(super) use group::{GroupCountOf, GroupsOf, ReferencesOf};
pub(super) use impact::ImpactOf;

/// The most keys of one batch. The library's own limit would split a page of pages.
const MOST: usize = 100_000;

/// Reads what the keys say.
pub(super) struct Reader {
    database: Database,
    gateway: Option<Gateway>,
}

/// The loader of one request: what it has read is never older than the request.
pub(super) type Batches = DataLoader<Reader>;

/// The loader of one request, which hands its work to `work`.
pub(super) fn batches(database: Database, gateway: Option<Gateway>, work: Work) -> Batches {
    DataLoader::new(Reader { database, gateway }, work).delay(Duration::ZERO).max_batch_size(MOST)
}

/// What loaders give back for a fault: one error for all who wait.
type Fault = Arc<Error>;

/// The parents, or their keys, of which the same is wanted: they are read with one statement.
fn alike<'a, T: Eq + Hash, P>(wanted: impl Iterator<Item = (&'a T, P)>) -> HashMap<&'a T, Vec<P>> {
    let mut alike: HashMap<&T, Vec<P>> = HashMap::new();
    for (what, parent) in wanted {
        alike.entry(what).or_default().push(parent);
    }
    alike
}
