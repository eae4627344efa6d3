//! Deletions by their ids.

use std::collections::HashMap;

use async_graphql::dataloader::Loader;
use uuid::Uuid;

use super::{Fault, Reader};
use crate::deletion::Deletion;
use crate::deletion::audit::query;

/// The deletion with this id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::graphql) struct DeletionOf(pub Uuid);

impl Loader<DeletionOf> for Reader {
    type Value = Deletion;
    type Error = Fault;

    async fn load(&self, deletions: &[DeletionOf]) -> Result<HashMap<DeletionOf, Deletion>, Fault> {
        let ids: Vec<Uuid> = deletions.iter().map(|deletion| deletion.0).collect();
        let found = query::find_many(self.database.pool(), &self.database, &ids).await?;
        Ok(found.into_iter().map(|deletion| (DeletionOf(deletion.id), deletion)).collect())
    }
}
