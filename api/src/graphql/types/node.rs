//! The types that have an id, and the interface that they implement. Their fields are in the files named after them,
//! because sessions and groups refer to each other.

use async_graphql::{Description, ID, Interface};

use crate::{cleanup, deletion, group, session};

/// A row of `whatsapp_sessions`: one WhatsApp connection.
#[derive(Debug, Clone, Description)]
pub struct Session(pub session::Session);

/// A row of `whatsapp_groups`: a group, or community, of the messenger that a session is in.
#[derive(Debug, Clone, Description)]
pub struct Group(pub group::Group);

/// A finished deletion: its audit record.
#[derive(Debug, Clone, Description)]
pub struct Deletion(pub deletion::Deletion);

/// A cleanup goes through the sessions that matched when it was asked for, in short transactions; it survives a crash of the
/// server and goes on where it stopped. expectedImpact is compared once, at the start; each session is checked again before it goes.
#[derive(Debug, Clone, Description)]
pub struct CleanupRun(pub cleanup::CleanupRun);

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
