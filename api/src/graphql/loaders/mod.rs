//! Loaders: what many nodes of one answer need is read at once.

mod impact;

pub(super) use impact::ImpactLoader;
