//! Loaders that read the data of many nodes of a response at once. Keys that request the same part of different rows
//! are loaded with one statement.

mod by_id;
mod cleanup;
mod group;
mod reader;

pub(super) use by_id::{DeletionById, GatewayStateById, ImpactById, RunById, SessionById};
pub(super) use cleanup::{DeletionCountByRun, DeletionsByRun, SkippedByRun};
pub(super) use group::{GroupCountBySession, GroupsBySession, ReferencesByGroup};
pub(super) use reader::{RequestLoader, request_loader};
