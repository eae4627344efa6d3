//! The impact of a deletion: which rows deleting given sessions deletes, unlinks, or finds in its way, read from the
//! foreign keys of the database. Nothing is changed.

mod analysis;
mod deletable_set;
pub mod effect;
mod model;
pub mod plan;
pub mod sql;
pub mod token;
mod topology;

pub use analysis::{SchemaSnapshot, impact_of, impact_of_each};
pub use deletable_set::{DeletableSet, largest_deletable_set, smallest_deletable_set};
pub use model::{Blocker, BlockerKind, Impact, ImpactChange, ReferenceImpact, TableImpact};
pub use topology::Component;
