//! The session of each group on a page.

use std::collections::HashMap;

use async_graphql::dataloader::Loader;
use uuid::Uuid;

use super::{Fault, Reader};
use crate::session::{Session, queries};

/// The session with this id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::graphql) struct SessionBy(pub Uuid);

impl Loader<SessionBy> for Reader {
    type Value = Session;
    type Error = Fault;

    async fn load(&self, sessions: &[SessionBy]) -> Result<HashMap<SessionBy, Session>, Fault> {
        let ids: Vec<Uuid> = sessions.iter().map(|session| session.0).collect();
        let found = queries::find(&self.database, &ids).await?;
        Ok(found.into_iter().map(|session| (SessionBy(session.id), session)).collect())
    }
}
