//! Loaders of a single value per id: a row, or data about it.

use std::collections::HashMap;

use async_graphql::dataloader::Loader;
use uuid::Uuid;

use super::reader::{BatchReader, SharedError};
use crate::cleanup::{self, CleanupRun};
use crate::deletion::Deletion;
use crate::deletion::audit::query;
use crate::gateway::{GatewayState, query_if_available_each};
use crate::impact::{self, Impact};
use crate::session::{Session, queries};

/// The key of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::graphql) struct SessionById(pub Uuid);

impl Loader<SessionById> for BatchReader {
    type Value = Session;
    type Error = SharedError;

    async fn load(&self, keys: &[SessionById]) -> Result<HashMap<SessionById, Session>, SharedError> {
        let ids: Vec<Uuid> = keys.iter().map(|key| key.0).collect();
        let sessions = queries::find(&self.database, &ids).await?;
        Ok(sessions.into_iter().map(|session| (SessionById(session.id), session)).collect())
    }
}

/// The key of a deletion's audit record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::graphql) struct DeletionById(pub Uuid);

impl Loader<DeletionById> for BatchReader {
    type Value = Deletion;
    type Error = SharedError;

    async fn load(&self, keys: &[DeletionById]) -> Result<HashMap<DeletionById, Deletion>, SharedError> {
        let ids: Vec<Uuid> = keys.iter().map(|key| key.0).collect();
        let deletions = query::find_many(self.database.pool(), &self.database, &ids).await?;
        Ok(deletions.into_iter().map(|deletion| (DeletionById(deletion.id), deletion)).collect())
    }
}

/// The key of a cleanup run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::graphql) struct RunById(pub Uuid);

impl Loader<RunById> for BatchReader {
    type Value = CleanupRun;
    type Error = SharedError;

    async fn load(&self, keys: &[RunById]) -> Result<HashMap<RunById, CleanupRun>, SharedError> {
        let ids: Vec<Uuid> = keys.iter().map(|key| key.0).collect();
        let runs = cleanup::find_many(self.database.pool(), &self.database, &ids).await?;
        Ok(runs.into_iter().map(|run| (RunById(run.id), run)).collect())
    }
}

/// The key of the impact of deleting one session alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::graphql) struct ImpactById(pub Uuid);

impl Loader<ImpactById> for BatchReader {
    type Value = Impact;
    type Error = SharedError;

    async fn load(&self, keys: &[ImpactById]) -> Result<HashMap<ImpactById, Impact>, SharedError> {
        let ids: Vec<Uuid> = keys.iter().map(|key| key.0).collect();
        let impacts = impact::impact_of_each(&self.database, &ids).await?;
        Ok(impacts.into_iter().map(|(id, impact)| (ImpactById(id), impact)).collect())
    }
}

/// The key of the gateway's state of a session. Without a gateway there is no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::graphql) struct GatewayStateById(pub Uuid);

impl Loader<GatewayStateById> for BatchReader {
    type Value = GatewayState;
    type Error = SharedError;

    async fn load(&self, keys: &[GatewayStateById]) -> Result<HashMap<GatewayStateById, GatewayState>, SharedError> {
        let ids: Vec<Uuid> = keys.iter().map(|key| key.0).collect();
        let states = query_if_available_each(self.gateway.as_ref(), &ids).await;
        Ok(states.into_iter().map(|(id, state)| (GatewayStateById(id), state)).collect())
    }
}
