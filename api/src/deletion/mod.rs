//! Deletion: sessions and everything that refers to them are deleted exactly as previewed, with an audit record and an
//! archive, or not at all.

pub(crate) mod archive;
pub mod audit;
pub(crate) mod commit_hook;
mod execute;
mod model;
pub(crate) mod postgres;
pub(crate) mod refusals;
mod row_counts;
pub(crate) mod sqlite;
mod sqlite_work_tables;
mod terms;

pub use archive::erasure::{ErasureOutcome, erase};
pub use archive::erasure_hook::ErasureHook;
pub use archive::retention::{ExpiryCounts, expire, expire_hourly};
pub use audit::query::DeletionFilter;
pub use execute::delete;
pub(crate) use execute::{delete_batch, enforce_foreign_keys};
pub use model::{DeletedSession, Deletion, DeletionOutcome, DeletionRequest, DeletionStatus};
pub(crate) use sqlite::broken_references;
pub use terms::DeletionTerms;
