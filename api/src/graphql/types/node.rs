//! What has an id.

use async_graphql::{ID, Interface};

use super::{CleanupRun, Deletion, Group, Session};

/// Anything with an id of its own. Ids are the rows' own UUIDs, as operators see them in the database.
#[derive(Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "The row's own UUID."))]
pub enum Node {
    /// A session.
    Session(Session),
    /// A group.
    Group(Group),
    /// A deletion.
    Deletion(Deletion),
    /// A cleanup's run.
    CleanupRun(CleanupRun),
}
