//! Loaders: what many nodes of one response need is read at once. A key says what is needed of which row; keys that are
//! loaded together are read with one statement.

mod by_id;
mod cleanup;
mod group;
mod reader;

pub(super) use by_id::{DeletionById, GatewayStateById, ImpactById, RunById, SessionById};
pub(super) use cleanup::{DeletionCountByRun, DeletionsByRun, SkippedByRun};
pub(super) use group::{GroupCountBySession, GroupsBySession, ReferencesByGroup};
pub(super) use reader::{RequestLoader, request_loader};
