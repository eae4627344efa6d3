//! What the gateway says of each session on a page: several are asked about at once.

use std::collections::HashMap;

use async_graphql::dataloader::Loader;
use uuid::Uuid;

use super::{Fault, Reader};
use crate::gateway::{GatewayState, ask_each};

/// What the gateway says of the session with this id; nothing where there is no gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::graphql) struct GatewayOf(pub Uuid);

impl Loader<GatewayOf> for Reader {
    type Value = GatewayState;
    type Error = Fault;

    async fn load(&self, sessions: &[GatewayOf]) -> Result<HashMap<GatewayOf, GatewayState>, Fault> {
        let ids: Vec<Uuid> = sessions.iter().map(|session| session.0).collect();
        let said = ask_each(self.gateway.as_ref(), &ids).await;
        Ok(said.into_iter().map(|(id, state)| (GatewayOf(id), state)).collect())
    }
}
