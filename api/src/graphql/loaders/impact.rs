//! The impact of each session on a page.

use std::collections::HashMap;

use async_graphql::dataloader::Loader;
use uuid::Uuid;

use super::{Fault, Reader};
use crate::impact::{self, Impact};

/// The impact of deleting the session with this id alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::graphql) struct ImpactOf(pub Uuid);

impl Loader<ImpactOf> for Reader {
    type Value = Impact;
    type Error = Fault;

    async fn load(&self, sessions: &[ImpactOf]) -> Result<HashMap<ImpactOf, Impact>, Fault> {
        let ids: Vec<Uuid> = sessions.iter().map(|session| session.0).collect();
        let found = impact::of_each_session(&self.database, &ids).await?;
        Ok(found.into_iter().map(|(id, impact)| (ImpactOf(id), impact)).collect())
    }
}
