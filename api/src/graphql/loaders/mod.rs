//! Loaders: what many nodes of one answer need is read at once.

mod cleanup_run;
mod impact;

pub(super) use cleanup_run::{CleanupRunLoader, DeletionCountOf, DeletionsOf, RunOf, SkippedOf, loader};
pub(super) use impact::ImpactLoader;
