//! The data loader of a request and the sources that it reads from.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::dataloader::DataLoader;

use crate::db::Database;
use crate::error::Error;
use crate::gateway::Gateway;
use crate::graphql::execution::batch_scheduler::SpawnBatch;

/// The maximum number of keys in one batch. The data loader's default limit would split nested pages.
const MAX_BATCH: usize = 100_000;

/// The sources from which batches are read.
pub(in crate::graphql) struct BatchReader {
    pub(super) database: Database,
    pub(super) gateway: Option<Gateway>,
}

/// The data loader of one request. Its data is never older than the request.
pub(in crate::graphql) type RequestLoader = DataLoader<BatchReader>;

/// Returns the data loader of one request. `spawn` runs its batches.
pub(in crate::graphql) fn request_loader(
    database: Database,
    gateway: Option<Gateway>,
    spawn: SpawnBatch,
) -> RequestLoader {
    DataLoader::new(BatchReader { database, gateway }, spawn).delay(Duration::ZERO).max_batch_size(MAX_BATCH)
}

/// The error of a batch, shared by all fields that wait for it.
pub(super) type SharedError = Arc<Error>;

/// Groups parents, or their keys, by the requested part. Each group is read with one statement.
pub(super) fn group_by_key<'a, T: Eq + Hash, P>(requests: impl Iterator<Item = (&'a T, P)>) -> HashMap<&'a T, Vec<P>> {
    let mut groups: HashMap<&T, Vec<P>> = HashMap::new();
    for (key, parent) in requests {
        groups.entry(key).or_default().push(parent);
    }
    groups
}
